"""Rules about the values of a column: enums, booleans and defaults that are not what the model says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, Enum, Table
from sqlalchemy.dialects import mysql

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.access import mentions, sql
from dbplan.linting.pgtypes import underlying
from dbplan.linting.schema import Schema
from dbplan.linting.words import counted, listed
from dbplan.rule import Hit, rule

_CALL = re.compile(
    r"^\s*(null|true_|current_timestamp|current_date|current_user|localtimestamp|(?!array)[a-z_][a-z0-9_.]*\s*\(.*\))\s*$",
    re.IGNORECASE,
)


@rule(
    "enum-unnamed",
    Severity.ERROR,
    condition="A native enum has no name.",
    why='`create_all` on PostgreSQL fails: "PostgreSQL ENUM type requires a name".',
    mend="Enum(…, name=…).",
    source="SQLAlchemy: CompileError",
)
def enum_unnamed(schema: Schema) -> Iterator[Hit]:
    """Find native enums without a name."""
    for column in _columns(schema):
        type_ = column.type
        if isinstance(type_, mysql.ENUM):  # whose values are the column's own
            continue
        if isinstance(type_, Enum) and type_.native_enum and not type_.name and not schema.of(column).known:
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} is an enum without a name.",
                f'Enum(…, name="{column.name}") in the model.',
            )


@rule(
    "enum-conflict",
    Severity.ERROR,
    condition="Two native enums share a name in one schema and differ in their values.",
    why="The server makes the type once; writes of the other's values fail.",
    mend="Give each set of values a name of its own, or use one Enum for both.",
    source="PostgreSQL: CREATE TYPE",
)
def enum_conflict(schema: Schema) -> Iterator[Hit]:
    """Find enums of one name with different values."""
    seen: dict[tuple[str | None, str], tuple[Column[Any], list[str]]] = {}
    for column in _columns(schema):
        type_ = _enum(schema, column)
        if type_ is None or not type_.native_enum or not type_.name or not type_.enums:
            continue
        own = getattr(type_, "schema", None) or column.table.schema or schema.plan.metadata.schema
        first, values = seen.setdefault((own, type_.name), (column, list(type_.enums)))
        if values != list(type_.enums):
            odd = listed([repr(value) for value in sorted(set(values) ^ set(type_.enums))]) or "the order"
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} and {first.table.fullname}.{first.name} share the enum "
                f"{type_.name} and differ in {odd}.",
                f"Name the enum of {column.table.fullname}.{column.name} after its table, or share one Enum.",
            )


@rule(
    "enum-unchecked",
    Severity.WARNING,
    condition="An enum is kept as text (native_enum=False), and no CHECK holds its values.",
    why="The list lives in one application only: any other writer, and any typing error, gets in.",
    mend="Enum(…, native_enum=False, create_constraint=True).",
    source="SQLAlchemy documentation: Enum.create_constraint",
)
def enum_unchecked(schema: Schema) -> Iterator[Hit]:
    """Find text enums without a CHECK that mentions the column."""
    for column in _columns(schema):
        type_ = _enum(schema, column)
        if type_ is None or type_.native_enum or not type_.enums or column.foreign_keys:
            continue
        checks = [c for c in column.table.constraints if isinstance(c, CheckConstraint)]
        if not type_.create_constraint and not any(mentions(check, [column.name]) for check in checks):
            values = ", ".join(ddl.literal(value) for value in type_.enums)
            condition = f"{ddl.quote(column.name)} IN ({values})"
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} has {counted(len(type_.enums), 'value')}, "
                "and the database takes any text.",
                ddl.add_check(schema, column.table, [column.name], condition, "known"),
            )


def _enum(schema: Schema, column: Column[Any]) -> Enum | None:
    if not schema.of(column).known:
        return None
    type_ = underlying(column.type)
    return type_ if isinstance(type_, Enum) else None


@rule(
    "bool-three-state",
    Severity.NOTE,
    condition="A boolean may be NULL.",
    why="It has three states: NOT flag and flag = false each miss the rows that say neither.",
    mend="NOT NULL with a default; or, if unknown is meant, an enum that says so.",
    source="database_consistency: three-state boolean",
)
def bool_three_state(schema: Schema) -> Iterator[Hit]:
    """Find nullable booleans."""
    for column in _columns(schema):
        if schema.of(column).kind == "boolean" and column.nullable and column.computed is None:
            yield _place(column), f"{column.table.fullname}.{column.name} may be NULL.", _two_states(column)


def _two_states(column: Column[Any]) -> str:
    given = sql(getattr(column.server_default, "arg", None)).strip("'\"").lower()
    value = "true" if given in ("true", "t", "1") else "false"
    return f"{ddl.fill(column, value)}\n{ddl.alter_column(column, f'SET DEFAULT {value}', 'SET NOT NULL')}"


@rule(
    "default-quoted",
    Severity.ERROR,
    condition='A server default is a Python string that reads as SQL: server_default="now()" or "NULL".',
    why="SQLAlchemy quotes it: the default becomes a piece of text. The DDL fails, or now() is the moment of "
    "CREATE TABLE for ever.",
    mend='server_default=text("now()") or func.now().',
    source="SQLAlchemy documentation: server_default",
)
def default_quoted(schema: Schema) -> Iterator[Hit]:
    """Find SQL that is quoted as a string."""
    for column in _columns(schema):
        given = getattr(column.server_default, "arg", None)
        if isinstance(given, str) and _CALL.match(given):
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} defaults to the text {ddl.literal(given)}, not to its value.",
                ddl.alter_column(column, f"SET DEFAULT {given.strip()}"),
            )


def _columns(schema: Schema) -> Iterator[Column[Any]]:
    for table in schema.tables:
        yield from table.columns


def _place(column: Column[Any]) -> Place:
    table: Table = column.table
    return Place(table.fullname, column.name)
