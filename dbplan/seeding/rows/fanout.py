"""Fan-out: how many children each parent has, and in what order they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dbplan.errors import Unsatisfiable
from dbplan.seeding.rows.stream import Index, bits, unit

STEEPNESS = 1.5
"""Exponent of the bounded Pareto law of "skewed": a few parents have many children, most have few."""
LARGEST = 30.0


@dataclass(frozen=True)
class Fan:
    """Children stand in blocks, parent after parent: those of parent p are the rows offsets[p] to offsets[p + 1]."""

    offsets: Index

    def parent(self, rows: Index) -> Index:
        """Return the parent of every row."""
        return np.searchsorted(self.offsets, rows, side="right").astype(np.int64) - 1

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


def fan(stream: np.uint64, parents: int, children: int, *, shape: str, least: int, most: int | None, label: str) -> Fan:
    """Share `children` among `parents`, each between `least` and `most`; Unsatisfiable with the arithmetic."""
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
    weights = np.ones(parents) if shape == "even" else skewed(stream, np.arange(parents))
    counts = np.full(parents, least, dtype=np.int64) + shared(weights, children - least * parents)
    while most is not None and (counts > most).any():
        over = int((counts - most).clip(min=0).sum())
        counts = counts.clip(max=most)
        open_ = counts < most
        more = np.zeros(parents, dtype=np.int64)
        more[open_] = shared(weights[open_], over)
        counts += more
    return Fan(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def skewed(stream: np.uint64, parents: Index) -> np.ndarray[Any, Any]:
    """Return weights by a bounded Pareto law."""
    return np.minimum((1.0 - unit(bits(stream, parents))) ** (-1.0 / STEEPNESS), LARGEST)


def shared(weights: np.ndarray[Any, Any], total: int) -> Index:
    """Return whole shares that add up to `total`, in proportion to the weights."""
    edges = np.floor(np.cumsum(weights) / weights.sum() * total + 0.5).astype(np.int64)
    edges[-1] = total
    return np.diff(np.concatenate([[0], edges])).astype(np.int64)
