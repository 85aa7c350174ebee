"""Histories: states that follow from each other, in the columns of a row or in the rows of a parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.errors import Unsatisfiable
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.frames import Frame, Maker
from dbplan.seeding.rows.stream import Array, Index, bits, key, mixed, unit
from dbplan.seeding.rows.texts import coded
from dbplan.seeding.values.infer import Span

MOST = 32
"""Moves after which a row that has not come to rest does."""
MICRO = "datetime64[us]"
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Machine:
    """States by number, and the weight of every move; a move of a state to itself is to rest there."""

    states: tuple[str, ...]
    weights: Floats

    def number(self, state: str) -> int:
        """Return the number of a state."""
        return self.states.index(state)

    def named(self, numbers: Index) -> Any:
        """Return states by their names."""
        return coded(self.states, numbers)

    @property
    def still(self) -> Array:
        """Where no move leads elsewhere."""
        return np.asarray((self.weights - np.diag(np.diag(self.weights))).sum(axis=1) == 0)

    def trapped(self) -> list[str]:
        """Return the states from which no way leads to rest."""
        ends = self.still | (np.diag(self.weights) > 0)
        for _ in self.states:
            ends = ends | ((self.weights > 0) & ends[np.newaxis, :]).any(axis=1)
        return [state for state, free in zip(self.states, ends.tolist(), strict=True) if not free]

    def longest(self, start: int) -> int | None:
        """Return the most moves from a state to another one, None where they lead in a circle."""
        able: Any = np.zeros(len(self.states), dtype=bool)
        able[start] = True
        steps = (self.weights > 0) & ~np.eye(len(self.states), dtype=bool)
        for moves in range(len(self.states)):
            able = (steps & able[:, np.newaxis]).any(axis=0)
            if not able.any():
                return moves
        return None


def machine(moves: Mapping[str, Mapping[str, float]]) -> Machine:
    """Return the machine of moves by name; a state without moves is final."""
    states = tuple(dict.fromkeys([*moves, *(to for there in moves.values() for to in there)]))
    weights = np.zeros((len(states), len(states)))
    for state, there in moves.items():
        for to, weight in there.items():
            weights[states.index(state), states.index(to)] = weight
    return Machine(states, weights)


def path(made: Machine, start: int, stream: np.uint64, rows: Index) -> list[Index]:
    """Return the states that rows pass, step by step; -1 from where a row rests."""
    edges, still = _edges(made.weights), made.still
    at = np.full(len(rows), start, dtype=np.int64)
    visited, moving = [at], ~still[at]
    while moving.any() and len(visited) <= MOST:
        to = _next(edges, at, unit(_step(stream, rows, len(visited))))
        moving = moving & (to != at)
        visited.append(np.where(moving, to, -1))
        at = np.where(moving, to, at)
        moving = moving & ~still[at]
    return visited


def _edges(weights: Floats) -> Floats:
    """Return the cumulative weights of the moves of every state; a state without moves stays."""
    sums = weights.sum(axis=1, keepdims=True)
    stays = np.where(sums == 0, np.eye(len(weights)), weights)
    return np.cumsum(stays / np.where(sums == 0, 1.0, sums), axis=1)


def _next(edges: Floats, at: Index, share: Floats) -> Index:
    found = (share[:, np.newaxis] * edges[at, -1:] >= edges[at]).sum(axis=1)
    return np.asarray(np.minimum(found, edges.shape[1] - 1), dtype=np.int64)


def _step(stream: np.uint64, rows: Index, step: int) -> Any:
    return bits(mixed(np.array([stream]) + np.uint64(step))[0], rows)


def state(random_state: int, table: str, name: str, made: Machine, start: int) -> Maker:
    """Return a maker of the states in which rows rest."""
    stream = key(random_state, table, name)

    def make(frame: Frame) -> Cells:
        last = np.full(len(frame), start, dtype=np.int64)
        for there in path(made, start, stream, frame.rows):
            last = np.where(there >= 0, there, last)
        return present(made.named(last))

    return make


@dataclass(frozen=True)
class Passage:
    """When the moves of a row are: after `base`, before `within` is over, else before the end of the data."""

    base: str
    within: np.timedelta64 | None
    span: Span


def entered(
    random_state: int, table: str, name: str, made: Machine, start: int, wanted: Sequence[int], passage: Passage
) -> Maker:
    """Return a maker of the times at which rows came into one of the states `wanted` for the last time, else NULL."""
    stream = key(random_state, table, name)

    def make(frame: Frame) -> Cells:
        visited = path(made, start, stream, frame.rows)
        moves = sum((there >= 0).astype(np.int64) for there in visited) - 1
        step = np.full(len(frame), -1, dtype=np.int64)
        for number, there in enumerate(visited):
            step = np.where(np.isin(there, wanted), number, step)
        begin, room = _room(frame, passage, stream)
        jitter = unit(_step(stream, frame.rows * (MOST + 2) + step, MOST + 2)) * 0.9 + 0.05
        share = np.where(step > 0, (step - 1 + jitter) / np.maximum(moves, 1), 0.0)
        values = begin + (share * room + (step > 0)).astype("timedelta64[us]")
        return Cells(values, step < 0)

    return make


def _room(frame: Frame, passage: Passage, stream: np.uint64) -> tuple[Any, Floats]:
    """Return when the moves of rows may begin, and how many microseconds they have."""
    span = passage.span
    if passage.base:
        begin: Any = frame[passage.base].values.astype(MICRO)
    else:
        share = unit(_step(stream, frame.rows, MOST + 1))
        begin = span.start.astype(MICRO) + (share * _micros(span.end - span.start)).astype("timedelta64[us]")
    room = np.maximum(_micros(span.end - begin), 1.0)
    return begin, room if passage.within is None else np.full(len(frame), float(_micros(passage.within)))


def _micros(width: Any) -> Any:
    return width / np.timedelta64(1, "us")


def history(random_state: int, table: str, name: str, made: Machine, start: int, *, moved: bool) -> Maker:
    """Return a maker of the states that a parent's children hold one after the other, each move an allowed one.

    The first child holds the start, or, where it has `moved`, what follows it. A move is made only where as many
    others as there are children to come can follow it.
    """
    stream, lasting = key(random_state, table, name), _lasting(made)

    def make(frame: Frame) -> Cells:
        fan = frame.source.fan
        assert fan is not None
        parents, at = np.unique(fan.parent(frame.rows), return_inverse=True)
        first, size = fan.offsets[parents], np.diff(fan.offsets)[parents]
        rank = fan.rank(frame.rows)
        there = np.full(len(parents), start, dtype=np.int64)
        found = np.full(len(frame), start, dtype=np.int64)
        by_rank = np.argsort(rank, kind="stable")
        upto = np.searchsorted(rank[by_rank], np.arange(int(rank.max(initial=0)) + 2))
        for step in range(len(upto) - 1):
            if step or moved:
                left = np.clip(size - 1 - step, 0, len(lasting) - 1)
                there = _next_of(lasting, left, there, unit(bits(stream, first + step)))
            rows = by_rank[upto[step] : upto[step + 1]]
            found[rows] = there[at[rows]]
        return present(made.named(found))

    return make


def _lasting(made: Machine) -> Floats:
    """Return cumulative weights of the moves by how many moves are still to follow, then by state."""
    away = made.weights * ~np.eye(len(made.states), dtype=bool)
    able, found = np.ones(len(made.states), dtype=bool), []
    for _ in range(len(made.states) + 1):
        allowed = away * able[np.newaxis, :]
        found.append(_edges(allowed))
        able = allowed.sum(axis=1) > 0
    return np.stack(found)


def _next_of(lasting: Floats, left: Index, at: Index, share: Floats) -> Index:
    edges = lasting[left, at]
    found = (share[:, np.newaxis] * edges[:, -1:] >= edges).sum(axis=1)
    return np.asarray(np.minimum(found, edges.shape[1] - 1), dtype=np.int64)


def refuse_long(counts: Index, most: int | None, label: str) -> None:
    """Refuse more children of a parent than there are moves."""
    if most is not None and counts.size and counts.max() > most:
        raise Unsatisfiable(
            f"{label}: moves from the start come to an end after {most} rows at most, and a parent has "
            f"{int(counts.max()):,}; say children = {{ max = {most} }}, or ask for fewer rows"
        )


def after_latest(
    random_state: int, table: str, name: str, bases: Sequence[str], within: np.timedelta64 | None, span: Span
) -> Maker:
    """Return a maker of times after the first of other columns, the latest first, that is not NULL."""
    stream = key(random_state, table, name)

    def make(frame: Frame) -> Cells:
        start = np.full(len(frame), span.start.astype(MICRO))
        for base in reversed(bases):
            cells = frame[base]
            start = np.where(cells.null, start, _times(cells))
        room = np.maximum(_micros(span.end - start), 1.0) if within is None else float(_micros(within))
        share = unit(bits(stream, frame.rows)) ** 2
        return present(start + (1 + share * np.maximum(room - 1, 1)).astype("timedelta64[us]"))

    return make


def _times(cells: Cells) -> Array:
    """Return times, anything under a NULL."""
    values: Any = np.zeros(len(cells), dtype=MICRO)
    there = np.flatnonzero(~cells.null)
    values[there] = cells.values[there].astype(MICRO)
    return np.asarray(values)
