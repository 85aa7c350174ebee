"""What PostgreSQL makes of a column type: its name, its kind, and which index methods take it by default."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Enum
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

# "named" keeps a literal % single, so that what is compiled here can be pasted into psql.
DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_COMPILER: Any = DIALECT.type_compiler_instance

_SHAPE = re.compile(
    r"(?P<head>[a-z_][\w $.]*?)\s*(?:\((?P<args>[\d ,]+)\))?"
    r"(?P<tail>\s+with(?:out)? time zone)?(?P<array>(?:\[\d*\])*)$"
)
_NAMES = {
    "bool": "boolean",
    "char": "character",
    "character varying": "varchar",
    "decimal": "numeric",
    "float": "double precision",
    "int": "integer",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "bit varying": "varbit",
}
_KINDS = {
    "integer": ("smallint", "integer", "bigint"),
    "decimal": ("numeric",),
    "float": ("real", "double precision"),
    "string": ("text", "varchar", "character"),
    "instant": ("date", "timestamp", "timestamptz"),
    "network": ("inet", "cidr"),
    "bits": ("bit", "varbit"),
    "geometry": ("point", "line", "lseg", "box", "path", "polygon", "circle"),
    "range": ("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
    "multirange": tuple(f"{n}multirange" for n in ("int4", "int8", "num", "ts", "tstz", "date")),
} | {
    name: (name,)
    for name in (
        *("boolean", "bytea", "interval", "json", "jsonb", "macaddr", "money"),
        *("time", "timetz", "tsquery", "tsvector", "uuid", "xml"),
    )
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}

# PostgreSQL 18, pg_opclass: the kinds or names that a method takes without an operator class …
_TAKES = {
    "gin": {"array", "jsonb", "tsvector"},
    "gist": {"range", "multirange", "tsquery", "tsvector", "box", "circle", "point", "polygon"},
    "spgist": {"range", "text", "varchar", "inet", "cidr", "box", "point", "polygon"},
}
# … and, for the methods that take nearly everything, the ones that they do not.
_REFUSES = {
    "btree": {"json", "xml", "geometry"},
    "hash": {"json", "xml", "geometry", "bits", "money", "tsvector", "tsquery"},
    "brin": {
        *("json", "jsonb", "xml", "boolean", "array", "enum", "money", "tsvector", "tsquery", "multirange"),
        *("point", "line", "lseg", "path", "polygon", "circle"),
    },
}
# Enums are compared within one declared type, so their kind carries its name.
_ENUM = "enum "


@dataclass(frozen=True)
class PgType:
    """A column type as PostgreSQL has it; `text` is its DDL, "" where that is not known.

    `kind` groups the types that compare with each other; "" where it is not known.
    """

    text: str = ""
    name: str = ""
    args: tuple[int, ...] = ()
    kind: str = ""

    @property
    def known(self) -> bool:
        """Whether PostgreSQL has a name for it."""
        return bool(self.text)

    def default_class(self, method: str) -> bool | None:
        """Return whether an index of that method takes the type without an operator class; None if unknown."""
        if not self.kind:
            return None
        names = {self.name, self.kind.split()[0]}
        if method in _TAKES:
            return bool(names & _TAKES[method])
        return not names & _REFUSES[method] if method in _REFUSES else None


def underlying(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that PostgreSQL is handed: variants chosen, decorators and domains taken off."""
    if isinstance(type_, mysql.SET):  # SQLAlchemy cannot make it another dialect's
        return type_
    impl = type_.dialect_impl(DIALECT)
    while isinstance(impl, TypeDecorator):
        impl = impl.load_dialect_impl(DIALECT).dialect_impl(DIALECT)
    return underlying(impl.data_type) if isinstance(impl, postgresql.DOMAIN) else impl


def pg_type(type_: TypeEngine[Any]) -> PgType:
    """Return what PostgreSQL makes of a SQLAlchemy type; an unknown PgType where it makes nothing of it."""
    readings: tuple[Any, ...] = (lambda: type_, type_.as_generic)
    for reading in readings:
        try:
            return _read(reading())
        except Exception:  # noqa: S112 - a stranger's TypeDecorator may raise anything
            continue
    return PgType()


def _read(type_: TypeEngine[Any]) -> PgType:
    text = str(_COMPILER.process(type_))
    impl = type_.dialect_impl(DIALECT)
    inner = _COMPILER.process(impl.data_type) if isinstance(impl, postgresql.DOMAIN) else text
    return _parsed(text, str(inner), underlying(type_))


def _parsed(text: str, inner: str, resolved: TypeEngine[Any]) -> PgType:
    if isinstance(resolved, Enum) and resolved.native_enum:
        return PgType(text, inner, (), _ENUM + inner)
    match = _SHAPE.match(re.sub(r"\s+collate .*$", "", inner.lower()))
    if match is None:
        return PgType(text)
    if match["array"]:
        return PgType(text, inner.lower(), (), "array")
    spelled = match["head"] + (match["tail"] or "")
    name = _NAMES.get(spelled, spelled)
    args = tuple(int(arg) for arg in (match["args"] or "").split(",") if arg.strip())
    if spelled == "float" and args and args[0] <= 24:
        name = "real"
    return PgType(text, name, args, _KIND_OF.get(name, ""))
