"""Calls: the parameters of a scenario, handed out so that all contestants get the same ones in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbplan.orms.referee import RESTORED
from dbplan.orms.scenarios import WRITES

Params = dict[str, Any]

AGAIN = frozenset({"update_one"}) | RESTORED
"""Scenarios that write and may be run with the same parameters again."""


@dataclass
class Calls:
    """The parameters of one scenario; those of reads come again when they are used up."""

    scenario: str
    params: Sequence[Params]
    place: int = 0

    @property
    def again(self) -> bool:
        """Whether parameters may come again."""
        return self.scenario not in WRITES or self.scenario in AGAIN

    @property
    def left(self) -> int:
        """How many calls there are still."""
        if not self.params:
            return 0
        return 1_000_000 if self.again else len(self.params) - self.place

    @property
    def batch(self) -> int:
        """The most calls that one batch may hold: rows that are inserted must differ."""
        return len(self.params) if self.scenario in RESTORED else self.left

    def take(self, count: int) -> list[Params]:
        """Return the next parameters, fewer where no more are left."""
        count = min(count, self.left, self.batch)
        found = [self.params[(self.place + n) % len(self.params)] for n in range(count)]
        self.place += count
        return found


def of_one_row(params: Sequence[Params]) -> list[Params]:
    """Return parameters that all change the same row."""
    return [{**one, "key": params[0]["key"]} for one in params]


def of_parents(params: Sequence[Params], counts: Sequence[int]) -> dict[int, Params]:
    """Return parameters that ask for so many parents each, as far as there are so many."""
    keys: dict[str, Mapping[str, Any]] = {}
    for one in params:
        keys |= {repr(sorted(key.items())): key for key in one["keys"]}
    found = list(keys.values())
    sizes = dict.fromkeys(min(count, len(found)) for count in counts if found)
    return {size: {"keys": found[:size]} for size in sizes}
