"""Slugs: a title or name as addresses spell it, with a number from the second row of the same text on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.rows import clearance
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.frames import Frame, Maker, Source
from dbplan.seeding.rows.stream import Array, Bits, Index, bits, key, mixed, unit
from dbplan.seeding.values.domains import VAST, Domain, as_array
from dbplan.seeding.values.infer import generic, provider_of
from dbplan.seeding.values.words import NUMBER

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

CHUNK = 50_000
UNTITLED = "untitled"
"""The slug of a text that is NULL, or has neither letters nor digits."""
FORMS: tuple[tuple[str, str, int], ...] = (
    (r"(?P<of>.*?)_?slug", "", 10_000),
    (r"(?P<of>)sub_?domain", "", 63),
    (r"(?P<of>)(custom_?)?domain(_?name)?", ".example", 63),
)
"""Columns of slugs: pattern with what the slug is of, ending, and the most characters before the ending."""
TEXTS = ("title", "name", "headline", "display_name", "full_name", "label", "subject")
"""Columns of which a slug is, the best first."""
ROOMS = (60, 48, 40, 32, 24)
"""Lengths that are tried where a CHECK refuses slugs that fill the column."""
_NUMBERED = re.compile(r"(.+)-([0-9]+)")


def slug(text: str) -> str:
    """Return a text in small letters from a to z and digits, dashes between its words."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")


@dataclass(frozen=True)
class Slug(Domain):
    """Slugs of another column of the row, `room` characters at most; numbered where a unique wants them different.

    A slug that ends in a number of its own is always numbered, so that no two of them are spelled alike.
    """

    text: str
    ending: str
    room: int
    shortest: int
    unique: bool
    scoped: bool
    """Whether slugs differ among the children of one parent, rather than in the table."""

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return VAST

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        return as_array([self.written(UNTITLED, number + 1) for number in index.tolist()])

    def base(self, text: object) -> str:
        """Return the slug of a text, without a number."""
        cut = slug(str(text))[: self.room - NUMBER if self.unique else self.room].strip("-")
        return (cut or UNTITLED).ljust(self.shortest, "x")

    def written(self, base: str, number: int) -> str:
        """Return the slug of the `number`th row of a base."""
        alone = not self.unique or (number == 1 and not _NUMBERED.fullmatch(base))
        return f"{base}{'' if alone else f'-{number}'}{self.ending}"

    def read(self, written: str) -> tuple[str, int]:
        """Return base and number of a slug, such as that of a fixed row."""
        plain = written.removesuffix(self.ending)
        match = _NUMBERED.fullmatch(plain)
        return (match[1], int(match[2])) if match is not None and len(match[2]) < NUMBER else (plain, 1)

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"slug of {self.text}{f' with {self.ending}' if self.ending else ''}"


class Numbers:
    """Which number a row has among those of its base: a row is counted after all rows before it, and no other."""

    def __init__(self, domain: Slug, held: Mapping[Hashable, int]) -> None:
        self._domain = domain
        self._taken: dict[np.uint64, set[int]] = {}
        for base, number in (domain.read(str(mark)) for mark in held):
            self._taken.setdefault(_hash(base), set()).add(number)
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._numbers = np.zeros(0, dtype=np.int64)

    def of(self, source: Source, rows: Index) -> Index:
        """Return the numbers of rows; those before them are looked through once."""
        wanted = int(rows.max(initial=-1)) + 1
        if wanted > len(self._numbers):
            self._count(source, min(source.rows, max(wanted, 2 * len(self._numbers))))
        return self._numbers[rows]

    def _count(self, source: Source, upto: int) -> None:
        hashes = [self._hashes]
        for start in range(len(self._hashes), upto, CHUNK):
            frame = source.frame(np.arange(start, min(start + CHUNK, upto), dtype=np.int64))
            hashes.append(_hashes(bases(self._domain, frame)))
            if self._domain.scoped:
                assert source.fan is not None
                hashes[-1] = hashes[-1] ^ mixed(source.fan.parent(frame.rows).astype(np.uint64) + np.uint64(1))
        self._hashes = np.concatenate(hashes)
        self._numbers = ranks(self._hashes) + 1
        for mark, taken in self._taken.items():
            met = np.flatnonzero(self._hashes == mark)
            self._numbers[met] = np.setdiff1d(np.arange(1, len(met) + len(taken) + 1), list(taken))[: len(met)]


def ranks(marks: Bits) -> Index:
    """Return for every mark how many like it come before it."""
    order = np.argsort(marks, kind="stable")
    begins = np.flatnonzero(np.diff(marks[order], prepend=marks[order][:1] ^ np.uint64(1)))
    place = np.arange(len(marks)) - np.repeat(begins, np.diff(begins, append=len(marks)))
    out = np.empty(len(marks), dtype=np.int64)
    out[order] = place
    return out


def _hash(base: str) -> np.uint64:
    return key(0, "slug", base)


def _hashes(words: list[str]) -> Bits:
    known = {base: _hash(base) for base in set(words)}
    return np.array([known[base] for base in words], dtype=np.uint64)


