"""Columns: a function for the type, then what is not null, filled in, generated or numbered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Identity

from dbplan.exports.drizzle.kinds import KINDS, NATIVE, Kind, alias
from dbplan.exports.drizzle.page import Page, constant, enum_of, key_of, text_if_other
from dbplan.exports.facts import Default, Facts, SqlType
from dbplan.exports.server_words import is_plain_now
from dbplan.exports.typescript import Arrow, Call, List, Node, Record, Text, Word, call, document, number, record

_SERIAL = re.compile(r"\b(SMALL|BIG)?SERIAL\b")
_CAST = re.compile(r"^('(?:[^']|'')*')(?:::(.+))?$")
_PLAIN_NAME = re.compile(r"\w+")
_SIZES = {"smallint": 15, "integer": 31, "bigint": 63}


def column(page: Page, found: Column[Any], in_key: bool = False) -> Call:
    """Return the definition of a column; `in_key`: it alone is the primary key, by the name that the tool gives."""
    facts = page.columns[found.table.key, found.name]
    made, kind = _typed(page, facts)
    made = made.then("primaryKey", *_counted(page, facts)) if in_key else made
    if not in_key and (not found.nullable or found.primary_key):
        made = made.then("notNull")
    for name, *arguments in _filled(page, facts, kind):
        made = made.then(name, *arguments)
    return made


def view_column(page: Page, found: Column[Any]) -> Call:
    """Return a column of a view: its type alone."""
    made, _ = _typed(page, page.columns[found.table.key, found.name])
    return made if found.nullable else made.then("notNull")


def _counted(page: Page, facts: Facts) -> tuple[Node, ...]:
    counted = page.core == "sqlite" and facts.column.table.dialect_options["sqlite"]["autoincrement"]
    return (record(autoIncrement=Word("true")),) if counted else ()


def _typed(page: Page, facts: Facts) -> tuple[Call, Kind]:
    name = text_if_other(facts.column.name, key_of(page, facts.column))
    kind = _kind(page, facts)
    settings: tuple[Node, ...] = (Record(kind.settings),) if kind.settings else ()
    if kind.function == "mysqlEnum":
        settings = (List(tuple(Text(label) for label in facts.type.labels)),)
    if kind.function in page.customs.values() or kind.function in page.enums.values():
        made = call(kind.function, *name)
    else:
        made = page.call(kind.function, *name, *settings)
    for _ in range(facts.type.dimensions):
        made = made.then("array")
    return made, Kind() if facts.type.dimensions else kind


def _kind(page: Page, facts: Facts) -> Kind:
    """Return the function that makes a column's type; one that the file makes itself is taken down."""
    told, column = facts.type, facts.column
    serial = _serial(page, column)
    if serial:
        return Kind(serial, (("mode", Text("bigint")),) if serial == "bigserial" else ())
    if told.base is not None:
        page.lose(f"the domain {told.name} is written as {told.base.words.lower()}", column.table, column=column.name)
        told = told.base
    if told.native and page.core == "pg":
        return _enum(page, told)
    if told.native:
        return Kind("mysqlEnum", holds="string")
    kind = KINDS[page.core](told)
    if told.collation:
        kind = _collated(page, kind, told, column)
    return kind if kind.function else _custom(page, kind, told, column)


def _serial(page: Page, column: Column[Any]) -> str:
    """Return serial, smallserial or bigserial where PostgreSQL numbers the rows so."""
    if page.core != "pg" or column.identity is not None:
        return ""
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    words = str(compiler.get_column_specification(column))
    found = _SERIAL.match(words.removeprefix(str(page.dialect.identifier_preparer.format_column(column))).strip())
    return found[0].lower() if found else ""


def _enum(page: Page, told: SqlType) -> Kind:
    """Return an enum; drizzle-kit takes a name that starts like a type of PostgreSQL for that type, without quotes."""
    if not told.name.startswith(NATIVE):
        return Kind(enum_of(page, told), holds="string")
    union = " | ".join(json.dumps(label, ensure_ascii=False) for label in told.labels)
    return _made(page, Kind(words=_qualified(told.schema or "public", told.name), data=union), told.name)


