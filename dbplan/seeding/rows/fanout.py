"""Fan-out: how many children each parent has, and in what order they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from dbplan.errors import Unsatisfiable
from dbplan.seeding.rows.laws import normal, pareto, poisson, quantiles, with_mean
from dbplan.seeding.rows.stream import Index, bits, key, permuted, unit

STEEPNESS = 1.5
"""Exponent of the bounded Pareto law of "skewed": a few parents have many children, most have few."""
LARGEST = 30.0
FINE = 4096
"""Mean number of children from which on they are counted in bundles: nobody sees one more or less."""
COUNTED = ("fixed", "poisson", "pareto")
"""Shapes in which the children of a parent are counted; in the others, all children are shared out."""


@dataclass(frozen=True)
class Shape:
    """How children are spread over parents, as a recipe says it."""

    name: str = "skewed"
    mean: float | None = None
    alpha: float = STEEPNESS
    """Exponent of "pareto": the smaller, the heavier the parents with many children."""
    s: float = 1.0
    """Exponent of "zipf": the parent in place r has 1 / r^s of the children that the first has."""
    least: int = 0
    most: int | None = None
    none: float = 0.0
    """Share of the parents that have no children; all others have one at least, and what is said is of them."""

    def rows(self, parents: int) -> int:
        """Return how many children so many parents have together."""
        assert self.mean is not None
        return max(1, round(self.mean * self.having(parents)))

    def having(self, parents: int) -> int:
        """Return how many of so many parents have children."""
        return parents if not self.none else max(1, parents - round(self.none * parents))


def shape_of(children: Mapping[str, Any], room: int | None = None) -> Shape:
    """Return what a recipe says of `children`, no more of them than uniques leave room for."""
    said = {"shape": "name", "min": "least", "max": "most"}
    made = Shape(**{said.get(key, key): value for key, value in children.items()})
    made = replace(made, least=max(made.least, 1)) if made.none else made
    most = [end for end in (made.most, room) if end is not None]
    return replace(made, most=min(most) if most else None)


GUIDED = 2_000
"""Parents from which a guide is quicker than a search."""
STEPS = 3
RECENT = 3
"""Sets of rows whose parents are kept."""


@dataclass(frozen=True)
class Fan:
    """Children stand in blocks, parent after parent: those of parent p are the rows offsets[p] to offsets[p + 1]."""

    offsets: Index
    _recent: list[tuple[Index, Index]] = field(default_factory=list, repr=False, compare=False)

    def parent(self, rows: Index) -> Index:
        """Return the parent of every row; all columns of a frame ask for the same rows, which are looked up once."""
        for asked, found in self._recent:
            if asked is rows:
                return found
        few = len(self.offsets) <= GUIDED
        found = np.searchsorted(self.offsets, rows, side="right").astype(np.int64) - 1 if few else self._found(rows)
        return self.known(rows, found)

    def known(self, rows: Index, parents: Index) -> Index:
        """Keep the parents of rows for who asks next."""
        self._recent[:] = [(rows, parents), *self._recent[: RECENT - 1]]
        return parents

    def _found(self, rows: Index) -> Index:
        """Look parents up: from the first one of a stretch of rows a few steps on, which is quicker than a search."""
        shift, starts = self._guide
        found, left = starts[rows >> shift], np.arange(len(rows))
        for _ in range(STEPS):
            left = left[self.offsets[found[left] + 1] <= rows[left]]
            found[left] += 1
        found[left] = np.searchsorted(self.offsets, rows[left], side="right") - 1
        return np.asarray(found)

    @cached_property
    def _guide(self) -> tuple[np.int64, Index]:
        rows, parents = int(self.offsets[-1]), len(self.offsets) - 1
        shift = np.int64(max(0, (rows // (4 * max(1, parents))).bit_length() - 1))
        begins = np.arange((rows >> shift) + 1, dtype=np.int64) << shift
        return shift, np.searchsorted(self.offsets[:-1], begins, side="right").astype(np.int64) - 1

    def rank(self, rows: Index) -> Index:
        """Return the place of every row among its parent's children, from 0."""
        return rows - self.offsets[self.parent(rows)]

    def size(self, rows: Index) -> Index:
        """Return how many children the parent of every row has."""
        parents = self.parent(rows)
        return self.offsets[parents + 1] - self.offsets[parents]

    @property
    def counts(self) -> Index:
        """Children of every parent."""
        return np.diff(self.offsets)


def fan(stream: np.uint64, parents: int, children: int, *, shape: Shape, label: str) -> Fan:
    """Share `children` among `parents`, each between least and most; Unsatisfiable with the arithmetic."""
    having = shape.having(parents)
    _refuse(having, children, shape, label)
    if shape.name in COUNTED:
        counts = _settled(stream, _drawn(stream, having, children, shape), children, shape)
    else:
        counts = _shared_out(stream, having, children, shape)
    return Fan(np.concatenate([[0], np.cumsum(_scattered(stream, counts, parents))]).astype(np.int64))


