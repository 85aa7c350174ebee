"""Makers: how the cells of one column come about, each a function of a frame."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
from sqlalchemy import types as sa

from dbplan.seeding.constraints.predicate import Expression, in_days
from dbplan.seeding.rows.cells import Cells, absent, chosen, day_after, present
from dbplan.seeding.rows.clearance import clear
from dbplan.seeding.rows.frames import Frame, Maker, Source
from dbplan.seeding.rows.stream import Array, Index, below, bits, key, mixed, permuted, unit
from dbplan.seeding.values.domains import Choice, Domain, Moments, as_array, uuid_texts
from dbplan.seeding.values.infer import Span
from dbplan.seeding.values.people import Person, named

MICRO = "datetime64[us]"
Held = Mapping[Hashable, int]
UNHELD: Held = MappingProxyType({})


def drawn(random_state: int, table: str, name: str, domain: Domain, null: float, hints: Sequence[Any] = ()) -> Maker:
    """Return a maker of random cells; drawn again, it also tries the literals of the CHECKs and NULL."""

    def make(frame: Frame) -> Cells:
        attempt = frame.attempt(name)
        if isinstance(domain, Person) and not attempt:
            values = person_of(random_state, table, domain, frame)
        else:
            values = domain.draw(bits(key(random_state, table, name, attempt), frame.rows))
        if attempt and hints:
            values = _hinted(values, hints, bits(key(random_state, table, name, "hint", attempt), frame.rows))
        return Cells(values, emptied(random_state, table, name, frame.rows, _share(null, attempt), attempt))

    return make


def _of_people(random_state: int, table: str, domain: Person) -> np.uint64:
    return key(random_state, table, domain.who, "person")


def person_of(random_state: int, table: str, domain: Person, frame: Frame) -> Array:
    """Return a part of the person of every row, the same person for all columns that tell of one."""
    source, stream = frame.source, _of_people(random_state, table, domain)
    held = source.people.get(domain.who, UNHELD)
    roomy = domain.roomy(source.rows + len(held))
    if domain.who not in frame.known:
        index = clear(lambda rows: permuted(stream, rows, roomy.size), frame.rows, held, beyond=source.rows)
        frame.known[domain.who] = index, named(index, roomy.size, domain.locale)
    index, names = frame.known[domain.who]
    return roomy.of(names, index)


def emptied(random_state: int, table: str, name: str, rows: Index, share: float, attempt: int = 0) -> Array:
    """Return where a column is NULL, as often as `share` says."""
    if share <= 0.0:
        return np.zeros(len(rows), dtype=bool)
    return unit(bits(key(random_state, table, name, "null", attempt), rows)) < share


def _share(null: float, attempt: int) -> float:
    return null if not attempt or null in (0.0, 1.0) else 0.5


def _hinted(values: Array, hints: Sequence[Any], random: Any) -> Array:
    usable = [hint for hint in hints if _fits(hint, values)]
    if not usable:
        return values
    picked = as_array([usable[i] for i in below(random, len(usable)).tolist()])
    if values.dtype.kind in "iuf" and picked.dtype.kind in "iuf":
        nudge = below(mixed(random), 5) - 2
        picked = picked + np.where(np.abs(nudge) < 2, nudge, np.sign(nudge) * below(random, 100))
    take = (random & np.uint64(1)) == 0
    return np.where(take, picked.astype(values.dtype), values)


def _fits(hint: Any, values: Array) -> bool:
    if values.dtype.kind in "iuf":
        return isinstance(hint, int | float) and not isinstance(hint, bool)
    return values.dtype.kind == "O" and isinstance(hint, str)


def distinct(random_state: int, table: str, name: str, domain: Domain, null: float, held: Held = UNHELD) -> Maker:
    """Return a maker of cells that are all different: a permutation of the row picks the value."""
    stream, capacity = key(random_state, table, name), domain.capacity

    def make(frame: Frame) -> Cells:
        if isinstance(domain, Person):
            values = person_of(random_state, table, domain, frame)
        else:
            values = clear(
                lambda rows: domain.nth(permuted(stream, rows, capacity)), frame.rows, held, beyond=frame.source.rows
            )
        return Cells(values, emptied(random_state, table, name, frame.rows, null))

    return make


def digit(random_state: int, table: str, names: tuple[str, ...], sizes: tuple[int, ...], place: int) -> Any:
    """Return a function of rows: one digit of a permuted row number in mixed radix; all digits together differ."""
    stream, total, below_it = key(random_state, table, *names), prod(sizes), prod(sizes[:place])

    def pick(rows: Index) -> Index:
        return np.asarray(permuted(stream, rows, total) // below_it % sizes[place])

    return pick


def within(random_state: int, table: str, name: str, domain: Domain, counted: bool) -> Maker:
    """Return a maker of cells that differ among the children of one parent: the rank picks the value."""
    stream = key(random_state, table, name)

    def make(frame: Frame) -> Cells:
        fan = frame.source.fan
        assert fan is not None
        rank, capacity = fan.rank(frame.rows), domain.capacity
        if counted:
            return present(domain.nth(rank % capacity))
        start = below(bits(stream, fan.parent(frame.rows)), capacity)
        return present(domain.nth(permuted(stream, (rank + start) % capacity, capacity)))

    return make


def serial(first: int) -> Maker:
    """Return a maker of whole numbers in the order in which rows are written."""
    return lambda frame: present(frame.source.position(frame.rows) + np.int64(first))


def uuid_by_time(random_state: int, table: str, name: str, span: Span, held: Held = UNHELD) -> Maker:
    """Return a maker of UUIDs of version 7 that sort by the row's own time, else by the order of writing."""
    stream = key(random_state, table, name)

    def make(frame: Frame) -> Cells:
        micros = _micros(frame, span)
        high = ((micros // 1000) << 16) | (micros % 1000 * 4096 // 1000)
        low = clear(lambda rows: permuted(stream, rows, 2**62), frame.rows, held, beyond=frame.source.rows)
        return present(uuid_texts(high.astype(np.uint64), low.astype(np.uint64), version=7))

    return make


def _micros(frame: Frame, span: Span) -> Index:
    if frame.source.timed:
        return np.asarray(frame[frame.source.timed].values.astype(MICRO).astype(np.int64))
    width = int((span.end - span.start) / np.timedelta64(1, "us"))
    share = (frame.source.position(frame.rows) + 0.5) / max(1, frame.source.rows)
    return np.asarray(span.start.astype(MICRO).astype(np.int64) + (share * width).astype(np.int64))


def copied(place: int, parent: Source, target: str, *, always: bool = False) -> Maker:
    """Return a maker of the parent's key: the child computes it again.

    With `always`, a row without a parent holds what some other one has: of a key of several columns, one NULL is
    enough for it to lead nowhere, and the rest may be NOT NULL.
    """

    def make(frame: Frame) -> Cells:
        rows = frame.parent(place)
        if always and parent.rows:
            rows = np.where(rows < 0, mixed(frame.rows.astype(np.uint64)) % np.uint64(parent.rows), rows)
            rows = rows.astype(np.int64)
        there = np.flatnonzero(rows >= 0)
        if not there.size:
            return absent(len(rows))
        # of the parents that there are alone: in its own table, a row without one ends the search for earlier ones
        cells = parent.frame(rows[there])[target]
        at = np.zeros(len(rows), dtype=np.int64)
        at[there] = np.arange(there.size)
        return Cells(cells.values[at], cells.null[at] | (rows < 0))

    return make


def after(
    random_state: int, table: str, name: str, base: str, within: np.timedelta64 | None, span: Span, null: float
) -> Maker:
    """Return a maker of times after another column of the row: by `within`, or before the end of the data."""

    def make(frame: Frame) -> Cells:
        attempt = frame.attempt(name)
        random = unit(bits(key(random_state, table, name, attempt), frame.rows))
        cells = frame[base]
        start: Any = np.where(cells.null, span.start, cells.values).astype(MICRO)
        room = (span.end - start) / np.timedelta64(1, "us") if within is None else within / np.timedelta64(1, "us")
        values = start + (1 + random**2 * np.maximum(room - 1, 1)).astype("timedelta64[us]")
        return Cells(values, emptied(random_state, table, name, frame.rows, _share(null, attempt), attempt))

    return make


def constant(value: Any) -> Maker:
    """Return a maker of one value."""
    only = Choice((value,))
    return lambda frame: (
        absent(len(frame)) if value is None else present(only.nth(np.zeros(len(frame), dtype=np.int64)))
    )


def computed(expression: Expression, kind: Any) -> Maker:
    """Return a maker of an SQL expression over the row's other columns, for a column of a type."""
    return lambda frame: fitted(expression.cells(lambda name: frame[name], len(frame)), kind)


def fitted(cells: Cells, kind: Any) -> Cells:
    """Return what was computed as a column of a type has it: whole numbers rounded, between dates numbers of days."""
    values = in_days(cells.values) if isinstance(kind, sa.Integer | sa.Numeric) else cells.values
    if isinstance(kind, sa.Integer) and values.dtype.kind == "f":
        values = np.round(values).astype(np.int64)
    return cells if values is cells.values else Cells(values, cells.null)


def whole_days(maker: Maker) -> Maker:
    """Return the maker with times moved to the start of the next day: what is after a day is not on it."""

    def make(frame: Frame) -> Cells:
        cells = maker(frame)
        return Cells(day_after(cells.values), cells.null) if cells.values.dtype.kind == "M" else cells

    return make


NOISE = 1e-9
"""What doubles are off by, and no column of the usual scales tells apart."""


def rounded(maker: Maker, scale: int) -> Maker:
    """Return the maker with numbers rounded to the column's scale.

    What a sum of doubles is off by stays: a CHECK that SQLite computes in doubles is off by the same.
    """

    def make(frame: Frame) -> Cells:
        cells = maker(frame)
        if cells.values.dtype.kind != "f":
            return cells
        near = np.round(cells.values, scale)
        return Cells(np.where(np.abs(near - cells.values) < NOISE, cells.values, near), cells.null)

    return make


def only_when(maker: Maker, condition: Expression) -> Maker:
    """Return the maker with NULL wherever the condition does not hold."""

    def make(frame: Frame) -> Cells:
        cells = maker(frame)
        return Cells(cells.values, cells.null | ~condition.true(lambda name: frame[name], len(frame)))

    return make


def by_case(cases: Sequence[tuple[Expression | None, Maker]]) -> Maker:
    """Return a maker that takes the first case whose condition holds; a case without one always does."""

    def make(frame: Frame) -> Cells:
        result = absent(len(frame))
        for condition, maker in reversed(cases):
            cells = maker(frame)
            read = np.ones(len(frame), bool) if condition is None else condition.true(lambda n: frame[n], len(frame))
            result = chosen(read, cells, result)
        return result

    return make


def level(random_state: int, table: str, name: str, low: int, high: int, cycle: int) -> Maker:
    """Return a maker of levels, not steps: down through `cycle` strata of [low, high], then up again.

    A level is a function of (parent, rank) alone, so that any row knows the level before it without a running sum.
    """
    stream, height = key(random_state, table, name), max(1, (high - low) // cycle)

    def make(frame: Frame) -> Cells:
        fan = frame.source.fan
        assert fan is not None
        stratum = cycle - 1 - fan.rank(frame.rows) % cycle
        return present(low + 1 + stratum * height + below(bits(stream, frame.rows), height))

    return make


def previous(column: str, first: Any) -> Maker:
    """Return a maker of another column's value in the parent's child before this one."""

    def make(frame: Frame) -> Cells:
        fan = frame.source.fan
        assert fan is not None
        begins = fan.rank(frame.rows) == 0
        rows = np.where(begins, frame.rows, frame.rows - 1)
        fan.known(rows, fan.parent(frame.rows))
        before = frame.source.frame(rows)[column]
        return chosen(begins, constant(first)(frame), before)

    return make


def last(child: Source, column: str, empty: Any) -> Maker:
    """Return a maker of a column of the parent's last child, or `empty` where there is no child."""

    def make(frame: Frame) -> Cells:
        assert child.fan is not None
        ends = child.fan.offsets[frame.rows + 1]
        none = ends == child.fan.offsets[frame.rows]
        cells = child.frame(np.where(none, 0, ends - 1))[column]
        return chosen(none, constant(empty)(frame), cells)

    return make


def between(domain: Domain, start: Any, end: Any) -> Domain:
    """Return the domain of moments cut to a recipe's min and max."""
    if not isinstance(domain, Moments):
        return domain
    return Moments(start or domain.start, end or domain.end, domain.step)