def _qualified(schema: str, name: str) -> str:
    """Return the words that drizzle-kit, which puts them in quotes, makes a qualified name of."""
    return f'{schema}"."{name}'


def _collated(page: Page, kind: Kind, told: SqlType, column: Column[Any]) -> Kind:
    words = kind.words or " ".join([told.name, *([f"({', '.join(told.arguments)})"] if told.arguments else [])])
    if page.core == "pg" and not words.startswith(NATIVE):
        page.lose(f"the collation {told.collation} is left out", column.table, column=column.name)
        return kind
    name = told.collation.strip('"`')
    quoted = f'"{name}"' if page.core == "pg" else name
    return Kind(words=f"{words.replace(' (', '(')} COLLATE {quoted}", holds=kind.holds, data=kind.data)


def _custom(page: Page, kind: Kind, told: SqlType, column: Column[Any]) -> Kind:
    words = kind.words
    if page.core == "pg" and not words.startswith(NATIVE) and not _PLAIN_NAME.fullmatch(words):
        schema, _, name = words.rpartition(".")
        plain = name.partition("(")[0].strip('"')
        if "(" in name:
            page.lose(f"{words} is written as {plain}", column.table, column=column.name)
        words = _qualified(schema.strip('"'), plain) if schema else plain
    return _made(page, Kind(words=words, holds=kind.holds, data=kind.data), told.name)


def _made(page: Page, kind: Kind, name: str) -> Kind:
    """Return a type that the file makes itself, once for each of its words."""
    if kind.words not in page.customs:
        wanted = constant(kind.words.split(" COLLATE ")[0] if "COLLATE" in kind.words else name)
        page.customs[kind.words] = page.free(wanted, f"{wanted}Type")
        page.used.add("customType")
        page.data[kind.words] = kind.data
    return Kind(page.customs[kind.words], holds=kind.holds, words=kind.words)


def _filled(page: Page, facts: Facts, kind: Kind) -> Iterator[tuple[Any, ...]]:
    """Yield the calls that say who fills the column in."""
    column = facts.column
    if column.computed is not None:
        yield from _generated(page, column)
    elif column.identity is not None and page.core == "pg":
        yield _identity(page, column, column.identity)
    elif page.core == "mysql" and facts.counts:
        yield ("autoincrement",)
    elif facts.default is not None:
        yield from _default(page, facts.default, kind, facts.type)
    elif page.core == "pg" and column.server_default is not None and not kind.function.endswith("serial"):
        yield "default", page.sql(_default_words(page, column))
    if page.core == "mysql" and kind.function == "timestamp" and is_plain_now(column):
        yield ("onUpdateNow",)
    yield from _client(page, facts, kind)


def _default_words(page: Page, column: Column[Any]) -> str:
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    return str(compiler.get_column_default_string(column))


def _generated(page: Page, column: Column[Any]) -> Iterator[tuple[Any, ...]]:
    from dbplan.exports.clauses import sql_of

    made = column.computed
    assert made is not None
    words = page.sql(sql_of(made.sqltext, page.dialect))
    if page.core == "pg":
        if not made.persisted:
            page.lose("it is computed when rows are written, not when they are read", column.table, column=column.name)
        yield "generatedAlwaysAs", words
    else:
        yield "generatedAlwaysAs", words, record(mode=Text("stored" if made.persisted else "virtual"))


