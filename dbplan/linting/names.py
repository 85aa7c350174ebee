"""Rules about names: the ones that collide or are cut, the ones that need quotes, the ones that are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, Table
from sqlalchemy.sql.base import _NoneName

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.access import formatted
from dbplan.linting.pgtypes import DIALECT
from dbplan.linting.schema import Schema
from dbplan.linting.words import counted, listed, snake
from dbplan.rule import Hit, rule


@rule(
    "name-collision",
    Severity.ERROR,
    condition="Two tables or indexes of one schema have the same name.",
    why='PostgreSQL and SQLite keep index names per schema, not per table: CREATE INDEX fails, "already exists".',
    mend="Put the table's name into the index's, or use a naming convention.",
    source="PostgreSQL documentation: CREATE INDEX",
)
def name_collision(schema: Schema) -> Iterator[Hit]:
    """Find names that two relations of a schema share."""
    for (_, name), owners in _relations(schema).items():
        for table, kind in owners[1:]:
            first, other = owners[0]
            own = (*(c.name for c in table.columns if kind == "index" and _covers(schema, table, name, c.name)),)
            yield (
                Place(table.fullname, index=name),
                f"{name} names the {other} {'on ' if other != 'table' else ''}{first.fullname} and "
                f"the {kind} on {table.fullname}.",
                f"Rename it to {ddl.free_name(schema, table, 'ix', own)}.",
            )


def _relations(schema: Schema) -> dict[tuple[str | None, str], list[tuple[Table, str]]]:
    found: dict[tuple[str | None, str], list[tuple[Table, str]]] = defaultdict(list)
    for table in schema.plan.tables:
        found[table.schema, table.name].append((table, "table"))
    for table in schema.tables:
        for access in schema.accesses[table]:
            if access.name:
                found[table.schema, access.name].append((table, access.kind))
    return found


def _covers(schema: Schema, table: Table, index: str, column: str) -> bool:
    return any(access.name == index and column in access.columns for access in schema.accesses[table])


@rule(
    "name-too-long",
    Severity.ERROR,
    condition="A name is longer than 63 bytes.",
    why="PostgreSQL cuts it, so the object has another name than the model says; SQLAlchemy refuses long index names.",
    mend="Choose a shorter name.",
    source="PostgreSQL documentation: identifiers",
)
def name_too_long(schema: Schema) -> Iterator[Hit]:
    """Find tables, columns, indexes and constraints whose names do not fit."""
    for table in schema.tables:
        named = [(Place(table.fullname), table.name)]
        named += [(Place(table.fullname, c.name), c.name) for c in table.columns]
        named += [(Place(table.fullname, index=n), n) for n in sorted(formatted(i) for i in table.indexes)]
        named += [(Place(table.fullname, constraint=n), n) for n in sorted(formatted(c) for c in table.constraints)]
        for place, name in named:
            size = len(name.encode())
            if size > ddl.LONGEST:
                yield place, f"{name} is {size} bytes long.", f"Rename it to at most {ddl.LONGEST} bytes."


@rule(
    "name-reserved",
    Severity.NOTE,
    condition="A table or column is named by a reserved word of PostgreSQL (user, order, end …).",
    why="Every statement written by hand needs the quotes; unquoted, `user` even means something else.",
    mend="Another name.",
    source="PostgreSQL documentation: SQL key words",
)
def name_reserved(schema: Schema) -> Iterator[Hit]:
    """Find names that are reserved words."""
    words = DIALECT.identifier_preparer.reserved_words
    for table in schema.tables:
        if table.name in words:
            rename = ddl.alter(table, f"RENAME TO {ddl.quote(_unreserved(schema, table))}")
            yield Place(table.fullname), f"{table.fullname} is a reserved word.", rename
        for column in table.columns:
            if column.name in words:
                yield (
                    Place(table.fullname, column.name),
                    f"{table.fullname}.{column.name} is a reserved word.",
                    ddl.alter(table, f"RENAME COLUMN {ddl.quote(column.name)} TO {ddl.quote(column.name + '_value')}"),
                )


def _unreserved(schema: Schema, table: Table) -> str:
    taken = schema.relation_names.get(table.schema, frozenset())
    names = (f"{table.name}s", f"{table.name}_rows", f"app_{table.name}", f"app_{table.name}_rows")
    return next((name for name in names if name not in taken), f"{table.name}_table")


@rule(
    "name-case",
    Severity.NOTE,
    condition="A table or column is not in lower_snake_case.",
    why="PostgreSQL folds what is not quoted to lower case, so the name works in quotes alone.",
    mend="Rename it; an ORM can keep its own spelling for the attribute.",
    source="PostgreSQL wiki: Don't Do This",
)
def name_case(schema: Schema) -> Iterator[Hit]:
    """Find names that need quotes for their letters; one finding a table for its columns together."""
    for table in schema.tables:
        columns = [c.name for c in table.columns if _needs_quotes(c.name) and snake(c.name)]
        if _needs_quotes(table.name) and snake(table.name):
            rename = ddl.alter(table, f"RENAME TO {ddl.quote(snake(table.name))}")
            yield Place(table.fullname), f"{table.fullname} is not in lower_snake_case.", rename
        for name in columns:
            rename = ddl.alter(table, f"RENAME COLUMN {ddl.quote(name)} TO {ddl.quote(snake(name))}")
            yield Place(table.fullname, name), f"{table.fullname}.{name} is not in lower_snake_case.", rename


def _needs_quotes(name: str) -> bool:
    return name.lower() != name or not name.isidentifier()


@rule(
    "name-unnamed",
    Severity.NOTE,
    condition="Constraints have no name, and the metadata has no naming convention for them.",
    why="Each database chooses its own name, so a migration that drops or alters them has nothing to call them by.",
    mend="MetaData(naming_convention=…).",
    source="Alembic documentation: the importance of naming constraints",
)
def name_unnamed(schema: Schema) -> Iterator[Hit]:
    """Find unnamed constraints; one finding a table."""
    for table in schema.tables:
        unnamed = [c for c in table.constraints if (c.name is None or isinstance(c.name, _NoneName)) and _counts(c)]
        kinds = sorted(type(c).__name__.removesuffix("Constraint") for c in unnamed)
        if unnamed:
            yield (
                Place(table.fullname),
                f"{table.fullname} has {counted(len(unnamed), 'constraint')} without a name "
                f"({listed(sorted(set(kinds)))}).",
                "Give MetaData a naming_convention.",
            )


def _counts(constraint: object) -> bool:
    """Return whether a constraint will be there: not the empty key of a table without one, nor an Enum's own CHECK."""
    if isinstance(constraint, PrimaryKeyConstraint):
        return len(constraint.columns) > 0
    return not (isinstance(constraint, CheckConstraint) and constraint._type_bound)
