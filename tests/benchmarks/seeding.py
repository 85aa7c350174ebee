"""Print the goals of seeding with what was measured: beside Faker, Mimesis, polyfactory, drizzle-seed and bulk loads.

Run: python tests/benchmarks/seeding.py [--quick] [--large] [PART …]

Parts: generate, start, postgresql, keyed, chunks, sqlite, mariadb; all without any. Contenders of a part take turns; a
ratio is that within a turn: median (lowest–highest; best turn of each). --quick takes fewer rows and turns, and --large
adds ten million rows of the plan "credits". Generating is counted in processor time, loading in seconds on the clock,
in which a machine that is busy with other things makes ours slower than others: it works on two cores at once.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import generators
import users
from loaders import MariaDB, PostgreSQL, SQLite, drizzle_seconds, has_mariadb_programs, has_sqlite_program, server
from racing import Contender, plain, race, ratio, told

from dbplan import seed
from dbplan.seeding import filling

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: int
    slow_rows: int
    drizzle_rows: int
    rounds: int


FULL, QUICK = Size(1_000_000, 5_000, 20_000, 5), Size(100_000, 1_000, 2_000, 2)
GOALS = []


def goal(words, least, reached):
    """Keep a line of the table of goals: a Ratio, or a number with its own words."""
    GOALS.append((words, least, reached))


def generate(size, _folder):
    """Rows in memory, and as bytes, per second of one core."""
    ours = {
        "dbplan, cells": users.cells,
        "dbplan, Python's values": users.objects,
        "dbplan, CSV bytes": users.csv_bytes,
        "dbplan, binary COPY bytes": users.copy_bytes,
    }
    for call in ours.values():
        call(size.rows)  # once, so that pools and tables of digits are there
    field = {name: Contender(size.slow_rows, lambda f=make: f(size.slow_rows) and None)
             for name, make in generators.GENERATORS.items()}  # fmt: skip
    for name, make in generators.GENERATORS.items():
        field[f"{name}, CSV bytes"] = Contender(
            size.slow_rows, lambda f=make: generators.csv_bytes(f(size.slow_rows)) and None
        )
    field |= {name: Contender(size.rows, lambda f=call: f(size.rows) and None) for name, call in ours.items()}
    race(field, size.rounds, time.process_time)
    told(field, "Faker, naive loop")
    naive, written = field["Faker, naive loop"], field["Faker, naive loop, CSV bytes"]
    goal("generate: × naive Faker, one core", 1000, ratio(field["dbplan, cells"], naive))
    goal("generate: × naive Faker with CSV bytes", 500, ratio(field["dbplan, CSV bytes"], written))
    goal("generate: × naive Faker, binary COPY bytes", 500, ratio(field["dbplan, binary COPY bytes"], written))


START = """
import sys, time
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
import users
imported = time.perf_counter()
users.cells(1000)
print(imported - began, time.perf_counter() - imported)
"""


def start(_size, folder):
    """The first rows of a process, where words have been drawn before and where not."""
    for words in ("words to draw", "words kept on disk", "words kept on disk"):
        done = subprocess.run(
            [sys.executable, "-c", START, str(FOLDER)], check=True, capture_output=True, text=True,
            env=os.environ | {"DBPLAN_HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")},
        )  # fmt: skip
        imports, rows = map(float, done.stdout.split())
        print(f"first 1,000 rows of a process, {words:<20} {rows:6.2f} s   (imports {imports:.2f} s)", flush=True)
    print()


def postgresql(size, folder):
    """Loads into a table without keys."""
    with server("postgresql") as stage:
        table = PostgreSQL(stage, size.rows, keyed=False)
        table.ready(folder)
        csv, binary = folder / "csv", folder / "binary"
        field = {
            r"\copy of a CSV file": Contender(size.rows, lambda: table.copy(f"FROM '{csv}' CSV"), table.empty),
            r"\copy of a binary file": Contender(
                size.rows, lambda: table.copy(f"FROM '{binary}' (FORMAT binary)"), table.empty
            ),
            "dbplan, generate + load, one transaction": Contender(
                size.rows, lambda: users.load_into(stage.engine, size.rows), table.empty
            ),
            "dbplan, generate + load, in chunks": Contender(
                size.rows, lambda: users.stream_into(stage.engine, size.rows), table.empty
            ),
        }
        race(field, size.rounds)
        table.check()
        told(field, r"\copy of a binary file")
        for way in ("one transaction", "in chunks"):
            reached = ratio(field[f"dbplan, generate + load, {way}"], field[r"\copy of a binary file"])
            goal(rf"generate + load, {way}: × binary \copy of a ready file", 1.0, reached)
        stage.engine.dispose()


def keyed(size, folder):
    """Loads into a table with its keys in place, and the whole verb."""
    with server("postgresql") as stage:
        table = PostgreSQL(stage, size.rows, keyed=True)
        table.ready(folder)
        csv, binary = folder / "csv", folder / "binary"
        field = {
            r"\copy of a CSV file": Contender(size.rows, lambda: table.copy(f"FROM '{csv}' CSV"), table.empty),
            r"\copy of a binary file": Contender(
                size.rows, lambda: table.copy(f"FROM '{binary}' (FORMAT binary)"), table.empty
            ),
            "dbplan, seed()": Contender(size.rows, lambda: seeded(stage, size.rows), table.empty),
            "dbplan, seed(fast=True)": Contender(
                size.rows, lambda: seeded(stage, size.rows, fast=True), table.empty
            ),
            "drizzle-seed": Contender(
                size.drizzle_rows, lambda: drizzle_seconds(table, size.drizzle_rows), table.empty
            ),
        }  # fmt: skip
        race(field, size.rounds)
        told(field, r"\copy of a CSV file")
        fast = field["dbplan, seed(fast=True)"]
        goal("PK + UNIQUE: seed(fast=True) × loading with them", 3, ratio(fast, field[r"\copy of a CSV file"]))
        goal("drizzle-seed, end to end: × seed(fast=True)", 50, ratio(fast, field["drizzle-seed"]))
        goal("drizzle-seed, end to end: × seed()", 50, ratio(field["dbplan, seed()"], field["drizzle-seed"]))
        table.empty()
        seeded(stage, size.rows)
        began = time.perf_counter()
        assert "nothing to do" in seed(stage, users.PLAN, rows={"users": size.rows}).verdict
        taken = 1000 * (time.perf_counter() - began)
        goal("a finished run again: milliseconds", None, f"{taken:,.0f} ms for {size.rows:,} rows")
        table.check()
        stage.engine.dispose()


def seeded(stage, rows, **wish):
    seed(stage, users.PLAN, rows={"users": rows}, **wish)


def chunks(size, _folder):
    """What it costs to be able to go on: chunks with a ledger beside one transaction."""

    def limited(most):
        before, filling.LARGE = filling.LARGE, most
        try:
            seeded(stage, size.rows)
        finally:
            filling.LARGE = before

    with server("postgresql") as stage:
        table = PostgreSQL(stage, size.rows, keyed=True)
        field = {
            "dbplan, one transaction": Contender(size.rows, lambda: limited(size.rows), table.empty),
            "dbplan, chunks with a ledger": Contender(size.rows, lambda: limited(0), table.empty),
        }
        race(field, size.rounds)
        table.check()
        told(field, "dbplan, one transaction")
        resumed = ratio(field["dbplan, chunks with a ledger"], field["dbplan, one transaction"])
        goal("resumable: × one transaction", 0.9, resumed)
        stage.engine.dispose()


def sqlite(size, folder):
    """Loads into a file, without keys and with them."""
    if not has_sqlite_program():
        print("sqlite: left out, the program sqlite3 is not installed\n")
        return
    for with_keys in (False, True):
        table = SQLite(folder, size.rows, with_keys)
        table.ready()
        field = {
            ".import of a CSV file": Contender(size.rows, table.imported, table.fresh),
            "dbplan, generate + load": Contender(size.rows, table.ours, table.fresh),
        }
        race(field, size.rounds)
        table.check()
        told(field, ".import of a CSV file")
        words = "SQLite with PK + UNIQUE" if with_keys else "SQLite"
        reached = ratio(field["dbplan, generate + load"], field[".import of a CSV file"])
        goal(f"{words}: generate + load × .import of a ready file", 1.5, reached)


def mariadb(size, folder):
    """Loads into a table with its keys in place."""
    if not has_mariadb_programs():
        print("mariadb: left out, mariadbd or mariadb is not installed\n")
        return
    with server("mariadb") as stage:
        table = MariaDB(stage, size.rows, folder)
        table.ready()
        field = {
            "LOAD DATA LOCAL of a file": Contender(size.rows, table.loaded, table.empty),
            "dbplan, generate + load": Contender(size.rows, table.ours, table.empty),
        }
        race(field, size.rounds)
        table.check()
        told(field, "LOAD DATA LOCAL of a file")
        reached = ratio(field["dbplan, generate + load"], field["LOAD DATA LOCAL of a file"])
        goal("MariaDB: generate + load × LOAD DATA of a ready file", 0.95, reached)
        stage.engine.dispose()


LARGE_RUN = """
import json, resource, sys, time
from dbplan import read, sandbox, seed
rows = int(sys.argv[1])
with sandbox(read("credits")) as stage:
    began = time.perf_counter()
    report = seed(stage, rows=rows, fast=True)
    taken = time.perf_counter() - began
    stage.engine.dispose()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
