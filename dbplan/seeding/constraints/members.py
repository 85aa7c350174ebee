"""What is read out of JSON columns: documents get the members that CHECKs, indexes and generated columns ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Boolean, Column, Integer, Numeric, Table, TextClause
from sqlglot import exp

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import Check, Facts, sql_text
from dbplan.seeding.constraints.predicate import Expression, expression

_TAKEN = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)
KINDS = ((Boolean, bool), (Integer, int), (Numeric, int))


def note_members(found: Facts, table: Table) -> None:
    """Add to the facts of a table what its documents hold, and that generated columns are NOT NULL."""
    for check in found.checks:
        if check.parsed is not None:
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


def _note(found: Facts, node: Any, kind: type | str) -> None:
    for taken in node.find_all(*_TAKEN):
        keys = [part.this for part in taken.expression.find_all(exp.JSONPathKey)]
        if isinstance(taken.this, exp.Column) and keys:
            found.limit(taken.this.name).members.setdefault(str(keys[0]), kind)
