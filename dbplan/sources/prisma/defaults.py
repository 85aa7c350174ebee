"""What fills a column in: the server's DEFAULT as Prisma writes it, its numbering, or the client."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.types import ARRAY, TypeEngine

from dbplan.sources.prisma.scope import Scope, argument, find, first, items, mapped, written
from dbplan.sources.prisma.scope import text as said
from dbplan.sources.prisma.syntax import Call, Field, Literal, Many, Name, Value

_COLON = re.compile(r"(?<!:):(?!:)\w")
_SERVER_SIDE = ("now", "dbgenerated", "autoincrement", "sequence")
_NO_TIME_OF_DAY = 3


@dataclass(frozen=True)
class Filling:
    """`sql` is the DEFAULT of the column, "" for none; `client` what the client fills in; `counts`: autoincrement().

    `sequence` holds the arguments of CockroachDB's `sequence()`.
    """

    sql: str = ""
    client: str = ""
    counts: bool = False
    sequence: Call | None = None
    name: str = ""


def filling(field: Field, kind: TypeEngine[Any], scope: Scope) -> Filling:
    """Return what fills in a column of type `kind`."""
    attribute = find(field, "default")
    value = first(attribute, "value")
    if attribute is None or value is None:
        return Filling()
    name = said(argument(attribute, "map"))
    if isinstance(value, Call):
        return _function(value, kind, scope, name)
    if scope.dialect == "mongodb":
        return Filling(client=written(value))
    sql = _constant(value, field, kind, scope)
    return Filling(sql, name=name) if sql else Filling(client=written(value))  # MySQL leaves it to the client


def _function(call: Call, kind: TypeEngine[Any], scope: Scope, name: str) -> Filling:
    if call.name not in _SERVER_SIDE or scope.dialect == "mongodb":
        return Filling(client=written(call))
    if call.name == "autoincrement":
        return Filling("unique_rowid()") if scope.dialect == "cockroachdb" else Filling(counts=True)
    if call.name == "sequence":
        return Filling(sequence=call)
    if call.name == "now":
        return Filling(_now(kind, scope.dialect), name=name)
    sql = said(first(call, "value"))
    return Filling(sql, name=name) if sql else Filling(client=written(call))


def _now(kind: TypeEngine[Any], dialect: str) -> str:
    if dialect != "mysql":
        return "CURRENT_TIMESTAMP"
    digits = getattr(kind, "fsp", None)
    return f"CURRENT_TIMESTAMP({_NO_TIME_OF_DAY if digits is None else digits})"


def _constant(value: Value, field: Field, kind: TypeEngine[Any], scope: Scope) -> str:
    if isinstance(value, Many) or isinstance(kind, ARRAY):
        parts = ", ".join(_one(item, field, scope) for item in items(value))
        return f"ARRAY[{parts}]::{kind.compile(dialect=postgresql.dialect())}"  # type: ignore[no-untyped-call]
    return _one(value, field, scope)


def _one(value: Value, field: Field, scope: Scope) -> str:
    if isinstance(value, Name) and field.type in scope.enums:
        values = scope.enums[field.type].values
        return quoted(next((mapped(found) for found in values if found.name == value.text), value.text))
    writer = _WRITERS.get(field.type)
    return writer(said(value), scope.dialect) if writer else said(value)


def quoted(words: str) -> str:
    """Return a text as SQL."""
    return "'{}'".format(words.replace("'", "''"))


def _bytes(words: str, dialect: str) -> str:
    digits = base64.b64decode(words).hex()
    return {
        "postgresql": f"'\\x{digits}'",
        "cockroachdb": f"'\\x{digits}'",
        "mssql": f"0x{digits}",
        "sqlite": f"'{digits}'",
    }.get(dialect, "")  # MySQL takes no default for bytes


def _moment(words: str, dialect: str) -> str:
    """Return a time with its zone, its fraction in three, six or nine digits or left out."""
    head, fraction, zone = re.fullmatch(r"(.{19})(\.\d+)?(.*)", words.strip().replace("z", "Z")).groups("")  # type: ignore[union-attr]
    at = datetime.fromisoformat(f"{head}{'+00:00' if zone == 'Z' else zone}")
    digits = fraction[1:].rstrip("0")
    digits += "0" * (-len(digits) % 3)
    tail = f".{digits}" if digits else ""
    zone = at.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:5]}"
    if dialect == "mysql":
        return f"'{at:%Y-%m-%dT%H:%M:%S}{tail}{zone}'"
    return f"'{at:%Y-%m-%d %H:%M:%S}{tail} {zone}'"


def _json(words: str, dialect: str) -> str:
    json.loads(words)
    return "" if dialect == "mysql" else quoted(words)  # MySQL takes no literal default for JSON


def _boolean(words: str, dialect: str) -> str:
    return {"true": "1", "false": "0"}[words] if dialect == "mssql" else words


_WRITERS: dict[str, Callable[[str, str], str]] = {
    "String": lambda words, _: quoted(words),
    "DateTime": _moment,
    "Json": _json,
    "Bytes": _bytes,
    "Boolean": _boolean,
    "Int": lambda words, _: str(int(words)),
    "BigInt": lambda words, _: str(int(words)),
}


def clause(sql: str) -> TextClause | ColumnElement[Any]:
    """Return SQL words as SQLAlchemy takes them, a colon in them kept from being taken for a bind parameter."""
    return literal_column(sql) if _COLON.search(sql) else text(sql)


def literal(value: Value | None) -> str:
    """Return a value of a partial index's condition as SQL; "" for NULL."""
    if isinstance(value, Literal) and value.kind == "string":
        return quoted(value.text)
    return "" if said(value) == "null" else said(value)
