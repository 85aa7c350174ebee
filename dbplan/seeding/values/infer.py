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
from dbplan.seeding.constraints.checks import Limits, moment
from dbplan.seeding.rows.stream import Array, Bits, Index
from dbplan.seeding.rows.texts import Texts
from dbplan.seeding.values.beneath import on_postgresql
from dbplan.seeding.values.documents import documents
from dbplan.seeding.values.domains import (
    VAST,
    Choice,
    Codes,
    Decimals,
    Domain,
    Durations,
    Integers,
    Made,
    Moments,
    Tokens,
    Uuids,
    Words,
    as_array,
)
from dbplan.seeding.values.patterns import Pattern

PROVIDERS: tuple[tuple[str, str], ...] = (
    (r"e_?mail", "email"),
    (r"(first|given|fore)_?name", "first_name"),
    (r"(last|family|sur)_?name", "last_name"),
    (r"(user|login|nick|screen)_?name|handle|login", "user_name"),
    (r"(full|display|customer|contact|person|author|owner)_?name|^author$|recipient", "name"),
    (r"(company|business|organi[sz]ation|employer|vendor|supplier|merchant|tenant)(_?name)?$", "company"),
    (r"(phone|mobile|fax|tel)", "phone_number"),
    (r"(image|avatar|photo|picture|thumbnail|logo)(_?url)?$", "image_url"),
    (r"(url|uri|website|link|href)$", "url"),
    (r"(domain|host)(_?name)?$", "domain_name"),
    (r"slug$", "slug"),
    (r"(post|zip)(al)?_?(code)?$|zip_?code", "postcode"),
    (r"country_?code|country_iso", "country_code"),
    (r"country", "country"),
    (r"^(city|town)|_city$", "city"),
    (r"(state|province|region)_?(name)?$", "state"),
    (r"(street|address)(_?line)?_?\d?$", "street_address"),
    (r"currency", "currency_code"),
    (r"iban", "iban"),
    (r"(locale|language)", "language_code"),
    (r"(time_?zone|tz)$", "timezone"),
    (r"(ip|ip_?addr(ess)?|remote_addr)$", "ipv4"),
    (r"user_?agent", "user_agent"),
    (r"(mime|content)_?type", "mime_type"),
    (r"file_?name", "file_name"),
    (r"(file_?)?path$", "file_path"),
    (r"colou?r", "color_name"),
    (r"(password|hash|digest|checksum|sha256|signature)", "sha256"),
    (r"(token|secret|api_?key|session)", "md5"),
    (r"(job|position|occupation)_?(title)?$", "job"),
    (r"isbn", "isbn13"),
    (r"(ean|barcode|gtin)", "ean13"),
    (r"(license|plate)", "license_plate"),
    (r"product_(name|title)$", "product_name"),
    (r"(title|subject|headline|summary|caption)$", "catch_phrase"),
    (r"(description|body|content|comment|note|message|bio|text|about|details|reason|review)s?$", "sentence"),
    (r"(name|label)$", "catch_phrase"),
    (r"(code|sku|reference|ref|number|no|key|id)$", "bothify"),
)
OWNERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        r"(^|_)(user|customer|person|people|member|employee|author|contact|client|patient|student|teacher|guest)s?$",
        ("name",),
        "person_name",
    ),
    (
        r"(^|_)(company|companies|business|businesses|(store|shop|organi[sz]ation|vendor|supplier|merchant|employer)s?)$",
        ("name",),
        "company_name",
    ),
    (r"(^|_)products?$", ("name", "title"), "product_name"),
)
"""What a column of few words means by the table that it stands in: table, column, and its name in full."""
RANGES: tuple[tuple[str, int, int], ...] = (
    (r"(quantity|qty)", 1, 10),
    (r"(rating|stars|score)", 1, 5),
    (r"(^|_)age$", 18, 90),
    (r"(percent|pct)", 0, 100),
    (r"(year)$", 1990, 2025),
    (r"(month)$", 1, 12),
    (r"(^|_)day$", 1, 28),
    (r"(hour)$", 0, 23),
    (r"(position|sort|rank|sequence|ordinal|line_?no|version|revision|priority)", 1, 100),
    (r"(attempts|retries|level|depth)", 0, 5),
    (r"(stock|inventory)", 0, 500),
    (r"weight|(^|_)kg$", 1, 120),
    (r"height|(^|_)cm$", 50, 210),
    (r"temperature|(^|_)temp$", -10, 40),
    (r"discount|vat|tax", 0, 25),
    (r"salary|income", 20_000, 120_000),
    (r"(duration|minutes|mins)(_min(ute)?s?)?$", 5, 240),
    (r"(seconds|secs|ttl|timeout)$", 1, 3600),
    (r"(^|_)(room|floor|seat|gate|building|house)(_?(no|number))?$", 1, 400),
    (r"capacity|seats|beds|guests", 1, 300),
    (r"population", 500, 2_000_000),
    (r"(port)$", 1024, 65535),
    (r"(size|bytes|length)", 1, 10_000_000),
    (r"(latitude|^lat)$", -85, 85),
    (r"(longitude|^lng|^lon)$", -180, 180),
)
NAMELESS = frozenset({"word", "md5", "sha256", "bothify", "catch_phrase", "user_name"})
"""Providers instead of which a secret holds a random text."""
MOSTLY_FALSE = re.compile(r"(delet|remov|archiv|block|bann|suspend|lock|disab|spam|default|primary|test)")


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


