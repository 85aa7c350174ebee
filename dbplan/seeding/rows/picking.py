"""Which parent a row has: along the lead, one to one, among those of its own group, or at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import types as sa

from dbplan.errors import Unsatisfiable
from dbplan.seeding.constraints.keys import apart
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.rows.frames import Frame, Picker, Source
from dbplan.seeding.rows.makers import digit
from dbplan.seeding.rows.stream import Array, Index, below, bits, key, permuted, unit
from dbplan.seeding.rows.texts import UuidTexts
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

CHILDLESS = 0.1
PATIENCE = 32
"""Attempts in which only parents are picked that are there by then."""


def picker(builder: Builder, place: int, reference: Reference) -> Picker:
    """Return the function that gives every row its parent's row, -1 for none."""
    source, name = builder.source, "+".join(reference.own)
    how = builder.keys.references.get(reference.own, "")
    if reference is source.lead:
        return lambda frame: source.fan.parent(frame.rows) if source.fan is not None else frame.rows
    if not reference.own:
        return lambda frame: np.full(len(frame), -1, dtype=np.int64)
    if reference.given:
        return Grouped(builder, place, reference, how)
    if reference.parent == builder.name:
        return _earlier(builder, place, reference, how)
    if how == "within":
        return _within(builder, place, reference)
    if how == "digit":
        digits = builder.keys.reference_digits[reference.own]
        pick = digit(builder.world.random_state, builder.name, digits.names, digits.sizes, digits.place)
        return lambda frame: pick(frame.rows)
    size, stream = builder.world.rows[reference.parent], key(builder.world.random_state, builder.name, name)
    if how == "distinct":
        return _none_where_asked(builder, reference, lambda frame: permuted(stream, frame.rows, size))
    return _anywhere(builder, place, reference)


def _none_where_asked(builder: Builder, reference: Reference, pick: Picker) -> Picker:
    """Leave out a unique reference as often as the recipe asks; where it asks nothing, each row has one."""
    rules = [builder.world.recipe.column(builder.name, c) for c in reference.own]
    if not any("null" in rule for rule in rules):
        return pick
    share = share_of_none(builder, reference)
    stream = key(builder.world.random_state, builder.name, "+".join(reference.own), "null")
    return lambda frame: np.where(unit(bits(stream, frame.rows)) < share, -1, pick(frame))


def share_of_none(builder: Builder, reference: Reference) -> float:
    """Return how often a reference is NULL."""
    rules = [builder.world.recipe.column(builder.name, c) for c in reference.own]
    given = next((float(rule["null"]) for rule in rules if "null" in rule), None)
    required = any(builder.facts.limit(c).required or builder.table.columns[c].primary_key for c in reference.own)
    if not reference.nullable or required:
        return 0.0
    return given if given is not None else CHILDLESS


def _anywhere(builder: Builder, place: int, reference: Reference) -> Picker:
    source, parent = builder.source, builder.world.sources[reference.parent]
    state, name, null = builder.world.random_state, "+".join(reference.own), share_of_none(builder, reference)

    def pick(frame: Frame) -> Index:
        attempt = frame.attempt(reference.own[0])
        random = bits(key(state, builder.name, name, attempt), frame.rows)
        if place in source.earlier and attempt < PATIENCE:
            rows = _there(parent, unit(random), frame[source.timed].values, none=reference.nullable)
        else:
            rows = below(random, parent.rows)
        share = null if not attempt or not null else 0.5
        return np.where(unit(bits(key(state, builder.name, name, "null", attempt), frame.rows)) < share, -1, rows)

    return pick


def _there(parent: Source, share: Array, times: Array, *, none: bool) -> Index:
    """Pick parents among those that are there at times; none, or the first one, where there is none yet."""
    order, count = parent.by_time()[0], parent.there(times)
    rows = order[(share * count).astype(np.int64)]
    return np.where(count > 0, rows, -1) if none else rows


def _within(builder: Builder, place: int, reference: Reference) -> Picker:
    """Pick parents that differ among the children of one lead parent (and, where a CHECK asks, from it)."""
    source, size = builder.source, builder.world.rows[reference.parent]
    lead = source.lead
    assert lead is not None
    stream = key(builder.world.random_state, builder.name, "+".join(reference.own))
    separate = apart(builder, lead, reference)

    def pick(frame: Frame) -> Index:
        assert source.fan is not None
        parents, rank = source.fan.parent(frame.rows), source.fan.rank(frame.rows)
        if place in source.ascending:
            return _ascending(builder, reference, frame, unit(bits(stream, frame.rows)), apart=separate)
        if separate:
            turn = (below(bits(stream, parents), size - 1) + rank) % (size - 1)
            return (parents + 1 + turn) % size
        return (below(bits(stream, parents), size) + rank) % size

    return pick


