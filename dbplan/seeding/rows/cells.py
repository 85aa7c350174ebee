"""Cells: the values of one column for some rows, with the NULLs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Coded, as_column, shared_pool


@dataclass(frozen=True)
class Cells:
    """`values` and, of the same length, where they are NULL (a value under a NULL means nothing)."""

    values: Any
    """An array, or a column of texts or UUIDs that stands for one."""
    null: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: Array | slice) -> Cells:
        """Return the cells at `index`."""
        return Cells(self.values[index], self.null[index])


def present(values: Array) -> Cells:
    """Return cells without a NULL."""
    return Cells(values, np.zeros(len(values), dtype=bool))


def absent(rows: int) -> Cells:
    """Return `rows` NULLs."""
    return Cells(np.full(rows, None, dtype=object), np.ones(rows, dtype=bool))


def patched(old: Cells, where: Array, new: Cells) -> Cells:
    """Return `old` with the cells at the positions `where` replaced by `new`."""
    both = shared_pool(old.values, new.values)
    if both is not None:
        (first, second), null = both, old.null.copy()
        index = first.index.copy()
        index[where], null[where] = second.index, new.null
        return Cells(as_column(Coded(first.pool, index)), null)
    dtype = old.values.dtype if old.values.dtype == new.values.dtype else np.dtype(object)
    values, null = old.values.astype(dtype), old.null.copy()
    values[where], null[where] = new.values, new.null
    return Cells(values, null)


def chosen(where: Array, yes: Cells, no: Cells) -> Cells:
    """Return `yes` where the condition is true and `no` elsewhere."""
    null = np.where(where, yes.null, no.null)
    if no.null.all():
        return Cells(yes.values, null)
    both = shared_pool(yes.values, no.values)
    if both is not None:
        return Cells(as_column(Coded(both[0].pool, np.where(where, both[0].index, both[1].index))), null)
    same = yes.values.dtype == no.values.dtype
    kinds = (yes.values, no.values) if same else (yes.values.astype(object), no.values.astype(object))
    return Cells(np.where(where, *kinds), null)


def day_after(values: Any) -> Any:
    """Return times at the first midnight that is not before them, in their own unit."""
    days = values.astype("datetime64[D]")
    return (days + (days < values)).astype(values.dtype)
