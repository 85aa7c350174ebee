"""People: the name, the address and the user name of one row belong to one person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import Expression
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.stream import Array, Bits, Index, below, mixed
from dbplan.seeding.values.domains import Domain, as_array
from dbplan.seeding.values.infer import generic, provider_of
from dbplan.seeding.values.words import distinct_pool

if TYPE_CHECKING:
    from dbplan.seeding.rows.world import Builder

HOSTS = ("example.com", "example.net", "example.org")
TRIED = 4096
"""People that are tried against CHECKs."""
MOST = 10**7
"""People of one name that their addresses tell apart."""
PARTS: tuple[tuple[str, str, str], ...] = (
    (r"(?P<who>.*?)_?e_?mail(_?address)?", "email", "email"),
    (r"(?P<who>.*?)_?(first|given|fore)_?name", "first_name", "first"),
    (r"(?P<who>.*?)_?(last|family|sur)_?name", "last_name", "last"),
    (r"(?P<who>.*?)_?(user|login|screen)_?name", "user_name", "user"),
    (r"(?P<who>.*?)_?((full|display)_?)?name", "name", "name"),
)
"""Columns of a person: pattern with whose it is, provider by the name of table and column, and part."""


@dataclass(frozen=True)
class Person(Domain):
    """One part of people, who are numbered: first names change fastest, then last names, then numbers of namesakes."""

    who: str
    part: str
    locale: str
    room: int = 1

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(_names("first_name", self.locale)) * len(_names("last_name", self.locale)) * self.room

    @property
    def capacity(self) -> int:
        """How many values there are."""
        sizes = {part: len(_names(f"{part}_name", self.locale)) for part in ("first", "last")}
        return sizes.get(self.part) or (self.people if self.tells_apart else self.people // self.room)

    @property
    def tells_apart(self) -> bool:
        """Whether no two people share a value."""
        return self.part in ("email", "user")

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return self.of(index * len(_names("first_name", self.locale)) if self.part == "last" else index)

    def of(self, people: Index) -> Array:
        """Return the values of people."""
        plain = not self.tells_apart
        first, last = (_names(f"{part}_name", self.locale, plain=plain) for part in ("first", "last"))
        rest, at = people // len(first), people % len(first)
        firsts, lasts = first[at], last[rest % len(last)]
        if self.part in ("first", "last"):
            return np.asarray(firsts if self.part == "first" else lasts)
        if self.part == "name":
            return np.asarray(firsts + " " + lasts)
        counts = as_array([str(number) if number else "" for number in (rest // len(last)).tolist()])
        if self.part == "user":
            return np.asarray(firsts + "_" + lasts + counts)
        hosts = as_array(HOSTS)[below(mixed(people.astype(np.uint64)), len(HOSTS))]
        return np.asarray(firsts + "." + lasts + counts + "@" + hosts)

    def draw(self, random: Bits) -> Array:
        """Return values of people at random."""
        return self.of(below(random, self.people))

    def roomy(self, rows: int) -> Person:
        """Return the domain with different people for that many rows."""
        room = 1
        while self.people // self.room * room < 2 * rows and room < MOST:
            room *= 10
        return replace(self, room=room)

    @property
    def longest(self) -> int:
        """The most characters of a value."""
        first, last = (max(map(len, _names(f"{part}_name", self.locale))) for part in ("first", "last"))
        count = len(str(MOST)) if self.tells_apart else 0
        host = max(map(len, HOSTS)) + 1 if self.part == "email" else 0
        return {"first": first, "last": last}.get(self.part, first + 1 + last + count + host)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        said = {"email": "address", "user": "user name", "first": "first name", "last": "last name"}
        return f"{said.get(self.part, 'name')} of the row's person"


@cache
def _names(provider: str, locale: str, *, plain: bool = True) -> Array:
    """Return names that differ as an address spells them: plain, or in that spelling."""
    once = {folded(name): name for name in distinct_pool(provider, locale).tolist()}
    once.pop("", None)
    return as_array(list(once.values() if plain else once) or ["X" if plain else "x"])


def folded(name: str) -> str:
    """Return a name in small letters from a to z alone."""
    return re.sub("[^a-z]", "", unicodedata.normalize("NFKD", name).lower())


def people(builder: Builder) -> Mapping[str, Domain]:
    """Return the domains of columns that tell of one person together; a recipe's rule for a column leaves it out."""
    found: dict[str, dict[str, Person]] = {}
    for column in builder.table.columns:
        made = _part(builder, column)
        if made is not None:
            found.setdefault(made.who, {})[column.name] = made
    together = (parts for parts in found.values() if len({part.part for part in parts.values()}) > 1)
    uniques = frozenset().union(*builder.source.uniques)
    return {name: part for parts in together for name, part in parts.items() if part.tells_apart or name not in uniques}


def _part(builder: Builder, column: Column[Any]) -> Person | None:
    rule, name = builder.rule.columns.get(column.name, {}), column.name.lower()
    if type(column.type) is not type(generic(column.type)) or not isinstance(column.type, sa.String):
        return None
    if isinstance(column.type, sa.Enum) or column.foreign_keys or set(rule) - {"null", "only_when"}:
        return None
    provider = provider_of(builder.table.name, column.name)
    for pattern, wanted, part in PARTS:
        match = re.fullmatch(pattern, name)
        if match is not None and provider == wanted:
            made = Person(match["who"], part, builder.world.recipe.locale)
            return made if _fits(builder, column, made) else None
    return None


def _fits(builder: Builder, column: Column[Any], made: Person) -> bool:
    """Whether every value has room in its column and holds the CHECKs of the column alone."""
    length = getattr(column.type, "length", None)
    if length is not None and length < made.longest:
        return False
    values = present(made.of(np.linspace(0, made.roomy(MOST).people - 1, TRIED).astype(np.int64)))
    checks = [c.parsed for c in builder.facts.checks if c.parsed is not None and c.parsed.columns == {column.name}]
    return all(_holds(check, values) for check in checks)


def _holds(check: Expression, values: Cells) -> bool:
    try:
        return bool(check.holds(lambda _: values, len(values)).all())
    except (NotCovered, TypeError, ValueError):
        return True  # said in words when the CHECKs are read
