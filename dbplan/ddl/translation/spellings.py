"""A kind of column in the words of a server, and what stands in for a kind that it does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from dbplan.ddl.translation.kinds import Kind
from dbplan.ddl.translation.targets import Target

# SQLAlchemy leaves these without types, or with types that are too narrow.
_UNTYPED: Any = mssql
_LITE: Any = sqlite
_MAX: Any = "max"

LONGEST_VARCHAR = 16383
"""The characters of utf8mb4 that fit MySQL's row of 65,535 bytes."""


@dataclass(frozen=True)
class Spelled:
    """A type as a server has it; `checks` are conditions on VALUE that belong to it.

    `said` tells what stands here for a kind that the server does not have; `loose` that it takes more than that.
    """

    type: TypeEngine[Any]
    kind: Kind
    checks: tuple[str, ...] = ()
    said: str = ""
    loose: bool = False


@dataclass(frozen=True)
class Substitute:
    """A kind that stands in for another."""

    kind: Kind
    said: str = ""
    loose: bool = True
    checks: tuple[str, ...] = ()


def spelled(kind: Kind, target: Target, *, portable: bool) -> Spelled:
    """Return the type that `target` has for a kind; `portable` for models whose client turns values itself."""
    native, checks, said, loose = _NATIVE[target.name], kind.checks, "", False
    while kind.family not in native:
        stand_in = _SUBSTITUTES[kind.family](kind, portable)
        kind, checks = stand_in.kind, (*checks, *stand_in.checks)
        said, loose = said or stand_in.said, loose or (stand_in.loose and bool(stand_in.said))
    made = native[kind.family](kind)
    more, note = _extra(kind, made, target)
    return Spelled(made, kind, (*checks, *more), said or note, loose)


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _extra(kind: Kind, made: Any, target: Target) -> tuple[tuple[str, ...], str]:
    """Return the conditions that a type leaves open, and what is other in it than in the original."""
    if kind.labels and kind.family == "string":
        return (f"VALUE IN ({', '.join(map(quoted, kind.labels))})",), ""
    if kind.family == "json" and target.name == "mssql":
        return ("ISJSON(VALUE) = 1",), ""
    if kind.unsigned and kind.family in ("integer", "decimal") and target.family != "mysql":
        return _range_of(kind, target), ""
    if (
        kind.family == "string"
        and kind.length
        and target.family in ("mysql", "mssql")
        and not _holds(made, kind.length)
    ):
        return (f"length(VALUE) <= {kind.length}",), ""
    if kind.family == "time" and kind.zone and target.family != "postgresql":
        return (), "the time zone of a time is not kept"
    if kind.folds and target.family == "postgresql":
        return (), "it ignored case; here case counts"
    if kind.family == "network" and target.name == "cockroachdb" and kind.words != "inet":
        return (), f"{kind.words} is kept as text: that it is an address is not checked"
    if kind.family == "decimal" and kind.precision is None and target.family in ("mysql", "mssql"):
        return (), f"numeric without limits is kept as {target.compiled(made)}"
    return (), ""


def _holds(made: Any, length: int) -> bool:
    """Whether a type bounds texts by that length itself."""
    return getattr(made, "length", None) == length


def _range_of(kind: Kind, target: Target) -> tuple[str, ...]:
    if target.name == "mssql" and kind.precision == 8:
        return ()
    bounded = kind.family == "integer" and (kind.precision or 32) < 64
    most = f" AND VALUE <= {2 ** (kind.precision or 32) - 1}" if bounded else ""
    return (f"VALUE >= 0{most}",)


# What stands in for a kind that a server lacks.


def _text(reason: str, length: int | None = None) -> Callable[[Kind, bool], Substitute]:
    def substitute(kind: Kind, _portable: bool) -> Substitute:
        size = kind.length if length == 0 else length
        return Substitute(
            Kind("string", kind.words, length=size), f"{kind.words or kind.family} is kept as text: {reason}"
        )

    return substitute


def _enum(kind: Kind, _portable: bool) -> Substitute:
    longest = max(map(len, kind.labels), default=1)
    return Substitute(Kind("string", kind.words, length=longest, labels=kind.labels), loose=False)


