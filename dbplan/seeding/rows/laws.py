"""Laws of chance as tables: a cumulative probability for every value, read backwards by a hash."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.rows.stream import Index

Floats = NDArray[np.float64]
Law = Callable[[float, int, int], Floats]
"""The cumulative probabilities of 0, 1, … for a scale, between the least and the most that there may be."""
GRID = 4097
"""Points at which the normal law is tabulated."""
STEPS = 48
LONGEST = 2**17
"""Counts up to which a law is tabulated."""
HARDLY = 1e-12
"""What is left of a law where its table may end."""


def quantiles(cumulative: Floats, share: Floats) -> Index:
    """Return the value at every share: the first whose cumulative probability is above it."""
    found = np.searchsorted(cumulative, share, side="right")
    return np.minimum(found, len(cumulative) - 1).astype(np.int64)


def normal(share: Floats) -> Floats:
    """Return the standard normal variable at every share of its law, from -8 to 8."""
    grid = np.linspace(-8.0, 8.0, GRID)
    return np.asarray(np.interp(share, [0.5 * (1.0 + erf(z / sqrt(2.0))) for z in grid.tolist()], grid))


def poisson(mean: float, least: int, most: int) -> Floats:
    """Return the Poisson law of that mean, without what lies outside."""
    counts = np.arange(_length(mean + 12 * mean**0.5 + 20, most) + 1, dtype=np.float64)
    logs = counts * np.log(mean) - mean - np.concatenate([[0.0], np.cumsum(np.log(counts[1:]))])
    cumulative = np.cumsum(np.exp(logs))
    below = cumulative[least - 1] if 0 < least <= len(cumulative) else 0.0
    if len(cumulative) <= least or cumulative[-1] - below <= 0.0:
        return _at(least)
    return _raised((cumulative - below) / (cumulative[-1] - below), least)


def pareto(alpha: float) -> Law:
    """Return the law of the whole part of a Pareto variable: P(count ≥ k) = min(1, (scale / k)^alpha).

    What lies below the least is raised to it, what lies above the most is left out.
    """

    def law(scale: float, least: int, most: int) -> Floats:
        wanted = scale * HARDLY ** (-1 / alpha)
        counts = np.arange(1, max(_length(wanted, most), least) + 2, dtype=np.float64)
        cumulative = 1.0 - np.minimum(1.0, (scale / counts) ** alpha)
        return _raised(cumulative / cumulative[-1] if cumulative[-1] else np.ones(len(counts)), least)

    return law


def _length(wanted: float, most: int) -> int:
    return int(min(wanted, most, LONGEST))


def _raised(cumulative: Floats, least: int) -> Floats:
    made = np.clip(cumulative, 0.0, 1.0)
    made[:least] = 0.0
    return made


def with_mean(mean: float, least: int, most: int, law: Law) -> Floats:
    """Return the law between `least` and `most` whose scale gives that mean."""
    if mean <= least or mean >= most:
        return _at(least if mean <= least else most)
    low, high = 1e-9, max(1.0, 4.0 * mean)
    while _mean(law(high, least, most)) < mean and high < 2**60:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean(law(middle, least, most)) < mean else (low, middle)
    return law(high, least, most)


def _at(value: int) -> Floats:
    """Return the law of one value alone."""
    return np.concatenate([np.zeros(value), [1.0]])


def _mean(cumulative: Any) -> float:
    return float((1.0 - cumulative[:-1]).sum())
