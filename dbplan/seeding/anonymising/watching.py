"""Watching: how many values of each column were replaced, and whether one of the source stands in the target."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

TELLING = 12
"""Characters from which on a text tells something that chance does not make again."""
KEPT = 1 << 17
"""Different values of a column that are compared, on either side: all of them, or those of the smallest hashes."""
CHECKED = frozenset({"email", "user_name", "url", "text", "digest", "secret", "uuid"})
"""Kinds of which no value of the source may stand in the target; prose may, where the source is such a copy itself."""


@dataclass
class Sketch:
    """The smallest hashes of a set of values; two sketches hold every value of both that is below their limits."""

    hashes: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    limit: int = 2**63 - 1
    fresh: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, values: list[Any]) -> None:
        """Take values in."""
        hashes = np.fromiter(map(hash, values), dtype=np.int64, count=len(values))
        self.fresh.append(hashes[hashes < self.limit])
        if sum(map(len, self.fresh)) >= KEPT:
            self.settle()

    def settle(self) -> None:
        """Put what came lately in its place."""
        hashes = np.sort(np.concatenate([self.hashes, *self.fresh]))
        self.hashes = hashes[np.diff(hashes, prepend=hashes[:1] - 1) != 0]
        self.fresh = []
        if len(self.hashes) > KEPT:
            self.hashes = self.hashes[:KEPT]
            self.limit = int(self.hashes[-1])

    def shared(self, other: Sketch) -> int:
        """Return how many values both have, of those that both have kept."""
        self.settle()
        other.settle()
        return len(np.intersect1d(self.hashes, other.hashes, assume_unique=True))


@dataclass
class Watch:
    """What became of one column."""

    kind: str
    values: int = 0
    unchanged: int = 0
    before: Sketch = field(default_factory=Sketch)
    after: Sketch = field(default_factory=Sketch)

    def note(self, old: list[Any], new: list[Any]) -> None:
        """Take one batch of values in, before and after."""
        nothing = old.count(None)  # a NULL stays one
        self.values += len(old) - nothing
        self.unchanged += sum(map(eq, old, new)) - nothing
        if self.kind in CHECKED:
            self.before.add(_telling(old))
            self.after.add(_telling(new))

    @property
    def leaked(self) -> int:
        """How many values of the source stand in the target, of those that are compared."""
        return self.before.shared(self.after) if self.kind in CHECKED else 0

    @property
    def refused(self) -> bool:
        """Whether values of the source stand in the target that chance does not make again."""
        return self.leaked > 0 and self.kind != "text"

    @property
    def checked(self) -> bool:
        """Whether values of the source were looked for."""
        return self.kind in CHECKED


def _telling(values: list[Any]) -> list[Any]:
    """Return the values, or items of lists, whose texts are long enough."""
    if set(map(type, values)) <= {str}:
        return [value for value in values if len(value) >= TELLING]
    return [value for value in _flat(values) if value is not None and len(str(value)) >= TELLING]


def _flat(values: list[Any]) -> list[Any]:
    """Return the items of lists, of any depth, in place of the lists."""
    if not any(isinstance(value, list) for value in values):
        return values
    return _flat([item for value in values for item in (value if isinstance(value, list) else [value])])