def _ascending(builder: Builder, reference: Reference, frame: Frame, share: Array, *, apart: bool) -> Index:
    """Pick parents one after the other in time, from the lead's own time on where there are enough of them."""
    source, parent = builder.source, builder.world.sources[reference.parent]
    assert source.fan is not None
    assert source.lead is not None
    lead = builder.world.sources[source.lead.parent]
    order = parent.by_time()[0]
    leads, rank, count = source.fan.parent(frame.rows), source.fan.rank(frame.rows), source.fan.size(frame.rows)
    begin = np.zeros(len(frame), dtype=np.int64)
    if source.follows:
        begin = parent.there(lead.frame(leads)[lead.timed].values)
    begin = np.minimum(begin, parent.rows - apart - count).clip(min=0)
    room = parent.rows - apart - begin
    first, following = begin + rank * room // count, begin + (rank + 1) * room // count
    at = first + (share * (following - first)).astype(np.int64)
    if apart:
        own = np.argsort(order)[leads]
        at = at + (at >= own)
    return np.asarray(order[at])


def _earlier(builder: Builder, place: int, reference: Reference, how: str) -> Picker:
    """Pick a row of the same table that comes before; the first row has none, or itself where it must have one."""
    source = builder.source
    state, name, null = builder.world.random_state, "+".join(reference.own), share_of_none(builder, reference)

    if how:
        least = 1 if null or reference.nullable else 0
        return _none_where_asked(builder, reference, lambda frame: _before_it(source, place, frame.rows, least))

    def pick(frame: Frame) -> Index:
        rows, first = frame.rows, _first(source, place, frame.rows)
        again = [attempt] if (attempt := frame.attempt(reference.own[0])) else []
        before = first + (unit(bits(key(state, builder.name, name, *again), rows)) * (rows - first)).astype(np.int64)
        share = 0.5 if again and null else null
        none = (rows == first) | (unit(bits(key(state, builder.name, name, "null", *again), rows)) < share)
        return np.where(none, -1, before) if reference.nullable else before

    return pick


def _before_it(source: Source, place: int, rows: Index, least: int) -> Index:
    return np.where(rows >= _first(source, place, rows) + least, rows - least, -1)


def _first(source: Source, place: int, rows: Index) -> Index:
    """Return the first row that a reference into the table itself may lead to."""
    if place not in source.inside or source.fan is None:
        return np.zeros(len(rows), dtype=np.int64)
    return rows - source.fan.rank(rows)


