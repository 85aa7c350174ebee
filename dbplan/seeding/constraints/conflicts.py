"""Keys that leave CHECKs no room: a table is built again with looser ones before that is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dbplan.errors import Unsatisfiable

T = TypeVar("T")


class KeysInTheWay(Unsatisfiable):
    """A CHECK that fails beside the values which keys of `table` fix."""

    def __init__(self, table: str, said: str, room: int = 0) -> None:
        super().__init__(said)
        self.table, self.room = table, room


class TooFew(Unsatisfiable):
    """A table that has `room` for fewer rows than were to be made."""

    def __init__(self, table: str, said: str, room: int) -> None:
        super().__init__(said)
        self.table, self.room = table, room


def with_looser_keys(build: Callable[[frozenset[str]], T]) -> T:
    """Build with the uniques of no table searched for, then of those in which keys are in the way of a CHECK."""
    loose: frozenset[str] = frozenset()
    while True:
        try:
            return build(loose)
        except KeysInTheWay as error:
            if error.table in loose and error.room:
                raise TooFew(error.table, str(error), error.room) from None
            if error.table in loose:
                raise Unsatisfiable(str(error)) from None
            loose |= {error.table}
