"""Uniques as they are written: plain ones, partial ones, those over expressions, and exclusions, their kin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, TextClause, UnaryExpression, UniqueConstraint
from sqlalchemy import types as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.sql import operators
from sqlglot import exp

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import sql_text
from dbplan.seeding.constraints.predicate import Expression, expression

_ORDERS = (operators.desc_op, operators.asc_op, operators.nulls_first_op, operators.nulls_last_op)
_ORDER = re.compile(r"(\s+(COLLATE\s+\S+|ASC|DESC|NULLS\s+(FIRST|LAST)|\w+_ops))+$", re.IGNORECASE)
_CASES = (exp.Lower, exp.Upper, exp.Trim)
NARROW = (sa.Boolean, sa.Enum)
SPEAKERS = ("postgresql", "sqlite")
"""Servers with partial indexes."""


@dataclass(frozen=True)
class Unique:
    """What no two rows have in common: the values of `parts`, among the rows of `where`, where none of them is NULL.

    Values of `overlaps`, which an exclusion constraint may add, are in common where they overlap.
    """

    name: str
    parts: tuple[Expression, ...]
    where: Expression | None = None
    nulls_differ: bool = True
    overlaps: tuple[Expression, ...] = ()
    fault: str = ""
    """What in it cannot be computed here, if anything."""

    @property
    def columns(self) -> frozenset[str]:
        """All columns that the parts read."""
        return frozenset().union(*(part.columns for part in (*self.parts, *self.overlaps)))

    @property
    def told_apart(self) -> frozenset[str]:
        """The columns by which rows that differ in them differ in the parts as well."""
        return frozenset(name for part in self.parts for name in _kept_apart(part.node))

    @property
    def total(self) -> bool:
        """Whether it is one over whole columns and all rows."""
        return self.where is None and not self.overlaps and all(isinstance(p.node, exp.Column) for p in self.parts)

    @property
    def label(self) -> str:
        """Name it in an error."""
        what = ", ".join(part.text for part in (*self.parts, *self.overlaps)) or self.name
        return f"({what})" + (f" where {self.where.text}" if self.where is not None else "")


def _kept_apart(node: Any) -> tuple[str, ...]:
    """Return the column of which different values stay different; texts differ in more than their case here."""
    while isinstance(node, _CASES):
        node = node.this
    return (node.name,) if isinstance(node, exp.Column) else ()


def column_of(name: str) -> Expression:
    """Return a column as an expression."""
    return Expression(name, exp.column(name), frozenset({name}))


def plain_unique(names: Iterable[str]) -> Unique:
    """Return the unique over whole columns."""
    ordered = sorted(names)
    return Unique("+".join(ordered), tuple(map(column_of, ordered)))


def written_uniques(table: Table) -> tuple[Unique, ...]:
    """Return all that a table's keys, uniques, unique indexes and exclusion constraints say."""
    return tuple(dict.fromkeys((*_of_constraints(table), *_of_indexes(table), *_of_columns(table))))


def _of_constraints(table: Table) -> Iterator[Unique]:
    for constraint in sorted(table.constraints, key=lambda c: (str(c.name or ""), type(c).__name__)):
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint) and len(constraint.columns):
            said = constraint.dialect_options["postgresql"].get("nulls_not_distinct")
            yield _of_names(table, str(constraint.name or ""), constraint.columns, nulls_differ=not said)
        elif isinstance(constraint, ExcludeConstraint):
            yield _exclusion(table, constraint)


def _of_columns(table: Table) -> Iterator[Unique]:
    yield from (_of_names(table, column.name, [column]) for column in table.columns if column.unique)


def _of_names(table: Table, name: str, columns: Iterable[Column[Any]], *, nulls_differ: bool = True) -> Unique:
    ordered = sorted(columns, key=lambda column: column.name)
    return _made(table, name, ordered, None, nulls_differ=nulls_differ)


def _of_indexes(table: Table) -> Iterator[Unique]:
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if index.unique:
            said = index.dialect_options["postgresql"].get("nulls_not_distinct")
            yield _made(table, str(index.name), index.expressions, condition_of(index), nulls_differ=not said)


def condition_of(index: Index) -> Any:
    """Return which rows an index is over, None for all."""
    found = (index.dialect_options[name].get("where") for name in SPEAKERS)
    return next((where for where in found if where is not None), None)


def _made(table: Table, name: str, parts: Iterable[Any], where: Any, *, nulls_differ: bool = True) -> Unique:
    try:
        read = tuple(_part(table, part) for part in parts)
        condition = None if where is None else expression(_text(where), table.columns.keys())
    except NotCovered as error:
        return Unique(name, (), fault=str(error))
    return Unique(name, read, condition, nulls_differ)


def _part(table: Table, part: Any) -> Expression:
    """Return a column, what a generated column is generated from, or an expression."""
    part = without_order(part)
    if isinstance(part, Column) and part.name in table.columns:
        computed = table.columns[part.name].computed
        return column_of(part.name) if computed is None else expression(_text(computed.sqltext), table.columns.keys())
    return expression(_text(part), table.columns.keys())


def without_order(part: Any) -> Any:
    """Return a part of an index without its order, collation and operator class."""
    while isinstance(part, UnaryExpression) and part.modifier in _ORDERS:
        part = part.element
    said = part if isinstance(part, str) else part.text if isinstance(part, TextClause) else None
    return part if said is None else _ORDER.sub("", said)


def _text(clause: Any) -> str:
    return clause if isinstance(clause, str) else sql_text(clause)


def _exclusion(table: Table, constraint: ExcludeConstraint) -> Unique:
    """Return an exclusion constraint: what is equal and overlaps is excluded; other operators are not covered."""
    parts: dict[str, list[Any]] = {"=": [], "&&": []}
    for clause, _, operator in constraint._render_exprs:
        if operator not in parts:
            return Unique(str(constraint.name or ""), (), fault=f"the operator {operator} of an exclusion constraint")
        parts[operator].append(clause)
    equal = _made(table, str(constraint.name or ""), parts["="], constraint.where)
    over = _made(table, str(constraint.name or ""), parts["&&"], None)
    return Unique(equal.name, equal.parts, equal.where, overlaps=over.parts, fault=equal.fault or over.fault)


def asked_loosely(table: Table) -> frozenset[str]:
    """Return the columns that partial uniques and those over expressions read, and those whose NULLs are alike."""
    loose = (unique for unique in written_uniques(table) if not unique.total or not unique.nulls_differ)
    return frozenset(n for u in loose for n in u.columns | (u.where.columns if u.where is not None else set()))


def is_wide(table: Table, unique: Unique) -> bool:
    """Whether one of its columns has so many values that a partial unique may as well be held in all rows."""
    asked = unique.where.columns if unique.where is not None else frozenset()
    return any(_wide(table.columns[name]) for name in unique.told_apart - asked)


def _wide(column: Column[Any]) -> bool:
    kind = column.type
    short = isinstance(kind, sa.String) and (kind.length or 99) < 8
    return not column.foreign_keys and not short and not isinstance(kind, NARROW)
