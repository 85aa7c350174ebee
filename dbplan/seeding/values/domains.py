"""Domains: the values a column may take, each numbered, so that one index picks one value.

A random cell is `draw(bits)`; a unique one is `nth(permutation of the row)`, unique by construction as long as the
index stays below `capacity`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.rows.stream import Array, Bits, Index, below, mixed, unit
from dbplan.seeding.rows.texts import Chars, Coded, Pool, UuidTexts, as_column, digits36, in_digits
from dbplan.seeding.values.words import FEW, LARGE, MANY, NUMBER, Stems, fitted, stems

VAST = 2**62
PROBED = 12_000
"""Values of a domain that are tried against CHECKs before it is used."""


@dataclass(frozen=True)
class Domain:
    """Numbered values: `nth` is one-to-one on [0, capacity)."""

    @property
    def capacity(self) -> int:
        """How many values there are."""
        raise NotImplementedError

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        raise NotImplementedError

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        return self.nth(below(random, self.capacity))

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        return self

    def sized(self, rows: int) -> Domain:
        """Return the domain for a table of so many rows: large ones are worth more different words."""
        return self

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Integers(Domain):
    """Whole numbers from `low` to `high`, both included; where many are wanted, up to `ceiling`."""

    low: int
    high: int
    ceiling: int | None = None

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return max(0, min(self.high - self.low + 1, VAST))

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return index + np.int64(self.low)

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        return Integers(self.low, widened(self.low, self.high, self.ceiling, rows), self.ceiling)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"whole numbers {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Decimals(Domain):
    """Numbers with `scale` decimals from `low` to `high` (both in units of 10^-scale)."""

    low: int
    high: int
    scale: int
    ceiling: int | None = None
    skew: float = 2.0

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return max(0, self.high - self.low + 1)

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        high = widened(self.low, self.high, self.ceiling, rows)
        return self if high == self.high else Decimals(self.low, high, self.scale, self.ceiling)

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return np.round((index + np.int64(self.low)) / 10.0**self.scale, self.scale)

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        return self.nth((unit(random) ** self.skew * self.capacity).astype(np.int64))

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        ends = (f"{end / 10**self.scale:,.{self.scale}f}" for end in (self.low, self.high))
        return "numbers {} to {}".format(*ends)


@dataclass(frozen=True)
class Choice(Domain):
    """One of a few values, by weight."""

    values: tuple[Any, ...]
    weights: tuple[float, ...] = ()

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return len(self.values)

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        if self._pool is not None:
            return as_column(Coded(self._pool, index))
        return self._array[index]

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        if not self.weights:
            return super().draw(random)
        return self.nth(np.searchsorted(self._edges, unit(random), side="right").astype(np.int64))

    @cached_property
    def _pool(self) -> Pool | None:
        return Pool(self.values) if self.values and all(type(value) is str for value in self.values) else None

    @cached_property
    def _array(self) -> Array:
        return as_array(self.values)

    @cached_property
    def _edges(self) -> Array:
        edges = np.cumsum(np.asarray(self.weights, dtype=float))
        return np.asarray(edges / edges[-1])

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        shown = ", ".join(map(str, self.values[:5])) + (", …" if len(self.values) > 5 else "")
        return f"one of {shown}"


@dataclass(frozen=True)
class Words(Domain):
    """Words of a Faker provider, `shortest` to `length` characters.

    Drawn, they keep Faker's weights; numbered, a word from 1 on carries its number after a dot (before an "@"), a slug
    after a hyphen.
    """

    provider: str
    length: int | None = None
    shortest: int = 0
    locale: str = "en_US"
    room: int = 1
    draws: int = FEW

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return len(self._stems) * self.room if self._long else min(36 ** (self.length or 0), VAST)

    @property
    def _stems(self) -> Stems:
        return stems(self.provider, self.locale, self.length, self.shortest, self.draws)

    @property
    def _long(self) -> bool:
        return self.length is None or self.length >= NUMBER + 4

    def sized(self, rows: int) -> Domain:
        """Return the domain for a table of so many rows: large ones are worth more different words."""
        return replace(self, draws=MANY) if rows > LARGE else self

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        room = 1
        while room * len(self._stems) < 2 * rows:
            room *= 10
        return replace(self, room=min(room, 10 ** (NUMBER - 1)))

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        if not self._long:
            return as_column(Chars(digits36(index.astype(np.uint64), self.length or 1)))
        words, count = self._stems, len(self._stems)
        return _as_array(
            words.numbered(index % count, index // count, "-" if self.provider == "slug" else ".", self.shortest)
        )

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        return _as_array(fitted(self.provider, self.locale, self.length, self.shortest, self.draws).draw(random))

    @property
    def said(self) -> Array:
        """All words that may be drawn."""
        return fitted(self.provider, self.locale, self.length, self.shortest, self.draws).pool.words

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"Faker {self.provider}"


@dataclass(frozen=True)
class Moments(Domain):
    """Points in time from `start` to `end` in steps of `step` (datetime64[us])."""

    start: np.datetime64
    end: np.datetime64
    step: np.timedelta64 = field(default_factory=lambda: np.timedelta64(1_000, "us"))

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return max(0, int((self.end - self.start) / self.step) + 1)

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        whole_days = self.step >= np.timedelta64(1, "D")
        return self if whole_days else Moments(self.start, self.end, np.timedelta64(1, "us"))

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        start: Any = self.start.astype("datetime64[us]")
        return np.asarray(start + index * self.step.astype("timedelta64[us]"))

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"{str(self.start)[:10]} to {str(self.end)[:10]}"


@dataclass(frozen=True)
class Durations(Domain):
    """Lengths of time from `shortest` up to `longest` in steps of some seconds."""

    longest: timedelta = timedelta(days=30)
    shortest: timedelta = timedelta(0)
    step: int = 1

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return int((self.longest - self.shortest).total_seconds()) // self.step

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        seconds = index * np.int64(self.step) + np.int64(self.shortest.total_seconds())
        return np.asarray((seconds * 1_000_000).astype("timedelta64[us]"))


@dataclass(frozen=True)
class Clocks(Durations):
    """Times of day, as lengths of time since midnight."""

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        last = self.longest - timedelta(seconds=self.step)
        return f"times of day {_clock(self.shortest)} to {_clock(last)}"


def _clock(since: timedelta) -> str:
    return f"{since!s:0>8}".removesuffix(":00")


@dataclass(frozen=True)
class Uuids(Domain):
    """Random UUIDs (version 4) as 32 hexadecimal digits."""

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return VAST

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        seed = index.astype(np.uint64)
        return uuid_texts(mixed(seed * np.uint64(0x9E3779B97F4A7C15)), seed, version=4)

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        return uuid_texts(random, mixed(random + np.uint64(1)), version=4)


@dataclass(frozen=True)
class Tokens(Domain):
    """Random texts of digits and small letters, such as an API key."""

    length: int = 32

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return VAST

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        first = mixed(index.astype(np.uint64) + np.uint64(1))
        words = (first, mixed(first + np.uint64(1)), mixed(first + np.uint64(2)))
        # 64 bits are 13 digits; the first word alone tells all values apart
        return as_column(Chars(np.hstack([digits36(word, 13) for word in words])[:, : self.length]))

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"random texts of {self.length} characters"


@dataclass(frozen=True, eq=False)
class Kept(Domain):
    """The values of another domain that a test keeps, among those that were tried."""

    inner: Domain
    test: Callable[[Array], NDArray[np.bool_]]
    kept: Index

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return len(self.kept)

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return self.inner.nth(self.kept[index])

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        return self if self.capacity >= rows else kept(self.inner.roomy(4 * rows), self.test, 8 * rows)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return self.inner.title


@dataclass(frozen=True)
class Unnumbered(Domain):
    """Words while there are different ones for every row; for more rows, values of another domain."""

    words: Domain
    others: Domain

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return self.words.capacity

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return self.words.nth(index)

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the words."""
        return self.words.draw(random)

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        return self if self.capacity >= rows else self.others.roomy(rows)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return self.words.title


