"""What rows have taken of uniques and exclusion constraints, and whether others clash with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.ranges import bounds
from dbplan.seeding.constraints.uniques import Unique
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.clearance import marks
from dbplan.seeding.rows.frames import Frame

Flags = NDArray[np.bool_]


class Occupied:
    """The places that rows have taken, one set for each unique."""

    def __init__(self, uniques: tuple[Unique, ...], rows: int) -> None:
        self.uniques, self.rows = uniques, rows
        self._taken: list[dict[Any, Any]] = [{} for _ in uniques]
        self._refused = [0] * len(uniques)

    def take(self, frame: Frame) -> Flags:
        """Take the places of rows one after the other; return which of them were free."""
        return self._each(frame, keep=True)

    def free(self, frame: Frame) -> Flags:
        """Return which rows' places are free, each by itself."""
        return self._each(frame, keep=False)

    def _each(self, frame: Frame, *, keep: bool) -> Flags:
        keys = [_keys(unique, frame) for unique in self.uniques]
        out = np.ones(len(frame), dtype=bool)
        for row, wanted in enumerate(zip(*keys, strict=True)):
            clash = next((n for n, key in enumerate(wanted) if key is not None and self._met(n, key)), None)
            if clash is not None:
                out[row] = False
                self._refused[clash] += 1
            elif keep:
                for n, key in enumerate(wanted):
                    if key is not None:
                        self._put(n, key)
        return out

    def _met(self, at: int, key: tuple[Any, Any]) -> bool:
        equal, stretch = key
        there = self._taken[at].get(equal)
        return there is not None and (stretch is None or any(_cross(stretch, other) for other in there))

    def _put(self, at: int, key: tuple[Any, Any]) -> None:
        equal, stretch = key
        there = self._taken[at].setdefault(equal, [])
        if stretch is not None:
            there.append(stretch)

    def fullest(self) -> Unique:
        """Return the unique that refused most."""
        return self.uniques[max(range(len(self.uniques)), key=self._refused.__getitem__)]


def _cross(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return bool(one[0] < other[1] and other[0] < one[1])


def _keys(unique: Unique, frame: Frame) -> list[tuple[Any, Any] | None]:
    """Return of every row what no other may have: what is equal and what overlaps; None for a row without a claim."""
    read: Callable[[str], Cells] = frame.__getitem__
    count = len(frame)
    try:
        parts = [part.cells(read, count) for part in unique.parts]
        asked = np.ones(count, bool) if unique.where is None else unique.where.true(read, count)
        stretches = [bounds(part, read, count) for part in unique.overlaps]
    except (TypeError, ValueError) as error:
        raise NotCovered(
            f"{frame.source.table.key}: the unique {unique.name} cannot be computed here: {error}"
        ) from None
    empty = np.logical_or.reduce([np.zeros(count, bool), *(p.null for p in parts)]) & unique.nulls_differ
    equal = list(zip(*(_marks(part) for part in parts), strict=True)) if parts else [()] * count
    claims = (asked & ~empty).tolist()
    if not stretches:
        return [(key, None) if claim else None for key, claim in zip(equal, claims, strict=True)]
    (stretch,) = stretches
    return [
        (key, ends) if claim and ends is not None else None
        for key, ends, claim in zip(equal, stretch, claims, strict=True)
    ]


def _marks(cells: Cells) -> list[Any]:
    return [
        None if null else mark for mark, null in zip(marks(np.asarray(cells.values)), cells.null.tolist(), strict=True)
    ]
