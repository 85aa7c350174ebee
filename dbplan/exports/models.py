"""A plan as a SQLAlchemy module: a declarative class for each table, nothing left out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Column, Enum, Table
from sqlalchemy.dialects.postgresql import DOMAIN

from dbplan.evidence import Place
from dbplan.exports.alchemy import columns, kinds, relationships, tables
from dbplan.exports.alchemy.module import module, named_page, sequences
from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Group, Named, Node, Text, assigned, call, docstring, flat, mapped, shown
from dbplan.exports.written import Written
from dbplan.plan import Plan

_RESERVED = frozenset({"metadata", "registry", "self"})
_UNDERSTOOD = {
    "int": "Integer",
    "str": "String",
    "bool": "Boolean",
    "bytes": "LargeBinary",
    "UUID": "Uuid",
    "Decimal": "Numeric",
    "dt.datetime": "DateTime",
    "dt.date": "Date",
    "dt.time": "Time",
    "dt.timedelta": "Interval",
}
"""What SQLAlchemy makes of a Python type by itself."""


def write(plan: Plan, dialect: str) -> Written:
    """Return `models.py`: a module that `read` takes back as the same plan.

    Tables without a primary key and views are Core tables; what SQLAlchemy has no place for stands in `info`.
    """
    page = named_page(plan, dialect, "export-models", _RESERVED, "Base.metadata")
    shared = kinds.share(page)
    usual = _usual_types(page)
    base = _base(page, usual)
    constants = {name: shown(node, before=f"{name} = ") for name, node in shared.items()}
    early = {flat(node) for node in usual.values()} & constants.keys()
    blocks = [*(constants[name] for name in constants if name in early), base, *sequences(page)]
    blocks += [text for name, text in constants.items() if name not in early]
    for table in plan.metadata.tables.values():
        blocks.append(_class(page, table, usual) if page.is_class(table) else tables.core(page, table))
    text = module(page, blocks, future=True)
    return Written({"models.py": text}, tuple(dict.fromkeys(page.lost)))


def _base(page: Page, usual: dict[str, Node]) -> str:
    """Return the declarative base: the MetaData, and what Python types become."""
    name = page.imports.name("sqlalchemy.orm", "DeclarativeBase")
    lines = [f"class Base({name}):", '    """The base of all models."""']
    metadata = page.plan.metadata
    named: dict[str, Node | None] = {
        "naming_convention": mapped({k: Text(v) for k, v in page.conventions.items()}) if page.conventions else None,
        "info": page.information(Place(), metadata.info),
    }
    if any(value is not None for value in named.values()):
        lines += ["", "    " + shown(call(page.sa("MetaData"), **named), 4, "metadata = ")]
    differing = {python: node for python, node in usual.items() if flat(node) != _UNDERSTOOD.get(python)}
    if differing:
        items = tuple(Named(f"{python}: ", node) for python, node in differing.items())
        lines += ["", "    " + shown(Group("", items, "{}"), 4, "type_annotation_map = ")]
    return "\n".join(lines)


def _usual_types(page: Page) -> dict[str, Node]:
    """Return the type that each Python type mostly stands for, where two columns or more agree."""
    counted: dict[str, Counter[str]] = {}
    nodes: dict[str, Node] = {}
    for table in filter(page.is_class, page.plan.tables):
        for column in table.columns:
            python, node = kinds.annotation(page, column), kinds.kind(page, column)
            if node is not None and _is_general(column, node) and not python.endswith(("Any", "]")):
                counted.setdefault(python, Counter())[flat(node)] += 1
                nodes[flat(node)] = node
    most = {python: counter.most_common(1)[0] for python, counter in counted.items()}
    chosen = {python: words for python, (words, count) in most.items() if count > 1}
    return {python: nodes[words] for python, words in sorted(chosen.items())}


def _is_general(column: Column[Any], node: Node) -> bool:
    """Say whether a type may stand for a Python type: it has no length, no name, and is not that of a parent."""
    sized = isinstance(node, Group) and any(not isinstance(item, Named) for item in node.items)
    return not sized and not column.foreign_keys and not isinstance(column.type, Enum | DOMAIN)


def _class(page: Page, table: Table, usual: dict[str, Node]) -> str:
    name = page.naming.class_of(table)
    lines = [f"class {name}(Base):"]
    if table.comment:
        lines += [docstring(table.comment), ""]
    lines += ["    " + shown(Text(str(table.name)), 4, "__tablename__ = ")]
    if arguments := _table_arguments(page, table):
        lines += ["    " + shown(arguments, 4, "__table_args__ = ")]
    lines += [""]
    lines += [_column(page, column, usual) for column in table.columns]
    related = [_relationship(page, *found) for found in relationships.of(page, table)]
    lines += ["", *related] if related else []
    later = tables.later_indexes(page, table, lambda column: tables.reference(page, column))
    return "\n".join(lines) + ("\n\n\n" + "\n".join(later) if later else "")


def _table_arguments(page: Page, table: Table) -> Node | None:
    rules, options = tables.rules(page, table), tables.options(page, table)
    if not rules:
        return mapped(options) if options else None
    return Group("", (*rules, mapped(options)) if options else tuple(rules))


def _column(page: Page, column: Column[Any], usual: dict[str, Node]) -> str:
    attribute, python = page.naming.field_of(column), kinds.annotation(page, column)
    vague = python == page.imports.name("typing", "Any") if python.endswith("Any") else False
    written = python + (" | None" if column.nullable and not vague else "")
    kind = None if _is_understood(page, column, python, usual) else kinds.kind(page, column)
    items = columns.arguments(page, column, type_=kind, nullable=None if vague else column.nullable)
    if attribute != column.name:
        items.insert(0, Text(str(column.name)))
    mapped_name = page.imports.name("sqlalchemy.orm", "Mapped")
    start = f"{attribute}: {mapped_name}[{written}]"
    if not items:
        return f"    {start}"
    made = Group(page.imports.name("sqlalchemy.orm", "mapped_column"), tuple(items))
    return assigned(f"{start}", made)


def _is_understood(page: Page, column: Column[Any], python: str, usual: dict[str, Node]) -> bool:
    """Say whether the annotation, or the foreign key, gives the column its type."""
    kind = kinds.kind(page, column)
    if kind is None:
        return True
    if (key := columns.own_key(page, column)) is not None:
        return _is_as_parent(page, key.elements[0], kind)
    return not isinstance(column.type, Enum) and flat(kind) == flat(usual.get(python, _UNDERSTOOD.get(python, "")))


def _is_as_parent(page: Page, element: Any, kind: Node) -> bool:
    """Say whether a foreign key's column has the type that it takes over from its parent."""
    parent = page.plan.metadata.tables.get(element.target_table_key)
    if parent is None or parent is element.parent.table:
        return False
    target = element.column
    other = kinds.kind(page, target)
    return not target.foreign_keys and other is not None and flat(other) == flat(kind)


def _relationship(page: Page, attribute: str, python: str, named: dict[str, Node]) -> str:
    head = page.imports.name("sqlalchemy.orm", "relationship")
    kind = f"{page.imports.name('sqlalchemy.orm', 'Mapped')}[{python}]"
    return assigned(f"{attribute}: {kind}", call(head, **named))