@dataclass(frozen=True)
class Unnumbered(Domain):
    """Words while there are different ones for every row; for more rows, texts of the pattern that numbers break."""

    words: Domain
    pattern: Domain

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
        return self if self.capacity >= rows else self.pattern.roomy(rows)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return self.words.title


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
    return None


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
    weights = (0.95, 0.05) if MOSTLY_FALSE.search(name) else (0.3, 0.7)
    return Choice(values, weights if len(values) == 2 else ())


def _range(name: str, low: int, high: int) -> tuple[int, int]:
    for pattern, least, most in RANGES:
        if re.search(pattern, name):
            return max(low, least), min(high, most)
    return low, high


def _integer(name: str, kind: Any, limits: Limits, *_: Any) -> Domain:
    most = 127 if isinstance(kind, mysql.TINYINT) else 32767 if isinstance(kind, sa.SmallInteger) else 2**31 - 1
    most = min(most, 2**23 - 1) if isinstance(kind, mysql.MEDIUMINT) else most
    low, high = _range(name, 0, min(most, 10_000))
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
    low, high = _range(name, 0, 1_000)
    low, high = max(low * 10**scale, -ceiling), min(high * 10**scale, ceiling)
    low = min(low, 0) if low >= high else low
    low, high = _bounded(low, high, limits, 10**scale)
    return Decimals(
        max(low, -ceiling), min(high, ceiling), scale, min(high, ceiling) if _is_number(limits.high) else ceiling
    )


def _string(name: str, kind: Any, limits: Limits, _span: Span, locale: str) -> Domain:
    length = _least(getattr(kind, "length", None), limits.longest)
    provider = _provider(name)
    made = _cased(_fitting(provider, length, limits.shortest, locale), limits)
    if not limits.pattern:
        return made
    pattern = _cased(Pattern(limits.pattern, limits.shortest, length), limits)
    if provider == "word" or not _match(made, limits.pattern):
        return pattern
    return made if _match(made.roomy(NUMBERED), limits.pattern) else Unnumbered(made, pattern)


def _cased(made: Domain, limits: Limits) -> Domain:
    if limits.lower or limits.upper:
        return Respelled(made, str.lower if limits.lower else str.upper)
    return made


ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NUMBERED = 10**6
"""Rows for which words carry numbers."""


def _match(made: Domain, pattern: str) -> bool:
    """Whether most of a domain's values match a regular expression."""
    index = np.linspace(0, max(made.capacity - 1, 0), 64).astype(np.int64)
    try:
        found = re.compile(pattern, re.DOTALL).search
    except re.error:
        return False
    return sum(found(str(value)) is not None for value in made.nth(index).tolist()) > len(index) / 2


def provider_of(table: str, name: str) -> str:
    """Return the Faker provider whose words a column of a table holds."""
    return _provider(in_full(table, _snake(name)))


def _provider(name: str) -> str:
    """Return the Faker provider whose words a column of that name holds."""
    return next((provider for pattern, provider in PROVIDERS if re.search(pattern, name)), "word")


def _fitting(provider: str, length: int | None, shortest: int, locale: str) -> Domain:
    if length is not None and length <= 3 and provider in {"country_code", "currency_code"}:
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


def _array(name: str, kind: Any, limits: Limits, span: Span, locale: str) -> Domain:
    inner = domain(name, kind.item_type, Limits(), span, locale)
    if inner is None:
        return Choice(([],))
    count = min(inner.capacity, VAST)
    return Made(lambda i: _nested(inner.nth(np.array([i], dtype=np.int64)).tolist(), kind.dimensions), count, "lists")


def _nested(items: list[Any], dimensions: int | None) -> list[Any]:
    for _ in range((dimensions or 1) - 1):
        items = [items]
    return items


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
    sa.Time: lambda *_: Durations(timedelta(days=1)),
    sa.Interval: lambda *_: Durations(),
    pg.INTERVAL: lambda *_: Durations(),
    sa.JSON: _json,
    sa.LargeBinary: _binary,
    sa.BINARY: _binary,
    sa.VARBINARY: _binary,
    sa.ARRAY: _array,
}
