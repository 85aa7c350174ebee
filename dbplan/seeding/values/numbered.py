"""Numbered words: few words for as many rows as there are, all but the first of each with a number behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from dbplan.seeding.rows.stream import Array, Index
from dbplan.seeding.values.domains import Domain
from dbplan.seeding.values.words import Stems

BEHIND = 7
"""Characters of a number with the space before it."""
MOST = 10**6 - 1
"""Times that a word comes, at most."""


@dataclass(frozen=True)
class Numbered(Domain):
    """Words that carry a number from their second turn on: Garden, Garden 2."""

    words: tuple[str, ...]

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return len(self.words) * MOST

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        turn = index // len(self.words)
        named = self._stems.numbered(index % len(self.words), turn + np.sign(turn), " ", 0)
        return cast("Array", named)

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from, of which the numbers are small."""
        return Turns(self.words, max(2, -(-2 * rows // len(self.words))))

    @cached_property
    def _stems(self) -> Stems:
        return Stems(self.words)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"{', '.join(self.words[:3])}, …, numbered"


@dataclass(frozen=True)
class Turns(Numbered):
    """Numbered words of so many turns."""

    turns: int = 1

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return min(len(self.words) * self.turns, super().capacity)