def bases(domain: Slug, frame: Frame) -> list[str]:
    """Return the slugs of a frame's texts, without numbers."""
    cells = frame[domain.text]
    texts = ["" if none else text for text, none in zip(cells.values.tolist(), cells.null.tolist(), strict=True)]
    known = {text: domain.base(text) for text in set(texts)}
    return [known[text] for text in texts]


def slugged(builder: Builder, column: Column[Any], domain: Slug) -> tuple[Maker, str]:
    """Return the maker of a column of slugs, and the reason for it."""
    rule, state = builder.rule.columns.get(column.name, {}), builder.world.random_state
    held = {} if domain.scoped else clearance.taken(builder.source, column.name)
    numbers, stream = Numbers(domain, held), key(state, builder.name, column.name, "null")
    tied = any(column.name in names for names in _tests(builder) if len(names) > 1)
    null = float(rule.get("null", 0.0 if tied or "only_when" in rule else builder.null_share(column)))

    def make(frame: Frame) -> Cells:
        words = bases(domain, frame)
        number = numbers.of(frame.source, frame.rows).tolist() if domain.unique else [1] * len(words)
        values = as_array([domain.written(base, count) for base, count in zip(words, number, strict=True)])
        return Cells(values, unit(bits(stream, frame.rows)) < null)

    if domain.unique and not domain.scoped:
        builder.clear.add(column.name)
    how = "" if not domain.unique else ", each once within its parent" if domain.scoped else ", each once"
    return make, domain.title + how


def slugs(builder: Builder) -> Mapping[str, Domain]:
    """Return the domains of columns that spell a text of their row; a recipe's rule for a column leaves it out."""
    found = ((column.name, _slug(builder, column)) for column in builder.table.columns)
    return {name: made for name, made in found if made is not None}


def _slug(builder: Builder, column: Column[Any]) -> Slug | None:
    if not _plain(column) or set(builder.rule.columns.get(column.name, {})) - {"null", "only_when"}:
        return None
    for pattern, ending, most in FORMS:
        match = re.fullmatch(pattern, column.name.lower())
        text = _text(builder, column, match["of"], company=bool(ending)) if match is not None else None
        if text is not None:
            return _fitting(builder, column, text, ending, most)
    return None


def _plain(column: Column[Any]) -> bool:
    """Whether a column holds texts that a seed writes: no key of another table, nothing that the server fills."""
    kind = column.type
    texts = isinstance(kind, sa.String) and not isinstance(kind, sa.Enum) and type(kind) is type(generic(kind))
    return texts and not column.foreign_keys and column.server_default is None and column.computed is None


def _text(builder: Builder, column: Column[Any], of: str, *, company: bool) -> str | None:
    """Return the column of which another is the slug; a domain is that of a company alone."""
    named = {name.lower(): name for name in builder.table.columns.keys()}  # noqa: SIM118 - a ColumnCollection
    wanted = [*(f"{of}_{text}" for text in TEXTS if of), *((of,) if of else ()), *TEXTS]
    for name in (named[name] for name in wanted if name in named):
        fits = not company or provider_of(builder.table.name, name) == "company"
        written = _plain(builder.table.columns[name]) and not builder.rule.columns.get(name, {}).get("omit")
        if fits and written and not _follows(builder, name, column.name):
            return name
    return None


def _follows(builder: Builder, name: str, other: str) -> bool:
    """Whether a column follows another one: by rules that name it, or by CHECKs that tie the two."""
    reached, todo = {name}, [name]
    while todo:
        at = todo.pop()
        said = set(re.findall(r"\w+", str(dict(builder.rule.columns.get(at, {})))))
        near = {n for names in _tests(builder) if at in names for n in names} | said & set(builder.table.columns.keys())
        todo.extend(near - reached)
        reached |= near
    return other in reached


def _tests(builder: Builder) -> list[frozenset[str]]:
    return [check.parsed.columns for check in builder.facts.checks if check.parsed is not None]


def _fitting(builder: Builder, column: Column[Any], text: str, ending: str, most: int) -> Slug | None:
    """Return the longest slugs that have room in their column and hold the CHECKs of the column alone."""
    limits, lead = builder.facts.limit(column.name), builder.source.lead
    around = [names for names in builder.source.uniques if column.name in names]
    scoped = bool(around) and lead is not None and all(set(lead.own) <= names for names in around)
    lengths = [n for n in (getattr(column.type, "length", None), limits.longest) if n is not None]
    longest = min([*lengths, most + len(ending)]) - len(ending)
    made = Slug(text, ending, longest, max(limits.shortest - len(ending), 0), bool(around), scoped)
    for room in (longest, *(room for room in ROOMS if room < longest)):
        if room >= 2 * NUMBER and _holds(builder, column, replace(made, room=room)):
            return replace(made, room=room)
    return None


def _holds(builder: Builder, column: Column[Any], made: Slug) -> bool:
    words = ("mug", "desk lamp", "the 2nd", "24 hours", "word " * made.room)
    values = present(as_array([made.written(made.base(word), number) for word in words for number in (1, 10**6)]))
    for check in builder.facts.checks:
        if check.parsed is not None and check.parsed.columns == {column.name}:
            try:
                if not check.parsed.holds(lambda _: values, len(values)).all():
                    return False
            except (NotCovered, TypeError, ValueError):
                continue  # said in words when the CHECKs are read
    return True
