"""Ranges with a law: numbers between two ends, drawn evenly, or around a mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import erf, exp, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.rows.stream import Array, Bits, Index, unit
from dbplan.seeding.values.domains import Decimals, Domain, Integers

GRID = 4097
"""Points at which a law is tabulated."""
WIDEST = 8.0
"""Standard deviations that are looked at on either side."""


@dataclass(frozen=True)
class Ranged(Domain):
    """Numbers of another domain, drawn by a law whose `mean` and `sd` are those of the law without the ends."""

    inner: Domain
    law: str
    mean: float = 0.0
    sd: float = 1.0

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return self.inner.capacity

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return self.inner.nth(index)

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        return self if self.inner.capacity >= rows else self.inner.roomy(rows)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"{self.inner.title}, {self.law}"

    def draw(self, random: Bits) -> Array:
        """Return values at random, by the law."""
        share = unit(random)
        if self.law == "uniform":
            return self.nth((share * self.capacity).astype(np.int64))
        cumulative, values = self._table
        low, scale = self._ends[0], self._scale
        index = np.round(np.interp(share, cumulative, values) * scale).astype(np.int64) - round(low * scale)
        return self.nth(index.clip(0, self.capacity - 1))

    @property
    def _scale(self) -> float:
        return 10.0**self.inner.scale if isinstance(self.inner, Decimals) else 1.0

    @property
    def _ends(self) -> tuple[float, float]:
        assert isinstance(self.inner, Integers | Decimals)
        return self.inner.low / self._scale, self.inner.high / self._scale

    @cached_property
    def _table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the law between the ends: cumulative probabilities and the values that have them."""
        middle, width = self._normal
        low, high = ((self._plain(end) - middle) / width for end in self._ends)
        grid = np.linspace(max(low, -WIDEST), min(high, WIDEST), GRID)
        cumulative = np.array([0.5 * (1.0 + erf(z / sqrt(2.0))) for z in grid.tolist()])
        values = middle + grid * width
        return (cumulative - cumulative[0]) / (cumulative[-1] - cumulative[0]), (
            np.exp(values) if self.law == "lognormal" else values
        )

    @property
    def _normal(self) -> tuple[float, float]:
        """Return mean and standard deviation of the normal law below."""
        if self.law == "normal":
            return self.mean, self.sd
        width = log(1.0 + (self.sd / self.mean) ** 2)
        return log(self.mean) - width / 2, sqrt(width)

    def _plain(self, end: float) -> float:
        """Return an end on the scale of the normal law."""
        return end if self.law == "normal" else log(max(end, self.mean * exp(-WIDEST * 4)))


def ranged(inner: Domain, law: str, mean: Any, sd: Any) -> Domain:
    """Return numbers drawn by a law; the domain itself where it holds no numbers of a range."""
    return Ranged(inner, law, float(mean or 0), float(sd or 1)) if isinstance(inner, Integers | Decimals) else inner
