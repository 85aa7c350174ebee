"""Gather: run a plan's queries on a seeded database and return what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from sqlite3 import sqlite_version
from statistics import median_low

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import CompileError, DBAPIError, StatementError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

from dbplan.benchmarking import server
from dbplan.benchmarking.clients import Client, clients
from dbplan.benchmarking.draws import Draws, Known, NotDrawable, draw
from dbplan.benchmarking.facts import Explained, Failed, Gathered, Kind, Measured, NotMeasured
from dbplan.benchmarking.postgresql import Preparation
from dbplan.benchmarking.rounds import Runner, measure
from dbplan.benchmarking.timing import WARM, Stopwatch
from dbplan.connection import new_engine
from dbplan.errors import ConnectionFailed, UsageError, mask
from dbplan.plan import Query
from dbplan.sandbox import Stage

Progress = Callable[[float, str], None]

EXPLAINED = 5
"""Sets of values each query is explained with: a plan may change with them."""
SLOW = 1.0
"""Seconds from which on one set of values must do."""
LONGEST = 60.0
"""Seconds after which a statement is given up."""


@dataclass(frozen=True)
class Effort:
    """How long to measure (seconds), from which random state, by which clock, and whom to tell."""

    seconds: float
    random_state: int = 7
    tell: Progress = lambda _fraction, _doing: None
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def limit(self) -> float:
        """Seconds after which a statement is given up."""
        return max(LONGEST, self.seconds)


@dataclass(frozen=True)
class Asked:
    """One query with the values to ask it with."""

    query: Query
    draws: Draws
    kind: Kind


def gather(stage: Stage, effort: Effort) -> Gathered:
    """Measure on the stage itself when every query only reads, else on a clone of it.

    Raises ConnectionFailed when the server goes away meanwhile.
    """
    reads = all(kind(query) == "read" for query in stage.plan.queries)
    with nullcontext(stage) if reads else stage.clone() as place:
        engine = new_engine(place.url)
        try:
            return _gather(engine, place, effort)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise ConnectionFailed(f"the server went away in mid-measurement: {_said(error)}; run again") from None
            raise
        finally:
            engine.dispose()


def kind(query: Query) -> Kind:
    """Return what a query does to rows; a SELECT locks them by FOR UPDATE and writes by a CTE that changes data."""
    elements = list(visitors.iterate(query.statement))  # type: ignore[arg-type]
    if query.writes or any(isinstance(element, UpdateBase) for element in elements):
        return "write"
    locks = any(getattr(element, "_for_update_arg", None) is not None for element in elements)
    return "locking read" if locks else "read"


def _gather(engine: Engine, place: Stage, effort: Effort) -> Gathered:
    effort.tell(0.0, "gathering statistics")
    with engine.connect() as connection:
        tables = server.present(connection, place.plan.tables)
    server.settle(engine, tables)
    with engine.connect() as connection:
        sizes, indexes = server.sizes(connection, tables), server.indexes(connection, tables)
        effort.tell(0.1, "drawing values")
        asked, unmeasured = _draw(connection, place.plan.queries, effort.random_state)
    plans, failed = _explain(engine, asked, unmeasured, effort)
    asked = [each for each in asked if each.query.name in plans]
    measured = tuple(_time(engine, asked, plans, failed, effort))
    return Gathered(
        dialect=engine.dialect.name,
        tables=sizes,
        indexes=indexes,
        measured=measured,
        unmeasured=tuple(unmeasured),
        failed=tuple(failed),
        server=place.server,
        driver=f"{engine.dialect.driver} {_version(engine.dialect.driver)}".strip(),
        plans_covered=server.explains(engine.dialect.name),
        random_state=effort.random_state,
        warmups=WARM,
        refused=place.refused,
    )


def _version(driver: str) -> str:
    if driver == "pysqlite":
        return sqlite_version
    try:
        return version(driver)
    except PackageNotFoundError:
        return ""


def _draw(connection: Connection, queries: Sequence[Query], random_state: int) -> tuple[list[Asked], list[NotMeasured]]:
    asked = []
    missing = []
    known: Known = {}
    for query in queries:
        try:
            with connection.begin_nested():
                asked.append(Asked(query, draw(connection, query, random_state, known), kind(query)))
        except NotDrawable as why:
            missing.append(NotMeasured(query.name, kind(query), query.per_second, why.reason, why.mend))
        except StatementError as error:
            missing.append(_undrawn(query, f"its values cannot be read: {_said(error)}"))
    return asked, missing


def _undrawn(query: Query, reason: str) -> NotMeasured:
    return NotMeasured(query.name, kind(query), query.per_second, reason)


Seen = tuple[str, tuple[Explained, ...]]
"""A statement as the driver gets it, and the distinct plans it was run with."""


def _explain(
    engine: Engine, asked: Sequence[Asked], unmeasured: list[NotMeasured], effort: Effort
) -> tuple[dict[str, Seen], list[Failed]]:
    """Run and explain each query with a few sets of values, undoing each; a query that cannot run is told apart."""
    seen: dict[str, Seen] = {}
    failed = []
    with engine.connect() as connection:
        client = Client(connection, writes=True, limit=effort.limit)
        for number, each in enumerate(asked):
            effort.tell(0.15 + 0.15 * number / len(asked), f"explaining {each.query.name}")
            try:
                seen[each.query.name] = _plans(client, each)
            except UsageError as error:
                unmeasured.append(_undrawn(each.query, str(error)))
            except (StatementError, CompileError) as error:
                failed.append(_failed(each, error))
            client.undo(failed=True)
    return seen, failed


def _plans(client: Client, asked: Asked) -> Seen:
    plans: dict[object, Explained] = {}
    sql = ""
    started = time.monotonic()
    for number in range(EXPLAINED):
        values = asked.draws.take(number)
        client.ready()
        sql, explained = server.explain(client.connection, asked.query.statement, values)
        client.undo()
        if explained is not None:
            plans.setdefault(explained.shape, explained)
        if time.monotonic() - started > SLOW:
            break
    return sql, tuple(plans.values())


def _time(
    engine: Engine,
    asked: Sequence[Asked],
    plans: Mapping[str, Seen],
    failed: list[Failed],
    effort: Effort,
) -> Iterator[Measured]:
    """Time the queries mixed at random; yield those that ran, add the others to `failed`."""
    with clients(engine, limit=effort.limit) as (reader, writer):
        runners = [Runner(each.query, each.draws, reader if each.kind == "read" else writer) for each in asked]
        for runner in runners:
            runner.settle_role(writer, effort.watch)
        able = [runner for runner in runners if runner.error is None]
        measure(
            able,
            effort.seconds,
            effort.random_state,
            effort.watch,
            lambda share: effort.tell(0.3 + 0.7 * share, "measuring"),
        )
        prepared = {id(client): server.preparations(client.connection) for client in (reader, writer)}
    effort.tell(1.0, "measured")
    for each, runner in zip(asked, runners, strict=True):
        if runner.error is not None:
            failed.append(_failed(each, runner.error))
        else:
            sql, seen = plans[each.query.name]
            yield _measured(each, runner, seen, prepared[id(runner.client)].get(server.numbered(sql)))


def _said(error: Exception) -> str:
    """Return the first line of what the server or the driver said; the lines after it may quote rows."""
    text = str(getattr(error, "orig", None) or error).strip()
    return mask(next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__))


def _failed(asked: Asked, error: Exception) -> Failed:
    if getattr(error, "connection_invalidated", False):
        raise error
    return Failed(asked.query.name, asked.kind, asked.query.per_second, _said(error))


def _measured(asked: Asked, runner: Runner, seen: tuple[Explained, ...], prepared: Preparation | None) -> Measured:
    generic = (
        (prepared.plan,) if prepared and prepared.plan and prepared.plan.shape not in {s.shape for s in seen} else ()
    )
    return Measured(
        query=asked.query.name,
        kind=asked.kind,
        per_second=asked.query.per_second,
        samples=tuple(runner.samples),
        rows=median_low(runner.rows) if runner.rows else None,
        plans=(*seen, *generic),
        custom=prepared.custom if prepared else None,
        generic=prepared.generic if prepared else None,
    )
