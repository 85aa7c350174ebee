"""Clearance: values that fixed rows hold, and that no generated row may hold again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Hashable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from dbplan.errors import Unsatisfiable
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.stream import Array, Index
from dbplan.seeding.values.domains import Domain

LOW = 2**62 - 1
"""The bits of a UUID in which those of one column differ."""
ENUMERATED = 100_000
Standing = Mapping[str, Mapping[str, Collection[Hashable]]]
"""What rows that stand in the database hold, by table and column."""
NOBODY: Standing = MappingProxyType({})
CHUNK = 50_000


def marks(values: Array) -> list[Hashable]:
    """Return values in a form in which those that a unique may count as one are equal."""
    if values.dtype.kind in "Mm":
        return list(values.astype(f"{values.dtype.str[1:2]}8[us]").astype(np.int64).tolist())
    return [_mark(value) for value in values.tolist()]


def _mark(value: Any) -> Hashable:
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, Decimal):
        return float(value)
    return repr(value) if isinstance(value, dict | list) else value


def taken(source: Source, name: str) -> dict[Hashable, int]:
    """Return what other rows of a table hold in a column, fixed and standing ones, numbered; NULLs are left out."""
    there: list[Hashable] = []
    if source.fixed is not None and name in source.fixed.makers:
        cells = source.fixed.frame(np.arange(source.fixed.rows, dtype=np.int64))[name]
        there += [mark for mark, null in zip(marks(cells.values), cells.null.tolist(), strict=True) if not null]
    there += source.standing.get(name, ())
    return {mark: number for number, mark in enumerate(dict.fromkeys(there))}


def clear(pick: Callable[[Index], Array], rows: Index, held: Mapping[Hashable, int], beyond: int) -> Array:
    """Return a pick for every row, all different, none of them held.

    `pick` is one-to-one; where it gives the held value of number k, the pick of the unused row `beyond` + k stands in.
    That value may be held as well, of another number; no number comes twice on such a way, so that it ends.
    """
    values = pick(rows)
    if not held:
        return values
    number = numbered(values, held)
    if (number < 0).all():
        return values
    values = np.array(values)  # a copy, of texts as objects
    while (number >= 0).any():
        met = np.flatnonzero(number >= 0)
        values[met] = pick(beyond + number[met])
        number[:] = -1
        number[met] = numbered(values[met], held)
    return values


def numbered(values: Array, held: Mapping[Hashable, int]) -> Index:
    """Return the number of every value that is held, -1 for the others."""
    if values.dtype.kind not in "iu":
        return np.array([held.get(mark, -1) for mark in marks(values)], dtype=np.int64)
    pairs = sorted((mark, number) for mark, number in held.items() if isinstance(mark, int))
    if not pairs:
        return np.full(len(values), -1, dtype=np.int64)
    keys, numbers = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    at = np.searchsorted(keys, values).clip(max=len(keys) - 1)
    return np.where(keys[at] == values, numbers[at], -1)


def within(domain: Domain, held: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """Return those held values that a small domain has; all of them for one too large to look through."""
    if domain.capacity > ENUMERATED:
        return dict(held)
    there = set(marks(domain.nth(np.arange(domain.capacity, dtype=np.int64))))
    return {mark: number for number, mark in enumerate(mark for mark in held if mark in there)}


def low_bits(held: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """Return held UUIDs by the bits in which a column's UUIDs differ."""
    found = dict.fromkeys(int(str(mark), 16) & LOW for mark in held)
    return {low: number for number, low in enumerate(found)}


def refuse_shared(source: Source, names: frozenset[str]) -> None:
    """Refuse a generated row that holds in `names`, which are unique together, what a fixed row holds."""
    fixed, order = source.fixed, sorted(names)
    if fixed is None or not names <= source.makers.keys() & fixed.makers.keys():
        return
    there = {key: at for at, key in enumerate(keys_of(fixed, np.arange(fixed.rows), order)) if key is not None}
    for start in range(0, source.rows, CHUNK) if there else ():
        for key in keys_of(source, np.arange(start, min(start + CHUNK, source.rows)), order):
            if key in there:
                row = fixed.given[there[key]]
                shown = ", ".join(f"{name} = {row.cells[name]!s}" for name in order)
                raise Unsatisfiable(
                    f"{source.table.key}: {shown} is in the fixed row at {row.place} and in a generated one, and is "
                    "unique; give the fixed row other values, or a column of these a rule that leaves them out"
                )


def keys_of(source: Source, rows: Index, names: list[str]) -> list[tuple[Hashable, ...] | None]:
    """Return what rows hold in columns; None for a row with a NULL among them."""
    frame = source.frame(rows.astype(np.int64))
    columns = [frame[name] for name in names]
    null = np.logical_or.reduce([cells.null for cells in columns])
    keys = zip(*(marks(cells.values) for cells in columns), strict=True)
    return [None if none else key for key, none in zip(keys, null.tolist(), strict=True)]
