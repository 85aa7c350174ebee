"""Access paths: every primary key, unique constraint and index of a table, read into one form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, TextClause, UnaryExpression

from dbplan.linting.pgtypes import DIALECT

Kind = Literal["primary key", "unique constraint", "index", "exclusion constraint"]

_TEXT_KEY = re.compile(
    r'^\s*(?P<name>"(?:[^"]|"")+"|\w+)\s*(?P<order>asc|desc)?\s*(?:nulls\s+(?P<nulls>first|last))?\s*$', re.IGNORECASE
)
_NOT_NULL = re.compile(r"^\s*\(*\s*(?:\w+\.)?\"?(?P<name>\w+)\"?\s+is\s+not\s+null\s*\)*\s*$", re.IGNORECASE)
_ORDERINGS = (operators.desc_op, operators.asc_op, operators.nulls_first_op, operators.nulls_last_op)


@dataclass(frozen=True)
class Key:
    """One key of an access path: a column's name, or "" and the SQL of an expression."""

    column: str
    expression: str = ""
    descending: bool = False
    nulls_first: bool = False
    opclass: str = ""
    operator: str = "="

    @property
    def reversed(self) -> Key:
        """The same key as a backward scan sees it."""
        flipped = (not self.descending, not self.nulls_first)
        return Key(self.column, self.expression, *flipped, self.opclass, self.operator)


