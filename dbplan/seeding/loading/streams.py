"""Streams: several connections of this process that write at once, past what one PostgreSQL backend takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from dbplan.connection import connect
from dbplan.errors import ConnectionFailed
from dbplan.seeding.loading.ahead import ahead
from dbplan.seeding.loading.executors import performed
from dbplan.seeding.loading.tasks import Task
from dbplan.seeding.loading.writing import Batch

MOST = 4
"""Streams past which the rows are not made as fast as they are taken."""

Make = Callable[[Task], Iterator[Batch]]
Perform = Callable[[Connection, Task, Iterator[Batch]], None]


def wanted(tasks: int) -> int:
    """Return how many streams a number of tasks is worth on this machine."""
    return min(MOST, max(2, os.cpu_count() or 1), tasks)


def streamed(
    connections: Sequence[Connection],
    make: Make,
    perform: Perform,
    tasks: Sequence[Task],
    waits: Mapping[str, frozenset[str]],
) -> Generator[tuple[Task, float]]:
    """Perform tasks on connections, one thread for each; yield each with its seconds.

    Rows are made one batch ahead, by one thread at a time, for sources compute lazily.
    """
    idle: SimpleQueue[Connection] = SimpleQueue()
    for connection in connections:
        idle.put(connection)
    making, context = Lock(), copy_context()

    def one(task: Task) -> float:
        began, connection = time.perf_counter(), idle.get()
        try:
            with closing(ahead(_in_turn(make(task), making))) as made:
                perform(connection, task, made)
        except BaseException:
            connection.rollback()  # the next task on it would meet this error's shadow
            raise
        finally:
            idle.put(connection)
        return time.perf_counter() - began

    def call(task: Task) -> float:
        return context.copy().run(one, task)

    with (
        ThreadPoolExecutor(len(connections), thread_name_prefix="dbplan-seed") as pool,
        closing(performed(pool, call, tasks, waits, _result)) as done,
    ):
        yield from done


def _result(future: Future[Any], _task: Task) -> Any:
    return future.result()


def _in_turn(batches: Iterator[Batch], making: Lock) -> Iterator[Batch]:
    while True:
        with making:
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


@contextmanager
def several(engine: Engine, first: Connection, count: int) -> Iterator[list[Connection]]:
    """Open connections beside a first one, up to `count` of them; fewer where the server or the pool has no more."""
    with ExitStack() as stack:
        opened = [first]
        try:
            while len(opened) < count:
                opened.append(stack.enter_context(connect(engine)))
        except (SQLAlchemyError, ConnectionFailed):
            pass
        yield opened
