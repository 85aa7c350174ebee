"""Columns as attributes: the Python type, what it is told, and the server's own words where Pony would write others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import SQLAlchemyError

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.alchemy.page import imported
from dbplan.exports.clauses import shortened
from dbplan.exports.facts import Default, SqlType
from dbplan.exports.orm.enums import server_type
from dbplan.exports.orm.mends import retyped
from dbplan.exports.orm.page import Stage
from dbplan.exports.pony.page import PonyPage
from dbplan.exports.python import Node, Text, call, flat, literal

_SIZES = {"smallint": 16, "mediumint": 24, "bigint": 64, "tinyint": 8, "bigserial": 64, "smallserial": 16}
_KINDS = {
    "int": "smallint, mediumint, integer, int, bigint, tinyint, serial, bigserial, smallserial, oid, year",
    "float": "double precision, float, double, real, float4, float8",
    "bool": "boolean, bool",
    "Decimal": "numeric, decimal",
    "datetime": "timestamp, datetime, timestamp without time zone, timestamp with time zone, timestamptz",
    "date": "date",
    "time": "time, time without time zone, time with time zone",
    "timedelta": "interval",
    "UUID": "uuid",
    "bytes": "bytea, blob, longblob, mediumblob, tinyblob, varbinary, binary",
    "Json": "json, jsonb",
}
_KIND = {word: kind for kind, words in _KINDS.items() for word in words.split(", ")}
_FROM = {"Decimal": "decimal", "UUID": "uuid", "Json": "pony.orm"}
_FROM |= dict.fromkeys(("datetime", "date", "time", "timedelta"), "datetime")
_FROM |= dict.fromkeys(("IntArray", "StrArray", "FloatArray"), "pony.orm")
_ARRAYS = {"int": "IntArray", "float": "FloatArray"}
_INTS = {16: "SMALLINT", 64: "BIGINT", None: "INTEGER"}
_SAME = {"TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP", "TIME WITHOUT TIME ZONE": "TIME", "FLOAT": "DOUBLE PRECISION"}
_PLACES = 10


@dataclass(frozen=True)
class Made:
    """A Python type, what stands behind it, and keywords; `kind` is the type's plain name."""

    kind: str
    items: tuple[Node, ...] = ()
    words: dict[str, Node] = field(default_factory=dict)


def made(page: PonyPage, column: Column[Any]) -> Made:
    """Return the type of a column's attribute."""
    type_ = facts.sql_type(column.type, page.dialect)
    words = type_.words
    if _is_spoiled(page, column, words):
        _lose_type(page, column, type_)
        below = server_type(column.type)
        type_ = facts.sql_type(below.data_type, page.dialect) if isinstance(below, DOMAIN) else type_
        plain = not isinstance(below, DOMAIN) or is_quoted(type_.words)
        words, type_ = ("TEXT", SqlType("text", words="TEXT")) if plain else (type_.words, type_)
    if type_.dimensions:
        return _array(page, column, type_)
    kind = _KIND.get(type_.name, "str")
    items, keywords = _measures(page, kind, type_)
    usual = _usual(page, kind, items, keywords, type_)
    if _bare(words) != usual:
        keywords["sql_type"] = Text(words)
    return Made(kind, items, keywords)


def _is_spoiled(page: PonyPage, column: Column[Any], words: str) -> bool:
    """Say whether Pony, which writes a type in capitals, would write another one, or one that is not there yet."""
    below = server_type(column.type)
    while hasattr(below, "item_type"):
        below = server_type(below.item_type)
    own = isinstance(below, DOMAIN) or facts.sql_type(column.type, page.dialect).native
    return own or is_quoted(words)


def is_quoted(words: str) -> bool:
    """Say whether a type's words hold quotes around what capitals would change."""
    return any(found != found.upper() for found in re.findall(r"\"[^\"]*\"|'[^']*'", words))


def _lose_type(page: PonyPage, column: Column[Any], type_: SqlType) -> None:
    named = f"enum {type_.name}" if type_.labels and type_.name != "enum" else type_.words
    said = f"its type {named} is text here: Pony writes no types of the server's own, and all others in capitals"
    below = server_type(column.type)
    if isinstance(below, DOMAIN):
        said = f"its domain {below.name} is {facts.sql_type(below.data_type, page.dialect).words} here"
    page.lose(Stage.COLUMNS, Place(column.table.key, column.name), said, retyped(page, column))


