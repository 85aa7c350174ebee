"""Columns: one decorator with every option told, and a property."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Column

from dbplan.ddl.documents import JsonText
from dbplan.exports.clauses import place_of, sql_of
from dbplan.exports.facts import Default, Facts, SqlType
from dbplan.exports.typeorm.kinds import Kind, kind_of
from dbplan.exports.typeorm.page import Page, enum_key
from dbplan.exports.typescript import Arrow, List, Node, Record, Text, Word, attribute, document, number

_SERIAL = re.compile(r"\b(SMALL|BIG)?SERIAL\b")
_CAST = re.compile(r"^'((?:[^']|'')*)'(?:::(.+))?$")
_SAME = {
    "character varying": "varchar",
    "character": "char",
    "bpchar": "char",
    "integer": "int",
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
}
_NUMBERS = frozenset(
    {"int", "smallint", "bigint", "numeric", "decimal", "real", "float8", "float", "tinyint", "integer", "double"}
)
_NUMBERED = frozenset({"int", "integer", "smallint", "bigint", "tinyint", "mediumint"})
_NOW = {"postgresql": "now()", "cockroachdb": "now()"}
_DATES = frozenset({"timestamp", "timestamptz"})
_CHANGED = re.compile(r"^(CURRENT_TIMESTAMP|CURRENT_DATE|CURRENT_TIME|LOCALTIMESTAMP|LOCALTIME)(\(\d+\))?$", re.I)
Options = list[tuple[str, Node]]


def column(page: Page, found: Column[Any], key_name: str) -> str:
    """Return a column as decorator and property; `key_name` is the name of the primary key, "" for its own."""
    facts = page.columns[found.table.key, found.name]
    kind = _kind(page, facts)
    options = _options(page, facts, kind, key_name)
    name, arguments = _decorator(page, facts, kind, options)
    lines = [page.decorate(name, *arguments, inside=True)]
    if name == "Column" and (found.identity is not None or is_numbered(page, found)):
        lines.append(page.decorate("Generated", Text("increment"), inside=True))
    holds = [_held(page, facts, kind)]
    nullable = found.nullable and not found.primary_key and holds != ["unknown"]
    return "\n".join([*lines, attribute(page.field_of(found), [*holds, *(["null"] if nullable else [])])])


def view_column(page: Page, found: Column[Any]) -> str:
    """Return a column of a view."""
    facts = page.columns[found.table.key, found.name]
    name, kind = page.field_of(found), kind_of(facts.type.base or facts.type, page.server)
    options = [Record((("name", Text(found.name)),))] if name != found.name else []
    holds = [_held(page, facts, kind)]
    types = [*holds, *(["null"] if found.nullable and holds != ["unknown"] else [])]
    return "\n".join([page.decorate("ViewColumn", *options, inside=True), attribute(name, types)])


def _kind(page: Page, facts: Facts) -> Kind:
    """Return the column's type as the driver calls it; what is lost of it is said."""
    told, table, name = facts.type, facts.column.table, facts.column.name
    if told.native:
        if told.schema != (table.schema or "") and page.server == "postgresql":
            _lose_schema(page, facts)
        return Kind("enum", (), page.enums[enum_key(told)])
    if told.base is not None:
        page.lose(f"the domain {told.name} is written as {told.base.words.lower()}", table, column=name)
    kind = kind_of(told.base or told, page.server)
    if isinstance(facts.column.type, JsonText):
        page.lose("jsonb is written as json, for of TypeORM's jsonb SQLite makes bytes", table, column=name)
        return kind_of(replace(told, name="json"), page.server)
    if not kind.kept:
        said = (told.base or told).words.lower()
        page.lose(f"{said} is written as {kind.name}, for TypeORM lacks it", table, column=name)
    return kind


def _lose_schema(page: Page, facts: Facts) -> None:
    told, table = facts.type, facts.column.table
    own = replace(told, schema=table.schema or "")
    said = "TypeORM has enums in the schema of their table"
    page.lose(f"its enum is {place_of(own)}: {said}", table, column=facts.column.name)
    for one in (own,) if _is_made(page, told) else (own, told):
        page.lose_type(one, said)


