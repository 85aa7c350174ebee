"""Tasks: ranges of rows of one table, each made and written by itself, in any process, with the same result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dbplan.seeding.rows.frames import Frame
from dbplan.seeding.rows.world import World


@dataclass(frozen=True)
class Task:
    """Rows `start` to `stop` of a table, in the order in which they are written; `fixed` for those of the recipe."""

    table: str
    fixed: bool
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.stop - self.start

    @property
    def label(self) -> str:
        """The rows, as an error names them."""
        return f"{'fixed ' if self.fixed else ''}rows {self.start + 1:,} to {self.stop:,} of {self.table}"


def tasks(made: World, tables: Iterable[str], size: int) -> list[Task]:
    """Return the tasks of tables in their order, of `size` rows at most, the fixed rows of a table first."""
    return [task for name in tables for task in _of_table(made, name, size)]


def _of_table(made: World, name: str, size: int) -> Iterator[Task]:
    for part in made.sources[name].parts:
        for start in range(0, part.rows, size):
            yield Task(name, bool(part.given), start, min(start + size, part.rows))


def frames(made: World, task: Task) -> Iterator[Frame]:
    """Yield the frames of a task: fixed rows singly, for each may leave out other columns."""
    part = next(part for part in made.sources[task.table].parts if bool(part.given) == task.fixed)
    step = 1 if task.fixed else task.rows
    for start in range(task.start, task.stop, step):
        yield part.frame(part.written(start, min(start + step, task.stop)))
