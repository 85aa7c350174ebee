"""Types: what TypeORM's drivers call a server's types, and what a property of that type holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dbplan.exports.facts import SqlType

_POSTGRESQL = """
int int2 int4 int8 smallint integer bigint decimal numeric real float float4 float8 double_precision money
character_varying varchar character char text citext hstore bytea bit varbit bit_varying timetz timestamptz timestamp
timestamp_without_time_zone timestamp_with_time_zone date time time_without_time_zone time_with_time_zone interval bool
boolean enum point line lseg box path polygon circle cidr inet macaddr macaddr8 tsvector tsquery uuid xml json jsonb
jsonpath int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange
tsmultirange tstzmultirange datemultirange geometry geography cube ltree vector halfvec
"""
_MYSQL = """
bit int integer tinyint smallint mediumint bigint float double double_precision real decimal dec numeric fixed bool
boolean date datetime timestamp time year char nchar national_char varchar nvarchar national_varchar blob text tinyblob
tinytext mediumblob mediumtext longblob longtext enum set binary varbinary json geometry point linestring polygon
multipoint multilinestring multipolygon geometrycollection vector uuid inet4 inet6
"""
_SQLITE = """
int integer tinyint smallint mediumint bigint int2 int8 character varchar nchar nvarchar text clob blob real double
double_precision float numeric decimal boolean date time datetime json jsonb
"""
_MSSQL = """
int bigint bit decimal money numeric smallint smallmoney tinyint float real date datetime2 datetime datetimeoffset
smalldatetime time char varchar text nchar nvarchar ntext binary image varbinary hierarchyid sql_variant timestamp
uniqueidentifier xml geometry geography rowversion vector
"""
_COCKROACHDB = """
bool boolean bytes bytea date enum geometry geography numeric decimal float float4 float8 double_precision real inet int
int4 integer int2 int8 smallint bigint interval string character_varying character char varchar text time
time_without_time_zone timestamp timestamptz timestamp_without_time_zone timestamp_with_time_zone json jsonb uuid
"""
_NAMES = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": _SQLITE,
    "mssql": _MSSQL,
    "cockroachdb": _COCKROACHDB,
}
SUPPORTED = {
    server: frozenset(re.sub("_(?!variant)", " ", word) for word in words.split()) for server, words in _NAMES.items()
}
"""The types that TypeORM's driver for a server knows."""
_LENGTHS = (
    "varchar,char,character varying,character,nvarchar,nchar,binary,varbinary,bit,varbit,bit varying,vector,halfvec,"
    "string,text,blob,clob"
)
_LENGTH = frozenset(_LENGTHS.split(","))
_NUMERIC = frozenset({"numeric", "decimal", "dec", "fixed", "float", "double", "real", "double precision"})
_TIMES = frozenset({"time", "timestamp", "datetime", "datetime2", "datetimeoffset", "interval"})
_SHORT = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "character varying": "varchar",
    "character": "char",
    "integer": "int",
    "double precision": "float8",
    "bit varying": "varbit",
}
_SPATIAL = frozenset({"geometry", "geography"})
_WHOLE = frozenset("int int2 int4 integer smallint tinyint mediumint year".split())  # noqa: SIM905
_FLOATING = frozenset("real float float4 float8 double".split())  # noqa: SIM905
_DATES = frozenset("timestamp timestamptz datetime datetime2 datetimeoffset smalldatetime".split())  # noqa: SIM905
_BYTES = frozenset("bytea bytes blob binary varbinary image tinyblob mediumblob longblob rowversion".split())  # noqa: SIM905
_OPEN = frozenset("json jsonb interval point circle jsonpath sql_variant geometry geography".split())  # noqa: SIM905


@dataclass(frozen=True)
class Kind:
    """A type for @Column: its name, options of measure, what a property holds; `kept`: nothing of it is lost."""

    name: str
    options: tuple[tuple[str, str], ...] = ()
    holds: str = "string"
    kept: bool = True


def kind_of(told: SqlType, server: str) -> Kind:
    """Return what TypeORM's driver calls a type; `text` stands for one that it does not know."""
    name = told.name.removesuffix(" unsigned")
    unsigned = (("unsigned", "true"),) if name != told.name else ()
    name = _SHORT.get(name, name) if server in ("postgresql", "cockroachdb") else name
    if name == "float" and told.length is not None and server == "postgresql":
        return Kind("real" if told.length < 25 else "float8", (), "number")
    if name not in SUPPORTED[server]:
        if server == "cockroachdb" and name == "timetz":
            return Kind("time", (), "string", kept=False)
        return Kind("text", (), "string", kept=False)
    measured = _measures(name, told.arguments)
    options = (*(measured or ()), *unsigned)
    return Kind(name, options, _holds(name, server), measured is not None)


def _measures(name: str, arguments: tuple[str, ...]) -> tuple[tuple[str, str], ...] | None:
    """Return a type's arguments as options; None where TypeORM has none for them."""
    if not arguments:
        return ()
    if name in _SPATIAL:
        srid = (("srid", arguments[1]),) if len(arguments) > 1 else ()
        return (("spatialFeatureType", arguments[0]), *srid)
    if name in _LENGTH and len(arguments) == 1:
        return (("length", arguments[0]),)
    if name in _NUMERIC:
        return tuple(zip(("precision", "scale"), arguments, strict=False))
    plain = name.removesuffix("tz")
    if plain in _TIMES and arguments[0].isdigit():
        return (("precision", arguments[0]),)
    return () if name in _WHOLE else None


def _holds(name: str, server: str) -> str:
    if name in ("bool", "boolean") or (name == "bit" and server == "mssql"):
        return "boolean"
    if name == "int8" or (name == "bigint"):
        return "string"
    if name in _WHOLE or name in _FLOATING or (name == "double precision"):
        return "number"
    if name in _DATES:
        return "Date"
    if name in _BYTES:
        return "Uint8Array"
    if name in ("vector", "halfvec"):
        return "number[]"
    return "unknown" if name in _OPEN else "string"