def _is_made(page: Page, told: SqlType) -> bool:
    """Return whether an entity in an enum's own schema has it: TypeORM makes it there."""
    return any(
        facts.type.native
        and enum_key(facts.type) == enum_key(told)
        and (facts.column.table.schema or "") == told.schema
        and bool(facts.column.table.primary_key.columns)
        for facts in page.columns.values()
    )


def _held(page: Page, facts: Facts, kind: Kind) -> str:
    holds = kind.holds
    if facts.type.native:
        holds = page.enums[enum_key(facts.type)]
    return f"{holds}[]" if facts.type.dimensions else holds


def _options(page: Page, facts: Facts, kind: Kind, key_name: str) -> Options:
    found, told = facts.column, facts.type
    options: Options = [("type", Text(kind.name))]
    options += [("name", Text(found.name))] if page.field_of(found) != found.name else []
    options += [(name, _measure(value)) for name, value in kind.options]
    if told.native:
        options.append(("enum", Word(page.enums[enum_key(told)])))
        options += [("enumName", Text(told.name))] if page.server in ("postgresql", "cockroachdb") else []
    options += [("array", Word("true"))] if told.dimensions else []
    options += [("collation", Text(told.collation.strip('"`')))] if told.collation else []
    if found.primary_key:
        options += [("primaryKeyConstraintName", Text(key_name))] if key_name else []
    elif found.nullable:
        options.append(("nullable", Word("true")))
    options += _filled(page, facts, kind)
    if again := found.info.get("on_update"):
        options.append(("onUpdate", Text(str(again).upper().removesuffix("()"))))
    if facts.comment and page.server not in ("sqlite", "mssql"):
        options.append(("comment", Text(found.comment or facts.comment)))
    return options


def _measure(value: str) -> Node:
    return Word(value) if value.isdigit() or value == "true" else Text(value)


def _filled(page: Page, facts: Facts, kind: Kind) -> Iterator[tuple[str, Node]]:
    found = facts.column
    if found.computed is not None:
        stored = bool(found.computed.persisted) or page.server in ("postgresql", "cockroachdb")
        if stored and not found.computed.persisted:
            page.lose("it is computed when rows are written, not when they are read", found.table, column=found.name)
        yield "asExpression", Text(sql_of(found.computed.sqltext, page.dialect))
        yield "generatedType", Text("STORED" if stored else "VIRTUAL")
    elif facts.default is not None:
        yield "default", _default(page, facts, kind, facts.default)
    elif found.server_default is not None and found.identity is None and not is_numbered(page, found):
        compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
        yield "default", Arrow("", Text(str(compiler.get_column_default_string(found))))


def _default(page: Page, facts: Facts, kind: Kind, default: Default) -> Node:
    """Return a default as a value where TypeORM makes the same SQL of it, else as a function that gives SQL."""
    sql, value = default.sql.strip(), _value(default, kind, facts)
    if value is not None:
        return value
    changed = _CHANGED.match(sql) if page.server == "postgresql" else None
    if changed and sql.upper() != "CURRENT_TIMESTAMP":  # now() by another name
        page.lose(f"TypeORM writes {sql} as a cast of 'now'", facts.column.table, column=facts.column.name)
    return Arrow("", Text(sql))


def _value(default: Default, kind: Kind, facts: Facts) -> Node | None:
    sql = default.sql.strip()
    if facts.type.dimensions:
        return List() if re.fullmatch(r"'\{\}'(::.*\[\])?", sql) else None
    if kind.holds == "boolean" and sql.lower() in ("true", "false"):
        return Word(sql.lower())
    if kind.name in _NUMBERS and number(sql):
        return number(sql)
    match = _CAST.match(sql[1:-1] if sql.startswith("('") and sql.endswith("')") else sql)
    if match is None or not _is_own(match[2], kind, facts):
        return None
    text = match[1].replace("''", "'")
    if kind.name in ("json", "jsonb"):
        return document(text, exact=kind.name == "json")
    plain = (kind.holds == "string" or facts.type.native) and "'" not in text and "\\" not in text
    return Text(text) if plain else None


def _is_own(cast: str | None, kind: Kind, facts: Facts) -> bool:
    bare = re.sub(r"\(.*?\)|\"", "", cast or "").strip().lower()
    return not bare or _SAME.get(bare, bare) == kind.name or bare.rpartition(".")[2] == facts.type.name.lower()


