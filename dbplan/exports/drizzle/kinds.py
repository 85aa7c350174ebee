"""Types: which function of Drizzle makes a column of a server's type."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dbplan.exports.facts import SqlType
from dbplan.exports.typescript import Node, Text, Word


@dataclass(frozen=True)
class Kind:
    """A function of Drizzle, its settings, and `holds`: what of a default's value may be written as it is.

    `words` are the type's own words where the function is one that the file must make itself.
    """

    function: str = ""
    settings: tuple[tuple[str, Node], ...] = ()
    holds: str = ""
    words: str = ""
    data: str = "string"


_PG_ALIASES = {
    "int": "integer",
    "int4": "integer",
    "int2": "smallint",
    "int8": "bigint",
    "bool": "boolean",
    "character varying": "varchar",
    "character": "char",
    "bpchar": "char",
    "decimal": "numeric",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "timestamptz": "timestamp with time zone",
    "timestamp without time zone": "timestamp",
    "timetz": "time with time zone",
    "time without time zone": "time",
}
_PG_PLAIN = {
    "integer": Kind("integer", holds="number"),
    "smallint": Kind("smallint", holds="number"),
    "bigint": Kind("bigint", (("mode", Text("bigint")),)),
    "boolean": Kind("boolean", holds="boolean"),
    "text": Kind("text", holds="string"),
    "real": Kind("real", holds="number"),
    "double precision": Kind("doublePrecision", holds="number"),
    "uuid": Kind("uuid", holds="string"),
    "json": Kind("json", holds="json"),
    "jsonb": Kind("jsonb", holds="json"),
    "date": Kind("date", holds="string"),
    "interval": Kind("interval", holds="string"),
    "inet": Kind("inet", holds="string"),
    "cidr": Kind("cidr", holds="string"),
    "macaddr": Kind("macaddr", holds="string"),
    "macaddr8": Kind("macaddr8", holds="string"),
    "point": Kind("point"),
    "line": Kind("line"),
}
_PG_MEASURED = {"varchar": "length", "char": "length", "vector": "dimensions", "halfvec": "dimensions"}
_PG_MEASURED |= {"sparsevec": "dimensions", "bit": "dimensions"}
_NEEDS_MEASURE = frozenset({"vector", "halfvec", "sparsevec", "bit"})
_TIMES = {
    "timestamp": ("timestamp", False),
    "timestamp with time zone": ("timestamp", True),
    "time": ("time", False),
    "time with time zone": ("time", True),
}
_DATA = {"bytea": "Uint8Array", "oid": "number", "blob": "Uint8Array", "year": "number"}
_NATIVE = (
    "uuid smallint integer bigint boolean text varchar serial bigserial decimal numeric real json time date interval "
    "char vector geometry halfvec sparsevec bit"
)
NATIVE = (*_NATIVE.split(), "double precision")
"""What drizzle-kit leaves without quotes where a type's words start so."""


def alias(name: str) -> str:
    """Return the first of the names that PostgreSQL has for one type."""
    return _PG_ALIASES.get(name, name)


def postgresql(kind: SqlType) -> Kind:
    """Return how Drizzle writes one item of a type of PostgreSQL."""
    name = alias(kind.name)
    if name == "double precision" and kind.length is not None:
        return _PG_PLAIN["real" if kind.length < 25 else name]
    if name in _PG_PLAIN and not kind.arguments:
        return _PG_PLAIN[name]
    if name in _TIMES:
        return _timed(kind, *_TIMES[name])
    if name == "numeric":
        return Kind("numeric", _measures(kind, "precision", "scale"), "string of digits")
    if name in _PG_MEASURED and (kind.length is not None or name not in _NEEDS_MEASURE):
        return Kind(name, _measures(kind, _PG_MEASURED[name]), "string" if "char" in name else "")
    return custom(kind)


def custom(kind: SqlType) -> Kind:
    """Return a type that the file makes itself, in the server's words."""
    quoted = " ".join(kind.words.split()) if '"' in kind.words and not kind.dimensions else ""
    words = quoted or kind.name + (f"({', '.join(kind.arguments)})" if kind.arguments else "")
    return Kind("", words=words, data=_DATA.get(kind.name, "string"))


