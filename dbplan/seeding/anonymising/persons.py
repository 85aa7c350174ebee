"""Invented people: names, address and user name of one person, who follows from one value of the person replaced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from dbplan.seeding.anonymising.keyed import Keyed
from dbplan.seeding.anonymising.shapes import scrambled
from dbplan.seeding.values.people import HOSTS, folded
from dbplan.seeding.values.words import distinct_pool

TAIL = 12
"""Hexadecimal digits by which namesakes differ: 48 bits beside some 17 of the names."""
ADDRESS = 1 + TAIL + 1 + max(map(len, HOSTS))
"""Characters of an address beside the names."""


Names = tuple[tuple[str, str], ...]


class Person(NamedTuple):
    """One invented person, with the names as an address spells them; `tail` is theirs alone.

    Two of ten million people share names and tail in one of 800,000 runs; uniques then say so, and nothing is kept.
    """

    first: str
    last: str
    spelled: tuple[str, str]
    tail: str
    number: int

    def part(self, part: str, longest: int | None = None) -> str:
        """Return the first, last or full name, the address or the user name, in at most that many characters."""
        if part == "name":
            return f"{self.first} {self.last}"[:longest]
        if part in ("first_name", "last_name"):
            return (self.first if part == "first_name" else self.last)[:longest]
        first, last = self.spelled
        if part == "user_name":
            return f"{_cut(f'{first}_{last}', longest, TAIL + 1)}_{self.tail}"
        host = HOSTS[self.number % len(HOSTS)]
        return f"{_cut(f'{first}.{last}', longest, ADDRESS)}.{self.tail}@{host}"


def _cut(names: str, longest: int | None, rest: int) -> str:
    return names if longest is None else names[: max(longest - rest, 1)].rstrip("._")


@cache
def _names(provider: str, locale: str) -> Names:
    """Return names that an address can spell, each with that spelling."""
    names = map(str, distinct_pool(provider, locale).tolist())
    return tuple((name, folded(name)) for name in names if folded(name)) or (("X", "x"),)


@dataclass(frozen=True)
class People:
    """All invented people, each found by the value that it replaces."""

    keyed: Keyed
    locale: str = "en_US"

    @cached_property
    def names(self) -> tuple[Names, Names]:
        """First and last names, each with how an address spells it."""
        return _names("first_name", self.locale), _names("last_name", self.locale)

    def __post_init__(self) -> None:
        """Remember the people who were asked for last: they come again in many rows."""
        object.__setattr__(self, "of", lru_cache(1 << 16)(self.of))

    def of(self, anchor: str) -> Person:
        """Return the person who replaces the one whom `anchor` tells apart, whatever its case."""
        digest = self.keyed.digest(anchor.lower())
        firsts, lasts = self.names
        number = int.from_bytes(digest[:16], "little")
        number, first = divmod(number, len(firsts))
        number, last = divmod(number, len(lasts))
        (first_name, one), (last_name, other) = firsts[first], lasts[last]
        return Person(first_name, last_name, (one, other), digest[16:].hex()[:TAIL], number)

    def address(self, value: str, longest: int | None = None) -> str:
        """Return the address that replaces one; those that differ in case alone differ in case alone."""
        return self._own(value, "email", longest, ADDRESS + 1)

    def user_name(self, value: str, longest: int | None = None) -> str:
        """Return the user name that replaces one."""
        return self._own(value, "user_name", longest, TAIL + 2)

    def _own(self, value: str, part: str, longest: int | None, least: int) -> str:
        if not value or (longest is not None and longest < least):
            return scrambled(self.keyed.of(part), value)
        made, low = self.of(value).part(part, longest), value.lower()
        return made if value == low else _capitals(made, self.keyed.of("capitals").digest(value))


def _capitals(text: str, digest: bytes) -> str:
    """Return a text with some letters in capitals, the first always among them."""
    bits = int.from_bytes(digest, "little") | 1
    return "".join(c.upper() if bits >> at & 1 else c for at, c in enumerate(text[:255])) + text[255:]


def in_case_of(value: str, made: str) -> str:
    """Return a text in capitals or small letters where the one that it replaces is."""
    return made.lower() if value.islower() else made.upper() if value.isupper() else made
