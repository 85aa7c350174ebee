"""Column types: what each server's DDL says for a scalar of Prisma and for a native type (`@db.VarChar(20)`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import types as generic
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from dbplan.ddl.documents import JsonText
from dbplan.sources.reflected import ServerType

Maker = Callable[..., TypeEngine[Any]]

_POSTGRESQL: Mapping[str, Maker] = {
    "Int": postgresql.INTEGER,
    "BigInt": postgresql.BIGINT,
    "Float": postgresql.DOUBLE_PRECISION,
    "Decimal": partial(postgresql.NUMERIC, 65, 30),
    "Boolean": postgresql.BOOLEAN,
    "String": postgresql.TEXT,
    "DateTime": partial(postgresql.TIMESTAMP, precision=3),
    "Json": postgresql.JSONB,
    "Bytes": postgresql.BYTEA,
}
_POSTGRESQL_NATIVE: Mapping[str, Maker] = {
    "SmallInt": postgresql.SMALLINT,
    "Integer": postgresql.INTEGER,
    "BigInt": postgresql.BIGINT,
    "Decimal": postgresql.NUMERIC,
    "Money": postgresql.MONEY,
    "Inet": postgresql.INET,
    "Citext": postgresql.CITEXT,
    "Oid": postgresql.OID,
    "Real": postgresql.REAL,
    "DoublePrecision": postgresql.DOUBLE_PRECISION,
    "VarChar": postgresql.VARCHAR,
    "Char": postgresql.CHAR,
    "Text": postgresql.TEXT,
    "ByteA": postgresql.BYTEA,
    "Timestamp": lambda precision=None: postgresql.TIMESTAMP(precision=precision),
    "Timestamptz": lambda precision=None: postgresql.TIMESTAMP(True, precision),
    "Date": postgresql.DATE,
    "Time": lambda precision=None: postgresql.TIME(precision=precision),
    "Timetz": lambda precision=None: postgresql.TIME(True, precision),
    "Boolean": postgresql.BOOLEAN,
    "Bit": postgresql.BIT,
    "VarBit": partial(postgresql.BIT, varying=True),
    "Uuid": postgresql.UUID,
    "Xml": partial(ServerType, "xml", "postgresql"),
    "Json": postgresql.JSON,
    "JsonB": postgresql.JSONB,
}


class INT4(postgresql.INTEGER):
    """An integer of four bytes, by the name that means it on CockroachDB too, whose INTEGER has eight."""


@compiles(INT4, "postgresql")
def _int4(_kind: INT4, _compiler: Any, **_: Any) -> str:
    return "INT4"


# CockroachDB takes PostgreSQL's words for the other types.
_COCKROACHDB: Mapping[str, Maker] = {**_POSTGRESQL, "Int": INT4}
_COCKROACHDB_NATIVE: Mapping[str, Maker] = {
    name: _POSTGRESQL_NATIVE[name]
    for name in (
        "Bit", "Char", "Decimal", "Timestamp", "Timestamptz", "Time", "Timetz", "VarBit", "Date", "Inet", "JsonB",
        "Oid", "Uuid",
    )
} | {
    "String": lambda length=None: postgresql.VARCHAR(length) if length else postgresql.TEXT(),
    "Bool": postgresql.BOOLEAN,
    "Bytes": postgresql.BYTEA,
    "Float4": postgresql.REAL,
    "Float8": postgresql.DOUBLE_PRECISION,
    "Int2": postgresql.SMALLINT,
    "Int4": INT4,
    "Int8": postgresql.BIGINT,
    "CatalogSingleChar": partial(ServerType, '"char"', "postgresql"),
}  # fmt: skip

_MYSQL: Mapping[str, Maker] = {
    "Int": mysql.INTEGER,
    "BigInt": mysql.BIGINT,
    "Float": mysql.DOUBLE,
    "Decimal": partial(mysql.DECIMAL, 65, 30),
    "Boolean": mysql.BOOLEAN,
    "String": partial(mysql.VARCHAR, 191),
    "DateTime": partial(mysql.DATETIME, fsp=3),
    "Json": mysql.JSON,
    "Bytes": mysql.LONGBLOB,
}
_MYSQL_NATIVE: Mapping[str, Maker] = {
    "Int": mysql.INTEGER,
    "UnsignedInt": partial(mysql.INTEGER, unsigned=True),
    "SmallInt": mysql.SMALLINT,
    "UnsignedSmallInt": partial(mysql.SMALLINT, unsigned=True),
    "TinyInt": mysql.TINYINT,
    "UnsignedTinyInt": partial(mysql.TINYINT, unsigned=True),
    "MediumInt": mysql.MEDIUMINT,
    "UnsignedMediumInt": partial(mysql.MEDIUMINT, unsigned=True),
    "BigInt": mysql.BIGINT,
    "UnsignedBigInt": partial(mysql.BIGINT, unsigned=True),
    "Decimal": mysql.DECIMAL,
    "Float": mysql.FLOAT,
    "Double": mysql.DOUBLE,
    "Bit": mysql.BIT,
    "Char": mysql.CHAR,
    "VarChar": mysql.VARCHAR,
    "Binary": mysql.BINARY,
    "VarBinary": mysql.VARBINARY,
    "TinyBlob": mysql.TINYBLOB,
    "Blob": mysql.BLOB,
    "MediumBlob": mysql.MEDIUMBLOB,
    "LongBlob": mysql.LONGBLOB,
    "TinyText": mysql.TINYTEXT,
    "Text": mysql.TEXT,
    "MediumText": mysql.MEDIUMTEXT,
    "LongText": mysql.LONGTEXT,
    "Date": mysql.DATE,
    "Time": lambda precision=None: mysql.TIME(fsp=precision),
    "DateTime": lambda precision=None: mysql.DATETIME(fsp=precision),
    "Timestamp": lambda precision=None: mysql.TIMESTAMP(fsp=precision),
    "Year": mysql.YEAR,
    "Json": mysql.JSON,
}

_SQLITE: Mapping[str, Maker] = {
    "Int": sqlite.INTEGER,
    "BigInt": generic.BIGINT,
    "Float": sqlite.REAL,
    "Decimal": sqlite.DECIMAL,
    "Boolean": sqlite.BOOLEAN,
    "String": sqlite.TEXT,
    "DateTime": sqlite.DATETIME,
    "Json": JsonText,  # Prisma declares JSONB and writes text, where SQLAlchemy's JSONB writes bytes
    "Bytes": sqlite.BLOB,
}


def _sized(kind: Maker) -> Maker:
    """Return a maker for which no length means one character, as SQL Server has it, and Max no limit."""
    return lambda length=1: kind(None if str(length).lower() == "max" else length)


_MSSQL: Mapping[str, Maker] = {
    "Int": mssql.INTEGER,
    "BigInt": mssql.BIGINT,
    "Float": partial(mssql.FLOAT, 53),
    "Decimal": partial(mssql.DECIMAL, 32, 16),
    "Boolean": mssql.BIT,
    "String": partial(mssql.NVARCHAR, 1000),
    "DateTime": mssql.DATETIME2,
    "Json": partial(mssql.NVARCHAR, 1000),
    "Bytes": mssql.VARBINARY,
}
_MSSQL_NATIVE: Mapping[str, Maker] = {
    "TinyInt": mssql.TINYINT,
    "SmallInt": mssql.SMALLINT,
    "Int": mssql.INTEGER,
    "BigInt": mssql.BIGINT,
    "Decimal": mssql.DECIMAL,
    "Money": mssql.MONEY,
    "SmallMoney": mssql.SMALLMONEY,
    "Bit": mssql.BIT,
    "Float": mssql.FLOAT,
    "Real": mssql.REAL,
    "Date": mssql.DATE,
    "Time": mssql.TIME,
    "DateTime": mssql.DATETIME,
    "DateTime2": mssql.DATETIME2,
    "DateTimeOffset": mssql.DATETIMEOFFSET,
    "SmallDateTime": mssql.SMALLDATETIME,
    "Char": _sized(mssql.CHAR),
    "NChar": _sized(mssql.NCHAR),
    "VarChar": _sized(mssql.VARCHAR),
    "Text": mssql.TEXT,
    "NVarChar": _sized(mssql.NVARCHAR),
    "NText": mssql.NTEXT,
    "Binary": _sized(mssql.BINARY),
    "VarBinary": _sized(mssql.VARBINARY),
    "Image": mssql.IMAGE,
    "Xml": mssql.XML,
    "UniqueIdentifier": mssql.UNIQUEIDENTIFIER,
}

# MongoDB has no columns: these stand for BSON types, whose names are kept in Column.info["bson"].
_MONGODB: Mapping[str, Maker] = {
    "Int": generic.Integer,
    "BigInt": generic.BigInteger,
    "Float": generic.Float,
    "Boolean": generic.Boolean,
    "String": generic.Text,
    "DateTime": generic.DateTime,
    "Json": generic.JSON,
    "Bytes": generic.LargeBinary,
}
_MONGODB_NATIVE: Mapping[str, Maker] = {
    "String": generic.Text,
    "Double": generic.Float,
    "Long": generic.BigInteger,
    "Int": generic.Integer,
    "Bool": generic.Boolean,
    "ObjectId": partial(generic.String, 24),
    "BinData": generic.LargeBinary,
    "Date": generic.DateTime,
    "Timestamp": generic.DateTime,
    "Json": generic.JSON,
    "Array": generic.JSON,
}
BSON = {
    "Int": "int",
    "BigInt": "long",
    "Float": "double",
    "Boolean": "bool",
    "String": "string",
    "DateTime": "date",
    "Json": "object",
    "Bytes": "binData",
}
"""MongoDB's name of the type of each scalar."""

SCALARS: Mapping[str, Mapping[str, Maker]] = {
    "postgresql": _POSTGRESQL,
    "cockroachdb": _COCKROACHDB,
    "mysql": _MYSQL,
    "sqlite": _SQLITE,
    "mssql": _MSSQL,
    "mongodb": _MONGODB,
}
"""Makers of the type of a scalar without `@db`, by server."""

NATIVE: Mapping[str, Mapping[str, Maker]] = {
    "postgresql": _POSTGRESQL_NATIVE,
    "cockroachdb": _COCKROACHDB_NATIVE,
    "mysql": _MYSQL_NATIVE,
    "sqlite": {},
    "mssql": _MSSQL_NATIVE,
    "mongodb": _MONGODB_NATIVE,
}
"""Makers of the types behind `@db.`, by server; they take the arguments that stand there."""
