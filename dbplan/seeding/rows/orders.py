"""Orders: the rows of a table sorted by time, in memory for a table of some rows and on disk for one of many."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from dbplan.seeding.rows.stream import Array, Index

IN_MEMORY = 2**21
"""Rows up to which an order is kept in memory: 32 MB."""
BLOCK = 2**16
"""Rows that are computed, or sorted, at once."""
MOMENT = np.dtype("datetime64[us]")
Times = Callable[[Index], Array]


def sorted_rows(times: Times, rows: int) -> tuple[Index, Array]:
    """Return the rows in the order of time, those of one moment in their own order, and their times."""
    if rows <= IN_MEMORY:
        by_row = np.empty(rows, dtype=MOMENT)
        for at in blocks(rows):
            by_row[at] = times(np.arange(at.start, at.stop, dtype=np.int64))
        order = np.argsort(by_row, kind="stable")
        return order, by_row[order]
    return _sorted_on_disk(times, rows)


def inverse(order: Index) -> Index:
    """Return the place of every row in an order."""
    place = shelf(len(order), np.dtype(np.int64))
    for at in blocks(len(order)):
        place[order[at]] = np.arange(at.start, at.stop, dtype=np.int64)
        put_away(place)
    put_away(order)
    return place


def _sorted_on_disk(times: Times, rows: int) -> tuple[Index, Array]:
    """Sort in two passes: rows into stretches of time that fit into memory, then each stretch by itself."""
    by_row, order, in_order = (shelf(rows, dtype) for dtype in (MOMENT, np.dtype(np.int64), MOMENT))
    for at in blocks(rows):
        by_row[at] = times(np.arange(at.start, at.stop, dtype=np.int64))
        put_away(by_row)
    edges = np.sort(by_row[:: max(1, rows // 2**16)])[:: max(1, 2**16 * BLOCK // rows)][1:]
    ends = np.cumsum(sum(np.bincount(_stretch(by_row[at], edges), minlength=len(edges) + 1) for at in blocks(rows)))
    free = np.concatenate([[0], ends[:-1]])
    for at in blocks(rows):
        stretch = _stretch(by_row[at], edges)
        sequence = np.argsort(stretch, kind="stable")
        counts = np.bincount(stretch, minlength=len(ends))
        place = np.repeat(free - (np.cumsum(counts) - counts), counts) + np.arange(len(sequence))
        order[place], in_order[place] = at.start + sequence, by_row[at][sequence]
        free += counts
        put_away(by_row, order, in_order)
    for low, high in zip(np.concatenate([[0], ends[:-1]]).tolist(), ends.tolist(), strict=True):
        sequence = np.argsort(in_order[low:high], kind="stable")
        order[low:high], in_order[low:high] = order[low:high][sequence], in_order[low:high][sequence]
        put_away(order, in_order)
    return order, in_order


def _stretch(moments: Array, edges: Array) -> Index:
    return np.searchsorted(edges, moments, side="right")


def blocks(rows: int) -> list[slice]:
    """Return all rows, a block at a time."""
    return [slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]


def shelf(rows: int, dtype: np.dtype[Any]) -> Array:
    """Return an array for so many rows: in a file without a name that ends with the process, where they are many."""
    if rows <= IN_MEMORY:
        return np.empty(rows, dtype=dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=(rows,))


def put_away(*arrays: Array) -> None:
    """Let the pages of arrays that are kept in files leave the memory; they come back when they are read."""
    for array in arrays:
        held = getattr(array, "_mmap", None)
        if held is not None and hasattr(mmap, "MADV_DONTNEED"):
            held.madvise(mmap.MADV_DONTNEED)