def _set(kind: Kind, _portable: bool) -> Substitute:
    longest = sum(len(label) + 1 for label in kind.labels) or 1
    words = ", ".join(kind.labels)
    return Substitute(
        Kind("string", kind.words, length=longest),
        f"a set of {words} is kept as text, its words between commas; the words are not checked",
    )


def _array(kind: Kind, _portable: bool) -> Substitute:
    inner = kind.item.words if kind.item is not None and kind.item.words else "values"
    return Substitute(
        Kind("json", kind.words), f"an array of {inner} is kept as a JSON array; its items are not checked"
    )


def _json(kind: Kind, what: str) -> Substitute:
    return Substitute(Kind("json", kind.words), f"{kind.words or kind.family} is kept as JSON: {what}")


def _interval(kind: Kind, portable: bool) -> Substitute:
    if portable:  # SQLAlchemy keeps it as the instant that lies so far after 1970
        return Substitute(Kind("datetime", kind.words, precision=6), "interval is kept as an instant after 1970-01-01")
    return Substitute(Kind("string", kind.words, length=64), "interval is kept as text; that it is one is not checked")


def _uuid(kind: Kind, portable: bool) -> Substitute:
    return Substitute(Kind("string", kind.words or "uuid", length=32 if portable else 36, fixed=True))


def _year(kind: Kind, _portable: bool) -> Substitute:
    checks = ("VALUE = 0 OR (VALUE >= 1901 AND VALUE <= 2155)",)
    return Substitute(Kind("integer", kind.words, precision=16), checks=checks)


def _money(kind: Kind, _portable: bool) -> Substitute:
    return Substitute(Kind("decimal", kind.words, precision=19, scale=kind.scale or 2), loose=False)


def _bits(kind: Kind, _portable: bool) -> Substitute:
    return Substitute(Kind("string", kind.words, length=kind.length), "bits are kept as a text of 0 and 1, not checked")


_SUBSTITUTES: Mapping[str, Callable[[Kind, bool], Substitute]] = {
    "enum": _enum,
    "set": _set,
    "array": _array,
    "interval": _interval,
    "uuid": _uuid,
    "year": _year,
    "money": _money,
    "bits": _bits,
    "network": _text("that it is an address is not checked", 0),
    "range": _text("its bounds are not checked, and it has no range operators", 255),
    "geometry": _text("it has no geometric operators"),
    "search": _text("it has no operators of full-text search"),
    "xml": _text("that it is well-formed is not checked"),
    "path": _text("it has no operators of paths", 255),
    "variant": _text("the type of each value is lost"),
    "other": _text("there is no such type here"),
    "vector": lambda kind, _portable: _json(kind, "its dimensions are not checked, and it has no distance operators"),
    "hstore": lambda kind, _portable: _json(kind, "pairs become an object"),
    "json": lambda kind, _portable: Substitute(Kind("string", kind.words), "", loose=False),
    "oid": lambda kind, _portable: Substitute(Kind("integer", kind.words, precision=64), loose=False),
    "rowversion": lambda kind, _portable: Substitute(
        Kind("binary", kind.words, length=8, fixed=True),
        "rowversion is bytes here: nothing numbers the changes of a row",
    ),
}


# Each server's own words.


def _whole(kind: Kind, sizes: Mapping[int, Any]) -> Any:
    """Return the smallest type that holds a whole number."""
    bits = (kind.precision or 32) + (1 if kind.unsigned else 0)
    return next((made for size, made in sorted(sizes.items()) if bits <= size), None)


def _generic_integer(kind: Kind) -> Any:
    sizes = {16: sa.SmallInteger, 32: sa.Integer, 64: sa.BigInteger}
    return (_whole(kind, sizes) or (lambda: sa.Numeric(20, 0)))()


class INT4(sa.Integer):
    """A whole number of 32 bits on CockroachDB, whose INTEGER has 64."""

    __visit_name__ = "INT4"


@compiles(INT4)
def _write_int4(_kind: INT4, _compiler: Any, **_: Any) -> str:
    return "INT4"


def _cockroachdb_integer(kind: Kind) -> Any:
    made = _generic_integer(kind)
    return INT4() if type(made) is sa.Integer else made


