"""Estimating: what a seeding would do, told without doing it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from dbplan.connection import connect
from dbplan.evidence import Server
from dbplan.report import Report
from dbplan.report.blocks import Block, Text, table
from dbplan.report.cells import show
from dbplan.seeding.loading import ledger
from dbplan.seeding.loading.emptiness import listing, require_tables
from dbplan.seeding.loading.emptying import counts, refuse_referred
from dbplan.seeding.loading.encode import copy_texts
from dbplan.seeding.loading.longrun import Wish
from dbplan.seeding.loading.recognising import is_there
from dbplan.seeding.loading.refusals import explained
from dbplan.seeding.loading.statements import columns_of
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.world import World

FIRST = 5_000
"""Rows of each table that are encoded to see how wide they are."""
BESIDE = 28
"""Bytes that a server keeps beside the values of a row, PostgreSQL's header and line pointer."""


def estimate(engine: Engine, made: World, wish: Wish, notes: tuple[str, ...], server: Server | None) -> Report:
    """Return rows and sizes of every table, and what would be removed; writes nothing."""
    with explained(engine), connect(engine) as connection:
        require_tables(connection, made.plan)
        there = counts(connection, made.plan)
        found = ledger.read(connection)
        if wish.truncate:
            refuse_referred(connection, made.plan)
        connection.rollback()
        widths = {name: _width(connection, source) for name, source in made.sources.items()}
    rows = {name: source.total for name, source in made.sources.items()}
    size = sum(rows[name] * width for name, width in widths.items())
    blocks: list[Block] = [
        _listing(rows, widths, there, wish),
        *map(Text, _sentences(there, found, wish)),
        *map(Text, notes),
    ]
    about = show(size, "bytes")
    refused = bool(there) and found is None and not (wish.truncate or wish.append)
    with connect(engine) as connection:
        same = refused and is_there(connection, made)
    if refused and not same:
        blocks.insert(0, Text(f"Refused as it is: {listing(sorted(there))} have rows. Say --append or --truncate."))
        verdict = f"refused: {sum(there.values()):,} rows are in {len(there)} of the tables; nothing was written"
        return Report(title="Seed data, dry run", verdict=verdict, ok=False, blocks=tuple(blocks), server=server)
    if same:
        verdict = f"nothing to do, the same {sum(rows.values()):,} rows are there"
        return Report(title="Seed data, dry run", verdict=verdict, blocks=tuple(blocks), server=server)
    verdict = f"would write {sum(rows.values()):,} rows in {len(rows)} tables, about {about}; nothing was written"
    return Report(title="Seed data, dry run", verdict=verdict, blocks=tuple(blocks), server=server)


def _listing(rows: dict[str, int], widths: dict[str, float], there: dict[str, int], wish: Wish) -> Block:
    headings: Any = {"table": "text", "rows": "count", "bytes a row": "count", "size": "bytes", "rows there": "count"}
    lines = [
        [name, count, round(widths[name]), round(count * widths[name]), there.get(name, 0)]
        for name, count in sorted(rows.items())
    ]
    return table(headings, lines, "Rows that would be written, without indexes")


def _sentences(there: dict[str, int], found: ledger.Ledger | None, wish: Wish) -> list[str]:
    said = [f"A run was broken off here: {found.note}."] if found is not None else []
    if there and wish.truncate:
        listed = ", ".join(f"{count:,} of {name}" for name, count in sorted(there.items()))
        said.append(f"Would be removed first: {listed}.")
    return said


def _width(connection: Connection, source: Source) -> float:
    """Return the bytes of a row, by the first ones, as the server would be given them."""
    measured = [part for part in source.parts if part.rows]
    sizes = [_measured(connection, part) for part in measured]
    total = sum(part.rows for part in measured)
    return sum(size * part.rows for size, part in zip(sizes, measured, strict=True)) / max(total, 1)


def _measured(connection: Connection, part: Source) -> float:
    """Return the average bytes of the first rows; fixed ones go singly, for each may leave out other columns."""
    rows = np.arange(min(FIRST, part.rows), dtype=np.int64)
    frames = [part.frame(rows[at : at + 1]) for at in range(len(rows))] if part.given else [part.frame(rows)]
    dialect, size = connection.dialect, 0
    for frame in frames:
        for name in columns_of(frame):
            cells = frame[name]
            texts = copy_texts(cells, part.kind(name), dialect)
            size += sum(len(t.encode()) for t, none in zip(texts, cells.null.tolist(), strict=True) if not none)
    return size / len(rows) + BESIDE
