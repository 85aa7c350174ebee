"""What a Prisma schema has no words for at all, each by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, Constraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import Table

from dbplan.ddl import statements
from dbplan.exports.clauses import measures, shortened
from dbplan.exports.clauses import names as server_names
from dbplan.exports.facts import drawn_from
from dbplan.exports.prisma import names
from dbplan.exports.prisma.context import Context

_PREFIXES = {"UNLOGGED": "it is UNLOGGED; there it is a table like others"}
_OPTIONS = {
    "partition_by": "it is partitioned by {}; there it is one plain table",
    "inherits": "it inherits from {}; there it stands by itself",
    "with": "its storage parameters ({}) are the server's own there",
    "tablespace": "its tablespace {} is the database's own there",
    "using": "its access method {} is the server's own there",
}


def lose(context: Context) -> None:
    """Say by name what the schema does not hold."""
    _lose_objects(context)
    _lose_comments(context)
    if context.provider == "mongodb" and context.naming.relations:
        context.lose("MongoDB guards no references: what ON DELETE and ON UPDATE say is left to the application")
    for table in context.plan.tables:
        for message in _of_table(table):
            context.lose(message, table)
        of_columns = {constraint for column in table.columns for constraint in column.constraints}
        for constraint in sorted(table.constraints | of_columns, key=lambda c: (type(c).__name__, str(c.name or ""))):
            _lose_constraint(constraint, table, context)


def _of_table(table: Table) -> Iterator[str]:
    info = table.info
    if info.get("is_view"):
        kind = "materialized view" if info.get("materialized") else "view"
        yield f"the schema describes the {kind}; Prisma does not create it"
    if info.get("partition_of"):
        parent, bound = info["partition_of"]
        yield f"it is a partition of {parent} ({bound}), which is one plain table there"
    if not len(table.columns):
        yield "it has no columns, and a model must have one: it is not there"
    if info.get("row_security"):
        yield f"its row security is {info['row_security']}; there it has none"
    for key in ("triggers", "policies"):
        for sql in info.get(key, ()):
            yield f"Prisma makes no {key}: {' '.join(str(sql).split())}"
    if "__proto__" in table.columns:
        yield "Prisma's client loses a column called __proto__, and cannot read the table's rows"
    yield from (said for prefix, said in _PREFIXES.items() if prefix in table._prefixes)
    for option, said in _OPTIONS.items():
        if value := table.dialect_kwargs.get(f"postgresql_{option}"):
            yield said.format(measures(value))


def _lose_constraint(constraint: Constraint, table: Table, context: Context) -> None:
    if not isinstance(constraint, CheckConstraint | ExcludeConstraint) or not context.applies(constraint):
        return
    if table.info.get("is_view"):
        return
    name = _named(constraint, table, context)
    if isinstance(constraint, ExcludeConstraint):
        context.lose("Prisma has no exclusion constraints: it is not there", table, key=name)
        return
    said = " ".join(context.sql(constraint.sqltext).split())
    context.lose(f"Prisma has no CHECK constraints: CHECK ({said}) is not there", table, key=name)


def _named(constraint: Constraint, table: Table, context: Context) -> str:
    """Return the name of a constraint in the plan, or the one that PostgreSQL gives; "" for none."""
    if context.provider in ("postgresql", "cockroachdb"):
        return server_names(table, context.dialect).get(constraint, "")
    return names.actual(constraint, context.dialect)


def _lose_objects(context: Context) -> None:
    """Say which objects beside tables Prisma does not create."""
    info = context.plan.metadata.info
    for sql in info.get("routines", ()):
        context.lose(f"Prisma makes no routines: {_head(sql)}; what calls it wants it made first")
    for sql in info.get("types", ()):
        context.lose(f"Prisma makes no types but enums: {_head(sql)}; what has it wants it made first")
    _lose_sequences(context)
    _lose_quotes(context)


def _lose_quotes(context: Context) -> None:
    """Say where Prisma's SQL breaks: it writes quotes in names and labels as they stand."""
    for enum in context.enums.values():
        for label in enum.values:
            if "'" in label and enum.kept:
                context.lose(f"Prisma does not escape the quote in {label!r} of {enum.kept}: mend it in the migration")
    for table in context.tables:
        for name in (table.name, *table.columns.keys()):
            if '"' in name:
                said = f"Prisma does not escape the quote in {name!r}: its queries of the table fail, as its DDL does"
                context.lose(said, table)


def _head(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 80 else f"{line[:77]}…"


def _lose_sequences(context: Context) -> None:
    drawn: dict[str, Column[Any]] = {}
    for table in context.tables:
        for column in table.columns:
            if name := drawn_from(column):
                drawn[name.replace('"', "").rpartition(".")[2]] = column
    for sequence in context.plan.metadata._sequences.values():
        if sequence.name not in drawn:
            context.lose(f"Prisma makes no sequences of their own: {sequence.name} is not there")
            continue
        column = drawn[sequence.name]
        if context.provider == "postgresql" and context.columns[column.table.key, column.name].counts:
            own = shortened(str(column.table.name), column.name, "seq")
            if sequence.name != own:
                context.lose(
                    f"it draws from the sequence {sequence.name}, there from {own}", column.table, column=column.name
                )


def _lose_comments(context: Context) -> None:
    """Say once that comments stay in the schema."""
    if context.plan.metadata.info.get("uncommented") or context.provider == "sqlite":
        return
    tables = sum(bool(table.comment) for table in context.tables)
    columns = sum(bool(column.comment) for table in context.tables for column in table.columns)
    if tables or columns:
        context.lose(
            f"the comments of {tables} table{'s' * (tables != 1)} and {columns} column{'s' * (columns != 1)} "
            "stand in the schema as ///; Prisma writes none into the database",
            mend=_comments(context) if context.provider == "postgresql" else "",
        )


def _comments(context: Context) -> str:
    """Return the statements that write the comments of what Prisma makes."""
    made = {str(table.key) for table in context.tables if not table.info.get("is_view")}
    told = (said for said in statements(context.plan, "postgresql") if said.kind == "comment")
    of_tables = (said for said in told if said.place.table in made and not said.place.constraint)
    return "\n".join(f"{said.sql};" for said in of_tables if not said.place.index)
