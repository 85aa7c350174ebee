"""Executors: tasks on anything that has `concurrent.futures.Executor`'s face, in an order that references allow."""

from __future__ import annotations

import pickle
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any, Generic, Protocol, TypeVar

from dbplan import errors
from dbplan.encryption import EncryptionError, rehearsal
from dbplan.errors import DbplanError, UnknownName, UsageError, WorkerLost
from dbplan.seeding.loading.blueprint import Blueprint
from dbplan.seeding.loading.sending import pickled
from dbplan.seeding.rows.world import World

AHEAD = 64
"""Tasks that are handed over at once, so that no queue holds a whole table."""


class Unit(Protocol):
    """A piece of work: some rows of one table."""

    @property
    def table(self) -> str:
        """The table."""
        ...

    @property
    def label(self) -> str:
        """The table and its rows, in words."""
        ...


T = TypeVar("T", bound=Unit)
Perform = Callable[[World, Any, Any], Any]
"""A module-level function of a world, a target and a task; it opens what it needs, closes it, and may be run again."""


@dataclass(frozen=True)
class Work:
    """What a worker does, as it is sent: unpacked once a thread, and never shown, for a target may hold a password."""

    data: bytes = field(repr=False)
    name: str


@dataclass(frozen=True)
class _Order:
    perform: Perform
    blueprint: Blueprint
    target: Any

    @cached_property
    def world(self) -> World:
        return self.blueprint.world()


@dataclass(frozen=True)
class _Failure:
    """An error on its way home: some exceptions cannot be pickled, and one that cannot takes the whole pool down."""

    kind: str
    said: str
    notes: tuple[str, ...]


class _Kept(threading.local):
    """The world of one thread; sources compute lazily, and two threads in one would see each other's halves."""

    name = ""
    order: _Order | None = None


_kept = _Kept()


def scattered(
    executor: Executor,
    perform: Perform,
    blueprint: Blueprint,
    target: Any,
    tasks: Iterable[T],
    waits: Mapping[str, Collection[str]] | None = None,
) -> Generator[tuple[T, Any]]:
    """Perform tasks on an executor, and yield each with its result as soon as it is there.

    A table's tasks start when those of the tables that it `waits` for are done. Raises the worker's error, with table
    and rows; WorkerLost where a worker died.
    """
    data = pickled(_Order(perform, blueprint, target), f'plan "{blueprint.plan.name}"')
    call = partial(run_task, Work(data, blake2b(data, digest_size=16).hexdigest()))
    try:
        yield from performed(executor, call, tasks, waits or {}, _result)
    except BrokenExecutor as error:
        raise _lost(error) from None


def performed(
    executor: Executor,
    call: Callable[[T], Any],
    tasks: Iterable[T],
    waits: Mapping[str, Collection[str]],
    result: Callable[[Future[Any], T], Any],
) -> Generator[tuple[T, Any]]:
    """Call a function with every task, in an order that `waits` allows; yield each with its `result` once there.

    The first error stops all: what has not started is cancelled, what has is waited for.
    """
    queue = _Queue(tasks, waits)
    running: dict[Future[Any], T] = {}
    try:
        while queue.left or running:
            for task in queue.ready(AHEAD - len(running)):
                running[executor.submit(call, task)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                yield task, result(future, task)
                queue.done(task)
    finally:
        _stop(running)


def _stop(running: Collection[Future[Any]]) -> None:
    """Cancel what has not begun, and wait for what has: nothing may be written after the verb has returned."""
    wait([future for future in running if not future.cancel()])


class _Queue(Generic[T]):
    """Tasks that are not handed over yet, by table."""

    def __init__(self, tasks: Iterable[T], waits: Mapping[str, Collection[str]]) -> None:
        self.waits = waits
        self.left: dict[str, deque[T]] = {}
        for task in tasks:
            self.left.setdefault(task.table, deque()).append(task)
        self.open = Counter({name: len(tasks) for name, tasks in self.left.items()})

    def ready(self, most: int) -> list[T]:
        """Take tasks of tables that wait for nothing any more; of one that waits for itself, one after the other."""
        found: list[T] = []
        for name, tasks in self.left.items():
            found += [tasks.popleft() for _ in range(min(most - len(found), self._free(name)))]
        self.left = {name: tasks for name, tasks in self.left.items() if tasks}
        return found

    def _free(self, name: str) -> int:
        """Count the tasks of a table that may begin."""
        waits, left = self.waits.get(name, ()), len(self.left[name])
        if any(self.open[parent] for parent in waits if parent != name):
            return 0
        return left if name not in waits else int(self.open[name] == left)

    def done(self, task: T) -> None:
        """Count a task as done."""
        self.open[task.table] -= 1


def _result(future: Future[Any], task: Unit) -> Any:
    try:
        found = future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        raise _lost(error) from None
    if isinstance(found, _Failure):
        raise _raised(found, task)
    return found


def _lost(error: Exception) -> WorkerLost:
    """Return what to say of a worker that does not answer: an executor's own errors know nothing of the work."""
    said = " ".join(str(error).split())[:300]
    return WorkerLost(
        f"a worker is gone ({type(error).__name__}: {said}); was it killed, had it too little memory, or no dbplan "
        "like this one? What is done is kept: run the same command again, and it goes on from there"
    )


def _raised(failure: _Failure, task: Unit) -> Exception:
    """Return a worker's error as one of here, with the rows that it was about."""
    known: Any = EncryptionError if failure.kind == "EncryptionError" else getattr(errors, failure.kind, None)
    text = f"{failure.said} ({task.label})"
    if known is None:
        error: Exception = RuntimeError(f"{failure.kind}: {text}")
    else:
        error = (UsageError if known is UnknownName else known)(text)
    for note in failure.notes:
        error.add_note(note)
    return error


def run_task(work: Work, task: Any) -> Any:
    """Perform one task in a worker; an error comes back as a value."""
    try:
        order = _order(work)
        with rehearsal():
            return order.perform(order.world, order.target, task)
    except Exception as error:
        notes = () if isinstance(error, DbplanError) else (traceback.format_exc(),)
        return _Failure(type(error).__name__, str(error), (*getattr(error, "__notes__", ()), *notes))


def _order(work: Work) -> _Order:
    if _kept.order is None or _kept.name != work.name:
        _kept.order = None  # the old world makes room first
        _kept.order, _kept.name = pickle.loads(work.data), work.name  # noqa: S301 - packed by ourselves
    return _kept.order
