"""Growth: times at which rows come to be, denser where there is more to do: later on, on weekdays, by day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dbplan.seeding.recipe.vocabulary import DAYS
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.values.infer import Span

HOUR = 3_600_000_000
"""Microseconds."""
MONTH = 365.25 / 12 * 24
"""Hours."""
MONDAY = 4 * 24
"""Hours from the start of 1970, a Thursday, to the first Monday."""


class Pace:
    """How much happens from the start of the data to any moment, hour by hour; a share of it is a moment again.

    Times stay in order and inside their window: what is spread evenly over the work is dense where work is dense.
    """

    def __init__(self, span: Span, growth: Mapping[str, Any]) -> None:
        self._first = _hour(span.start)
        hours = np.arange(_hour(span.end) - self._first + 2)
        self._total = np.concatenate([[0.0], np.cumsum(_busy(hours + self._first, growth) * _grown(hours, growth))])
        self._edges = np.arange(len(self._total), dtype=np.float64)

    def between(self, start: Array, end: Any, share: Array) -> Array:
        """Return the moments at which a share of what happens between two moments is done."""
        begin, stop = self._hours(start), self._hours(np.broadcast_to(end, start.shape))
        low, high = self._done(begin), self._done(stop)
        worked = np.interp(low + share * (high - low), self._total, self._edges)
        plain = begin + share * (stop - begin)
        found = np.where(high - low > 1e-9, np.clip(worked, begin, stop), plain)
        micros = np.round((found + self._first) * HOUR).astype(np.int64)
        return np.asarray(np.maximum(micros.astype("datetime64[us]"), start))

    def _hours(self, moments: Array) -> Array:
        return np.asarray(moments.astype("datetime64[us]").astype(np.int64) / HOUR - self._first)

    def _done(self, hours: Array) -> Array:
        return np.asarray(np.interp(hours, self._edges, self._total))


def _hour(moment: Any) -> int:
    return int(moment.astype("datetime64[h]").astype(np.int64))


def _grown(hours: Array, growth: Mapping[str, Any]) -> Array:
    """Return how much more there is to do at hours from the start on."""
    months, rate = hours / MONTH, float(growth.get("per_month", 0.0))
    if growth.get("shape") == "linear":
        return np.asarray(np.maximum(1.0 + rate * months, 0.0))
    return np.asarray((1.0 + rate) ** months)


def _busy(hours: Array, growth: Mapping[str, Any]) -> Array:
    """Return how much there is to do by the day of the week and the hour of the day."""
    by_day, by_hour = np.ones(len(DAYS)), np.ones(24)
    if "weekdays" in growth:
        by_day = np.array([float(growth["weekdays"].get(day, 0.0)) for day in DAYS])
    if "hours" in growth:
        by_hour[:] = 0.0
        for said, weight in growth["hours"].items():
            low, high = map(int, said.split("-"))
            by_hour[low:high] = weight
    return np.asarray(by_day[(hours - MONDAY) // 24 % 7] * by_hour[hours % 24])
