"""Rules about foreign keys: whether they can be made, whether they hold, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from sqlalchemy import Column, Table

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.schema import Reference, Schema
from dbplan.rule import Hit, rule

# PostgreSQL turns the referencing value into the referenced type only along these implicit casts.
_CASTS = {
    *(("integer", "decimal"), ("integer", "float"), ("decimal", "float")),
    *(("time", "interval"), ("time", "timetz")),
}


@rule(
    "fk-target-missing",
    Severity.ERROR,
    condition="A foreign key points to a table or column that the metadata does not hold.",
    why="`create_all` and every migration that is derived from the models fail on it, and no study can follow it.",
    mend="Import the module that defines the target, correct the name, or drop the key.",
    source="SQLAlchemy: NoReferencedTableError",
)
def fk_target_missing(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys whose target is not in the metadata."""
    for reference in schema.references:
        if reference.target is None:
            yield (
                reference.place,
                f"{_ends(reference)} points to {reference.spec}, which this metadata does not hold.",
                f"Import the module that defines {reference.spec}, or correct the name in ForeignKey.",
            )


@rule(
    "fk-type-mismatch",
    Severity.ERROR,
    condition="A foreign key and its target have types that PostgreSQL cannot compare.",
    why="`CREATE TABLE` or `ADD CONSTRAINT` fails; SQLite takes it and never joins a row.",
    mend="Give the referencing column the type of its target.",
    source="PostgreSQL: foreign key constraint cannot be implemented",
)
def fk_type_mismatch(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys that the server would refuse for their types."""
    for reference, column, target in _ends_of_all(schema):
        here, there = schema.of(column), schema.of(target)
        if here.kind and there.kind and here.kind != there.kind and (here.kind, there.kind) not in _CASTS:
            yield (
                Place(reference.table.fullname, column.name),
                f"{_dotted(column)} is {here.text} and its target {_dotted(target)} is {there.text}: "
                "PostgreSQL refuses the key.",
                _retype(column, there.text),
            )


@rule(
    "fk-type-differs",
    Severity.WARNING,
    condition="A foreign key and its target have types that compare, but are not the same width or length.",
    why="The narrower side overflows first, and comparing across types can keep an index from being used.",
    mend="Give the referencing column the type of its target.",
    source="splinter, active_record_doctor",
)
def fk_type_differs(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys with another width or length than their target."""
    for reference, column, target in _ends_of_all(schema):
        here, there = schema.of(column), schema.of(target)
        compares = here.kind == there.kind or (here.kind, there.kind) in _CASTS
        same = (here.name, here.args) == (there.name, there.args)
        if here.kind and compares and not same and not _holds_all(here.name, here.args, there.name, there.args):
            yield (
                Place(reference.table.fullname, column.name),
                f"{_dotted(column)} is {here.text} and its target {_dotted(target)} is {there.text}.",
                _retype(column, there.text),
            )


def _holds_all(here: str, size: tuple[int, ...], there: str, target_size: tuple[int, ...]) -> bool:
    """Return whether text that fits the target always fits here, with the same meaning."""
    texts = ("text", "varchar")
    if here not in texts or there not in texts:
        return False
    return not size or bool(target_size and size >= target_size)


@rule(
    "fk-target-not-unique",
    Severity.ERROR,
    condition="No primary key or unique constraint covers exactly the columns that a foreign key points to.",
    why='The DDL fails: "there is no unique constraint matching given keys for referenced table".',
    mend="Make the target unique, or point to its primary key.",
    source="PostgreSQL documentation: CREATE TABLE, REFERENCES",
)
def fk_target_not_unique(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys whose target columns are not unique."""
    for reference, target in schema.resolved:
        names = tuple(dict.fromkeys(column.name for column in reference.targets))
        paths = (a for a in schema.uniques(target) if a.method == "btree")
        if not any(frozenset(path.columns) == frozenset(names) for path in paths):
            yield (
                reference.place,
                f"{_ends(reference)} points to {target.fullname} ({', '.join(names)}), which nothing keeps unique.",
                ddl.add_unique(schema, target, names),
            )


@rule(
    "fk-no-index",
    Severity.WARNING,
    condition="No index starts with the columns of a foreign key, in any order.",
    why="Each DELETE or key UPDATE of a referenced row, and each join from it, scans the whole referencing table.",
    mend="Create an index on the columns (on a table in use: CREATE INDEX CONCURRENTLY, outside a transaction).",
    source="splinter 0001, pg-index-health, active_record_doctor",
)
def fk_no_index(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys that no index serves; a partial index serves where it only skips NULLs of the key."""
    for names, group in _by_columns(schema.references):
        reference = group[0]
        if not any(access.finds(frozenset(names)) for access in schema.accesses[reference.table]):
            aim = reference.target.fullname if reference.target is not None else reference.spec
            yield (
                reference.place,
                f"{_ends(reference)} references {aim}, and no index starts with it.",
                ddl.create_index(schema, reference.table, names),
            )


@rule(
    "fk-duplicate",
    Severity.WARNING,
    condition="Two foreign keys lead from the same columns to the same columns.",
    why="Every write is checked twice, and the two may disagree on what a DELETE does.",
    mend="Drop one of them.",
    source="pg-index-health",
)
def fk_duplicate(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys that say the same."""
    seen: dict[tuple[Table, frozenset[tuple[str, str]]], Reference] = {}
    for reference, target in schema.resolved:
        first = seen.setdefault((reference.table, _pairs(reference)), reference)
        if first is not reference:
            yield (
                reference.place,
                f"{_ends(reference)} has two foreign keys to {target.fullname}.",
                ddl.drop_reference(reference),
            )


@rule(
    "fk-implied",
    Severity.NOTE,
    condition="A foreign key says no more than a wider one on the same table already does.",
    why="Each write pays for a check whose answer is known.",
    mend="Drop the narrower key.",
    source="pg-index-health: intersected foreign keys",
)
def fk_implied(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys implied by a wider one that always applies: all of its columns NOT NULL."""
    wide_ones = [wide for wide, _ in schema.resolved if len(wide.columns) > 1 and not wide.optional]
    for (narrow, target), wide in product(schema.resolved, wide_ones):
        if narrow.table is wide.table and target is wide.target and _pairs(narrow) < _pairs(wide):
            yield (
                narrow.place,
                f"{_ends(narrow)} → {target.fullname} follows from the key over {_ends(wide)}.",
                ddl.drop_reference(narrow),
            )


@rule(
    "fk-set-null",
    Severity.ERROR,
    condition="ON DELETE or ON UPDATE sets a NOT NULL column to NULL (or to a default that it does not have).",
    why="Every such DELETE of a referenced row that is in use fails with a not-null violation.",
    mend="Make the column nullable, or choose CASCADE or RESTRICT.",
    source="PostgreSQL documentation: constraints",
)
def fk_set_null(schema: Schema) -> Iterator[Hit]:
    """Find referential actions that cannot succeed."""
    for reference in schema.references:
        for event in ("ondelete", "onupdate"):
            action = " ".join((getattr(reference.constraint, event) or "").upper().split())
            for column in _unsettable(reference, action):
                yield (
                    reference.place,
                    f"ON {event[2:].upper()} {action} on {_dotted(column)}, which is NOT NULL"
                    + (" and has no default." if action.startswith("SET DEFAULT") else "."),
                    ddl.alter_column(column, "DROP NOT NULL"),
                )


def _unsettable(reference: Reference, action: str) -> Iterator[Column[Any]]:
    """Yield the columns that the action would have to leave without a value; SET NULL may name some only."""
    kind, _, chosen = action.partition(" (")
    if kind not in ("SET NULL", "SET DEFAULT"):
        return
    named = {name.strip().strip('"').lower() for name in chosen.rstrip(")").split(",")} if chosen else None
    for column in reference.columns:
        spared = named is not None and column.name.lower() not in named
        defaulted = kind == "SET DEFAULT" and column.server_default is not None
        if not column.nullable and not spared and not defaulted:
            yield column


@rule(
    "fk-on-delete-implicit",
    Severity.NOTE,
    condition="A foreign key does not say what happens when the referenced row is deleted.",
    why="NO ACTION may be what is meant, but nobody can tell; the ORM's cascades may disagree with the database.",
    mend="State ondelete: RESTRICT, CASCADE or SET NULL.",
    source="prisma-lint, SchemaCrawler",
)
def fk_on_delete_implicit(schema: Schema) -> Iterator[Hit]:
    """Find foreign keys without ON DELETE."""
    for reference, target in schema.resolved:
        if not reference.constraint.ondelete:
            names = [column.name for column in reference.targets]
            added = ddl.add_foreign_key(schema, reference.table, reference.names, target, names, ondelete="RESTRICT")
            yield (
                reference.place,
                f"{_ends(reference)} → {target.fullname} has no ON DELETE; NO ACTION applies unsaid.",
                f"{ddl.drop_reference(reference)}\n{added}",
            )


def _ends_of_all(schema: Schema) -> Iterator[tuple[Reference, Column[Any], Column[Any]]]:
    for reference in schema.references:
        for column, target in zip(reference.columns, reference.targets, strict=False):
            yield reference, column, target


def _by_columns(references: Iterable[Reference]) -> list[tuple[tuple[str, ...], list[Reference]]]:
    """Group the foreign keys of a table that share their columns: one index serves them all."""
    found: dict[tuple[Table, frozenset[str]], list[Reference]] = {}
    for reference in references:
        found.setdefault((reference.table, frozenset(reference.names)), []).append(reference)
    return [(group[0].names, group) for group in found.values()]


def _pairs(reference: Reference) -> frozenset[tuple[str, str]]:
    names = [column.name for column in reference.targets]
    qualified = [f"{reference.target}.{name}" for name in names]
    return frozenset(zip(reference.names, qualified, strict=True))


def _retype(column: Column[Any], text: str) -> str:
    return ddl.alter_column(column, f"TYPE {text} USING {ddl.quote(column.name)}::{text}")


def _ends(reference: Reference) -> str:
    return _named(reference.table, reference.names)


def _named(table: Table, names: Sequence[str]) -> str:
    return f"{table.fullname}.{names[0]}" if len(names) == 1 else f"{table.fullname} ({', '.join(names)})"


def _dotted(column: Column[Any]) -> str:
    return f"{column.table.fullname}.{column.name}"
