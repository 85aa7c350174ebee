"""Drift: what source, plan and target have in common, and what one of them lacks, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, inspect

from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.seeding.anonymising.choosing import written
from dbplan.seeding.loading.emptiness import listing, require_tables


@dataclass(frozen=True)
class Common:
    """The columns of every table that are copied, and sentences on what is not."""

    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def common(plan: Plan, source: Connection, target: Connection) -> Common:
    """Return what can be copied; UsageError names what the target lacks, and what it wants that the source lacks."""
    require_tables(target, plan)
    columns: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    there, here = _columns(source, plan), _columns(target, plan)
    for table in plan.tables:
        name = str(table.key)
        _require_columns(target, table, here[name])
        if name not in there:
            notes.append(f"{name} is not in the source; it stays empty.")
            continue
        columns[name] = _shared(table, there[name])
        notes += _notes(table, there[name])
    if not columns:
        url = source.engine.url.render_as_string()
        raise UsageError(
            f'{url} has none of the tables of plan "{plan.name}": {listing([t.name for t in plan.tables])}'
        )
    return Common(columns, (*notes, *_tables_left_out(plan, source)))


def _columns(connection: Connection, plan: Plan) -> dict[str, set[str]]:
    """Return the columns of those tables of a plan that are there."""
    inspector = inspect(connection)
    found: dict[str, set[str]] = {}
    for schema in {t.schema for t in plan.tables}:
        tables = {t.name: str(t.key) for t in plan.tables if t.schema == schema}
        names = set(inspector.get_table_names(schema)) & set(tables)
        if names:
            every = inspector.get_multi_columns(schema=schema, filter_names=sorted(names))
            found |= {tables[name]: {str(c["name"]) for c in columns} for (_, name), columns in every.items()}
    return found


def _require_columns(target: Connection, table: Table, here: set[str]) -> None:
    missing = [c.name for c in table.columns if c.name not in here]
    if missing:
        raise UsageError(
            f"{table.key} of {target.engine.url.render_as_string()} has no column {listing(missing)}, which the plan "
            "has; bring it up to date first"
        )


def _shared(table: Table, there: set[str]) -> tuple[str, ...]:
    """Return the columns that are copied; UsageError for one that the source lacks and every row needs."""
    wanted = [
        c.name
        for c in written(table)
        if c.name not in there and not c.nullable and c.server_default is None and c.identity is None
    ]
    if wanted:
        raise UsageError(
            f"{table.key} of the source has no column {listing(wanted)}, which is NOT NULL in the plan and has no "
            "default; give it one, or take the plan that the source has"
        )
    return tuple(c.name for c in written(table) if c.name in there)


def _notes(table: Table, there: set[str]) -> list[str]:
    lacking = [c.name for c in written(table) if c.name not in there]
    beyond = sorted(there - set(table.columns.keys()))
    found = [f"{table.key} of the source has no column {listing(lacking)}; it gets its default."] if lacking else []
    return found + ([f"{table.key}: {listing(beyond)} of the source is not in the plan; not copied."] if beyond else [])


def _tables_left_out(plan: Plan, source: Connection) -> list[str]:
    inspector, found = inspect(source), []
    for schema in sorted({t.schema for t in plan.tables}, key=str):
        known = {t.name for t in plan.metadata.tables.values() if t.schema == schema}
        there = (name for name in inspector.get_table_names(schema) if not name.startswith("alembic_version"))
        beyond = sorted(set(there) - known)
        if beyond:
            found.append(f"Tables of the source that are not in the plan and are not copied: {listing(beyond)}.")
    return found
