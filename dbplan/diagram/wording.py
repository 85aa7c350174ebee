"""Wording: types, defaults, keys and indexes of a schema in the words of PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Dialect, Enum, Index
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import ARRAY, NullType, TypeDecorator, TypeEngine

UNKNOWN = "unknown"
_SHORT = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
}


@cache
def dialect() -> Dialect:
    """Return the dialect of reference."""
    return postgresql.dialect()


def type_name(kind: TypeEngine[Any]) -> str:
    """Return a column type as PostgreSQL writes it, in lower case; another dialect's own word where it has none."""
    if isinstance(kind, NullType):
        return UNKNOWN
    members = enum_of(kind)
    if members is not None and members.name is None:
        return "enum" if not isinstance(kind, ARRAY) else "enum[]"
    try:
        name = kind.compile(dialect=dialect())
    except Exception:  # a type of another dialect, or one that never compiles
        name = _own_words(kind)
    if members is not None:
        return name
    lower = " ".join(name.split()).lower()
    return _SHORT.get(lower, lower) or UNKNOWN


def _own_words(kind: TypeEngine[Any]) -> str:
    try:
        return str(kind)
    except Exception:  # SQLAlchemy promises no class of error here
        return type(kind).__name__


def enum_of(kind: TypeEngine[Any]) -> Enum | None:
    """Return the Enum that a type is, holds as items or decorates."""
    if isinstance(kind, Enum):
        return kind
    if isinstance(kind, ARRAY):
        return enum_of(kind.item_type)
    if isinstance(kind, TypeDecorator):
        return enum_of(kind.impl_instance)
    return None


def sql(expression: Any) -> str:
    """Return an expression as SQL on one line, with its literals inside."""
    if not isinstance(expression, ClauseElement):
        return " ".join(str(expression).split())
    try:
        text = str(expression.compile(dialect=dialect(), compile_kwargs={"literal_binds": True}))
    except (SQLAlchemyError, NotImplementedError, TypeError, ValueError):
        text = str(expression)
    return " ".join(text.split())


def index_words(index: Index) -> str:
    """Return what an index holds, as PostgreSQL writes it: `(user_id, created_at DESC) WHERE …`."""
    try:
        statement = str(CreateIndex(index).compile(dialect=dialect()))
    except Exception:  # an index of another dialect
        return f"({', '.join(sql(e) for e in index.expressions)})"
    _, _, rest = " ".join(statement.split()).partition(" ON ")
    return _after_table(rest, index)


def _after_table(rest: str, index: Index) -> str:
    table = dialect().identifier_preparer.format_table(index.table) if index.table is not None else ""
    return rest.removeprefix(table).strip()
