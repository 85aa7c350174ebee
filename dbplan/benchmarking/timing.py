"""Service time: one client, queries interleaved in random order, medians with bootstrap intervals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Clock = Callable[[], int]

WARM = 12
"""Executions before the clock counts: psycopg prepares a statement at its fifth execution, and the server may
choose a generic plan after five more."""
FEWEST = 6
"""The fewest samples for which the smallest and the largest enclose the median in 95 % of runs."""
MOST = 1000
RESAMPLES = 1000


def generator(random_state: int, *names: str) -> np.random.Generator:
    """Return a random generator of its own for each name, the same in every run with the same state."""
    return np.random.Generator(
        np.random.Philox(np.random.SeedSequence([random_state, *(crc32(n.encode()) for n in names)]))
    )


def median_interval(
    samples: Sequence[float], random_state: int = 7, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the median (Efron 1979), in the unit of the samples."""
    values = np.sort(np.asarray(samples, dtype=float))
    draws = generator(random_state, "bootstrap").integers(0, len(values), (RESAMPLES, len(values)))
    medians: NDArray[np.float64] = np.median(values[draws], axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(medians, [tail, 1 - tail])
    return float(low), float(high)


def schedule(costs: Mapping[str, float], seconds: float, random_state: int) -> list[str]:
    """Return the order in which to execute: each query gets an equal share of the time, all mixed at random.

    `costs` are the expected seconds of one execution by name.
    """
    if not costs:
        return []
    share = seconds / len(costs)
    repeats = [min(MOST, max(FEWEST, int(share / max(cost, 1e-7)))) for cost in costs.values()]
    order = np.repeat(np.arange(len(costs)), repeats)
    generator(random_state, "schedule").shuffle(order)
    names = list(costs)
    return [names[position] for position in order]


class Stopwatch:
    """Times calls in seconds by a monotonic clock of nanoseconds."""

    def __init__(self, clock: Clock = time.perf_counter_ns) -> None:
        self._clock = clock

    def time(self, call: Callable[[], float]) -> tuple[float, float]:
        """Return the seconds that `call` took, and what it returned."""
        start = self._clock()
        result = call()
        return (self._clock() - start) / 1e9, result

    @property
    def now(self) -> float:
        """Seconds since some fixed moment."""
        return self._clock() / 1e9
