"""Indexes: methods, operator classes, order, prefixes and predicates, by Prisma's words for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Index, Table, UniqueConstraint, literal_column
from sqlalchemy.dialects import registry
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression

from dbplan.sources.prisma import mysql, names
from dbplan.sources.prisma.defaults import clause, literal
from dbplan.sources.prisma.mysql import KINDS
from dbplan.sources.prisma.scope import Scope, argument, first, items, mapped, text
from dbplan.sources.prisma.syntax import Attribute, Call, Field, Model, Pairs, Value

Said = Attribute | Call | None
"""What is said of one column of an index: `title(sort: Desc)`, or the attribute of the field itself."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ONE_WORD = {"MinMax": "Minmax", "TimestampTz": "Timestamptz", "TimeTz": "Timetz", "VarBit": "Varbit"}


def columns_of(attribute: Attribute | None) -> tuple[tuple[str, Said], ...]:
    """Return the fields that an attribute of a model lists, each with what is said of it."""
    listed = items(first(attribute, "fields"))
    return tuple((item.name, item) if isinstance(item, Call) else (text(item), None) for item in listed)


def index_of(
    table: Table, attribute: Attribute, listed: tuple[tuple[str, Said], ...], model: Model, scope: Scope
) -> None:
    """Give the table the index of @unique, @@unique, @@index or @@fulltext."""
    fields = {field.name: field for field in model.fields}
    unique = attribute.name == "unique"
    if not all(name in fields for name, _ in listed):  # a path into a composite type, which is one column here
        held = table.metadata.info.setdefault("not_covered", [])
        held.append(f"index of {table.name} on {', '.join(name for name, _ in listed)}")
        return
    columns = [table.columns[names.cut(mapped(fields[name]), names.LONGEST[scope.dialect])] for name, _ in listed]
    name = _name(attribute, [mapped(fields[name]) for name, _ in listed], mapped(model), scope)
    if scope.dialect == "mssql" and unique:
        clustered = text(argument(attribute, "clustered")) == "true"
        table.append_constraint(UniqueConstraint(*columns, name=name, mssql_clustered=clustered))
        return
    said = [(column, of) for column, (_, of) in zip(columns, listed, strict=True)]
    plain = scope.dialect == "mysql" and mysql.is_mixed(said)
    parts = columns if plain else [_part(column, of, scope) for column, of in said]
    # An index of words alone does not know its table otherwise.
    made = Index(name, *parts, unique=unique, _table=table, **_options(attribute, columns, listed, fields, scope))
    if scope.dialect == "mysql":
        mysql.tell_index(made, said)


def _name(attribute: Attribute, columns: list[str], table: str, scope: Scope) -> str:
    said = text(argument(attribute, "map"))
    if attribute.name == "unique":  # whose `name` is the client's alone
        return said or names.unique(table, columns, scope.dialect)
    return said or text(argument(attribute, "name")) or names.index(table, columns, scope.dialect)


def _part(column: Column[Any], said: Said, scope: Scope) -> Any:
    """Return a column of an index; as words where it has an order and what SQLAlchemy cannot put before that."""
    if text(argument(said, "sort")) != "Desc":
        return column
    if words := _operators(said):
        return literal_column(f"{_quote(scope)(column.name)} {words} DESC")
    # Not column.desc(): SQLAlchemy's own money takes no operators.
    return UnaryExpression(column, modifier=operators.desc_op)


def _quote(scope: Scope) -> Callable[[str], str]:
    server = "postgresql" if scope.dialect == "cockroachdb" else scope.dialect
    quote: Callable[[str], str] = registry.load(server)().identifier_preparer.quote
    return quote


def _operators(said: Said) -> str:
    """Return an operator class in the server's words."""
    value = argument(said, "ops")
    if isinstance(value, Call):
        return text(first(value))
    name = text(value)
    for words, one in _ONE_WORD.items():
        name = name.replace(words, one)
    return _HUMP.sub("_", name).lower()


def _options(
    attribute: Attribute,
    columns: list[Column[Any]],
    listed: tuple[tuple[str, Said], ...],
    fields: dict[str, Field],
    scope: Scope,
) -> dict[str, Any]:
    """Return what the server is told beyond name and columns."""
    said = {column.key: attributes for column, (_, attributes) in zip(columns, listed, strict=True)}
    found: dict[str, Any] = {}
    if where := _where(argument(attribute, "where"), fields, scope):
        found |= {f"{dialect}_where": clause(where) for dialect in ("postgresql", "sqlite", "mssql")}
    if scope.dialect == "mysql":
        lengths = {key: int(text(argument(of, "length"))) for key, of in said.items() if argument(of, "length")}
        found |= {f"{kind}_length": lengths for kind in KINDS if lengths}
        found |= {f"{kind}_prefix": "FULLTEXT" for kind in KINDS if attribute.name == "fulltext"}
    elif scope.dialect == "mssql" and text(argument(attribute, "clustered")) == "true":
        found["mssql_clustered"] = True
    elif scope.dialect == "mongodb" and attribute.name == "fulltext":
        found["info"] = {"fulltext": True}
    elif scope.dialect in ("postgresql", "cockroachdb"):
        method = text(argument(attribute, "type")).lower()
        found |= {"postgresql_using": method} if method not in ("", "btree") else {}
        classes = {key: words for key, of in said.items() if (words := _operators(of))}
        found |= {"postgresql_ops": classes} if classes else {}
    return found


def _where(value: Value | None, fields: dict[str, Field], scope: Scope) -> str:
    """Return the condition of a partial index: raw("…") as it is, an object as comparisons."""
    if isinstance(value, Call):
        return text(first(value))
    if not isinstance(value, Pairs):
        return text(value)
    quote = _quote(scope)
    return " AND ".join(_condition(quote(mapped(fields[name])), wanted) for name, wanted in value.items)


def _condition(column: str, wanted: Value) -> str:
    excluded = dict(wanted.items).get("not") if isinstance(wanted, Pairs) else None
    if excluded is not None:
        said = literal(excluded)
        return f"{column} != {said}" if said else f"{column} IS NOT NULL"
    said = literal(wanted)
    return f"{column} = {said}" if said else f"{column} IS NULL"