def kept(domain: Domain, test: Callable[[Array], NDArray[np.bool_]], probes: int = 0) -> Domain:
    """Return those of a domain's values, tried at even distances, that pass the test; itself where all do."""
    if isinstance(domain, Choice):
        return _choice(domain, test)
    if isinstance(domain, Unnumbered):
        words, others = kept(domain.words, test, probes), kept(domain.others, test, probes)
        return Unnumbered(words, others) if words.capacity else others
    passing = _passing if _hashable(domain) else _passing.__wrapped__
    index = passing(domain, test, min(domain.capacity, max(PROBED, probes)))
    return domain if index is None else Kept(domain, test, index)


def _choice(domain: Choice, test: Callable[[Array], NDArray[np.bool_]]) -> Choice:
    """Return those of a few values that pass, with the weights that they have."""
    passes = test(as_array(domain.values)).tolist() if domain.values else []
    if all(passes):
        return domain
    weights = domain.weights or (1.0,) * len(domain.values)
    left = [(value, weight) for value, weight, good in zip(domain.values, weights, passes, strict=True) if good]
    return Choice(tuple(v for v, _ in left), tuple(w for _, w in left) if domain.weights else ())


def _hashable(domain: Domain) -> bool:
    """Say whether a domain can be told from another: one that holds an array cannot."""
    try:
        hash(domain)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=256)
def _passing(domain: Domain, test: Callable[[Array], NDArray[np.bool_]], tried: int) -> Index | None:
    """Return which of so many values pass, None where all do; kept, since every run asks the same."""
    index = np.unique(np.linspace(0, max(domain.capacity - 1, 0), tried).astype(np.int64))
    passes = test(domain.nth(index)) if len(index) else np.ones(0, dtype=bool)
    return None if passes.all() else index[passes]


@dataclass(frozen=True)
class Made(Domain):
    """Values written by a function of whole numbers: `write` must be one-to-one on [0, size)."""

    write: Callable[[int], Any]
    size: int
    name: str

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return self.size

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return as_array([self.write(i) for i in index.tolist()])

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return self.name


@dataclass(frozen=True)
class Codes(Domain):
    """Texts of `width` characters of an alphabet, counted up; the first character changes slowest."""

    alphabet: str
    width: int
    size: int
    name: str = "codes"

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return self.size

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return as_column(Chars(in_digits(index.astype(np.uint64), self.width, self.alphabet)))

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return self.name


def uuid_texts(high: Bits, low: Bits, version: int) -> Array:
    """Return UUIDs of that version; one-to-one in the low 62 bits of `low`."""
    top = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(version << 12)
    bottom = (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
    return _as_array(UuidTexts(top, bottom))


def _as_array(column: Any) -> Array:
    return cast("Array", column)


def widened(low: int, high: int, ceiling: int | None, rows: int) -> int:
    """Return an upper end that leaves room for twice `rows` values, within `ceiling`."""
    return high if ceiling is None or high - low + 1 >= 2 * rows else max(high, min(ceiling, low + 2 * rows))


def as_array(values: Sequence[Any]) -> NDArray[Any]:
    """Return values as an array: numbers, booleans and times of one type natively, anything else as objects."""
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and kinds <= {int, bool, float, np.datetime64, np.timedelta64}:
        return np.asarray(values)
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