def _measures(page: PonyPage, kind: str, type_: SqlType) -> tuple[tuple[Node, ...], dict[str, Node]]:
    """Return lengths, digits and sizes."""
    if kind == "int":
        unsigned = "unsigned" in type_.words.lower()
        size = _SIZES.get(type_.name) or (64 if type_.name == "oid" or unsigned else None)
        return (), {"size": repr(size)} if size else {}
    if kind == "Decimal":
        digits, places = (*type_.arguments, "0")[:2] if type_.arguments else ("38", str(_PLACES))
        places = places if places.isdigit() and int(places) else str(min(_PLACES, int(digits)))
        return (digits if int(digits) >= int(places) else places, places), {}
    if kind == "str" and type_.length and type_.name in ("varchar", "character varying"):
        return (str(type_.length),), {}
    if kind in ("datetime", "time") and type_.length is not None and type_.length <= 6:
        return (str(type_.length),), {}
    return (), {}


def _usual(page: PonyPage, kind: str, items: tuple[Node, ...], keywords: dict[str, Node], type_: SqlType) -> str:
    """Return what Pony would write for a type by itself."""
    server, measure = page.dialect.name, f"({', '.join(map(flat, items))})" if items else ""
    is_pg, is_lite = server == "postgresql", server == "sqlite"
    if kind == "int":
        size = _SIZES.get(type_.name)
        return _INTS[size] if size in _INTS else {8: "TINYINT", 24: "MEDIUMINT"}[size or 0]
    text = f"VARCHAR{measure}" if items else "TEXT" if is_pg or is_lite else "VARCHAR(255)"
    return {
        "str": text,
        "Decimal": f"NUMERIC{measure}",
        "float": "DOUBLE PRECISION" if is_pg else "REAL" if is_lite else "DOUBLE",
        "bool": "BOOLEAN",
        "datetime": f"{'TIMESTAMP' if is_pg else 'DATETIME'}{measure}",
        "date": "DATE",
        "time": f"TIME{measure}",
        "timedelta": "INTERVAL DAY TO SECOND" if is_pg else "INTERVAL" if is_lite else "TIME",
        "UUID": "BINARY(16)" if server in ("mysql", "mariadb") else "UUID",
        "bytes": "BYTEA" if is_pg else "BLOB" if is_lite else "LONGBLOB",
        "Json": "JSONB" if is_pg else "JSON",
    }[kind]


def _bare(words: str) -> str:
    told = words.upper().replace("DECIMAL", "NUMERIC")
    told = re.sub(r"\s*,\s*", ", ", told)
    return _SAME.get(told, "INTEGER" if told == "INT" else told)


def _array(page: PonyPage, column: Column[Any], type_: SqlType) -> Made:
    """Return an array: Pony has those of numbers and texts, of one dimension."""
    item = _KIND.get(type_.name, "str")
    kind = _ARRAYS.get(item, "StrArray")
    if page.dialect.name == "postgresql" and (type_.dimensions > 1 or item not in ("int", "float", "str")):
        shape = f"of {type_.dimensions} dimensions" if type_.dimensions > 1 else f"of {type_.words.partition('[')[0]}"
        said = f"an array {shape}: Pony reads it, and writes those of numbers and texts of one dimension alone"
        page.note(Place(column.table.key, column.name), said)
    usual = {"IntArray": "INT[]", "StrArray": "TEXT[]", "FloatArray": "DOUBLE PRECISION[]"}[kind]
    told = type_.words.upper().replace("INTEGER[", "INT[")
    return Made(kind, (), {} if told == usual else {"sql_type": Text(type_.words)})


def called(page: PonyPage, kind: str) -> str:
    """Return what a type is called in the module."""
    return page.imports.name(_FROM[kind], kind) if kind in _FROM else kind


def plain(page: PonyPage, column: Column[Any], extra: dict[str, Node]) -> Node:
    """Return a column as an attribute that leads nowhere; `extra` are the words of its keys."""
    known, found = facts.facts(column, page.dialect), made(page, column)
    key = column.primary_key and len(column.table.primary_key.columns) == 1
    words: dict[str, Node] = {}
    name = page.attribute(column)
    if name != column.name or name != name.lower():  # Pony tells PostgreSQL names that are not given in small letters
        words["column"] = Text(str(column.name))
    words |= found.words
    if column.computed is not None:
        words |= _computed(page, column, known.type)
    elif column.identity is not None or known.counts:
        words |= _counting(page, column, known.type, alone=key)
    else:
        words |= _defaults(page, column, found.kind)
    if words.get("auto"):
        words.pop("size", None)
    optional = _is_optional(page, column, found.kind, words)
    if optional and column.nullable and found.kind in ("str", "Json", "IntArray", "StrArray", "FloatArray"):
        words["nullable"] = "True"
    head = page.imports.name("pony.orm", "PrimaryKey" if key else "Optional" if optional else "Required")
    return call(head, called(page, found.kind), *found.items, **words, **extra)


