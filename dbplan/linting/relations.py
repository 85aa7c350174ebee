"""Rules about how tables hang together: circles, halves of keys, references that no key holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.access import mentions
from dbplan.linting.schema import Reference, Schema
from dbplan.linting.words import listed, singular
from dbplan.rule import Hit, rule


@rule(
    "fk-nullable-composite",
    Severity.WARNING,
    condition="A composite foreign key has nullable columns, and is not MATCH FULL.",
    why="One NULL among its columns switches the whole check off: the other values may point to nothing.",
    mend="Make the columns NOT NULL, use MATCH FULL, or check that they are NULL together.",
    source="PostgreSQL documentation: MATCH SIMPLE",
)
def fk_nullable_composite(schema: Schema) -> Iterator[Hit]:
    """Find composite keys that a lone NULL switches off; one nullable column beside NOT NULL ones is an option."""
    for reference, target in schema.resolved:
        match = (reference.constraint.match or "").upper()
        nullable = [column.name for column in reference.columns if column.nullable]
        if len(nullable) > 1 and match != "FULL" and not _null_together(reference, nullable):
            columns = ", ".join(ddl.quote(name) for name in nullable)
            condition = f"num_nulls({columns}) IN (0, {len(nullable)})"
            yield (
                reference.place,
                f"{_ends(reference)} → {target.fullname} goes unchecked where {listed(nullable, 'or')} is NULL.",
                ddl.add_check(schema, reference.table, nullable, condition, "together"),
            )


def _null_together(reference: Reference, nullable: Sequence[str]) -> bool:
    """Return whether a CHECK speaks of all the nullable columns at once: it is taken to keep them together."""
    checks = [item for item in reference.table.constraints if isinstance(item, CheckConstraint)]
    return any(mentions(item, nullable) for item in checks)


@rule(
    "fk-cycle",
    Severity.WARNING,
    condition="Tables reference each other in a circle in which every column is NOT NULL and no key is deferrable.",
    why="No first row can be inserted: each waits for another one that is not there yet.",
    mend="Make one key of the circle DEFERRABLE INITIALLY DEFERRED, or one of its columns nullable.",
    source="SchemaCrawler: cycles",
)
def fk_cycle(schema: Schema) -> Iterator[Hit]:
    """Find circles that no order of INSERTs can enter; a row may reference itself, so self-references are spared."""
    strict = [(r, t) for r, t in schema.resolved if not r.optional and not r.constraint.deferrable and t is not r.table]
    edges: dict[Table, list[Table]] = {}
    for reference, target in strict:
        edges.setdefault(reference.table, []).append(target)
    for circle in _circles(edges):
        inside = [(r, t) for r, t in strict if r.table in circle and t in circle]
        reference, _ = min(inside, key=lambda pair: (pair[0].table.fullname, pair[0].names))
        names = sorted(table.fullname for table in circle)
        yield (
            reference.place,
            f"{listed(names)} reference each other, every key NOT NULL and checked at once: "
            f"{'neither' if len(names) == 2 else 'none'} can get its first row.",
            ddl.alter(
                reference.table,
                f"ALTER CONSTRAINT {ddl.quote(ddl.reference_name(reference))} DEFERRABLE INITIALLY DEFERRED",
            ),
        )


def _circles(edges: dict[Table, list[Table]]) -> list[frozenset[Table]]:
    """Return the strongly connected components of two tables or more."""
    reach = {table: _reached(edges, table) for table in edges}
    found = {frozenset(t for t in reach[table] if table in reach.get(t, ())) for table in edges}
    return sorted((c for c in found if len(c) > 1), key=lambda c: min(t.fullname for t in c))


def _reached(edges: dict[Table, list[Table]], start: Table) -> set[Table]:
    seen: set[Table] = set()
    ahead = list(edges[start])
    while ahead:
        table = ahead.pop()
        if table not in seen:
            seen.add(table)
            ahead.extend(edges.get(table, ()))
    return seen


@rule(
    "fk-missing",
    Severity.WARNING,
    condition="A column is named after a table and has the type of its key, but no foreign key.",
    why="Nothing stops it from pointing to rows that are gone or never were.",
    mend="Add the foreign key, or record why not beside the model (`info`).",
    source="database_consistency, Azimutt",
)
def fk_missing(schema: Schema) -> Iterator[Hit]:
    """Find <table>_id columns without a foreign key; a column beside <table>_type may point anywhere and is spared."""
    aims = _aims(schema)
    for table in schema.tables:
        names = {column.name for column in table.columns}
        for column in table.columns:
            stem = column.name.removesuffix("_id")
            target = aims.get((table.schema, stem)) if stem != column.name else None
            if target is None or column.foreign_keys or f"{stem}_type" in names or target.table is table:
                continue
            if schema.of(column).name == schema.of(target).name:
                yield (
                    Place(table.fullname, column.name),
                    f"{_dotted(column)} looks like a reference to {_dotted(target)}, but no foreign key holds it.",
                    ddl.add_foreign_key(schema, table, [column.name], target.table, [target.name], ondelete="RESTRICT"),
                )


def _aims(schema: Schema) -> dict[tuple[str | None, str], Column[Any]]:
    """Return the single-column primary keys by (schema, what a column that references them is named after)."""
    found: dict[tuple[str | None, str], Column[Any]] = {}
    for table in schema.tables:
        keys = list(table.primary_key.columns)
        if len(keys) == 1 and schema.of(keys[0]).known:
            found.update({(table.schema, stem): keys[0] for stem in (table.name, singular(table.name))})
    return found


@rule(
    "fk-polymorphic",
    Severity.NOTE,
    condition="A pair of columns, x_type and x_id, points to a row of a table that depends on the row.",
    why="No foreign key can hold such a reference: rows may point to nothing, and joins need one branch a type.",
    mend="One nullable foreign key a target with CHECK (num_nonnulls(…) = 1), or a shared parent table.",
    source="tbls, sqlcheck",
)
def fk_polymorphic(schema: Schema) -> Iterator[Hit]:
    """Find x_type and x_id side by side, x_id without a foreign key."""
    for table in schema.tables:
        columns = {column.name: column for column in table.columns}
        for name, column in columns.items():
            stem = name.removesuffix("_id")
            if stem == name or f"{stem}_type" not in columns or column.foreign_keys or column.primary_key:
                continue
            if schema.of(columns[f"{stem}_type"]).kind.split(" ")[0] in ("string", "enum"):
                yield (
                    Place(table.fullname, name),
                    f"{table.fullname} ({stem}_type, {name}) points to any table, so no foreign key can hold it.",
                    "Use one nullable foreign key a target and CHECK (num_nonnulls(…) = 1).",
                )


def _ends(reference: Reference) -> str:
    return _named(reference.table, reference.names)


def _named(table: Table, names: Sequence[str]) -> str:
    return f"{table.fullname}.{names[0]}" if len(names) == 1 else f"{table.fullname} ({', '.join(names)})"


def _dotted(column: Column[Any]) -> str:
    return f"{column.table.fullname}.{column.name}"
