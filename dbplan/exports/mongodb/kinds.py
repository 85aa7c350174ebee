"""BSON types: what MongoDB calls a column's type, as a fragment of `$jsonSchema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column
from sqlalchemy.exc import CompileError

from dbplan.exports.facts import Default, SqlType, facts, server

Schema = dict[str, Any]

_WHOLE = ["int", "long"]
_TYPES: Mapping[str, str] = {
    "uuid": "binData", "uniqueidentifier": "binData", "boolean": "bool", "bool": "bool",
    "integer": "int", "int": "int", "smallint": "int", "tinyint": "int", "mediumint": "int", "year": "int",
    "serial": "int", "smallserial": "int", "int4": "int", "int2": "int",
    "bigint": "long", "int8": "long", "bigserial": "long", "oid": "long", "integer unsigned": "long",
    "int unsigned": "long", "bigint unsigned": "long",
    "smallint unsigned": "int", "tinyint unsigned": "int", "mediumint unsigned": "int",
    "real": "number", "float": "number", "double": "number", "double precision": "number", "float4": "number",
    "numeric": "decimal", "decimal": "decimal", "money": "decimal", "smallmoney": "decimal",
    "date": "date", "datetime": "date", "datetime2": "date", "smalldatetime": "date", "datetimeoffset": "date",
    "timestamp": "date", "timestamp with time zone": "date", "timestamp without time zone": "date",
    "bytea": "binData", "blob": "binData", "longblob": "binData", "mediumblob": "binData", "tinyblob": "binData",
    "binary": "binData", "varbinary": "binData", "image": "binData",
    "json": "json", "jsonb": "json", "hstore": "object", "vector": "numbers", "halfvec": "numbers",
    "geometry": "object", "geography": "object", "point": "object",
    "text": "string", "varchar": "string", "char": "string", "character varying": "string", "character": "string",
    "nvarchar": "string", "nchar": "string", "ntext": "string", "longtext": "string", "mediumtext": "string",
    "tinytext": "string", "clob": "string", "citext": "string", "string": "string", "enum": "string", "name": "string",
}  # fmt: skip
_PRISMA = {"Int": "int", "BigInt": "long", "Float": "double", "Boolean": "bool", "DateTime": "date", "Json": "object"}
_PRISMA |= {"Bytes": "binData"}
_SIZED = frozenset({"varchar", "char", "character varying", "character", "nvarchar", "nchar"})
GEOGRAPHIC = frozenset({"geometry", "geography", "point"})


def own_dialect(info: Mapping[str, Any]) -> str:
    """Return the server whose words the plan's types are in; PostgreSQL's for models that are meant for any."""
    told = str(info.get("dialect") or "postgresql")
    return "postgresql" if told == "mongodb" else told


def told(column: Column[Any], dialect: str) -> tuple[SqlType, Default | None]:
    """Return a column's type and default in its server's words; a type without a name for what no server writes."""
    try:
        known = facts(column, server(dialect))
    except CompileError:
        return SqlType(""), None
    return known.type, known.default


def field_schema(column: Column[Any], kind: SqlType, filled: Default | None, types: Mapping[str, Any]) -> Schema:
    """Return what a value of the column is; `types` are the composite types of a Prisma schema."""
    if bson := str(column.info.get("bson") or ""):
        one = composite(str(column.info.get("composite") or ""), types) or _bson(bson)
        if not column.info.get("composite"):
            one |= {"enum": list(kind.labels)} if kind.labels else {}
        return {"bsonType": "array", "items": one} if column.info.get("many") else one
    while kind.base is not None:
        kind = kind.base
    made = _plain(kind, filled)
    for _ in range(kind.dimensions):
        made = {"bsonType": "array", "items": made}
    return made


def _plain(kind: SqlType, filled: Default | None) -> Schema:
    if kind.labels:
        return {"enum": list(kind.labels)}
    name = _TYPES.get(kind.name, "string")
    if kind.name == "tinyint" and kind.arguments == ("1",):
        name = "bool"
    if name == "json":
        return {"bsonType": _of_json(filled)}
    if name == "numbers":
        return {"bsonType": "array", "items": {"bsonType": "number"}}
    sized = kind.name in _SIZED and kind.length is not None
    return _bson(name) | ({"maxLength": kind.length} if sized else {})


def _of_json(filled: Default | None) -> Any:
    """Return what a document holds: what its default is, else an object or a list."""
    first = str(filled.value).strip()[:1] if filled is not None and filled.kind == "literal" else ""
    return {"{": "object", "[": "array"}.get(first, ["object", "array"])


def _bson(name: str) -> Schema:
    """Return the type; a small number of a long field reaches the server as an int, a whole one of a double, too."""
    return {"bsonType": _WHOLE if name == "long" else "number" if name == "double" else name}


def composite(name: str, types: Mapping[str, Any], above: frozenset[str] = frozenset()) -> Schema | None:
    """Return a composite type of a Prisma schema as an object; None for another name."""
    if name not in types:
        return None
    if name in above:
        return {"bsonType": "object"}
    properties: Schema = {}
    for field, (kind, arity) in types[name].items():
        one = composite(kind, types, above | {name}) or _bson(_PRISMA.get(kind, "string"))
        properties[field] = {"bsonType": "array", "items": one} if arity == "[]" else nullable(one, arity == "?")
    needed = [field for field, (_, arity) in types[name].items() if arity not in ("?", "[]")]
    made: Schema = {"bsonType": "object"} | ({"required": needed} if needed else {})
    return made | {"properties": properties, "additionalProperties": False}


def nullable(schema: Schema, null: bool) -> Schema:
    """Return the schema of a value that may be null."""
    if not null:
        return schema
    if "enum" in schema:
        schema = schema | {"enum": [*schema["enum"], None]}
    if "bsonType" not in schema:
        return schema
    kinds = schema["bsonType"]
    return schema | {"bsonType": [*kinds, "null"] if isinstance(kinds, list) else [kinds, "null"]}


def names(schema: Schema) -> list[str]:
    """Return the BSON types that a value may have."""
    kinds = schema.get("bsonType", "string")
    return list(kinds) if isinstance(kinds, list) else [kinds]


def is_text_instead(column: Column[Any], kind: SqlType) -> bool:
    """Say whether a value is kept as text for want of a type of its own."""
    base = kind
    while base.base is not None:
        base = base.base
    return not column.info.get("bson") and not base.labels and base.name not in _TYPES
