"""What a column holds, as far as its name, its type and its CHECKs tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import numpy as np
from sqlalchemy import types as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql as pg

from dbplan.columns import Digest, Encrypted
from dbplan.seeding.constraints.checks import Limits, domain_limits, moment
from dbplan.seeding.rows.stream import Array, Bits, Index
from dbplan.seeding.rows.texts import Texts
from dbplan.seeding.values.beneath import on_postgresql
from dbplan.seeding.values.documents import documents
from dbplan.seeding.values.domains import (
    VAST,
    Choice,
    Clocks,
    Codes,
    Decimals,
    Domain,
    Durations,
    Integers,
    Made,
    Moments,
    Tokens,
    Unnumbered,
    Uuids,
    Words,
    as_array,
)
from dbplan.seeding.values.lists import lists
from dbplan.seeding.values.names import (
    DIGITS,
    MOSTLY_FALSE,
    MOSTLY_TRUE,
    NAMELESS,
    OPENING,
    OWNERS,
    POLES,
    PRICES,
    PROVIDERS,
    RANGES,
    SALARIES,
)
from dbplan.seeding.values.numbered import BEHIND, Numbered
from dbplan.seeding.values.patterns import Pattern
from dbplan.seeding.values.prices import Amounts
from dbplan.seeding.values.served import served
from dbplan.seeding.values.usual import is_usual, usual


@dataclass(frozen=True)
class Span:
    """The time that the data cover."""

    start: np.datetime64
    end: np.datetime64


@dataclass(frozen=True)
class Respelled(Domain):
    """Another domain's values through a function that stays one-to-one on them."""

    inner: Domain
    spell: Callable[[Any], Any]

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return self.inner.capacity

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return self.respell(self.inner.nth(index))

    def draw(self, random: Bits) -> Array:
        """Return values at random, with the weights of the domain."""
        return self.respell(self.inner.draw(random))

    def roomy(self, rows: int) -> Domain:
        """Return the domain to take `rows` different values from."""
        return Respelled(self.inner.roomy(rows), self.spell)

    def sized(self, rows: int) -> Domain:
        """Return the domain for a table of so many rows: large ones are worth more different words."""
        return Respelled(self.inner.sized(rows), self.spell)

    def respell(self, values: Any) -> Array:
        """Return values of the other domain as this one has them."""
        respelled = values.respelled(self.spell) if isinstance(values, Texts) else None
        if respelled is not None:
            return cast("Array", respelled)
        return as_array([self.spell(value) for value in values.tolist()])

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return self.inner.title


def generic(kind: Any) -> Any:
    """Return the type beneath decorators and domains."""
    while True:
        if isinstance(kind, sa.Interval):  # kept as a DateTime where a server has no intervals
            return kind
        narrow = on_postgresql(kind)
        if narrow is not None:
            return narrow
        if isinstance(kind, sa.TypeDecorator):
            kind = kind.impl_instance if hasattr(kind, "impl_instance") else kind.impl
        elif isinstance(kind, pg.DOMAIN):
            kind = kind.data_type
        else:
            return kind


def domain(name: str, kind: Any, limits: Limits, span: Span, locale: str = "en_US", table: str = "") -> Domain | None:
    """Return the values a column may take; None for a type that nothing here knows."""
    name = in_full(table, _snake(name))
    secret, kind = isinstance(kind, Encrypted | Digest), generic(kind)
    if secret and limits.longest is None and _provider(name) in NAMELESS:
        return Tokens()
    if limits.values is not None and not isinstance(kind, sa.Boolean | sa.DateTime | sa.Date):
        return Choice(tuple(v for v in limits.values if v not in limits.excluded))
    for family, make in FAMILIES.items():
        if isinstance(kind, family):
            return make(name, kind, limits, span, locale)
    return served(kind)