def _identity(page: Page, column: Column[Any], made: Identity) -> tuple[Any, ...]:
    facts = page.columns[column.table.key, column.name]
    step = made.increment or 1
    top = 2 ** _SIZES.get(alias(facts.type.name), 63)
    options: dict[str, Any] = {
        "name": _sequence_name(column),
        "startWith": made.start,
        "increment": made.increment,
        "minValue": made.minvalue if made.minvalue is not None or step > 0 else -top,
        "maxValue": made.maxvalue if made.maxvalue is not None or step > 0 else -1,
        "cache": made.cache,
        "cycle": made.cycle or None,
    }
    told = {key: _option(value) for key, value in options.items() if value is not None}
    name = "generatedAlwaysAsIdentity" if made.always else "generatedByDefaultAsIdentity"
    return name, *([Record(tuple(told.items()))] if told else [])


def _sequence_name(column: Column[Any]) -> str | None:
    """Return the name that the server would give to the sequence, where drizzle-kit would make up another."""
    from dbplan.exports.clauses import shortened

    name = shortened(column.table.name, column.name, "seq")
    return name if name != f"{column.table.name}_{column.name}_seq" else None


def _option(value: Any) -> Node:
    if isinstance(value, bool | str):
        return Text(value) if isinstance(value, str) else Word(str(value).lower())
    return Word(str(value)) if abs(value) < 2**53 else Text(str(value))


def _default(page: Page, default: Default, kind: Kind, told: SqlType) -> Iterator[tuple[Any, ...]]:
    """Yield a default as a value where drizzle-kit makes the same SQL of it, else as SQL."""
    value = _literal(page, default, kind, told)
    dated = kind.function in ("timestamp", "date", "time") and page.core == "pg"
    if dated and default.sql.strip().lower() == "now()":
        yield ("defaultNow",)
    else:
        yield "default", value if value is not None else page.sql(default.sql)


def _literal(page: Page, default: Default, kind: Kind, told: SqlType) -> Node | None:
    sql = default.sql.strip()
    while sql.startswith("(") and sql.endswith(")") and sql.count("(") == sql.count(")") == 1:
        sql = sql[1:-1].strip()
    if told.dimensions:
        return List() if _quoted(sql, told) == "{}" else None
    if kind.holds == "boolean" and sql.lower() in ("true", "false"):
        return Word(sql.lower())
    if kind.holds == "number":
        return number(sql)
    if kind.holds == "string of digits" and number(sql):
        return Text(sql)
    value = _quoted(sql, told)
    if value is None or kind.words or "\\" in value:
        return None
    if kind.holds == "string":
        return Text(value)
    return document(value, exact=told.name == "json") if kind.holds == "json" else None


def _quoted(sql: str, told: SqlType) -> str | None:
    """Return the text of a string literal that is cast to nothing, or to the column's own type."""
    match = _CAST.match(sql)
    if match is None:
        return None
    cast = re.sub(r"\(.*?\)|\[\]|\"", "", match[2] or "").strip().rpartition(".")[2]
    if cast and alias(cast.lower()) != alias(told.name) and cast != told.name:
        return None
    return match[1][1:-1].replace("''", "'")


def _client(page: Page, facts: Facts, kind: Kind) -> Iterator[tuple[Any, ...]]:
    """Yield what the client fills in."""
    made = _made_by_client(page, facts, kind)
    if made is not None and facts.default is None:
        yield "$defaultFn", Arrow("", made)
    elif facts.client and facts.default is None:
        said = f"the client fills it in by {facts.client}; no function does here: the application has to give the value"
        page.lose(said, facts.column.table, column=facts.column.name)
    if facts.updated and kind.function in ("timestamp", "datetime") and not facts.type.dimensions:
        yield "$onUpdate", Arrow("", Call(Word("new Date")))
    elif facts.column.info.get("updated_at"):
        page.lose(
            "no function sets it when the row changes: the application has to",
            facts.column.table,
            column=facts.column.name,
        )


def _made_by_client(page: Page, facts: Facts, kind: Kind) -> Node | None:
    holds_text = kind.function in ("uuid", "text", "varchar", "char")
    if facts.client in ("uuid()", "uuid(4)") and holds_text:
        return Call(Word("crypto.randomUUID"))
    if facts.client == "uuid(7)" and holds_text:
        page.functions.add("uuidv7")
        return call("uuidv7")
    return None
