"""TypeScript text: expressions, names, and the layout that prettier would give them."""

from __future__ import annotations

from dbplan.exports.typescript.names import identifier, jsdoc, template, text
from dbplan.exports.typescript.nodes import Arrow, Call, List, Member, Node, Record, Sql, Text, Word, call, record
from dbplan.exports.typescript.printing import attribute, decorator, expression, imports, statement
from dbplan.exports.typescript.values import document, number

__all__ = [
    "Arrow",
    "Call",
    "List",
    "Member",
    "Node",
    "Record",
    "Sql",
    "Text",
    "Word",
    "attribute",
    "call",
    "decorator",
    "document",
    "expression",
    "identifier",
    "imports",
    "jsdoc",
    "number",
    "record",
    "statement",
    "template",
    "text",
]