def _measures(kind: SqlType, *names: str) -> tuple[tuple[str, Node], ...]:
    return tuple((name, Word(told)) for name, told in zip(names, kind.arguments, strict=False))


def _timed(kind: SqlType, function: str, zoned: bool) -> Kind:
    precision = _measures(kind, "precision")
    zone: tuple[tuple[str, Node], ...] = (("withTimezone", Word("true")),) if zoned else ()
    return Kind(function, (*precision, *zone), "now" if function == "timestamp" else "string")


_MYSQL_PLAIN = {
    "bool": Kind("boolean", holds="boolean"),
    "boolean": Kind("boolean", holds="boolean"),
    "date": Kind("date", (("mode", Text("string")),), "string"),
    "json": Kind("json"),
    "text": Kind("text"),
    "tinytext": Kind("tinytext"),
    "mediumtext": Kind("mediumtext"),
    "longtext": Kind("longtext"),
    "year": Kind("year"),
}
_MYSQL_WHOLE = {
    "int": "int", "integer": "int", "tinyint": "tinyint", "smallint": "smallint", "mediumint": "mediumint",
}  # fmt: skip
_MYSQL_MEASURED = {"varchar": "length", "char": "length", "varbinary": "length", "binary": "length"}
_MYSQL_PRECISE = {"decimal": "decimal", "numeric": "decimal", "double": "double", "float": "float"}
_MYSQL_TIMES = {"timestamp": "timestamp", "datetime": "datetime", "time": "time"}


def mysql(kind: SqlType) -> Kind:
    """Return how Drizzle writes a type of MySQL or MariaDB."""
    name = kind.name.removesuffix(" unsigned")
    unsigned: tuple[tuple[str, Node], ...] = (("unsigned", Word("true")),) if name != kind.name else ()
    if name == "bigint":
        return Kind("bigint", (("mode", Text("bigint")), *unsigned))
    if name == "tinyint" and kind.arguments == ("1",) and not unsigned:
        return _MYSQL_PLAIN["boolean"]
    if name in _MYSQL_WHOLE:
        return Kind(_MYSQL_WHOLE[name], unsigned, "number")
    if name in _MYSQL_PRECISE and (len(kind.arguments) != 1 or name in ("decimal", "numeric")):
        holds = "string of digits" if _MYSQL_PRECISE[name] == "decimal" else "number"
        return Kind(_MYSQL_PRECISE[name], (*_measures(kind, "precision", "scale"), *unsigned), holds)
    if name in _MYSQL_MEASURED and kind.length is not None:
        return Kind(name, _measures(kind, _MYSQL_MEASURED[name]), "string" if "char" in name else "")
    if name in _MYSQL_TIMES and name == kind.name:
        return Kind(_MYSQL_TIMES[name], _measures(kind, "fsp"), "now" if name == "timestamp" else "")
    if name in _MYSQL_PLAIN and not kind.arguments:
        return _MYSQL_PLAIN[name]
    return custom(kind)


_SQLITE = {
    "integer": Kind("integer", holds="number"),
    "text": Kind("text", holds="string"),
    "real": Kind("real", holds="number"),
    "numeric": Kind("numeric"),
    "blob": Kind("blob", (("mode", Text("buffer")),)),
}


_SQLITE_DATA = {
    **dict.fromkeys(("bigint", "smallint", "numeric", "decimal", "float", "double", "double precision"), "number"),
    "boolean": "boolean",
    "json": "unknown",
    "jsonb": "unknown",
}
"""What an application holds of what SQLite's drivers give as numbers, or as the text of documents."""


def sqlite(kind: SqlType) -> Kind:
    """Return how Drizzle writes a type of SQLite; what has other words than its five is made by the file."""
    plain = _SQLITE.get(kind.name)
    if plain is not None and not kind.arguments:
        return plain
    made = custom(replace(kind, dimensions=0))
    return replace(made, data=_SQLITE_DATA.get(kind.name, made.data))


KINDS = {"pg": postgresql, "mysql": mysql, "sqlite": sqlite}
