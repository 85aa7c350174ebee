"""What is read out of JSON columns: documents get the members that CHECKs, indexes and generated columns ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Boolean, Column, Integer, Numeric, Table, TextClause
from sqlglot import exp

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import Check, Facts, plain, sql_text
from dbplan.seeding.constraints.predicate import Expression, expression, listed

_TAKEN = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)
KINDS = ((Boolean, bool), (Integer, int), (Numeric, int))


def note_members(found: Facts, table: Table) -> None:
    """Add to the facts of a table what its documents hold, and that generated columns are NOT NULL."""
    for check in found.checks:
        if check.parsed is not None:
            _note_values(found, check.parsed.node)
            _note(found, check.parsed.node, str)
    for column, made in _generated(table):
        kind = next((python for family, python in KINDS if isinstance(column.type, family)), str)
        _note(found, made.node, found.limit(column.name).pattern or kind)
        if not column.nullable:
            text = f"{made.text} IS NOT NULL"
            node: Any = exp.Not(this=exp.Is(this=made.node.copy(), expression=exp.Null()))
            found.checks.append(Check(f"NOT NULL of {column.name}", text, Expression(text, node, made.columns)))
    for part in (part for index in table.indexes for part in index.expressions if not isinstance(part, Column)):
        read = _read(table, part)
        if read is not None:
            _note(found, read.node, str)


def _generated(table: Table) -> Iterator[tuple[Column[Any], Expression]]:
    for column in table.columns:
        made = _read(table, column.computed.sqltext) if column.computed is not None else None
        if made is not None:
            yield column, made


def _read(table: Table, clause: Any) -> Expression | None:
    try:
        return expression(clause.text if isinstance(clause, TextClause) else sql_text(clause), table.columns.keys())
    except NotCovered:
        return None


def _note_values(found: Facts, node: Any) -> None:
    """Note members that are compared with values, or cast to numbers, and those that must be there."""
    for test in node.find_all(exp.EQ, exp.In):
        items = test.expressions or ([test.expression] if test.expression is not None else [])
        items = listed(items[0]) if items and isinstance(items[0], exp.Any) and items[0].find(exp.Array) else items
        texts = [plain(item) for item in items]
        if isinstance(plain(test.this), _TAKEN) and texts and all(isinstance(t, exp.Literal) for t in texts):
            _note(found, test.this, f"^({'|'.join(re.escape(text.this) for text in texts)})$")
    for cast in node.find_all(exp.Cast):
        if cast.to.this in exp.DataType.NUMERIC_TYPES:
            _note(found, cast.this, "^[1-9][0-9]{0,2}$")
    for asked in node.find_all(exp.JSONBContainsTopKey):
        key = plain(asked.expression)
        if isinstance(asked.this, exp.Column) and isinstance(key, exp.Literal):
            found.limit(asked.this.name).members.setdefault(key.this, str)


def _note(found: Facts, node: Any, kind: type | str) -> None:
    for taken in node.find_all(*_TAKEN):
        path = plain(taken.expression)
        keys = [path.this] if isinstance(path, exp.Literal) else [p.this for p in path.find_all(exp.JSONPathKey)]
        if isinstance(taken.this, exp.Column) and keys:
            found.limit(taken.this.name).members.setdefault(str(keys[0]), kind)