def _scattered(stream: np.uint64, counts: Index, parents: int) -> Index:
    """Return the counts of all parents; those without children stand among the others."""
    if len(counts) == parents:
        return counts
    found, index = np.zeros(parents, dtype=np.int64), np.arange(parents, dtype=np.int64)
    found[permuted(key(int(stream), "none"), index, parents) < len(counts)] = counts
    return found


def _refuse(parents: int, children: int, shape: Shape, label: str) -> None:
    """Refuse numbers of rows that the shape's ends do not allow."""
    least, most = shape.least, shape.most
    if children < least * parents:
        raise Unsatisfiable(
            f"{label}: {parents:,} parents with {least} children at least need {least * parents:,} rows, "
            f"not {children:,}"
        )
    if most is not None and children > most * parents:
        raise Unsatisfiable(
            f"{label}: {parents:,} parents with {most:,} children at most have room for {most * parents:,} rows, "
            f"not {children:,}"
        )
    if shape.name == "fixed" and shape.mean is not None and children != round(shape.mean * parents):
        raise Unsatisfiable(
            f"{label}: {parents:,} parents with {shape.mean:g} children each have {round(shape.mean * parents):,}, "
            f'not {children:,}; leave out the rows, or say shape = "even"'
        )


def _drawn(stream: np.uint64, parents: int, children: int, shape: Shape) -> Index:
    """Return counts by the inverse CDF of the law, one at every even step of it, scattered over the parents.

    Each of `parents` equal strata of [0, 1) is met once, so that the counts stand as the law has them and their sum
    is off by little.
    """
    index = np.arange(parents, dtype=np.int64)
    share = (permuted(stream, index, parents) + unit(bits(stream, index))) / parents
    least, most = shape.least, max(shape.least, children if shape.most is None else min(shape.most, children))
    mean = children / parents
    if shape.name == "fixed":
        found = int(mean) + (share >= int(mean) + 1 - mean)
    elif shape.name == "poisson" and mean > FINE:
        found = np.round(mean + mean**0.5 * normal(share)).astype(np.int64)
    else:
        bundle = max(1, int(mean // FINE))
        law = poisson if shape.name == "poisson" else pareto(shape.alpha)
        found = quantiles(with_mean(mean / bundle, least // bundle, -(-most // bundle), law), share) * bundle
    return np.asarray(np.clip(found, least, most))


def _settled(stream: np.uint64, counts: Index, children: int, shape: Shape) -> Index:
    """Move as many counts as their sum is off, here and there: by one, or by more where it is off by more."""
    order = permuted(key(int(stream), "rest"), np.arange(len(counts), dtype=np.int64), len(counts))
    end = shape.least if (children < counts.sum()) else (shape.most or children)
    while rest := children - int(counts.sum()):
        open_ = order[np.flatnonzero(counts[order] != end)]
        step = max(1, abs(rest) // len(open_)) * (1 if rest > 0 else -1)
        moved = counts[open_[: abs(rest)]] + step
        counts[open_[: abs(rest)]] = np.minimum(moved, end) if rest > 0 else np.maximum(moved, end)
    return counts


def _shared_out(stream: np.uint64, parents: int, children: int, shape: Shape) -> Index:
    """Share children out by weight, then what is above `most` among the others."""
    weights = _weights(stream, parents, shape)
    counts = np.full(parents, shape.least, dtype=np.int64) + shared(weights, children - shape.least * parents)
    while shape.most is not None and (counts > shape.most).any():
        over = int((counts - shape.most).clip(min=0).sum())
        counts = counts.clip(max=shape.most)
        open_ = counts < shape.most
        more = np.zeros(parents, dtype=np.int64)
        more[open_] = shared(weights[open_], over)
        counts += more
    return counts


def _weights(stream: np.uint64, parents: int, shape: Shape) -> np.ndarray[Any, Any]:
    index = np.arange(parents, dtype=np.int64)
    if shape.name == "even":
        return np.ones(parents)
    if shape.name == "zipf":
        return (permuted(stream, index, parents) + 1.0) ** -shape.s
    return skewed(stream, index)


def skewed(stream: np.uint64, parents: Index) -> np.ndarray[Any, Any]:
    """Return weights by a bounded Pareto law."""
    return np.minimum((1.0 - unit(bits(stream, parents))) ** (-1.0 / STEEPNESS), LARGEST)


def shared(weights: np.ndarray[Any, Any], total: int) -> Index:
    """Return whole shares that add up to `total`, in proportion to the weights."""
    edges = np.floor(np.cumsum(weights) / weights.sum() * total + 0.5).astype(np.int64)
    edges[-1] = total
    return np.diff(np.concatenate([[0], edges])).astype(np.int64)
