"""Chunks: a long run in many transactions, each with its line in the ledger, so that it goes on after any end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from dbplan.connection import connect
from dbplan.connection import engine as engine_of
from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import ledger
from dbplan.seeding.loading.ahead import ahead
from dbplan.seeding.loading.ledger import Ledger
from dbplan.seeding.loading.refusals import PART, explained
from dbplan.seeding.loading.tasks import Task, tasks
from dbplan.seeding.loading.writing import (
    Batch,
    Watch,
    batches,
    close,
    encoding,
    opened,
    pieces,
    server_of,
    to_close,
    told,
)
from dbplan.seeding.rows.world import World

TASK = 250_000
"""Rows of one transaction."""


Steps = Generator[tuple[Task, int, float]]
"""Tasks with rows that were written, and seconds."""


@dataclass(frozen=True)
class Run:
    """A run: its rows, their order, the name by which its ledger knows it; `free` where no key binds the order."""

    made: World
    order: Order
    name: str
    free: bool = False

    @property
    def tasks(self) -> list[Task]:
        """All chunks."""
        return tasks(self.made, self.order.tables, TASK)


@dataclass(frozen=True)
class Target:
    """Where a worker writes, and for which run; never shown, for a URL may hold a password."""

    url: str = field(repr=False)
    run: str
    order: Order = field(repr=False)


def write(
    engine: Engine, connection: Connection, run: Run, done: Ledger, executor: Executor | None, watch: Watch
) -> dict[str, float]:
    """Write the rows that are not there yet; return the seconds of each table."""
    left, total = done.lacks(run.tasks), sum(source.total for source in run.made.sources.values())
    seconds, there = dict.fromkeys(run.order.tables, 0.0), total - sum(task.rows for task in left)
    watch(there, total, "writing")
    with closing(_steps(engine, connection, run, left, executor)) as steps:
        for task, rows, took in steps:
            seconds[task.table] += took
            there += rows
            watch(there, total, task.table)
    return seconds


def _steps(engine: Engine, connection: Connection, run: Run, left: Sequence[Task], executor: Executor | None) -> Steps:
    if executor is not None:
        return _together(engine, run, left, executor)
    if connection.dialect.name == "postgresql" and left:
        return _streamed(engine, connection, run, left)
    return _alone(connection, run, left)


def _streamed(engine: Engine, connection: Connection, run: Run, left: Sequence[Task]) -> Steps:
    """Write tasks through several connections of this process, a table after those that it refers to."""
    from dbplan.seeding.loading.streams import several, streamed, wanted

    encode = encoding(connection, run.made.sources.values())
    connection.rollback()

    def make(task: Task) -> Iterator[Batch]:
        return batches(run.made, run.order, [task], encode)

    def perform(own: Connection, task: Task, made: Iterator[Batch]) -> None:
        _send(own, run.order, run.name, task, made)

    with (
        several(engine.execution_options(is_bulk=True), connection, wanted(len(left))) as connections,
        closing(streamed(connections, make, perform, left, _waits(run))) as done,
    ):
        for task, took in done:
            yield task, task.rows, took


def _send(connection: Connection, order: Order, run: str, task: Task, made: Iterable[Batch]) -> None:
    """Write the rows of a task in a transaction of their own."""
    if _open(connection, order, run, task):
        for batch in made:
            with told(batch.frame):
                server_of(connection.dialect).send(connection, batch.encoded)
    connection.commit()


def _alone(connection: Connection, run: Run, left: Sequence[Task]) -> Steps:
    """Write tasks through one connection, the next rows being made while the server takes the last."""
    server, began = server_of(connection.dialect), time.perf_counter()
    wanted = False
    task: Task | None = None
    encode = encoding(connection, run.made.sources.values())
    connection.rollback()
    with closing(ahead(batches(run.made, run.order, left, encode))) as made:
        for batch in made:
            if batch.task is not task:
                task = batch.task
                wanted = _open(connection, run.order, run.name, task)
            if wanted:
                with told(batch.frame):
                    server.send(connection, batch.encoded)
            if batch.last:
                connection.commit()
            now = time.perf_counter()
            yield task, len(batch.frame), now - began
            began = now


def _open(connection: Connection, order: Order, run: str, task: Task) -> bool:
    """Begin the transaction of a task, which begins with its line in the ledger; False where it is done."""
    soften(connection)
    wanted = ledger.claim(connection, run, ledger.entry_of(task))
    server_of(connection.dialect).prepare(connection, order)
    return wanted


def soften(connection: Connection) -> None:
    """Let PostgreSQL flush its log behind the commits: a crash may take the last chunks, with their lines."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _together(engine: Engine, run: Run, left: Sequence[Task], executor: Executor) -> Steps:
    """Write tasks through many connections, a table after those that it refers to."""
    from dbplan.seeding.loading.blueprint import blueprint
    from dbplan.seeding.loading.executors import scattered

    target = Target(engine.url.render_as_string(hide_password=False), run.name, run.order)
    with closing(scattered(executor, perform, blueprint(run.made), target, left, _waits(run))) as done:
        for task, (rows, took) in done:
            yield task, rows, took


def _waits(run: Run) -> Mapping[str, frozenset[str]]:
    """Return which tables come before which: those that a table refers to, perhaps itself; none where no key binds."""
    if run.free:
        return {}
    return {
        name: frozenset(r.parent for r in source.references if not (r.left_out or (name, r) in run.order.later))
        for name, source in run.made.sources.items()
    }


def perform(made: World, target: Target, task: Task) -> tuple[int, float]:
    """Write one task in a transaction of a connection of this process; return its rows and seconds."""
    began, engine = time.perf_counter(), engine_of(target.url)
    bulk = engine.execution_options(sqlite_begin="IMMEDIATE", is_bulk=True)
    with explained(engine, PART), connect(bulk) as connection:
        opened(connection)
        encode = encoding(connection, [made.sources[task.table]])
        connection.rollback()
        encoded = list(batches(made, target.order, [task], encode))
        _send(connection, target.order, target.run, task, encoded)
    return task.rows, time.perf_counter() - began


def close_circles(connection: Connection, run: Run, done: Ledger, say: Callable[[str], None]) -> None:
    """Set the references that had to wait, in chunks."""
    for name, reference in to_close(run.order):
        say(f"{name}: {reference.label}")
        for task in done.lacks(tasks(run.made, [name], TASK), ledger.CLOSED, reference.label):
            soften(connection)
            if ledger.claim(connection, run.name, ledger.entry_of(task, ledger.CLOSED, reference.label)):
                for frame in pieces(run.made, task):
                    close(connection, frame, reference)
            connection.commit()
