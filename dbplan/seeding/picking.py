"""Which parent a row has: along the lead, one to one, among those of its own group, or at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dbplan.errors import Unsatisfiable
from dbplan.seeding.frames import Frame, Picker
from dbplan.seeding.keys import apart
from dbplan.seeding.makers import digit
from dbplan.seeding.references import Reference
from dbplan.seeding.stream import Array, Index, below, bits, key, permuted, unit

if TYPE_CHECKING:
    from dbplan.seeding.world import Builder

CHILDLESS = 0.1


def picker(builder: Builder, place: int, reference: Reference) -> Picker:
    """Return the function that gives every row its parent's row, -1 for none."""
    source, name = builder.source, "+".join(reference.own)
    how = builder.keys.references.get(reference.own, "")
    if reference is source.lead:
        return lambda frame: source.fan.parent(frame.rows) if source.fan is not None else frame.rows
    if not reference.own:
        return lambda frame: np.full(len(frame), -1, dtype=np.int64)
    if reference.given:
        return _Grouped(builder, reference, how)
    if reference.parent == builder.name:
        return _earlier(builder, reference, how)
    if how == "within":
        return _within(builder, reference)
    if how == "digit":
        digits = builder.keys.reference_digits[reference.own]
        pick = digit(builder.world.random_state, builder.name, digits.names, digits.sizes, digits.place)
        return lambda frame: pick(frame.rows)
    size, stream = builder.world.rows[reference.parent], key(builder.world.random_state, builder.name, name)
    if how == "distinct":
        return _none_where_asked(builder, reference, lambda frame: permuted(stream, frame.rows, size))
    return _anywhere(builder, reference, size)


def _none_where_asked(builder: Builder, reference: Reference, pick: Picker) -> Picker:
    """Leave out a unique reference as often as the recipe asks; where it asks nothing, each row has one."""
    rules = [builder.world.recipe.column(builder.name, c) for c in reference.own]
    if not any("null" in rule for rule in rules):
        return pick
    share = _share(builder, reference)
    stream = key(builder.world.random_state, builder.name, "+".join(reference.own), "null")
    return lambda frame: np.where(unit(bits(stream, frame.rows)) < share, -1, pick(frame))


def _share(builder: Builder, reference: Reference) -> float:
    """Return how often a reference is NULL."""
    rules = [builder.world.recipe.column(builder.name, c) for c in reference.own]
    given = next((float(rule["null"]) for rule in rules if "null" in rule), None)
    required = any(builder.facts.limit(c).required or builder.table.columns[c].primary_key for c in reference.own)
    if not reference.nullable or required:
        return 0.0
    return given if given is not None else CHILDLESS


def _anywhere(builder: Builder, reference: Reference, size: int) -> Picker:
    state, name, null = builder.world.random_state, "+".join(reference.own), _share(builder, reference)

    def pick(frame: Frame) -> Index:
        attempt = frame.attempt(reference.own[0])
        rows = below(bits(key(state, builder.name, name, attempt), frame.rows), size)
        share = null if not attempt or not null else 0.5
        return np.where(unit(bits(key(state, builder.name, name, "null", attempt), frame.rows)) < share, -1, rows)

    return pick


def _within(builder: Builder, reference: Reference) -> Picker:
    """Pick parents that differ among the children of one lead parent (and, where a CHECK asks, from it)."""
    source, size = builder.source, builder.world.rows[reference.parent]
    lead = source.lead
    assert lead is not None
    stream = key(builder.world.random_state, builder.name, "+".join(reference.own))
    separate = apart(builder, lead, reference)

    def pick(frame: Frame) -> Index:
        assert source.fan is not None
        parents, rank = source.fan.parent(frame.rows), source.fan.rank(frame.rows)
        if separate:
            turn = (below(bits(stream, parents), size - 1) + rank) % (size - 1)
            return (parents + 1 + turn) % size
        return (below(bits(stream, parents), size) + rank) % size

    return pick


def _earlier(builder: Builder, reference: Reference, how: str) -> Picker:
    """Pick a row of the same table that comes before; the first row has none, or itself where it must have one."""
    state, name, null = builder.world.random_state, "+".join(reference.own), _share(builder, reference)
    stream = key(state, builder.name, name)

    if how:
        least = 1 if null or reference.nullable else 0
        return _none_where_asked(builder, reference, lambda frame: frame.rows - least)

    def pick(frame: Frame) -> Index:
        rows = frame.rows
        before = (unit(bits(stream, rows)) * rows).astype(np.int64)
        none = (rows == 0) | (unit(bits(key(state, builder.name, name, "null"), rows)) < null)
        return np.where(none, -1, before) if reference.nullable else before

    return pick


class _Grouped:
    """Picks a parent that agrees with the columns already decided, such as one of the same tenant."""

    def __init__(self, builder: Builder, reference: Reference, how: str) -> None:
        self.builder, self.reference, self.how = builder, reference, how
        self.inside = reference.parent == builder.name
        self._sorted: tuple[Array, Index, Index, Index] | None = None

    def groups(self) -> tuple[Array, Index, Index, Index]:
        """Return the parents' group keys, and where each group starts and how many rows it has in the sorted rows."""
        if self._sorted is None:
            parent = self.builder.world.sources[self.reference.parent]
            rows = np.arange(parent.rows, dtype=np.int64)
            frame = parent.frame(rows)
            marks = _marks([frame[self.reference.target(c)].values for c in self.reference.given])
            order = np.argsort(marks, kind="stable").astype(np.int64)
            found, starts, sizes = np.unique(marks[order], return_index=True, return_counts=True)
            self._sorted = found, order, starts.astype(np.int64), sizes.astype(np.int64)
        return self._sorted

    def __call__(self, frame: Frame) -> Index:
        found, order, starts, sizes = self.groups()
        wanted = _marks([frame[c].values for c in self.reference.given])
        group = np.clip(np.searchsorted(found, wanted), 0, len(found) - 1)
        size = np.where(found[group] == wanted, sizes[group], 0)
        if self.inside:
            size = _before(order, starts[group], size, frame.rows)
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
        reference, null = self.reference, _share(self.builder, self.reference)
        if (size > 0).all() and not null:
            return picked
        if self.inside and not reference.nullable:
            return np.where(size > 0, picked, frame.rows)
        if not reference.nullable:
            raise Unsatisfiable(
                f"{self.builder.name}: a row needs a parent in {reference.parent} with the same "
                f"{', '.join(reference.given)}, and some have none; ask for more rows of {reference.parent}"
            )
        stream = key(self.builder.world.random_state, self.builder.name, "+".join(reference.own), "null")
        return np.where((size == 0) | (unit(bits(stream, frame.rows)) < null), -1, picked)


def _before(order: Index, starts: Index, sizes: Index, rows: Index) -> Index:
    """Return how many rows of each row's own group come before it."""
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return np.asarray(np.minimum(places[rows] - starts, sizes).clip(min=0))


def _marks(columns: list[Array]) -> Array:
    if len(columns) == 1:
        return columns[0] if columns[0].dtype.kind != "O" else columns[0].astype(str)
    return np.array(["\0".join(map(str, row)) for row in zip(*(c.tolist() for c in columns), strict=True)])
