"""Types: what Prisma calls a server's type, and the native type (`@db.`) that says the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dbplan.exports.facts import SqlType

PROVIDERS: Mapping[str, str] = {"mssql": "sqlserver", "mariadb": "mysql"}
"""Prisma's names of servers, where they are not SQLAlchemy's."""

_ALIASES: Mapping[str, str] = {
    "character varying": "varchar", "character": "char", "bpchar": "char", "bit varying": "varbit",
    "decimal": "numeric", "dec": "numeric", "int": "integer", "int4": "integer", "int8": "bigint",
    "int2": "smallint", "bool": "boolean", "float8": "double precision", "float4": "real",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone",
    "serial": "integer", "bigserial": "bigint", "smallserial": "smallint",
}  # fmt: skip

_POSTGRESQL: Mapping[str, str] = {
    "text": "String Text", "varchar": "String VarChar", "char": "String Char", "bit": "String Bit",
    "varbit": "String VarBit", "uuid": "String Uuid", "xml": "String Xml", "inet": "String Inet",
    "citext": "String Citext", "boolean": "Boolean Boolean", "integer": "Int Integer", "smallint": "Int SmallInt",
    "oid": "Int Oid", "bigint": "BigInt BigInt", "real": "Float Real", "double precision": "Float DoublePrecision",
    "numeric": "Decimal Decimal", "money": "Decimal Money", "timestamp without time zone": "DateTime Timestamp",
    "timestamp with time zone": "DateTime Timestamptz", "date": "DateTime Date",
    "time without time zone": "DateTime Time", "time with time zone": "DateTime Timetz",
    "json": "Json Json", "jsonb": "Json JsonB", "bytea": "Bytes ByteA",
}  # fmt: skip

_COCKROACHDB: Mapping[str, str] = {
    name: told for name, told in _POSTGRESQL.items() if name not in ("xml", "citext", "money", "json")
} | {
    "text": "String String", "varchar": "String String", "boolean": "Boolean Bool", "integer": "Int Int4",
    "smallint": "Int Int2", "bigint": "BigInt Int8", "real": "Float Float4", "double precision": "Float Float8",
    "bytea": "Bytes Bytes", '"char"': "String CatalogSingleChar",
}  # fmt: skip

_MYSQL: Mapping[str, str] = {
    "varchar": "String VarChar", "char": "String Char", "tinytext": "String TinyText", "text": "String Text",
    "mediumtext": "String MediumText", "longtext": "String LongText", "boolean": "Boolean TinyInt",
    "integer": "Int Int", "integer unsigned": "Int UnsignedInt", "int unsigned": "Int UnsignedInt",
    "smallint": "Int SmallInt", "smallint unsigned": "Int UnsignedSmallInt", "tinyint": "Int TinyInt",
    "tinyint unsigned": "Int UnsignedTinyInt", "mediumint": "Int MediumInt",
    "mediumint unsigned": "Int UnsignedMediumInt", "year": "Int Year", "bigint": "BigInt BigInt",
    "bigint unsigned": "BigInt UnsignedBigInt", "float": "Float Float", "double": "Float Double",
    "double precision": "Float Double", "real": "Float Double", "numeric": "Decimal Decimal",
    "datetime": "DateTime DateTime", "timestamp without time zone": "DateTime Timestamp", "date": "DateTime Date",
    "time without time zone": "DateTime Time", "json": "Json Json", "bit": "Bytes Bit", "binary": "Bytes Binary",
    "varbinary": "Bytes VarBinary", "tinyblob": "Bytes TinyBlob", "blob": "Bytes Blob",
    "mediumblob": "Bytes MediumBlob", "longblob": "Bytes LongBlob",
}  # fmt: skip

_MSSQL: Mapping[str, str] = {
    "char": "String Char", "nchar": "String NChar", "varchar": "String VarChar", "nvarchar": "String NVarChar",
    "text": "String Text", "ntext": "String NText", "xml": "String Xml", "uniqueidentifier": "String UniqueIdentifier",
    "bit": "Boolean Bit", "integer": "Int Int", "smallint": "Int SmallInt", "tinyint": "Int TinyInt",
    "bigint": "BigInt BigInt", "float": "Float Float", "double precision": "Float Float", "real": "Float Real",
    "money": "Float Money", "smallmoney": "Float SmallMoney", "numeric": "Decimal Decimal", "date": "DateTime Date",
    "time without time zone": "DateTime Time", "datetime": "DateTime DateTime", "datetime2": "DateTime DateTime2",
    "datetimeoffset": "DateTime DateTimeOffset", "smalldatetime": "DateTime SmallDateTime",
    "binary": "Bytes Binary", "varbinary": "Bytes VarBinary", "image": "Bytes Image",
}  # fmt: skip

# SQLite has no native types in Prisma: what has another name than these is written with the nearest of them.
_SQLITE: Mapping[str, str] = {
    "text": "String", "integer": "Int", "bigint": "BigInt", "boolean": "Boolean", "real": "Float",
    "numeric": "Decimal", "datetime": "DateTime", "jsonb": "Json", "blob": "Bytes",
}  # fmt: skip
_NEAREST: Mapping[str, str] = {
    "varchar": "String", "char": "String", "nvarchar": "String", "nchar": "String", "clob": "String", "uuid": "String",
    "smallint": "Int", "float": "Float", "double": "Float", "double precision": "Float", "json": "Json",
    "date": "DateTime", "time without time zone": "DateTime", "timestamp without time zone": "DateTime",
    "timestamp with time zone": "DateTime", "binary": "Bytes", "varbinary": "Bytes", "bytea": "Bytes",
    "time with time zone": "DateTime", "money": "Decimal", "citext": "String", "inet": "String", "xml": "String",
}  # fmt: skip

_TYPES: Mapping[str, Mapping[str, str]] = {
    "postgresql": _POSTGRESQL,
    "cockroachdb": _COCKROACHDB,
    "mysql": _MYSQL,
    "sqlserver": _MSSQL,
    "sqlite": _SQLITE,
    "mongodb": {},
}

_PLAIN: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset(
        {"text", "boolean", "integer", "bigint", "double precision", "numeric(65,30)", "jsonb", "bytea",
         "timestamp without time zone(3)"}
    ),
    "cockroachdb": frozenset(
        {"text", "boolean", "integer", "bigint", "double precision", "numeric(65,30)", "jsonb", "bytea",
         "timestamp without time zone(3)"}
    ),
    "mysql": frozenset(
        {"varchar(191)", "boolean", "integer", "bigint", "double", "double precision", "numeric(65,30)",
         "datetime(3)", "json", "longblob"}
    ),
    "sqlserver": frozenset(
        {"nvarchar(1000)", "bit", "integer", "bigint", "float(53)", "double precision", "numeric(32,16)",
         "datetime2", "varbinary(max)"}
    ),
}  # fmt: skip
"""The types that Prisma gives a scalar without `@db.`."""

_UNMEASURED = frozenset({"datetimeoffset", "datetime2", "time without time zone"})
"""The types of SQL Server whose digits Prisma does not take."""

_BSON: Mapping[str, str] = {
    "objectId": "String ObjectId", "string": "String", "int": "Int", "long": "BigInt", "double": "Float",
    "bool": "Boolean", "date": "DateTime", "timestamp": "DateTime Timestamp", "binData": "Bytes", "object": "Json",
}  # fmt: skip

_ONE = frozenset({"char", "bit", "nchar", "binary"})
_WITHOUT_ARGUMENTS = frozenset(
    {"integer", "smallint", "bigint", "boolean", "tinyint", "mediumint", "year", "double precision", "int"}
)


@dataclass(frozen=True)
class Scalar:
    """A type in Prisma's words: `native` such as "VarChar(20)", "" where the scalar says it all.

    `exact` is False where Prisma's DDL makes another type of it.
    """

    name: str
    native: str = ""
    exact: bool = True


def scalar(kind: SqlType, provider: str) -> Scalar | None:
    """Return Prisma's words for a server's type; None for a type that it lacks."""
    name, arguments = _normal(kind, provider)
    if provider in ("sqlite", "mongodb"):
        return _nearest(name, provider)
    told = _TYPES[provider].get(name)
    if told is None or not _is_sayable(name, arguments):
        return None
    prisma, native = told.split()
    if provider == "mysql" and (name, arguments) == ("bit", ("1",)):
        prisma = "Boolean"
    if provider == "sqlserver" and arguments and name in _UNMEASURED:
        return Scalar(prisma, native, exact=False)
    if provider == "mysql" and arguments and prisma == "Float":
        return Scalar(prisma, native, exact=False)
    written = f"{name}({','.join(arguments)})" if arguments else name
    if written in _PLAIN[provider]:
        return Scalar(prisma)
    return Scalar(prisma, f"{native}({', '.join(arguments)})" if arguments else native)


def _normal(kind: SqlType, provider: str) -> tuple[str, tuple[str, ...]]:
    """Return a type's usual name and its arguments as Prisma wants them."""
    name, arguments = _ALIASES.get(kind.name, kind.name), kind.arguments
    if provider == "mysql" and name == "tinyint" and arguments == ("1",):
        name = "boolean"
    if name == "float" and provider in ("postgresql", "cockroachdb"):
        name, arguments = ("real" if arguments and int(arguments[0]) < 25 else "double precision"), ()
    if name.removesuffix(" unsigned") in _WITHOUT_ARGUMENTS:
        arguments = ()
    if name == "bit" and arguments == ("1",):
        arguments = ()
    if name in _ONE and not arguments and provider == "mysql":
        arguments = ("1",)
    if name == "numeric" and len(arguments) == 1:
        arguments = (*arguments, "0")
    if provider == "mysql" and name in ("datetime", "timestamp without time zone", "time without time zone"):
        arguments = arguments or ("0",)
    if provider == "sqlserver":
        arguments = tuple("Max" if argument == "max" else argument for argument in arguments)
    return name, arguments


def _is_sayable(name: str, arguments: tuple[str, ...]) -> bool:
    if not all(argument.isdigit() or argument == "Max" for argument in arguments):
        return False
    return name != "numeric" or len(arguments) < 2 or int(arguments[1]) <= int(arguments[0])


def of_bson(name: str) -> Scalar | None:
    """Return Prisma's words for a type of MongoDB."""
    prisma, _, native = _BSON.get(name, "").partition(" ")
    return Scalar(prisma, native) if prisma else None


def _nearest(name: str, provider: str) -> Scalar | None:
    exact = _SQLITE.get(name)
    if not name and provider == "sqlite":  # a column without a type keeps values as they come, as a BLOB does
        return Scalar("Bytes", "", exact=False)
    found = exact or _NEAREST.get(name) or _NEAREST.get(name.partition(" ")[0])
    if found is None or provider == "sqlite":
        return Scalar(found, "", exact is not None) if found else None
    return Scalar("Float", "", False) if found == "Decimal" else Scalar(found)
