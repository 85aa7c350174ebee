"""The report on a seeding: rows, rates, violations, and the profile of what is there then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from dbplan.evidence import RowCount, Server
from dbplan.report import Report
from dbplan.report.blocks import Block, Table, Text, table
from dbplan.seeding.profiling.judging import odd, section
from dbplan.seeding.profiling.measuring import Profile, measure
from dbplan.seeding.profiling.run import shares
from dbplan.seeding.rows.builder import RAW
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.world import World


@dataclass(frozen=True)
class Gathered:
    """What one seeding did: seconds and violations by table, seconds in all, what the tables then hold."""

    seconds: dict[str, float]
    took: float
    broken: dict[str, int]
    samples: Profile
    order: tuple[str, ...]


def samples(connection: Connection, made: World) -> Profile:
    """Return what the tables hold now, secrets sealed."""
    tables = [source.table for source in made.sources.values()]
    return measure(connection, tables, shares(made.recipe))


def judge(made: World, gathered: Gathered, notes: tuple[str, ...], server: Server | None) -> Report:
    """Return the report on what was gathered."""
    rows = {name: source.total for name, source in made.sources.items()}
    sizes = gathered.samples.sizes()
    total, broken = sum(rows.values()), sum(gathered.broken.values())
    plural = "table" if len(rows) == 1 else "tables"
    fixed = sum(source.all_fixed for source in made.sources.values())
    of_them = "" if not fixed else ", all fixed" if fixed == total else f", {fixed:,} of them fixed"
    blocks: list[Block] = [
        _rows(gathered, {name: source.all_fixed for name, source in made.sources.items()}, rows),
        *(Text(note) for note in notes),
    ]
    blocks += [
        Text(f"{n}.{c} {why}.")
        for n, s in sorted(made.sources.items())
        for c, why in s.why.items()
        if why.startswith(("NULL:", RAW))
    ]
    blocks += [*odd(gathered.samples, made.recipe), section(gathered.samples, folded=True)]
    return Report(
        title="Seed data",
        verdict=f"{total:,} rows in {len(rows)} {plural}{of_them}, {broken:,} violations",
        ok=broken == 0,
        blocks=tuple(blocks),
        evidence=(
            *(RowCount(n, rows[n], gathered.seconds[n], gathered.broken[n], sizes[n]) for n in sorted(rows)),
            *gathered.samples.evidence,
        ),
        server=server,
    )


def _rows(gathered: Gathered, fixed: Mapping[str, int], rows: Mapping[str, int]) -> Table:
    headings: Any = {"table": "text", "rows": "count", "fixed": "count", "seconds": "seconds", "rows/s": "rate"}
    headings |= {"violations": "count", "size": "bytes"}
    seconds, broken, sizes = gathered.seconds, gathered.broken, gathered.samples.sizes()
    lines: list[tuple[Any, ...]] = [
        (n, rows[n], fixed[n], seconds[n], rows[n] / max(seconds[n], 1e-9), broken[n], sizes[n]) for n in gathered.order
    ]
    if not any(fixed.values()):
        del headings["fixed"]
        lines = [(*line[:2], *line[3:]) for line in lines]
    return table(headings, lines, "Rows written, generation included")


def counted(source: Source) -> str:
    """Say how many rows a table gets, and how many of them the recipe writes out."""
    rows = f"{source.total:,} row{'s' if source.total != 1 else ''}"
    if source.given:
        return f"{rows}, all fixed" if source.total != 1 else f"{rows}, fixed"
    return f"{rows}, {source.all_fixed:,} of them fixed" if source.fixed is not None else rows