def _is_optional(page: PonyPage, column: Column[Any], kind: str, words: dict[str, Node]) -> bool:
    """Say whether a value may be missing: NULL, or for texts and documents empty where that is what is filled in."""
    if column.nullable:
        return True
    uniques = (one for one in column.table.constraints if isinstance(one, UniqueConstraint))
    keyed: tuple[Any, ...] = (*column.table.indexes, *uniques)
    if kind != "str" or "sql_default" not in words or any(column.name in one.columns for one in keyed):
        return False
    return flat(words["sql_default"]).partition("::")[0].strip("\"'") == "" and not column.primary_key


def _computed(page: PonyPage, column: Column[Any], type_: SqlType) -> dict[str, Node]:
    """Return a generated column: written with its type where capitals leave it as it is, else made anew."""
    computed: Any = column.computed
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    sql = f"{type_.words} {compiler.process(computed)}"
    if not re.search(r"[\"'`]", sql) and sql.isascii():
        return {"sql_type": Text(sql), "volatile": "True"}
    table, name = page.whole(column.table), page.quote(column.name)
    mend = f"ALTER TABLE {table} DROP COLUMN {name};\nALTER TABLE {table} ADD COLUMN {name} {sql};"
    said = "its expression would be in capitals: a plain column here, which the SQL makes anew as the last of the table"
    page.lose(Stage.TABLES, Place(column.table.key, column.name), said, mend)
    return {"volatile": "True"}


def _counting(page: PonyPage, column: Column[Any], type_: SqlType, *, alone: bool) -> dict[str, Node]:
    """Return how the server numbers rows."""
    if page.dialect.name != "postgresql":
        return {"auto": "True"} if alone else {}
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    if column.identity is not None and column not in page.serial:
        return {"sql_type": Text(f"{type_.words} {compiler.process(column.identity)}"), "sql_default": "True"}
    if column.identity is not None:
        _lose_identity(page, column, str(compiler.process(column.identity)))
    drawn = facts.drawn_from(column)
    if drawn and drawn.strip('"') != shortened(str(column.table.name), column.name, "seq"):
        return {"sql_default": Text(str(compiler.get_column_default_string(column)))}
    serial = {"smallint": "SMALLSERIAL", "bigint": "BIGSERIAL"}.get(type_.name, "SERIAL")
    serial = type_.name.upper() if type_.name.endswith("serial") else serial
    return {"auto": "True"} if alone and serial == "SERIAL" else {"sql_type": Text(serial), "sql_default": "True"}


def _lose_identity(page: PonyPage, column: Column[Any], words: str) -> None:
    """Note an identity that is a serial here, since Pony would give its words to a foreign key of several columns."""
    head = f"ALTER TABLE {page.whole(column.table)} ALTER {page.quote(column.name)}"
    sequence = page.beside(column.table, shortened(str(column.table.name), str(column.name), "seq"))
    mend = f"{head} DROP DEFAULT;\nDROP SEQUENCE {sequence};\n{head} ADD {words};"
    said = "its identity is a serial here: Pony would give its words to the keys that lead here as well"
    page.lose(Stage.COLUMNS, Place(column.table.key, column.name), said, mend)


def _defaults(page: PonyPage, column: Column[Any], kind: str) -> dict[str, Node]:
    words: dict[str, Node] = {}
    filled: Any = column.default
    if filled is not None and getattr(filled, "is_callable", False):
        function = imported(page, getattr(filled.arg, "__wrapped__", filled.arg))  # type: ignore[arg-type]
        if function is not None:
            words["default"] = function if kind != "str" or not _is_uuid(column) else f"lambda: {flat(function)}().hex"
    elif filled is not None and getattr(filled, "is_scalar", False):
        value = getattr(filled.arg, "value", filled.arg)
        written = literal(value) if value is not None and value != "" else None
        if written is not None:
            words["default"] = f"lambda: {flat(written)}" if isinstance(value, dict | list) else written
    try:
        default = facts.default(column, page.dialect)
    except SQLAlchemyError:
        default = None
    if default is not None:
        told = _told(page, default)
        own = _is_spoiled(page, column, facts.sql_type(column.type, page.dialect).words)
        words["sql_default"] = Text(re.sub(r"::.*", "", told) if own else told)
    return words


def _is_uuid(column: Column[Any]) -> bool:
    return str(getattr(server_type(column.type), "__visit_name__", "")).lower() == "uuid"


def _told(page: PonyPage, default: Default) -> str:
    """Return a default as the server reads it; SQLite wants expressions in parentheses."""
    bare = default.kind != "sql" or default.sql.startswith("(") or default.sql.upper().startswith("CURRENT_")
    return default.sql if page.dialect.name != "sqlite" or bare else f"({default.sql})"
