"""Print how long the rooms take: sandbox start and clone, erd and lint of many tables, seed rows per second.

Run: python tests/benchmarks/rooms.py [TABLES] [ROWS]
"""

import os
import sys
import time
from statistics import median

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, MetaData, Numeric, String, Table

from dbplan import erd, lint, read, sandbox, seed
from dbplan.ddl import statements
from dbplan.plan import Plan

TABLES, ROWS, CLONES = 400, 100_000, 5


def many(count):
    """Return a plan of `count` tables in groups of ten, where each table refers to two before it."""
    metadata = MetaData()
    for number in range(count):
        parents = sorted({number // 2, number - number % 10} - {number})
        table = Table(
            f"table_{number:03}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("name", String(80), nullable=False),
            Column("amount", Numeric(12, 2)),
            Column("created_at", DateTime(timezone=True), nullable=False),
            *(Column(f"parent_{parent}_id", ForeignKey(f"table_{parent:03}.id"), index=True) for parent in parents),
        )
        Index(f"ix_table_{number:03}_created_at", table.c.created_at)
    return Plan(f"{count} tables", metadata)


def clock(what, call):
    start = time.perf_counter()
    result = call()
    print(f"{what:<46} {time.perf_counter() - start:8.2f} s", flush=True)
    return result


def drawing_and_linting(count):
    plan = many(count)
    clock(f"erd of {count} tables", lambda: erd(plan))
    clock(f"lint of {count} tables", lambda: lint(plan))


def reading(count):
    """A database of that many tables read as a plan, and the plan written as DDL."""
    with sandbox(many(count)) as stage:
        plan = clock(f"postgresql: read {count} tables", lambda: read(stage.url))
    clock(f"statements of {count} tables", lambda: statements(plan, "postgresql"))


def server(on, rows):
    plan = read("credits")
    start = time.perf_counter()
    with sandbox(plan, on=on) as stage:
        print(f"{on + ': sandbox of ' + plan.name:<46} {time.perf_counter() - start:8.2f} s  (server start included)")
        start = time.perf_counter()
        seed(stage, rows=rows)
        taken = time.perf_counter() - start
        with stage.engine.connect() as connection:
            counts = [connection.exec_driver_sql(f'SELECT count(*) FROM "{t.name}"').scalar_one() for t in plan.tables]
        written = sum(counts)
        print(f"{on + ': seed':<46} {taken:8.2f} s  {written:,} rows, {written / taken:,.0f} rows/s")
        print(f"{on + ': clone of that':<46} {clone_seconds(stage):8.3f} s  median of {CLONES}")


def clone_seconds(stage):
    taken = []
    for _ in range(CLONES):
        start = time.perf_counter()
        with stage.clone():
            taken.append(time.perf_counter() - start)
    return median(taken)


def main():
    tables = int(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else ROWS
    print(f"{os.cpu_count()} cores; one run, so compare figures of one run only")
    for on in ("sqlite", "postgresql"):
        server(on, rows)
    reading(tables)
    drawing_and_linting(tables)


if __name__ == "__main__":
    main()