def in_full(table: str, name: str) -> str:
    """Return the name of a column as it would be outside of its table: the name of a user is a person's."""
    owner = _snake(table)
    found = (full for tables, names, full in OWNERS if name in names and re.search(tables, owner))
    return next(found, name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(" ", "_").replace("-", "_")


def _enum(name: str, kind: Any, limits: Limits, *_: Any) -> Domain:
    return Choice(tuple(v for v in kind.enums if v not in limits.excluded))


def _boolean(name: str, _kind: Any, limits: Limits, *_: Any) -> Domain:
    values = (False, True) if limits.values is None else tuple(map(bool, limits.values))
    rare = 0.95 if MOSTLY_FALSE.search(name) else 0.1 if MOSTLY_TRUE.search(name) else 0.3
    weights = (rare, 1 - rare)
    return Choice(values, weights if len(values) == 2 else ())


def _range(name: str, low: int, high: int, most: int) -> tuple[int, int]:
    """Return the range that a name asks for, as far as the type holds it; `low` to `high` where it has no say."""
    for pattern, first, last in RANGES:
        if re.search(pattern, name):
            return min(first, most), min(last, most)
    return low, min(high, most)


def _integer(name: str, kind: Any, limits: Limits, *_: Any) -> Domain:
    most = 127 if isinstance(kind, mysql.TINYINT) else 32767 if isinstance(kind, sa.SmallInteger) else 2**31 - 1
    most = min(most, 2**23 - 1) if isinstance(kind, mysql.MEDIUMINT) else most
    low, high = _range(name, int(name == "id"), 10_000, most)
    low = max(low, 0) if getattr(kind, "unsigned", False) else low
    low, high = _bounded(low, high, limits, 1)
    step = max(1, limits.multiple)
    if step > 1:
        return Respelled(Integers(-(-low // step), high // step), lambda value: value * step)
    return Integers(low, high, high if _is_number(limits.high) else most)


def _bounded(low: int, high: int, limits: Limits, unit: int) -> tuple[int, int]:
    """Return a range in units of 1/`unit` moved to where the CHECKs allow it, as wide as it was where it can be."""
    width = high - low
    least = None if not _is_number(limits.low) else int(np.ceil(round(limits.low * unit, 6)))
    most = None if not _is_number(limits.high) else int(np.floor(round(limits.high * unit, 6)))
    least = None if least is None else least + (limits.low_open and least == round(limits.low * unit, 6))
    most = None if most is None else most - (limits.high_open and most == round(limits.high * unit, 6))
    if least is not None and (low < least or high < least):
        low, high = least, max(high, least) if high > least else least + width
    if most is not None and high > most:
        low, high = min(low, most) if least is not None or low <= most else most - width, most
    if least is not None:
        low = max(low, least)
    return low, high


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(name: str, kind: Any, limits: Limits, *_: Any) -> Domain:
    scale = kind.scale if getattr(kind, "scale", None) is not None else 2
    if isinstance(kind, sa.Float):
        scale = 4
    scale = min(scale, 9)
    digits = 12 if isinstance(kind, sa.Float) else min(kind.precision or 15, 15)
    ceiling = 10**digits - 1
    low, high = (5, 500) if PRICES.search(name) else _range(name, 0, 1_000, 10**9)
    low, high = max(low * 10**scale, -ceiling), min(high * 10**scale, ceiling)
    low = min(low, 0) if low >= high else low
    low, high = _bounded(low, high, limits, 10**scale)
    low, high = max(low, -ceiling), min(high, ceiling)
    room = high if _is_number(limits.high) else ceiling
    if low > 0 and SALARIES.search(name):
        return Amounts(low, high, scale, room, round_to=100, endings=(0.0,))
    if low > 0 and PRICES.search(name):
        return Amounts(low, high, scale, room)
    return Decimals(low, high, scale, room, 1.0 if POLES.search(name) else 2.0)


def _string(name: str, kind: Any, limits: Limits, _span: Span, locale: str) -> Domain:
    length = _least(getattr(kind, "length", None), limits.longest)
    provider = _short(_provider(name), name, length, locale)
    words = usual(name, length, limits)
    if words is not None:
        rest = _numbered(name, tuple(words), length, limits) or _texts(provider, length, limits, locale)
        return Unnumbered(Choice(tuple(words), tuple(words.values())), rest)
    return _texts(provider, length, limits, locale, _digits(name, length))


def _numbered(name: str, words: tuple[str, ...], length: int | None, limits: Limits) -> Domain | None:
    """Return the names of things with numbers; None where they are no names, or numbers have no room."""
    room = length is None or length >= max(map(len, words)) + BEHIND
    return Numbered(words) if name.endswith("_name") and room and not limits.pattern else None


def _short(provider: str, name: str, length: int | None, locale: str) -> str:
    """Return the provider of the codes that a column too short for names holds."""
    if provider == "country" or re.search(r"nationality|citizenship", name):
        return "country" if length is None or length > 3 else "country_code" if length < 3 else "country_code_3"
    if provider == "state" and length in (2, 3) and locale == "en_US":
        return "state_abbr"
    return provider


def _digits(name: str, length: int | None) -> Domain | None:
    """Return texts of the number of digits that a name tells of, None where it tells of none."""
    width = next((width for pattern, width in DIGITS if re.search(pattern, name)), 0)
    width = min(width, length if length is not None else width)
    return Codes("0123456789", width, 10**width, f"{width} digits") if width else None


def _texts(provider: str, length: int | None, limits: Limits, locale: str, digits: Domain | None = None) -> Domain:
    made = digits or _cased(_fitting(provider, length, limits.shortest, locale), limits)
    if not limits.pattern:
        return made
    folded = limits.folded or limits.lower or limits.upper
    pattern = _cased(Pattern(limits.pattern, limits.shortest, length, folded), limits)
    if not _match(made, limits.pattern, 1.0 if provider == "word" else 0.5):
        return pattern
    return made if _match(made.roomy(NUMBERED), limits.pattern) else Unnumbered(made, pattern)


def _cased(made: Domain, limits: Limits) -> Domain:
    if limits.lower or limits.upper:
        return Respelled(made, str.lower if limits.lower else str.upper)
    return made


CODES = frozenset({"country_code", "country_code_3", "currency_code", "language_code", "state_abbr"})
"""Providers of words that a column of two or three characters takes."""
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NUMBERED = 10**6
"""Rows for which words carry numbers."""


def _match(made: Domain, pattern: str, share: float = 0.5) -> bool:
    """Whether at least that share of a domain's values match a regular expression."""
    index = np.linspace(0, max(made.capacity - 1, 0), 64).astype(np.int64)
    try:
        found = re.compile(pattern, re.DOTALL).search
    except re.error:
        return False
    return sum(found(str(value)) is not None for value in made.nth(index).tolist()) >= len(index) * share


def provider_of(table: str, name: str) -> str:
    """Return the Faker provider whose words a column of a table holds."""
    return _provider(in_full(table, _snake(name)))


def usually(table: str, name: str) -> bool:
    """Whether the name of a text column alone tells of a few usual words."""
    return is_usual(in_full(table, _snake(name)))


def _provider(name: str) -> str:
    """Return the Faker provider whose words a column of that name holds."""
    return next((provider for pattern, provider in PROVIDERS if re.search(pattern, name)), "word")


def _fitting(provider: str, length: int | None, shortest: int, locale: str) -> Domain:
    if length is not None and 2 <= length <= 3 and provider in CODES:
        return Words(provider, length, shortest, locale)
    if length is not None and length < 4:
        count = 26**length
        return Codes("ABCDEFGHIJKLMNOPQRSTUVWXYZ", length, count, f"{length} letters")
    if provider == "bothify":
        return Codes(ALNUM, max(min(length or 8, 8), shortest), 36 ** min(length or 8, 8))
    return Words(provider, length, shortest, locale)


def _least(*values: int | None) -> int | None:
    given = [value for value in values if value is not None]
    return min(given) if given else None


def _moments(name: str, _kind: Any, limits: Limits, span: Span, _locale: str) -> Domain:
    start, end = _time_range(name, limits, span)
    return Moments(start, end)


def _time_range(name: str, limits: Limits, span: Span) -> tuple[np.datetime64, np.datetime64]:
    start, end = span.start, span.end
    if re.search(r"birth|dob", name):
        start, end = np.datetime64("1950-01-01", "us"), np.datetime64("2006-01-01", "us")
    low = moment(limits.low) if limits.low is not None else None
    high = moment(limits.high) if limits.high is not None else None
    if low is not None and start <= low:
        start, end = low + np.timedelta64(1, "D"), max(end, low + np.timedelta64(366, "D"))
    if high is not None and end >= high:
        end = high - np.timedelta64(1, "D")
        start = min(start, end - np.timedelta64(365, "D")) if low is None else min(start, end)
    return start, end


def _dates(name: str, _kind: Any, limits: Limits, span: Span, _locale: str) -> Domain:
    start, end = _time_range(name, limits, span)
    return Moments(start.astype("datetime64[D]"), end.astype("datetime64[D]"), np.timedelta64(86_400_000_000, "us"))


def _json(name: str, _kind: Any, limits: Limits, *_: Any) -> Domain:
    return documents(name, limits.members)


def _binary(_name: str, kind: Any, limits: Limits, *_: Any) -> Domain:
    size = max(1, min(getattr(kind, "length", None) or limits.longest or 16, 16), limits.shortest)
    return Made(lambda i: i.to_bytes(8, "big").rjust(size, b"\0")[-size:], min(VAST, 256 ** min(size, 7)), "bytes")


def _array(name: str, kind: Any, limits: Limits, span: Span, locale: str) -> Domain | None:
    inner = domain(name, kind.item_type, domain_limits(kind.item_type), span, locale)
    return Choice(([],)) if inner is None else lists(inner, limits, kind.dimensions)


def _made(write: Callable[[int], Any], size: int, title: str) -> Callable[..., Domain]:
    return lambda *_: Made(write, size, title)


def _dotted(index: int) -> str:
    return ".".join(str(index >> shift & 255) for shift in (24, 16, 8, 0))


def _colons(index: int, pairs: int) -> str:
    text = f"{index:0{2 * pairs}x}"
    return ":".join(text[at : at + 2] for at in range(0, 2 * pairs, 2))


def _day(index: int) -> str:
    return str(np.datetime64("2024-01-01", "D") + index)


def _bits(_name: str, kind: Any, limits: Limits, *_: Any) -> Domain:
    if isinstance(kind, mysql.BIT):
        return Integers(*_bounded(0, 2 ** min(kind.length or 1, 62) - 1, limits, 1))
    size = min(kind.length or 1, 60)
    return Made(lambda i: f"{i:0{size}b}".ljust(kind.length or 1, "0"), 2**size, "bits")


def _years(name: str, _kind: Any, limits: Limits, span: Span, _locale: str) -> Domain:
    low, high = (end.astype("datetime64[Y]").astype(int) + 1970 for end in _time_range(name, limits, span))
    return Integers(int(low), int(high), 2155)


def _time_of_day(name: str, *_: Any) -> Domain:
    """Return quarters of an hour in the daytime, in its first half for what begins; any second where many differ."""
    latest = timedelta(hours=14 if OPENING.search(name) else 22)
    return Unnumbered(Clocks(latest, timedelta(hours=6), 15 * 60), Clocks(timedelta(days=1)))


def _members(_name: str, kind: Any, *_: Any) -> Domain:
    return Choice(tuple(kind.values))


FAMILIES: Mapping[Any, Callable[..., Domain | None]] = {
    sa.Enum: _enum,
    sa.Boolean: _boolean,
    sa.Integer: _integer,
    sa.Numeric: _numeric,
    sa.Float: _numeric,
    sa.Uuid: lambda *_: Uuids(),
    pg.INET: _made(lambda i: _dotted(0x0A000000 + i), 2**24, "addresses"),
    pg.CIDR: _made(lambda i: f"{_dotted(0x0A000000 + (i << 8))}/24", 2**16, "networks"),
    pg.MACADDR: _made(lambda i: _colons(i, 6), 2**48, "MAC addresses"),
    pg.MACADDR8: _made(lambda i: _colons(i, 8), 2**60, "MAC addresses"),
    pg.HSTORE: _made(lambda i: f'"n"=>"{i}"', 10_000, "maps"),
    pg.TSVECTOR: lambda _n, _k, _l, _s, locale: Words("word", locale=locale),
    pg.BIT: _bits,
    mysql.BIT: _bits,
    mysql.YEAR: _years,
    mysql.SET: _members,
    pg.MONEY: _made(lambda i: f"{i / 100:.2f}", 100_000, "money"),
    pg.INT4RANGE: _made(lambda i: f"[{i},{i + 10})", 10_000, "ranges"),
    pg.INT8RANGE: _made(lambda i: f"[{i},{i + 10})", 10_000, "ranges"),
    pg.NUMRANGE: _made(lambda i: f"[{i},{i + 10})", 10_000, "ranges"),
    pg.DATERANGE: _made(lambda i: f"[{_day(i)},{_day(i + 7)})", 10_000, "ranges"),
    pg.TSRANGE: _made(lambda i: f"[{_day(i)},{_day(i + 7)})", 10_000, "ranges"),
    pg.TSTZRANGE: _made(lambda i: f"[{_day(i)} 00:00+00,{_day(i + 7)} 00:00+00)", 10_000, "ranges"),
    pg.CITEXT: lambda n, k, limits, s, locale: _string(n, k, replace(limits), s, locale),
    pg.OID: lambda *_: Integers(1, 10_000),
    sa.String: _string,
    sa.DateTime: _moments,
    sa.Date: _dates,
    sa.Time: _time_of_day,
    sa.Interval: lambda *_: Durations(),
    pg.INTERVAL: lambda *_: Durations(),
    sa.JSON: _json,
    sa.LargeBinary: _binary,
    sa.BINARY: _binary,
    sa.VARBINARY: _binary,
    sa.ARRAY: _array,
}
