"""Writing: tables in order, each by the quickest way its server has, all in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Dialect, Table, TableClause, bindparam, column, update
from sqlalchemy import table as lightweight

from dbplan.seeding.constraints.order import Order, left_blank
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.loading.ahead import ahead
from dbplan.seeding.loading.encode import objects
from dbplan.seeding.loading.statements import blank_at_first
from dbplan.seeding.loading.tasks import Task, frames, tasks
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.rows.world import World

CHUNK = 50_000
"""Rows that are made and sent at once."""

Encode = Callable[[Frame, Collection[str]], Any]
Watch = Callable[[int, int, str], None]
"""Told of rows written, of how many, and what is being done."""

SERVERS = {"postgresql": "postgresql", "sqlite": "sqlite", "mariadb": "mariadb", "mysql": "mariadb"}
"""The module that writes to a server by its quickest way; `anywhere` writes to the others."""


def server_of(dialect: Dialect) -> Any:
    """Return the module that writes to a server: prepare, encode, send, write and finish."""
    return import_module(f"dbplan.seeding.loading.{SERVERS.get(dialect.name, 'anywhere')}")


def opened(connection: Connection) -> tuple[str, ...]:
    """Make a connection on which nothing has been done yet ready to write rows; return what there is to say of that."""
    server = server_of(connection.dialect)
    said: str = server.opened(connection) if hasattr(server, "opened") else ""
    return (said,) if said else ()


def encoding(connection: Connection, sources: Iterable[Source]) -> Encode:
    """Return what turns rows of tables into what the server's `send` takes, without asking the server again."""
    server = server_of(connection.dialect)
    if hasattr(server, "encoding"):
        return server.encoding(connection, [source.table for source in sources])  # type: ignore[no-any-return]
    return partial(server.encode, dialect=connection.dialect)


@dataclass(frozen=True)
class Batch:
    """Rows of a task as their server takes them; `last` for the last ones of the task."""

    task: Task
    frame: Frame
    encoded: Any
    last: bool


def pieces(made: World, task: Task, size: int = CHUNK) -> Iterator[Frame]:
    """Yield the rows of a task, `size` at a time."""
    for start in range(task.start, task.stop, size):
        yield from frames(made, replace(task, start=start, stop=min(start + size, task.stop)))


def batches(made: World, order: Order, work: Iterable[Task], encode: Encode, size: int = CHUNK) -> Iterator[Batch]:
    """Yield the rows of tasks, encoded, `size` rows at a time."""
    for task in work:
        blank, left = blank_at_first(made.sources[task.table], order), task.rows
        for frame in pieces(made, task, size):
            with told(frame):
                encoded = encode(frame, blank)
            left -= len(frame)
            yield Batch(task, frame, encoded, not left)


def load(connection: Connection, made: World, order: Order, watch: Watch) -> dict[str, float]:
    """Write all rows inside the connection's transaction; return the seconds of each table."""
    server = server_of(connection.dialect)
    server.prepare(connection, order)
    seconds = dict.fromkeys(order.tables, 0.0)
    done, total = 0, sum(source.total for source in made.sources.values())
    began = time.perf_counter()
    size = getattr(server, "CHUNK", CHUNK)
    work = tasks(made, order.tables, size)
    encode = encoding(connection, made.sources.values())
    with closing(ahead(batches(made, order, work, encode, size))) as encoded:
        for batch in encoded:
            with told(batch.frame):
                server.send(connection, batch.encoded)
            now = time.perf_counter()
            seconds[batch.task.table] += now - began
            began, done = now, done + len(batch.frame)
            watch(done, total, batch.task.table)
    for name, reference in to_close(order):
        for task in tasks(made, [name], CHUNK):
            for frame in pieces(made, task):
                close(connection, frame, reference)
    for source in made.sources.values():
        server.finish(connection, source)
    return seconds


@contextmanager
def told(frame: Frame) -> Iterator[None]:
    """Note on a server's refusal which fixed row it refused."""
    try:
        yield
    except Exception as error:
        if frame.source.given:
            error.add_note(f"the fixed row at {frame.source.given[int(frame.rows[0])].place}")
        raise


def to_close(order: Order) -> list[tuple[str, Reference]]:
    """Return the references that had to be NULL until their parents were there, with their tables."""
    return sorted(order.later, key=lambda item: (item[0], item[1].columns))


def close(connection: Connection, frame: Frame, reference: Reference) -> None:
    """Set a reference in rows whose parents are there by now; to do it again changes nothing."""
    source: Source = frame.source
    table, names = _without_defaults(source.table), left_blank(source, reference)
    keys = [column.name for column in source.table.primary_key.columns]
    statement = (
        update(table)
        .where(*(table.columns[name] == bindparam(f"key_{n}") for n, name in enumerate(keys)))
        .values({name: bindparam(f"new_{n}") for n, name in enumerate(names)})
    )
    labels = [f"key_{n}" for n in range(len(keys))] + [f"new_{n}" for n in range(len(names))]
    fields = [objects(frame[name], table.columns[name].type) for name in (*keys, *names)]
    connection.execute(statement, [dict(zip(labels, values, strict=True)) for values in zip(*fields, strict=True)])


def _without_defaults(table: Table) -> TableClause:
    """Return a table that sets no other column in an update: a model's `onupdate` would write the clock."""
    columns = (column(c.name, c.type) for c in table.columns)
    return lightweight(table.name, *columns, schema=table.schema)
