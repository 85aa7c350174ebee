"""Wording: types, defaults, keys and indexes of a schema in the words of PostgreSQL."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlalchemy import Column, Computed, Dialect, Enum, Identity, Index, Sequence
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import ARRAY, NullType, TypeDecorator, TypeEngine

UNKNOWN = "unknown"
_TIMES = re.compile(r"^(timestamp|time)(\(\d\))? with(out)? time zone")


@cache
def dialect() -> Dialect:
    """Return the dialect of reference; its driver's way of binding would double percent signs."""
    return postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def type_name(kind: TypeEngine[Any]) -> str:
    """Return a column type as PostgreSQL writes it, in lower case; another dialect's own word where it has none."""
    if isinstance(kind, NullType):
        return UNKNOWN
    try:
        name = kind.compile(dialect=dialect())
    except Exception:  # a type of another dialect, or one that never compiles
        name = _own_words(kind)
    members = enum_of(kind)
    if members is not None and members.native_enum and members.name:
        return name  # a name that someone chose; its case counts
    lower = " ".join(name.split()).lower().replace(", ", ",")
    return _TIMES.sub(_short_time, lower) or UNKNOWN


def _short_time(match: re.Match[str]) -> str:
    """Return `timestamp(3) with time zone` as `timestamptz(3)`."""
    return f"{match[1]}{'' if match[3] else 'tz'}{match[2] or ''}"


def short_type_name(kind: TypeEngine[Any]) -> str:
    """Return a column type for the diagram: an enum by its own name, however it is stored."""
    members = enum_of(kind)
    if members is None:
        return type_name(kind)
    return (members.name or "enum") + ("[]" if isinstance(kind, ARRAY) else "")


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


def default_words(column: Column[Any]) -> str:
    """Return where a value comes from when none is given, by whom, or ""."""
    words = [*_server_default(column), *_client_default(column)]
    if column.onupdate is not None:
        words.append(f"on update: {_made(column.onupdate)}")
    return "; ".join(words)


def _server_default(column: Column[Any]) -> list[str]:
    default: Any = column.server_default
    if isinstance(default, Computed):
        kept = {True: " stored", False: " virtual"}.get(default.persisted, "")  # type: ignore[arg-type]
        return [f"generated as ({sql(default.sqltext)}){kept}"]
    if isinstance(default, Identity):
        return [f"identity, {'always' if default.always else 'by default'}"]
    if default is None:
        return []
    if getattr(default, "arg", None) is None:
        return ["set by the server"]
    return [f"'{default.arg}'" if isinstance(default.arg, str) else sql(default.arg)]


def _client_default(column: Column[Any]) -> list[str]:
    if column.default is None:
        return []
    by_statement = isinstance(getattr(column.default, "arg", None), ClauseElement)
    return [_made(column.default) + " in the application's INSERT" * by_statement]


def _made(default: Any) -> str:
    """Return a default that the application fills in."""
    if isinstance(default, Sequence):
        return f"nextval('{default.name}')"
    argument = getattr(default, "arg", None)
    if callable(argument) and not isinstance(argument, ClauseElement):
        return f"{getattr(argument, '__name__', type(argument).__name__)}() in the application"
    if isinstance(argument, ClauseElement):
        return sql(argument)
    return f"{argument!r} in the application"
