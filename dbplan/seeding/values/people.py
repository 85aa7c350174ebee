"""People: the name, the address and the user name of one row belong to one person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import Expression
from dbplan.seeding.rows import clearance
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.stream import Array, Index, below, mixed
from dbplan.seeding.rows.texts import Coded, Number, Pool, as_column
from dbplan.seeding.values.domains import Domain
from dbplan.seeding.values.infer import generic, provider_of
from dbplan.seeding.values.words import slots_of, weights

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

HOSTS = ("example.com", "example.net", "example.org")
TRIED = 4096
"""People that are tried against CHECKs."""
MOST = 10**7
"""People of one name that their addresses tell apart."""
LEAST = 2**10
"""People that there are at least, so that small tables of more rows begin with the same ones."""
WIDTH = 16
"""Bits of a share."""
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
    """One part of people, who are numbered from 0 to below `size`.

    The numbers are cut into a stretch for each first name, as long as its weight asks, and each of these into one for
    each last name; the place in the stretch tells namesakes apart. No table of people is needed, and none comes twice.
    """

    who: str
    part: str
    locale: str
    size: int = 2**16

    @property
    def capacity(self) -> int:
        """How many people there are."""
        return self.size

    @property
    def tells_apart(self) -> bool:
        """Whether no two people share a value."""
        return self.part in ("email", "user")

    def nth(self, index: Index) -> Array:
        """Return the values of people."""
        return self.of(named(index, self.size, self.locale), index)

    def of(self, people: Named, index: Index) -> Array:
        """Return the values of people whose names are known."""
        first, last = (_names(f"{part}_name", self.locale) for part in ("first", "last"))
        if self.part in ("first", "last"):
            chosen = (first, people.first) if self.part == "first" else (last, people.last)
            return as_column(Coded(chosen[0].plain, chosen[1]))
        if self.part == "name":
            return as_column(Coded(first.plain, people.first), " ", Coded(last.plain, people.last))
        spelled = (Coded(first.folded, people.first), Coded(last.folded, people.last))
        count = Number(people.namesake, blank=0)
        if self.part == "user":
            return as_column(spelled[0], "_", spelled[1], count)
        hosts = Coded(_hosts(), below(mixed(index.astype(np.uint64)), len(HOSTS)))
        return as_column(spelled[0], ".", spelled[1], count, "@", hosts)

    def roomy(self, rows: int) -> Person:
        """Return the domain with different people for that many rows; a power of two, so that few more are the same."""
        return replace(self, size=max(LEAST, 1 << (max(rows, 1) - 1).bit_length()))

    def find(self, written: str) -> int | None:
        """Return the number of the person with that address or user name, None where nobody has it."""
        match = re.fullmatch(r"([a-z]+)[._]([a-z]+)([0-9]{0,9})(@.*)?", written.lower())
        if match is None or not self.tells_apart:
            return None
        firsts, lasts = _names("first_name", self.locale), _names("last_name", self.locale)
        first, last = firsts.place.get(match[1]), lasts.place.get(match[2])
        if first is None or last is None:
            return None
        begins, room, turn = stretch(firsts, np.array([first]), self.size)
        index = begins + int(match[3] or 0) - ((turn - room * lasts.starts[last]) >> WIDTH)
        inside = 0 <= index[0] < self.size and str(self.nth(index)[0]) == written.lower()
        return int(index[0]) if inside else None

    def samples(self) -> Array:
        """Return values of many people, among them of the shortest and the longest names."""
        everyone = self.roomy(MOST)
        spread = np.linspace(0, everyone.size - 1, TRIED).astype(np.int64)
        firsts, lasts = (_names(f"{part}_name", self.locale).extremes() for part in ("first", "last"))
        first, last = np.repeat(firsts, len(lasts)), np.tile(lasts, len(firsts))
        known = named(spread, everyone.size, self.locale)
        namesake = np.resize([0, MOST - 1], len(first))
        people = Named(*map(np.concatenate, ((known.first, first), (known.last, last), (known.namesake, namesake))))
        return everyone.of(people, np.arange(len(people.first)))

    @property
    def longest(self) -> int:
        """The most characters of a value."""
        first, last = (_names(f"{part}_name", self.locale).longest for part in ("first", "last"))
        count = len(str(MOST)) if self.tells_apart else 0
        host = max(map(len, HOSTS)) + 1 if self.part == "email" else 0
        return {"first": first, "last": last}.get(self.part, first + 1 + last + count + host)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        said = {"email": "address", "user": "user name", "first": "first name", "last": "last name"}
        return f"{said.get(self.part, 'name')} of the row's person"


@dataclass(frozen=True, eq=False)
class Names:
    """Names that differ as an address spells them: plain, in that spelling, and their shares of 65,536."""

    plain: Pool
    folded: Pool
    slots: Index
    starts: Index
    """The first slot of each name, and the end of the last."""
    place: Mapping[str, int]
    """Where a spelling stands."""

    def extremes(self) -> Index:
        """Return the shortest and the longest name."""
        lengths = [len(name) for name in self.folded.words]
        return np.array([np.argmin(lengths), np.argmax(lengths)])

    @property
    def longest(self) -> int:
        """The most characters of a name."""
        return max(map(len, [*self.plain.words, *self.folded.words]))


@dataclass(frozen=True, eq=False)
class Named:
    """First names, last names and numbers among namesakes of some people."""

    first: Index
    last: Index
    namesake: Index


@cache
def _names(provider: str, locale: str) -> Names:
    once: dict[str, tuple[str, float]] = {}
    for name, weight in sorted(weights(provider, locale).items()):
        spelled = folded(name)
        if spelled:
            once[spelled] = (name, once.get(spelled, ("", 0.0))[1] + weight)
    once = once or {"x": ("X", 1.0)}
    slots = slots_of([weight for _, weight in once.values()])
    kept = list(once.items())[: int(slots[-1]) + 1]
    starts = np.searchsorted(slots, np.arange(len(kept) + 1)).astype(np.int64)
    place = {spelled: at for at, (spelled, _) in enumerate(kept)}
    return Names(Pool([name for _, (name, _) in kept]), Pool(list(place)), slots, starts, place)


@cache
def _hosts() -> Pool:
    return Pool(HOSTS)


def named(index: Index, size: int, locale: str) -> Named:
    """Return the names of people, numbered below `size` (a power of two)."""
    firsts, lasts = _names("first_name", locale), _names("last_name", locale)
    bits = np.int64(size.bit_length() - 1)
    first = firsts.slots[(index << WIDTH) >> bits]
    begins, room, turn = stretch(firsts, first, size)
    within = index - begins
    last = lasts.slots[((within << WIDTH) + turn) // room]
    namesake = within + ((turn - room * lasts.starts[last]) >> WIDTH)
    return Named(first, last, namesake)


def stretch(firsts: Names, first: Index, size: int) -> tuple[Index, Index, Index]:
    """Return where the people of a first name begin, how many they are, and with which share of last names they begin.

    Each first name begins elsewhere, so that few people are not all called after the first names of the list.
    """
    begins = -((-firsts.starts << np.int64(size.bit_length() - 1)) >> WIDTH)
    turns = (mixed(np.arange(len(firsts.plain), dtype=np.uint64)) >> np.uint64(64 - WIDTH)).astype(np.int64)
    return begins[first], np.diff(begins)[first], turns[first]


def folded(name: str) -> str:
    """Return a name in small letters from a to z alone."""
    return re.sub("[^a-z]", "", unicodedata.normalize("NFKD", name).lower())


def people(builder: Builder) -> Mapping[str, Domain]:
    """Return the domains of columns that tell of a person; a recipe's rule for a column leaves it out.

    One column alone does too, so that another one that comes along later changes nothing.
    """
    found = ((column.name, _part(builder, column)) for column in builder.table.columns)
    uniques = frozenset().union(*builder.source.uniques)
    return {name: part for name, part in found if part is not None and (part.tells_apart or name not in uniques)}


def taken_people(builder: Builder) -> Mapping[str, Mapping[Hashable, int]]:
    """Return the people, numbered, whose address or user name a fixed row holds: nobody else is to be one of them."""
    found: dict[str, list[str]] = {}
    for name, made in builder.domains.items():
        if isinstance(made, Person) and made.tells_apart:
            found.setdefault(made.who, []).extend(map(str, clearance.taken(builder.source, name)))
    return {who: _people_of(builder, who, written) for who, written in found.items() if written}


def _people_of(builder: Builder, who: str, written: list[str]) -> Mapping[Hashable, int]:
    """Return the people who have addresses or user names; as many count as taken as texts are given."""
    known = next(made for made in builder.domains.values() if isinstance(made, Person) and made.who == who)
    roomy = known.roomy(builder.source.rows + len(written))
    parts = [replace(roomy, part=part) for part in ("email", "user")]
    people = {number for text in written for part in parts if (number := part.find(text)) is not None}
    return {
        person: number
        for number, person in enumerate([*sorted(people), *range(-1, len(people) - len(written) - 1, -1)])
    }


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
    values = present(made.samples())
    checks = [c.parsed for c in builder.facts.checks if c.parsed is not None and c.parsed.columns == {column.name}]
    return all(_holds(check, values) for check in checks)


def _holds(check: Expression, values: Cells) -> bool:
    try:
        return bool(check.holds(lambda _: values, len(values)).all())
    except (NotCovered, TypeError, ValueError):
        return True  # said in words when the CHECKs are read