written = sum(fact.rows for fact in report.evidence if type(fact).__name__ == "RowCount")
print(json.dumps({"seconds": taken, "peak": peak, "rows": written, "verdict": report.verdict}))
"""


def large(_size, _folder):
    """The plan "credits" at two sizes by seed(fast=True), each in a process of its own."""
    peaks = []
    for rows in (1_000_000, 10_000_000):
        done = subprocess.run([sys.executable, "-c", LARGE_RUN, str(rows)], check=True, capture_output=True, text=True)
        said = json.loads(done.stdout.splitlines()[-1])
        peaks.append(said["peak"])
        rate = said["rows"] / said["seconds"]
        print(f"credits, {said['rows']:,} rows: {said['seconds']:.1f} s, {rate:,.0f} rows/s, {said['peak']:,.0f} MB")
        print(f"  {said['verdict']}", flush=True)
    goal("credits: memory at 10 M rows × that at 1 M", None, f"{peaks[1] / peaks[0]:.2f} ({peaks[1]:,.0f} MB)")
    print()


PARTS = {part.__name__: part for part in (generate, start, postgresql, keyed, chunks, sqlite, mariadb)}


def judged(least, reached):
    if least is None:
        return str(reached), ""
    by = reached.middle / least
    return str(reached), f"met, by {plain(by)}×" if by >= 1 else f"missed: {plain(by)} of it"


def main():
    words = sys.argv[1:]
    size = QUICK if "--quick" in words else FULL
    wanted = [name for name in words if not name.startswith("--")] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"no part {unknown[0]}; parts are: {', '.join(PARTS)}")
    parts = [PARTS[name] for name in wanted] + ([large] if "--large" in words else [])
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start; {size.rows:,} rows, {size.rounds} turns each\n")
    with tempfile.TemporaryDirectory(prefix="dbplan-seeding-") as folder:
        Path(folder).chmod(0o755)
        for part in parts:
            print(f"{part.__name__}: {part.__doc__.strip()}")
            part(size, Path(folder))
    width = max(len(goal) for goal, *_ in GOALS) if GOALS else 0
    for words, least, reached in GOALS:
        measured, verdict = judged(least, reached)
        print(f"{words:<{width}}  goal {least if least is not None else '–':>5}  measured {measured}  {verdict}")


if __name__ == "__main__":
    main()
