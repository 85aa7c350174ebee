"""A long run from its first step to its last: emptied, set aside, written, built again, closed, counted, forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import chunked, ledger
from dbplan.seeding.loading.aside import are_free, set_aside
from dbplan.seeding.loading.chunked import Run
from dbplan.seeding.loading.emptying import empty
from dbplan.seeding.loading.ledger import Entry, Ledger
from dbplan.seeding.loading.statements import run_sql
from dbplan.seeding.loading.triggers import disable_triggers
from dbplan.seeding.loading.writing import Watch, server_of
from dbplan.seeding.rows.world import World

FAST, FREE = "fast", "free"
KEY, REFERENCE, TRIGGERS = 0, 1, 2
"""What was set aside, in the order in which it comes back."""
NOUNS = ("keys and indexes", "references", "triggers")
MEMORY = "512MB"
"""What PostgreSQL may take to build an index."""


@dataclass(frozen=True)
class Wish:
    """What was asked for: keys and indexes built after the rows, tables emptied before them, rows added to others."""

    fast: bool = False
    truncate: bool = False
    append: bool = False


def begin(connection: Connection, made: World, order: Order, name: str, note: str, wish: Wish) -> None:
    """Open the ledger; in the same transaction empty the tables and set keys aside, as asked for."""
    tables = [made.sources[table].table for table in order.tables]
    ledger.begin(connection)
    if wish.truncate:
        empty(connection, tables[::-1])
    triggers = disable_triggers(connection, made.plan.metadata)
    gone = set_aside(connection, tables) if wish.fast else []
    free = wish.fast and are_free(connection, tables)
    kept = [
        Entry(ledger.ASIDE, one.table, f"{n:06}", REFERENCE if one.is_reference else KEY, note=json.dumps(one.build))
        for n, one in enumerate(gone)
    ]
    kept += [Entry(ledger.ASIDE, name, "", TRIGGERS, note=json.dumps(sql)) for name, sql in triggers.items()]
    run = Entry(ledger.RUN, FAST if wish.fast else "", FREE if free else "", note=note)
    ledger.write(connection, name, [run, *kept])
    connection.commit()


def fill(
    engine: Engine,
    connection: Connection,
    made: World,
    order: Order,
    found: Ledger,
    executor: Executor | None,
    watch: Watch,
) -> dict[str, float]:
    """Do what is left of a run but to forget it; return the seconds of each table."""
    free = any(entry.part == FREE for entry in found.of(ledger.RUN))
    run = Run(made, replace(order, later=frozenset()) if free else order, found.run, free)
    total = sum(source.total for source in made.sources.values())

    def say(doing: str) -> None:
        watch(total, total, doing)

    seconds = chunked.write(engine, connection, run, found, executor, watch)
    bring_back(connection, found, say)
    chunked.close_circles(connection, run, found, say)
    for source in made.sources.values():
        server_of(connection.dialect).finish(connection, source)
    connection.commit()
    return seconds


def bring_back(connection: Connection, found: Ledger, say: Callable[[str], None]) -> None:
    """Build what was set aside, one in a transaction, references last."""
    left = sorted(found.of(ledger.ASIDE), key=lambda entry: (entry.start, entry.part))
    for number, entry in enumerate(left, 1):
        say(f"building {NOUNS[entry.start]} of {entry.name}, {number} of {len(left)}")
        run_sql(connection, f"SET LOCAL maintenance_work_mem = '{MEMORY}'")
        run_sql(connection, "SET LOCAL max_parallel_maintenance_workers = 4")
        for sql in json.loads(entry.note) if ledger.strike(connection, entry) else ():
            run_sql(connection, sql)
        connection.commit()