def _mysql_integer(kind: Kind) -> Any:
    sizes = {8: mysql.TINYINT, 16: mysql.SMALLINT, 24: mysql.MEDIUMINT, 32: mysql.INTEGER, 64: mysql.BIGINT}
    made = sizes[kind.precision or 32]
    return made(unsigned=True) if kind.unsigned else made()


def _mssql_integer(kind: Kind) -> Any:
    return mssql.TINYINT() if kind.precision == 8 and kind.unsigned else _generic_integer(kind)


def _decimal(most: int, deepest: int) -> Callable[[Kind], Any]:
    def spell(kind: Kind) -> Any:
        if kind.precision is None:
            return sa.Numeric(most, min(deepest, most // 2)) if most < 1000 else sa.Numeric()
        return sa.Numeric(min(kind.precision, most), min(kind.scale or 0, deepest))

    return spell


def _mysql_string(kind: Kind) -> Any:
    collation = {"collation": "utf8mb4_general_ci"} if kind.folds else {}
    if kind.fixed and (kind.length or 1) <= 255:
        return mysql.CHAR(kind.length or 1, **collation)
    if kind.length is None or kind.length > LONGEST_VARCHAR:
        return mysql.LONGTEXT(**collation)
    return mysql.VARCHAR(kind.length, **collation)


def _mssql_string(kind: Kind) -> Any:
    collation = "Latin1_General_100_CI_AS" if kind.folds else None
    if kind.fixed and (kind.length or 1) <= 4000:
        return mssql.NCHAR(kind.length or 1, collation=collation)
    if kind.length is None or kind.length > 4000:
        return mssql.NVARCHAR(_MAX, collation=collation)
    return mssql.NVARCHAR(kind.length, collation=collation)


def _sqlite_string(kind: Kind) -> Any:
    collation = "NOCASE" if kind.folds else None
    if kind.fixed:
        return sqlite.CHAR(kind.length or 1, collation=collation)
    return sqlite.VARCHAR(kind.length, collation=collation) if kind.length else sqlite.TEXT(collation=collation)


def _postgresql_string(kind: Kind) -> Any:
    if kind.fixed:
        return sa.CHAR(kind.length or 1)
    return sa.String(kind.length) if kind.length else sa.Text()


def _postgresql_enum(kind: Kind) -> Any:
    return postgresql.ENUM(*kind.labels, name=kind.name, schema=kind.schema)


def _postgresql_other(kind: Kind) -> Any:
    return _NETWORK.get(kind.words.partition("(")[0].lower(), postgresql.INET)()


_NETWORK: Mapping[str, Any] = {
    "inet": postgresql.INET,
    "cidr": postgresql.CIDR,
    "macaddr": postgresql.MACADDR,
    "macaddr8": postgresql.MACADDR8,
}


def _postgresql_array(item: Mapping[str, Callable[[Kind], Any]]) -> Callable[[Kind], Any]:
    def spell(kind: Kind) -> Any:
        inner = kind.item or Kind("string")
        made = item[inner.family](inner) if inner.family in item else sa.Text()
        return postgresql.ARRAY(made)

    return spell


def _mysql_binary(kind: Kind) -> Any:
    if kind.length is None or kind.length > 65535:
        return mysql.LONGBLOB()
    return mysql.BINARY(kind.length) if kind.fixed and kind.length <= 255 else mysql.VARBINARY(kind.length)


def _mssql_binary(kind: Kind) -> Any:
    if kind.length is None or kind.length > 8000:
        return _UNTYPED.VARBINARY("max")
    return mssql.BINARY(kind.length) if kind.fixed else _UNTYPED.VARBINARY(kind.length)


def _digits(kind: Kind) -> int:
    return min(6 if kind.precision is None else kind.precision, 6)


def _instant(kind: Kind) -> Any:
    return postgresql.TIMESTAMP(timezone=kind.zone, precision=None if kind.precision in (None, 6) else _digits(kind))


def _mysql_float(kind: Kind) -> Any:
    return mysql.FLOAT() if kind.precision == 24 else mysql.DOUBLE()


_POSTGRESQL: dict[str, Callable[[Kind], Any]] = {
    "integer": _generic_integer,
    "boolean": lambda _: sa.Boolean(),
    "decimal": _decimal(1000, 1000),
    "float": lambda kind: sa.REAL() if kind.precision == 24 else sa.Double(),
    "string": _postgresql_string,
    "binary": lambda _: postgresql.BYTEA(),
    "uuid": lambda _: postgresql.UUID(),
    "json": lambda _: postgresql.JSONB(),
    "date": lambda _: sa.DATE(),
    "time": lambda kind: postgresql.TIME(timezone=kind.zone, precision=kind.precision),
    "datetime": _instant,
    "interval": lambda _: postgresql.INTERVAL(),
    "enum": _postgresql_enum,
    "network": _postgresql_other,
    "bits": lambda kind: postgresql.BIT(kind.length, varying=not kind.fixed),
}
_POSTGRESQL["array"] = _postgresql_array(_POSTGRESQL)

_COCKROACHDB = {
    **_POSTGRESQL,
    "integer": _cockroachdb_integer,
    "network": lambda kind: postgresql.INET() if kind.words == "inet" else sa.String(kind.length),
    "search": lambda kind: postgresql.TSQUERY() if kind.words == "tsquery" else postgresql.TSVECTOR(),
}
_COCKROACHDB["array"] = _postgresql_array({f: s for f, s in _COCKROACHDB.items() if f not in ("array", "json")})

_MYSQL: dict[str, Callable[[Kind], Any]] = {
    "integer": _mysql_integer,
    "boolean": lambda _: sa.Boolean(),
    "decimal": _decimal(65, 30),
    "float": _mysql_float,
    "string": _mysql_string,
    "binary": _mysql_binary,
    "json": lambda _: mysql.JSON(),
    "date": lambda _: sa.DATE(),
    "time": lambda kind: mysql.TIME(fsp=_digits(kind)),
    "datetime": lambda kind: mysql.DATETIME(fsp=_digits(kind)),
    "enum": lambda kind: mysql.ENUM(*kind.labels),
    "set": lambda kind: mysql.SET(*kind.labels),
    "year": lambda _: mysql.YEAR(),
    "bits": lambda kind: mysql.BIT(min(kind.length or 1, 64)),
}

_SQLITE: dict[str, Callable[[Kind], Any]] = {
    "integer": _generic_integer,
    "boolean": lambda _: sa.Boolean(),
    "decimal": _decimal(1000, 1000),
    "float": lambda kind: sa.REAL(),
    "string": _sqlite_string,
    "binary": lambda _: sa.BLOB(),
    "json": lambda _: sqlite.JSON(),
    "date": lambda _: _LITE.DATE(),
    "time": lambda _: _LITE.TIME(),
    "datetime": lambda _: _LITE.DATETIME(),
}

_MSSQL: dict[str, Callable[[Kind], Any]] = {
    "integer": _mssql_integer,
    "boolean": lambda _: mssql.BIT(),
    "decimal": _decimal(38, 38),
    "float": lambda kind: sa.REAL() if kind.precision == 24 else sa.FLOAT(53),
    "string": _mssql_string,
    "binary": _mssql_binary,
    "uuid": lambda _: mssql.UNIQUEIDENTIFIER(),
    "json": lambda _: mssql.NVARCHAR(_MAX),
    "date": lambda _: sa.DATE(),
    "time": lambda kind: _UNTYPED.TIME(_digits(kind)),
    "datetime": lambda kind: (mssql.DATETIMEOFFSET if kind.zone else mssql.DATETIME2)(_digits(kind)),
    "xml": lambda _: mssql.XML(),
    "variant": lambda _: mssql.SQL_VARIANT(),
    "rowversion": lambda _: _UNTYPED.ROWVERSION(),
}

_MARIADB = {**_MYSQL, "uuid": lambda _: sa.UUID()}

_NATIVE: Mapping[str, Mapping[str, Callable[[Kind], Any]]] = {
    "postgresql": _POSTGRESQL,
    "cockroachdb": _COCKROACHDB,
    "mysql": _MYSQL,
    "mariadb": _MARIADB,
    "sqlite": _SQLITE,
    "mssql": _MSSQL,
}


def widened(kind: Kind) -> Kind:
    """Return a text's kind without its limit."""
    return replace(kind, length=None, fixed=False)
