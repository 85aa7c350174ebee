"""The report on a seeding: rows, rates, fan-out, samples. Pure but for the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Column, ColumnElement, Connection, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from dbplan.columns import Encrypted
from dbplan.evidence import RowCount, Server
from dbplan.report import Report
from dbplan.report.blocks import Block, Section, Table, Text, table
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.world import RAW, World

SAMPLE = 3
WIDEST = 40


@dataclass(frozen=True)
class Gathered:
    """What one seeding did: seconds and violations by table, seconds in all, a few rows of each."""

    seconds: dict[str, float]
    took: float
    broken: dict[str, int]
    samples: dict[str, Table]
    order: tuple[str, ...]


def samples(connection: Connection, made: World) -> dict[str, Table]:
    """Return a few rows of every table as the server gives them back, secrets sealed."""
    found = {}
    for name, source in made.sources.items():
        columns = list(source.table.columns)
        if columns:
            rows = _first(connection, [_as_kept(column) for column in columns])
            headings: dict[str, Any] = dict.fromkeys((c.name for c in columns), "text")
            found[name] = table(headings, [[_short(v) for v in row] for row in rows], name)
    return found


def _as_kept(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as it stands in the table where it holds a secret: a report goes from hand to hand."""
    return type_coerce(column, NullType()) if isinstance(column.type, Encrypted) else column


def _first(connection: Connection, columns: list[ColumnElement[Any]]) -> Sequence[Any]:
    try:
        return connection.execute(select(*columns).limit(SAMPLE)).all()
    except DBAPIError:
        raise
    except Exception:  # a project's own type may refuse to read what it did not write
        kept = (type_coerce(column, NullType()) for column in columns)
        return connection.execute(select(*kept).limit(SAMPLE)).all()


def _short(value: Any) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def judge(made: World, gathered: Gathered, notes: tuple[str, ...], server: Server | None) -> Report:
    """Return the report on what was gathered."""
    rows = {name: source.total for name, source in made.sources.items()}
    total, broken = sum(rows.values()), sum(gathered.broken.values())
    plural = "table" if len(rows) == 1 else "tables"
    fixed = sum(source.all_fixed for source in made.sources.values())
    of_them = "" if not fixed else ", all fixed" if fixed == total else f", {fixed:,} of them fixed"
    blocks: list[Block] = [
        table(
            {"table": "text", "rows": "count", "seconds": "seconds", "rows/s": "rate", "violations": "count"},
            [
                [n, rows[n], gathered.seconds[n], rows[n] / max(gathered.seconds[n], 1e-9), gathered.broken[n]]
                for n in gathered.order
            ],
            "Rows written, generation included",
        ),
        *(Text(note) for note in notes),
        *(Text(f"{n}: {counted(s)}.") for n, s in sorted(made.sources.items()) if s.all_fixed),
    ]
    blocks += [
        Text(f"{n}.{c} {why}.")
        for n, s in sorted(made.sources.items())
        for c, why in s.why.items()
        if why.startswith(("NULL:", RAW))
    ]
    blocks += _fan_out(made)
    blocks.append(
        Section("Samples", f"{SAMPLE} rows of each table", blocks=tuple(gathered.samples.values()), folded=True)
    )
    return Report(
        title="Seed data",
        verdict=f"{total:,} rows in {len(rows)} {plural}{of_them}, {broken:,} violations",
        ok=broken == 0,
        blocks=tuple(blocks),
        evidence=tuple(RowCount(n, rows[n], gathered.seconds[n], gathered.broken[n]) for n in sorted(rows)),
        server=server,
    )


def counted(source: Source) -> str:
    """Say how many rows a table gets, and how many of them the recipe writes out."""
    rows = f"{source.total:,} row{'s' if source.total != 1 else ''}"
    if source.given:
        return f"{rows}, all fixed" if source.total != 1 else f"{rows}, fixed"
    return f"{rows}, {source.all_fixed:,} of them fixed" if source.fixed is not None else rows


def _fan_out(made: World) -> list[Block]:
    lines = []
    for name, source in sorted(made.sources.items()):
        if source.fan is not None and source.lead is not None:
            counts = source.fan.counts
            lines.append([source.lead.parent, name, counts.min(), float(np.median(counts)), counts.max()])
    if not lines:
        return []
    headings: Any = {"parent": "text", "children": "text", "least": "count", "median": "number", "most": "count"}
    plain = [[a, b, int(low), middle, int(high)] for a, b, low, middle, high in lines]
    return [table(headings, plain, "Children of each parent")]
