"""Prices: amounts of money that cluster around a middle, with long tails, and end as people let them end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dbplan.seeding.rows.stream import Array, Bits, mixed, unit
from dbplan.seeding.values.domains import Decimals

ENDINGS = (0.00, 0.00, 0.50, 0.90, 0.99, 0.99)
"""What a price has after the point, the more often the more often it stands here."""


@dataclass(frozen=True)
class Amounts(Decimals):
    """Numbers whose logarithms cluster in the middle of the range: a multiple of `round_to`, and one of the endings."""

    round_to: int = 1
    endings: tuple[float, ...] = ENDINGS

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        unit_of = 10**self.scale
        low = max(self.low, 1) / unit_of
        high = max(self.high / unit_of, low)
        first, second, third = (unit(mixed(random + np.uint64(place))) for place in (1, 2, 3))
        rough = low * (high / low) ** ((first + second + third) / 3)
        whole = np.floor(rough / self.round_to) * self.round_to
        ending = np.asarray(self.endings)[(random % np.uint64(len(self.endings))).astype(np.int64)]
        index = np.round((whole + ending) * unit_of).astype(np.int64)
        return self.nth(index.clip(self.low, self.high) - np.int64(self.low))
