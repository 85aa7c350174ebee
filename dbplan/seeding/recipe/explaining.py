"""Why each column gets the values it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dbplan.plan import Plan
from dbplan.report import Report

if TYPE_CHECKING:
    from dbplan.report.blocks import Table
    from dbplan.seeding.rows.frames import Source


def explain(plan: Plan, *, rows: int | Mapping[str, int] | None = None, profile: str | None = None) -> Report:
    """Say how each column of a plan would get its values in a profile, and why; write nothing.

    Raises what `seed` raises before its first row.
    """
    from dbplan.report.blocks import Section, Text
    from dbplan.seeding.reporting import counted
    from dbplan.seeding.run import prepare

    made, notes = prepare(plan, rows, None, profile)
    ruled = sum(len(rule.columns) for rule in made.recipe.tables.values())
    columns = sum(len(source.table.columns) for source in made.sources.values())
    sections = [
        Section(name, f"{counted(source)}{_led(source)}", blocks=(_columns(source),))
        for name, source in sorted(made.sources.items())
    ]
    where = f"the recipe {made.recipe.path}" if made.recipe.path else "no recipe"
    where = f"{where} in profile {profile}" if profile else where
    return Report(
        title=f"Seed recipe of {plan.name}",
        verdict=f"{columns} columns in {len(made.sources)} tables: {ruled} by {where}, the others by the schema",
        blocks=(*(Text(note) for note in notes), *sections),
    )


def _led(source: Source) -> str:
    return f", counted along {source.lead.label}" if source.lead is not None else ""


def _columns(source: Source) -> Table:
    from dbplan.report.blocks import table

    lines = [[c.name, source.why.get(c.name, "left to the database")] for c in source.table.columns]
    return table({"column": "text", "values": "text"}, lines, f"Columns of {source.table.key}")