class Grouped:
    """Picks a parent that agrees with the columns already decided, such as one of the same tenant."""

    def __init__(self, builder: Builder, place: int, reference: Reference, how: str) -> None:
        self.builder, self.reference, self.how = builder, reference, how
        self.place, self.parent = place, builder.world.sources[reference.parent]
        self.inside = reference.parent == builder.name
        self.kinds = [self.parent.table.columns[reference.target(name)].type for name in reference.given]
        self._sorted: tuple[Array, Index, Index, Index] | None = None
        self._places: Index | None = None

    def forget(self) -> None:
        """Let go of the parents' groups, which are other ones now."""
        self._sorted = self._places = None

    def groups(self) -> tuple[Array, Index, Index, Index]:
        """Return the parents' group keys, and where each group starts and how many rows it has in the sorted rows."""
        if self._sorted is None:
            parent = self.parent
            rows = np.arange(parent.rows, dtype=np.int64)
            frame = parent.frame(rows)
            marks = _marks([frame[self.reference.target(c)].values for c in self.reference.given], self.kinds)
            by_time = parent.by_time()[0] if self.early else rows
            order = by_time[np.argsort(marks[by_time], kind="stable")].astype(np.int64)
            found, starts, sizes = np.unique(marks[order], return_index=True, return_counts=True)
            self._sorted = found, order, starts.astype(np.int64), sizes.astype(np.int64)
        return self._sorted

    @property
    def early(self) -> bool:
        """Whether parents are picked among those that are there when the row comes."""
        return self.place in self.builder.source.earlier

    def group(self, frame: Frame) -> tuple[Index, Index]:
        """Return the group of every row and its size."""
        found, _, _, sizes = self.groups()
        wanted = _marks([frame[c].values for c in self.reference.given], self.kinds)
        group = np.searchsorted(found, wanted).clip(max=len(found) - 1).astype(np.int64)
        return group, np.where(found[group] == wanted, sizes[group], 0)

    def begin(self, frame: Frame, some: int) -> Array:
        """Return when the group's first parent is there, or one after it."""
        _, order, starts, _ = self.groups()
        group, size = self.group(frame)
        rows = order[starts[group] + np.minimum(some, np.maximum(size - 1, 0))]
        return np.asarray(self.parent.frame(rows)[self.parent.timed].values)

    def there(self, frame: Frame, group: Index, size: Index) -> Index:
        """Return how many parents of the group are there when the row comes; the first one where one is needed."""
        _, order, starts, sizes = self.groups()
        if self._places is None:
            places = np.empty(len(order), dtype=np.int64)
            places[self.parent.by_time()[0]] = np.arange(len(order))
            self._places = np.repeat(np.arange(len(sizes)), sizes) * len(order) + places[order]
        count = self.parent.there(frame[self.builder.source.timed].values)
        before = np.searchsorted(self._places, group * len(order) + count) - starts[group]
        least = 0 if self.reference.nullable else 1
        return np.asarray(np.minimum(np.maximum(before, least), size))

    def __call__(self, frame: Frame) -> Index:
        """Return the parent's row of every row."""
        _, order, starts, _ = self.groups()
        group, size = self.group(frame)
        if self.inside:
            size = _before(order, starts[group], size, frame.rows)
        elif self.early and frame.attempt(self.reference.own[0]) < PATIENCE:
            size = self.there(frame, group, size)
        picked = order[np.minimum(starts[group] + self.offset(frame, size), len(order) - 1)]
        return self.settled(frame, picked, size)

    def offset(self, frame: Frame, size: Index) -> Index:
        """Return the place inside the group."""
        builder, name = self.builder, "+".join(self.reference.own)
        fan = builder.source.fan
        again = [attempt] if (attempt := frame.attempt(self.reference.own[0])) else []
        stream = key(builder.world.random_state, builder.name, name, *again)
        if self.how == "within" and fan is not None:
            if (fan.rank(frame.rows) >= size).any():
                raise Unsatisfiable(f"{builder.name}: {self.reference.label} has too few parents in one group")
            return (fan.rank(frame.rows) + below(bits(stream, fan.parent(frame.rows)), 2**31)) % np.maximum(size, 1)
        return (unit(bits(stream, frame.rows)) * size).astype(np.int64)

    def settled(self, frame: Frame, picked: Index, size: Index) -> Index:
        """Return the parents, none where the group is empty."""
        reference, null = self.reference, share_of_none(self.builder, self.reference)
        if (size > 0).all() and not null:
            return picked
        if self.inside and not reference.nullable:
            return np.where(size > 0, picked, frame.rows)
        if not reference.nullable:
            raise Unsatisfiable(
                f"{self.builder.name}: a row needs a parent in {reference.parent} with the same "
                f"{', '.join(reference.given)}, and {np.count_nonzero(size <= 0):,} of {len(size):,} have none; "
                f"ask for more rows of {reference.parent}"
            )
        stream = key(self.builder.world.random_state, self.builder.name, "+".join(reference.own), "null")
        return np.where((size == 0) | (unit(bits(stream, frame.rows)) < null), -1, picked)


def _before(order: Index, starts: Index, sizes: Index, rows: Index) -> Index:
    """Return how many rows of each row's own group come before it."""
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return np.asarray(np.minimum(places[rows] - starts, sizes).clip(min=0))


def _marks(columns: list[Any], kinds: list[Any]) -> Array:
    """Return one value for the columns of every row, equal where all of them are."""
    if len(columns) == 1 and columns[0].dtype.kind != "O":
        return np.asarray(columns[0])
    parts = [_bytes(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    if all(part is not None for part in parts):
        joined = np.ascontiguousarray(np.hstack(parts))
        return joined.view(f"S{joined.shape[1]}").ravel()
    if len(columns) == 1:
        return np.asarray(columns[0].astype(str))
    return np.array(["\0".join(map(str, row)) for row in zip(*(c.tolist() for c in columns), strict=True)])


def _bytes(values: Any, kind: Any) -> Any:
    """Return whole numbers and UUIDs as bytes, a row each; None for anything else."""
    if isinstance(values, UuidTexts):
        return values.raw
    if values.dtype.kind in "iu":
        return values.astype(">i8").view(np.uint8).reshape(-1, 8)
    if isinstance(generic(kind), sa.Uuid) and all(isinstance(value, str) for value in values.tolist()):
        return np.frombuffer(bytes.fromhex("".join(values.tolist())), dtype=np.uint8).reshape(-1, 16)
    return None
