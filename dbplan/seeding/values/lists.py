"""Lists: what columns of arrays hold, as long as CHECKs ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from dbplan.seeding.constraints.checks import Limits
from dbplan.seeding.values.domains import VAST, Choice, Domain, Made


def lists(inner: Domain, limits: Limits, dimensions: int | None) -> Domain:
    """Return lists of another domain's values, each of the length that CHECKs want, one where they want none."""
    inner = Choice(tuple(limits.items)) if limits.items else inner
    size, count = max(1, limits.shortest), inner.capacity
    if limits.longest == 0 or not count:
        return Choice(([],))

    def write(place: int) -> list[Any]:
        picked = (place + np.arange(size, dtype=np.int64)) % count
        return _nested(inner.nth(picked).tolist(), dimensions)

    return Made(write, min(count, VAST), "lists")


def _nested(items: list[Any], dimensions: int | None) -> list[Any]:
    for _ in range((dimensions or 1) - 1):
        items = [items]
    return items