@dataclass(frozen=True, eq=False)
class Access:
    """A way into a table. `predicate` is the SQL of a partial index, "" for a full one."""

    table: Table
    name: str
    kind: Kind
    keys: tuple[Key, ...]
    item: Any
    unique: bool = False
    method: str = "btree"
    predicate: str = ""
    include: frozenset[str] = frozenset()
    nulls_distinct: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns in order; expressions are left out."""
        return tuple(key.column for key in self.keys if key.column)

    @property
    def plain(self) -> bool:
        """Whether it is made of columns alone."""
        return all(key.column for key in self.keys)

    @property
    def shape(self) -> tuple[Any, ...]:
        """What two paths must share before one can stand in for the other, besides their keys."""
        return self.method, self.predicate

    def guarantees(self, columns: frozenset[str]) -> bool:
        """Return whether no two rows agree on `columns` because of this path."""
        return self.unique and self.plain and not self.predicate and frozenset(self.columns) <= columns

    def finds(self, columns: frozenset[str]) -> bool:
        """Return whether the rows with given values of `columns` are found by it: they lead it, as a set."""
        if not _only_skips_nulls(self.predicate, columns):
            return False
        if self.method == "btree":
            leading = frozenset(key.column for key in self.keys[: len(columns)])
            return leading == columns or self.guarantees(columns)
        if self.method == "hash":
            return frozenset(self.columns) == columns and self.plain
        return self.kind == "exclusion constraint" and columns <= {k.column for k in self.keys if k.operator == "="}

    def starts(self, other: Access) -> bool:
        """Return whether its keys are the first keys of `other`, read forwards or backwards."""
        lead = other.keys[: len(self.keys)]
        return self.keys == lead or (self.method == "btree" and self.keys == tuple(key.reversed for key in lead))


def _only_skips_nulls(predicate: str, columns: frozenset[str]) -> bool:
    parts = re.split(r"\s+and\s+", predicate, flags=re.IGNORECASE) if predicate else []
    matches = [_NOT_NULL.match(part) for part in parts]
    return all(match is not None and match["name"] in {c.lower() for c in columns} | columns for match in matches)


def accesses(table: Table) -> tuple[Access, ...]:
    """Return every access path of a table: primary key, unique constraints, exclusions, then indexes by name."""
    return tuple(sorted(_constraints(table), key=_order)) + tuple(sorted(_indexes(table), key=_order))


def _order(access: Access) -> tuple[bool, str, tuple[str, ...]]:
    return access.kind != "primary key", access.name, access.columns


def _constraints(table: Table) -> Iterator[Access]:
    for item in table.constraints:
        name = formatted(item)
        if isinstance(item, PrimaryKeyConstraint) and len(item.columns):
            yield Access(table, name, "primary key", tuple(Key(c.name) for c in item.columns), item, unique=True)
        elif isinstance(item, UniqueConstraint):
            keys = tuple(Key(c.name) for c in item.columns)
            distinct = not item.dialect_kwargs.get("postgresql_nulls_not_distinct")
            yield Access(table, name, "unique constraint", keys, item, unique=True, nulls_distinct=distinct)
        elif isinstance(item, ExcludeConstraint):
            predicate = sql(item.where)
            keys = tuple(_excluded(expression, operator) for expression, _, operator in item._render_exprs)
            yield Access(table, name, "exclusion constraint", keys, item, method=item.using, predicate=predicate)


def _excluded(expression: Any, operator: str) -> Key:
    if isinstance(expression, str):
        return Key(expression, operator=operator)
    column = expression.name if isinstance(expression, Column) else ""
    return Key(column, "" if column else sql(expression), operator=operator)


def _indexes(table: Table) -> Iterator[Access]:
    for index in table.indexes:
        options = {name: value for name, value in index.dialect_kwargs.items() if value is not None}
        classes = options.get("postgresql_ops") or {}
        where = options.get("postgresql_where", options.get("sqlite_where"))
        yield Access(
            table,
            formatted(index),
            "index",
            tuple(_key(table, expression, classes) for expression in index.expressions),
            index,
            bool(index.unique),
            str(options.get("postgresql_using") or "btree").lower(),
            sql(where),
            frozenset(str(getattr(c, "name", c)) for c in options.get("postgresql_include") or ()),
            not options.get("postgresql_nulls_not_distinct"),
        )


def _key(table: Table, expression: Any, classes: Any) -> Key:
    order, inner = _ordering(expression)
    if isinstance(inner, TextClause):
        return _text_key(table, inner.text)
    name = getattr(inner, "key", None) if isinstance(inner, ColumnElement) else None
    opclass = str(classes.get(name, classes.get(getattr(inner, "name", None), "")) or "").lower()
    if isinstance(inner, Column):
        return Key(inner.name, "", *order, opclass)
    return Key("", sql(inner), *order, opclass)


def _ordering(expression: Any) -> tuple[tuple[bool, bool], Any]:
    """Return ((descending, nulls first), what is ordered); NULLS FIRST goes with DESC unless it is said."""
    descending, nulls_first = False, None
    while isinstance(expression, UnaryExpression) and expression.modifier in _ORDERINGS:
        if expression.modifier is operators.desc_op:
            descending = True
        elif expression.modifier is not operators.asc_op:
            nulls_first = expression.modifier is operators.nulls_first_op
        expression = expression.element
    return (descending, descending if nulls_first is None else nulls_first), expression


def _text_key(table: Table, source: str) -> Key:
    match = _TEXT_KEY.match(source)
    name = match["name"] if match else ""
    name = name[1:-1].replace('""', '"') if name.startswith('"') else name
    if match is None or name not in {column.name for column in table.columns}:
        return Key("", normal(source))
    descending = (match["order"] or "").lower() == "desc"
    nulls_first = match["nulls"].lower() == "first" if match["nulls"] else descending
    return Key(name, "", descending, nulls_first)


def formatted(item: Any) -> str:
    """Return the name of a constraint or index as the server will hold it, unquoted; "" if it has none."""
    if item.name is None:
        return ""
    try:
        prepare = DIALECT.identifier_preparer
        name = prepare.format_index(item) if isinstance(item, Index) else prepare.format_constraint(item)
    except Exception:
        return str(item.name)
    return unquoted(name or "")


def unquoted(name: str) -> str:
    """Return an identifier without the quotes that the dialect put round it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def sql(expression: Any) -> str:
    """Return the SQL of an expression in one spelling; one that cannot be written equals nothing but itself."""
    if expression is None:
        return ""
    clause = text(expression) if isinstance(expression, str) else expression
    if not isinstance(clause, ClauseElement):
        return repr(expression)
    options = {"literal_binds": True, "include_table": False}
    try:
        return normal(str(clause.compile(dialect=DIALECT, compile_kwargs=options)))
    except Exception:
        return f"{clause} #{id(expression)}"


def mentions(check: CheckConstraint, names: Iterable[str]) -> bool:
    """Return whether the SQL of a CHECK names each of these columns."""
    words = set(re.findall(r"\w+", sql(check.sqltext).lower()))
    return all(set(re.findall(r"\w+", name.lower())) <= words for name in names)


def normal(source: str) -> str:
    """Return SQL with its white space made even."""
    return " ".join(source.split())
