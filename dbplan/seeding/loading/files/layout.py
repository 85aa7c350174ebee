"""Layout: which rows stand in which file. It follows from the rows alone, never from the number of workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from dbplan.seeding.constraints.order import Order, left_blank
from dbplan.seeding.loading.files.names import file_names
from dbplan.seeding.loading.statements import columns_of
from dbplan.seeding.loading.tasks import Task
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.rows.world import World

PART = 500_000
"""Rows of a file at most."""
CHUNK = 50_000
"""Rows that are made and written at once."""


@dataclass(frozen=True)
class Part:
    """A file: rows of one table that fill the same columns. `closes` are columns that are set after all rows."""

    path: str
    table: str
    columns: tuple[str, ...]
    tasks: tuple[Task, ...] = ()
    closes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(task.rows for task in self.tasks)

    @property
    def label(self) -> str:
        """The file, as an error names it."""
        return f"{self.rows:,} rows of {self.table} for {self.path}"


def parts(made: World, order: Order, suffix: str) -> list[Part]:
    """Return all files of rows, tables in their order: `users.csv`, or `users/part-00001.csv` where there are more."""
    names = file_names(made.plan.tables)
    return [
        part for name in order.tables for part in _numbered(names[name], suffix, _of_table(made.sources[name], name))
    ]


def closing_parts(made: World, order: Order, suffix: str) -> list[Part]:
    """Return the files that set references which had to be NULL until their parents were there."""
    names, found = file_names(made.plan.tables), []
    waiting = sorted({name for name, _ in order.later})
    for name in waiting:
        source = made.sources[name]
        columns = {c for table, reference in order.later if table == name for c in left_blank(source, reference)}
        closes = tuple(c.name for c in source.table.columns if c.name in columns)
        pieces = [replace(part, closes=closes) for part in _of_table(source, name) if part.rows]
        found += _numbered(f"{names[name]}~circle", suffix, pieces)
    return found


def _of_table(source: Source, name: str) -> list[Part]:
    """Return a table's files without a path, an empty one where it has no rows."""
    pieces = list(_pieces(source, name))
    if not pieces:
        return [Part("", name, tuple(c for c in source.table.columns.keys() if c in source.makers))]  # noqa: SIM118
    grouped = groupby(pieces, key=lambda piece: piece[:2])
    return [part for (columns, _), group in grouped for part in _cut(name, columns, [task for *_, task in group])]


def _pieces(source: Source, name: str) -> Iterator[tuple[tuple[str, ...], frozenset[str], Task]]:
    """Yield tasks with the columns that their rows fill, and those of them that are raw.

    Fixed rows may each leave out others.
    """
    for part in source.parts:
        step = 1 if part.given else max(part.rows, 1)
        for start in range(0, part.rows, step):
            columns = columns_of(part.frame(np.array([start], dtype=np.int64)))
            yield tuple(columns), frozenset(part.raw), Task(name, bool(part.given), start, min(start + step, part.rows))


def _cut(name: str, columns: tuple[str, ...], tasks: Iterable[Task]) -> Iterator[Part]:
    """Yield files of PART rows at most."""
    held: list[Task] = []
    room = PART
    for task in tasks:
        while task.rows > room:
            held.append(replace(task, stop=task.start + room))
            task = replace(task, start=task.start + room)
            yield Part("", name, columns, tuple(held))
            held, room = [], PART
        held.append(task)
        room -= task.rows
    if held:
        yield Part("", name, columns, tuple(held))


def _numbered(name: str, suffix: str, pieces: list[Part]) -> list[Part]:
    if len(pieces) == 1:
        return [replace(pieces[0], path=f"{name}.{suffix}")]
    return [replace(piece, path=f"{name}/part-{n:05}.{suffix}") for n, piece in enumerate(pieces, 1)]


def source_of(made: World, task: Task) -> Source:
    """Return the source of a task's rows: fixed ones, or generated ones."""
    return next(source for source in made.sources[task.table].parts if bool(source.given) == task.fixed)


def frames(made: World, part: Part) -> Iterator[Frame]:
    """Yield the rows of a file, CHUNK at a time."""
    for task in part.tasks:
        source = source_of(made, task)
        for start in range(task.start, task.stop, CHUNK):
            yield source.frame(source.order[start : min(start + CHUNK, task.stop)])
