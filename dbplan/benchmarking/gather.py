"""Gather: run a plan's queries on a seeded database and return what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.metadata import version

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

from dbplan.benchmarking import postgresql, server
from dbplan.benchmarking.clients import Client, clients
from dbplan.benchmarking.draws import Draws, NotDrawable, draw
from dbplan.benchmarking.facts import Explained, Failed, Gathered, Measured, NotMeasured
from dbplan.benchmarking.rounds import Runner, measure, needs_writing
from dbplan.benchmarking.timing import WARM, Stopwatch
from dbplan.connection import new_engine
from dbplan.errors import mask
from dbplan.plan import Query
from dbplan.sandbox import Stage

Progress = Callable[[float, str], None]

EXPLAINED = 5
"""Sets of values each query is explained with: a plan may change with them."""
SLOW = 1.0
"""Seconds from which on one set of values must do."""
LONGEST = 60.0
"""Seconds after which a statement is given up."""


def gather(stage: Stage, *, seconds: float, random_state: int, progress: Progress, clock: Stopwatch) -> Gathered:
    """Measure on the stage itself when every query only reads, else on a clone of it."""
    writing = any(changes(query) for query in stage.plan.queries)
    with stage.clone() if writing else nullcontext(stage) as place:
        engine = new_engine(place.url)
        try:
            return _gather(engine, place, seconds, random_state, progress, clock)
        finally:
            engine.dispose()


def changes(query: Query) -> bool:
    """Return whether a query may change data or lock rows: a SELECT can, by FOR UPDATE or a CTE that writes."""
    elements = visitors.iterate(query.statement)  # type: ignore[arg-type]
    return query.writes or any(
        isinstance(element, UpdateBase) or getattr(element, "_for_update_arg", None) is not None for element in elements
    )


def _gather(
    engine: Engine, place: Stage, seconds: float, random_state: int, progress: Progress, clock: Stopwatch
) -> Gathered:
    queries = place.plan.queries
    progress(0.0, "gathering statistics")
    with engine.connect() as connection:
        tables = server.present(connection, place.plan.tables)
    server.settle(engine, tables)
    with engine.connect() as connection:
        sizes = server.sizes(connection, tables)
        indexes = server.indexes(connection, tables)
        progress(0.1, "drawing values")
        drawn, unmeasured = _draw(connection, queries, random_state)
    limit = max(LONGEST, seconds)
    explained, failed = _explain(engine, drawn, limit, progress)
    runners, counts = _run(
        engine, [d for d in drawn if d[0].name in explained], limit, seconds, random_state, progress, clock
    )
    failed += [_failed(r.query, r.error) for r in runners if r.error is not None]
    measured = [_measured(r, explained[r.query.name], counts) for r in runners if r.error is None]
    return Gathered(
        dialect=engine.dialect.name,
        tables=sizes,
        indexes=indexes,
        measured=tuple(measured),
        unmeasured=tuple(unmeasured),
        failed=tuple(failed),
        server=place.server,
        driver=f"{engine.dialect.driver} {_version(engine.dialect.driver)}".strip(),
        plans_covered=server.explains(engine.dialect.name),
        random_state=random_state,
        warmups=WARM,
    )


def _version(driver: str) -> str:
    if driver == "pysqlite":
        import sqlite3

        return sqlite3.sqlite_version
    try:
        return version(driver)
    except ModuleNotFoundError:
        return ""


Drawn = tuple[Query, Draws]
Seen = tuple[str, tuple[Explained, ...]]


def _draw(connection: Connection, queries: Sequence[Query], random_state: int) -> tuple[list[Drawn], list[NotMeasured]]:
    drawn: list[Drawn] = []
    missing = []
    for query in queries:
        try:
            drawn.append((query, draw(connection, query, random_state)))
        except NotDrawable as why:
            missing.append(NotMeasured(query.name, query.writes, query.per_second, why.reason, why.mend))
    return drawn, missing


def _explain(
    engine: Engine, drawn: Sequence[Drawn], limit: float, progress: Progress
) -> tuple[dict[str, Seen], list[Failed]]:
    """Run and explain each query with a few sets of values, undoing each."""
    seen: dict[str, Seen] = {}
    failed = []
    with engine.connect() as connection:
        client = Client(connection, writes=True, limit=limit)
        for number, (query, draws) in enumerate(drawn):
            progress(0.15 + 0.15 * number / len(drawn), f"explaining {query.name}")
            try:
                seen[query.name] = _plans(client, query, draws)
            except DBAPIError as error:
                failed.append(_failed(query, error))
                client.undo(failed=True)
    return seen, failed


def _plans(client: Client, query: Query, draws: Draws) -> Seen:
    """Return the statement's SQL and the distinct plans it was run with."""
    plans: dict[object, Explained] = {}
    sql = ""
    started = time.monotonic()
    for number in range(EXPLAINED):
        client.ready()
        sql, explained = server.explain(client.connection, query.statement, draws.take(number))
        client.undo()
        if explained is not None:
            plans.setdefault(explained.shape, explained)
        if time.monotonic() - started > SLOW:
            break
    return sql, tuple(plans.values())


def _run(
    engine: Engine,
    drawn: Sequence[Drawn],
    limit: float,
    seconds: float,
    random_state: int,
    progress: Progress,
    clock: Stopwatch,
) -> tuple[list[Runner], dict[str, tuple[int, int]]]:
    """Time the queries, interleaved; return the runners and what the server counted of their prepared statements."""
    with clients(engine, limit=limit) as (reader, writer):
        runners = [Runner(query, draws, writer if changes(query) else reader) for query, draws in drawn]
        for runner in runners:
            if runner.client is reader and runner.step(clock) is None and needs_writing(_error(runner)):
                runner.client, runner.error = writer, None
        runners_left = [runner for runner in runners if runner.error is None]
        measure(runners_left, seconds, random_state, clock, lambda share: progress(0.3 + 0.7 * share, "measuring"))
        counts: dict[str, tuple[int, int]] = {}
        if engine.dialect.name == "postgresql":
            for client in (reader, writer):
                counts |= postgresql.preparations(client.connection)
    progress(1.0, "measured")
    return runners, counts


def _error(runner: Runner) -> DBAPIError:
    assert runner.error is not None
    return runner.error


def _failed(query: Query, error: DBAPIError | None) -> Failed:
    said = str(error.orig if error is not None and error.orig is not None else error).strip()
    line = next((line.strip() for line in said.splitlines() if line.strip()), "no message")
    return Failed(query.name, query.writes, query.per_second, mask(line))


def _measured(runner: Runner, seen: Seen, counts: dict[str, tuple[int, int]]) -> Measured:
    sql, plans = seen
    custom, generic = counts.get(postgresql.numbered(sql), (None, None))
    rows = sorted(runner.rows)
    return Measured(
        query=runner.query.name,
        writes=runner.query.writes,
        per_second=runner.query.per_second,
        samples=tuple(runner.samples),
        rows=rows[len(rows) // 2] if rows else None,
        plans=plans,
        custom=custom,
        generic=generic,
    )
