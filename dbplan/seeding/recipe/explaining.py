"""Why each column gets the values it gets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dbplan.plan import Plan
from dbplan.report import Report

if TYPE_CHECKING:
    from dbplan.report.blocks import Section, Table, Text
    from dbplan.seeding.rows.frames import Source
    from dbplan.seeding.rows.world import World

LOOKED_AT = 1_000
"""Rows of each table that are made, to say how often a column is NULL and how long its values are."""
ROW = 28
"""Bytes of a row on disk beside its values."""


def explain(
    plan: Plan,
    *,
    rows: int | Mapping[str, int] | None = None,
    profile: str | None = None,
    random_state: int | None = None,
) -> Report:
    """Say how each column of a plan would get its values in a profile, and why; write nothing.

    The report can be saved as `.toml`: a recipe that yields the same rows, with what the schema decides as comments.
    Raises what `seed` raises before its first row.
    """
    from dbplan.report.blocks import Code, Section, Text
    from dbplan.seeding.recipe.starting import in_force, written
    from dbplan.seeding.run import prepare

    made, notes = prepare(plan, rows, random_state, profile)
    sources = _in_order(made)
    samples = {name: _Sample(source) for name, source in sources.items()}
    listing = Code(written(made, in_force(plan, profile)), "toml", file=f"{plan.name}.toml")
    return Report(
        title=f"Seed recipe of {plan.name}",
        verdict=_verdict(made, profile),
        blocks=(
            *(Text(note) for note in notes),
            _whole(made),
            _order(sources, samples),
            Section("Columns", blocks=tuple(_table(made, source, samples[name]) for name, source in sources.items())),
            Section("As a file", "", blocks=(listing,), folded=True),
        ),
    )


def _in_order(made: World) -> dict[str, Source]:
    """Return the sources in the order of loading, by name where that is impossible."""
    from dbplan.errors import Unsatisfiable
    from dbplan.seeding.constraints.order import order

    try:
        names: Sequence[str] = order(made.sources, defers=False).tables
    except Unsatisfiable:  # said when a server is named that cannot defer
        names = sorted(made.sources)
    return {name: made.sources[name] for name in names}


def _verdict(made: World, profile: str | None) -> str:
    ruled = sum(len(rule.columns) for rule in made.recipe.tables.values())
    columns = sum(len(source.table.columns) for source in made.sources.values())
    path = Path(made.recipe.path)
    where = f"the recipe {path.name if path.is_absolute() else path}" if made.recipe.path else "no recipe"
    where = f"{where} in profile {profile}" if profile else where
    return f"{columns} columns in {len(made.sources)} tables: {ruled} by {where}, the others by the schema"


def _whole(made: World) -> Text:
    from dbplan.report.blocks import Text

    recipe = made.recipe
    span = f"{recipe.start:%Y-%m-%d} to {recipe.end:%Y-%m-%d}"
    return Text(f"Times from {span}, words of {recipe.locale}, random state {made.random_state}.")


class _Sample:
    """The first rows of a table as they would be written: shares of NULL, first values, bytes."""

    def __init__(self, source: Source) -> None:
        import numpy as np

        from dbplan.seeding.values.infer import generic

        rows = np.arange(min(LOOKED_AT, source.rows), dtype=np.int64)
        self.cells = {name: source.frame(rows)[name] for name in source.makers} if not source.given else {}
        self.kinds = {c.name: generic(c.type) for c in source.table.columns}
        self.rows = len(rows)

    def null(self, name: str) -> float | None:
        """Return the share of NULLs."""
        return float(self.cells[name].null.mean()) if name in self.cells and self.rows else None

    def first(self, name: str) -> str:
        """Return the first value, "" where there is none."""
        from dbplan.seeding.profiling.columns import shown

        if name not in self.cells or self.cells[name].null.all():
            return ""
        (value,) = self.cells[name].take(_first_present(self.cells[name].null)).values.tolist()
        return shown(_as_there(value, self.kinds[name]), 28)

    def width(self) -> float:
        """Return the bytes of the mean row."""
        from dbplan.seeding.profiling.columns import shown

        if not self.rows:
            return 0.0
        kinds = self.kinds
        sizes = (len(shown(_as_there(v, kinds[n]), None)) for n, cells in self.cells.items() for v in _present(cells))
        return ROW + sum(min(size, 16) if size == 36 else size for size in sizes) / self.rows


def _as_there(value: Any, kind: Any) -> Any:
    """Return a cell's value as its column shows it: identifiers with dashes, dates and times of day alone."""
    from sqlalchemy import Date, Time, Uuid

    if isinstance(kind, Uuid) and isinstance(value, str):
        return UUID(value)
    if isinstance(kind, Date) and isinstance(value, dt.datetime):
        return value.date()
    if isinstance(kind, Time) and isinstance(value, dt.timedelta):
        return f"{value!s:0>8}"
    return value


def _first_present(null: Any) -> Any:
    import numpy as np

    return np.flatnonzero(~null)[:1]


def _present(cells: Any) -> list[Any]:
    return [value for value, null in zip(cells.values.tolist(), cells.null.tolist(), strict=True) if not null]


def _order(sources: Mapping[str, Source], samples: Mapping[str, _Sample]) -> Table:
    from dbplan.report.blocks import table

    headings: Any = {"table": "text", "rows": "count", "fixed": "count", "per": "text", "children": "text"}
    lines = [
        (
            name,
            source.total,
            source.all_fixed,
            source.lead.label if source.lead is not None else "",
            _children(source),
            round(samples[name].width() * source.total),
        )
        for name, source in sources.items()
    ]
    return table(headings | {"about": "bytes"}, lines, "In this order; sizes without indexes")


def _children(source: Source) -> str:
    """Say how many children a parent gets: the least, the median, the most."""
    import numpy as np

    if source.fan is None or not len(source.fan.counts):
        return ""
    counts = source.fan.counts
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,} each" if low == high else f"{low:,} to {high:,}, median {np.median(counts):,g}"


def _table(made: World, source: Source, sample: _Sample) -> Section:
    from dbplan.report.blocks import Section, table
    from dbplan.seeding.recipe.reasons import because, values
    from dbplan.seeding.reporting import counted

    headings: Any = {"column": "text", "values": "text", "why": "text", "NULL": "percent", "such as": "text"}
    lines = [
        (c.name, values(source, c), because(made, source, c), sample.null(c.name), sample.first(c.name))
        for c in source.table.columns
    ]
    said = f"{counted(source)}{_led(made, source)}."
    return Section(str(source.table.key), said, blocks=(table(headings, lines, f"Columns of {source.table.key}"),))


def _led(made: World, source: Source) -> str:
    """Say along which key children are counted, by which law, and where the recipe says it."""
    from dbplan.seeding.recipe.reasons import line
    from dbplan.seeding.recipe.toml import value

    if source.lead is None:
        return ""
    name = str(source.table.key)
    rule = made.recipe.table(name)
    key = next((key for key, said in (("children", rule.children), ("per", rule.per)) if said), "")
    where = f" ({line(made, 'tables', name, key)})" if key else ""
    law = value(dict(rule.children)) if rule.children else "skewed"
    return f", counted along {source.lead.label}, {law}{where}"