def is_numbered(page: Page, found: Column[Any]) -> bool:
    """Say whether the server numbers the rows without a sequence of the plan's."""
    if page.server not in ("postgresql", "cockroachdb"):
        return page.columns[found.table.key, found.name].counts
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    words = str(compiler.get_column_specification(found))
    rest = words.removeprefix(str(page.dialect.identifier_preparer.format_column(found))).strip()
    return _SERIAL.match(rest) is not None


def _decorator(page: Page, facts: Facts, kind: Kind, options: Options) -> tuple[str, tuple[Node, ...]]:
    """Return the decorator's name and its arguments."""
    found = facts.column
    if found.identity is not None and page.server in ("postgresql", "cockroachdb"):
        return _identity(page, facts, options)
    if is_numbered(page, found) and kind.name in _NUMBERED and found.primary_key:
        return "PrimaryGeneratedColumn", (Text("increment"), Record(tuple(options)))
    if found.primary_key:
        return "PrimaryColumn", (Record(tuple(options)),)
    dated = _dated(page, facts, kind)
    if dated:
        return dated, (Record(tuple(option for option in options if option[0] != "default")),)
    return "Column", (Record(tuple(options)),)


def _dated(page: Page, facts: Facts, kind: Kind) -> str:
    """Return the decorator of a time that TypeORM sets, where it makes the same column."""
    default = facts.default
    if default is None or default.sql.strip().lower() != _NOW.get(page.server) or kind.name not in _DATES:
        return ""
    if facts.column.nullable or facts.type.dimensions:
        return ""
    return "UpdateDateColumn" if facts.updated else "CreateDateColumn" if _is_creation(facts) else ""


def _is_creation(facts: Facts) -> bool:
    return re.search(r"creat|insert|added", facts.column.name, re.IGNORECASE) is not None


def _identity(page: Page, facts: Facts, options: Options) -> tuple[str, tuple[Node, ...]]:
    found = facts.column
    made = found.identity
    assert made is not None
    told = {"start": made.start, "increment": made.increment, "minvalue": made.minvalue, "maxvalue": made.maxvalue}
    told |= {"cache": made.cache, "cycle": made.cycle or None}
    usual = {"start": 1, "increment": 1, "minvalue": 1, "cache": 1}
    said = [f"{key} {value}" for key, value in told.items() if value is not None and usual.get(key) != value]
    if not found.primary_key:
        page.lose("an identity beside the key is written as a serial", found.table, column=found.name)
        _lose_sequence(page, found, "it is that of a serial")
        return "Column", (Record(tuple(options)),)
    if said:
        _lose_sequence(page, found, f"{', '.join(said)} left out")
    generated = ("generatedIdentity", Text("ALWAYS" if made.always else "BY DEFAULT"))
    return "PrimaryGeneratedColumn", (Text("identity"), Record((*options, generated)))


def _lose_sequence(page: Page, found: Column[Any], said: str) -> None:
    from dbplan.evidence import Finding, Place, Severity
    from dbplan.exports.clauses import shortened

    name = shortened(found.table.name, found.name, "seq")
    place = Place(f"{found.table.schema}.{name}" if found.table.schema else name)
    page.lost.append(Finding("export-typeorm", Severity.NOTE, place, f"the sequence of an identity: {said}"))


def held(page: Page, facts: Facts) -> str:
    """Return the type of what a column's property holds, without null."""
    return _held(page, facts, _known(page, facts))


def dated(page: Page, facts: Facts) -> str:
    """Return the decorator of a time that TypeORM sets by itself; "" for any other column."""
    return _dated(page, facts, _known(page, facts))


def _known(page: Page, facts: Facts) -> Kind:
    return Kind("enum") if facts.type.native else kind_of(facts.type.base or facts.type, page.server)


def enum(name: str, labels: tuple[str, ...]) -> str:
    """Return the declaration of an enum."""
    from dbplan.exports.typeorm.page import class_name
    from dbplan.exports.typescript import text

    members: dict[str, str] = {}
    for label in labels:
        member = class_name(label) if label.strip() else "Empty"
        while member in members:
            member += "_"
        members[member] = label
    lines = [f"  {member} = {text(label)}," for member, label in members.items()]
    return "\n".join([f"export enum {name} {{", *lines, "}"])
