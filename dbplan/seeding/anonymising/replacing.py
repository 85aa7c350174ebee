"""Replacing: the function from an old value to a new one, for every kind of column."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.columns import Encrypted
from dbplan.encryption import seal
from dbplan.seeding.anonymising import texts, things
from dbplan.seeding.anonymising.choosing import Choices, room_of
from dbplan.seeding.anonymising.documents import walked
from dbplan.seeding.anonymising.keyed import Keyed
from dbplan.seeding.anonymising.personal import DROP, FEW, KEEP, NAMES, Seen, Treatment, judged
from dbplan.seeding.anonymising.persons import People, in_case_of
from dbplan.seeding.anonymising.shapes import card, iban, remembered, scrambled
from dbplan.seeding.values.infer import generic

Maker = Callable[[Any], Any]
_ADDRESS = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+")


@dataclass(frozen=True)
class Replacer:
    """Replacements for the values of a plan's columns, under one key."""

    choices: Choices
    keyed: Keyed
    locale: str = "en_US"
    people: People = field(init=False)

    def __post_init__(self) -> None:
        """Know the people."""
        object.__setattr__(self, "people", People(self.keyed.of("person"), self.locale))

    def maker(self, column: Column[Any], what: Treatment) -> Maker | None:
        """Return the function that replaces a column's values; None where they stay."""
        kind = generic(column.type)
        if what.kind == KEEP:
            return partial(self._addresses_alone, self.room(column)) if _is_open(column, what) else None
        if what.kind == DROP:
            return partial(_dropped, None if column.nullable else "")
        if isinstance(kind, sa.ARRAY):
            return partial(_nested, self._plain(what.kind, generic(kind.item_type), column))
        return self._plain(what.kind, kind, column)

    def room(self, column: Column[Any]) -> int | None:
        """Return the most characters that a column takes."""
        return room_of(column, self.choices.facts[str(column.table.key)])

    def _plain(self, what: str, kind: Any, column: Column[Any]) -> Maker:
        keyed = self.keyed.of(what)
        if what == "document":
            return partial(walked, maker=Documents(self, column.table.name).maker)
        if what == "secret":
            return remembered(partial(_secret, keyed, column.type.place if isinstance(column.type, Encrypted) else ""))
        if what == "number":
            return partial(number, keyed, kind)
        if what in _THINGS:
            return partial(_THINGS[what], keyed)
        return self.text(what, self.room(column))

    def text(self, what: str, longest: int | None) -> Maker:
        """Return the function that replaces texts of a kind; an address is an address wherever it stands."""
        make, address = self._words(what, longest), self._words("email", longest)
        if what == "password":
            return make
        other = what != "email"

        def made(value: Any) -> str:
            text = value if isinstance(value, str) else str(value)
            if other and "@" in text and _ADDRESS.fullmatch(text):
                return str(address(text))
            return str(make(text)) if text.strip() else text

        return remembered(made)

    def _words(self, what: str, longest: int | None) -> Maker:
        limits = (self.choices.longest.get(what), longest)
        room, keyed = min((size for size in limits if size is not None), default=None), self.keyed.of(what)
        if what == "email":
            return lambda value: self.people.address(value, room)
        if what == "user_name":
            return lambda value: self.people.user_name(value, room)
        if what in NAMES:
            return lambda value: in_case_of(value, self.people.of(value).part(what, longest))
        if what in _WORDS:
            provider, locale = _WORDS[what], self.locale
            return lambda value: in_case_of(value, texts.from_pool(keyed, value, provider, locale, longest))
        return partial(_TEXTS[what], keyed, longest)

    def _addresses_alone(self, longest: int | None, value: Any) -> Any:
        """Return a text as it is, but for the addresses in it."""
        if not isinstance(value, str) or "@" not in value:
            return value
        if _ADDRESS.fullmatch(value):
            return self._words("email", longest)(value)
        return _ADDRESS.sub(lambda found: scrambled(self.keyed.of("email"), found[0]), value)


@dataclass
class Documents:
    """What is done with the values of documents in the columns of one table, by their keys."""

    replacer: Replacer
    table: str
    known: dict[tuple[str, type], Maker | None] = field(default_factory=dict)

    def maker(self, name: str, value: Any) -> Maker | None:
        """Return the function that replaces a value under a key; None where it stays."""
        place = name, type(value)
        if place not in self.known:
            self.known[place] = self._made(name, value)
        return self.known[place]

    def _made(self, name: str, value: Any) -> Maker | None:
        kind = sa.String() if isinstance(value, str) else sa.BigInteger() if isinstance(value, int) else sa.Float()
        what = judged(Seen(self.table, name), kind).kind
        if isinstance(value, str):
            kept = partial(self.replacer._addresses_alone, None)
            return kept if what == KEEP else self.replacer.text(what, None)
        keyed = self.replacer.keyed.of(what)
        makers = {"number": partial(number, keyed, kind), "position": partial(things.coordinate, keyed)}
        return makers.get(what)


def number(keyed: Keyed, kind: Any, value: Any) -> Any:
    """Return a number of as many digits that has room in the type."""
    if isinstance(kind, sa.Integer):
        size = 2 if isinstance(kind, sa.SmallInteger) else 8 if isinstance(kind, sa.BigInteger) else 4
        return things.whole_number(keyed, value, size)
    return things.long_number(keyed, value)


def _secret(keyed: Keyed, place: str, value: str) -> str:
    return seal(f"secret_{keyed.digest(value).hex()[:32]}", place)


def _digest(keyed: Keyed, value: Any) -> str:
    return keyed.digest(str(value)).hex()


def _uuid(keyed: Keyed, value: Any) -> Any:
    made = things.unlike(keyed, value if isinstance(value, uuid.UUID) else uuid.UUID(str(value)))
    return made if isinstance(value, uuid.UUID) else str(made)


def _dropped(nothing: Any, _value: Any) -> Any:
    return nothing


def _nested(make: Maker, values: Any) -> Any:
    if values is None:
        return None
    return [_nested(make, value) for value in values] if isinstance(values, list | tuple) else make(values)


def _is_open(column: Column[Any], what: Treatment) -> bool:
    """Whether a text that is kept may hold anything: nothing lists its values, and nobody has said that it stays."""
    kind = generic(column.type)
    return isinstance(kind, sa.String) and not isinstance(kind, sa.Enum) and what.rank < 4 and what.why != FEW


_THINGS: Mapping[str, Callable[[Keyed, Any], Any]] = {
    "birth_date": things.birth_date,
    "position": things.coordinate,
    "uuid": _uuid,
    "bytes": things.noise,
    "mac": things.network_card,
    "digest": _digest,
}
_WORDS = {"company": "company", "address": "street_address", "city": "city", "job": "job", "user_agent": "user_agent"}
_TEXTS: Mapping[str, Callable[[Keyed, int | None, str], str]] = {
    "scramble": lambda keyed, _, value: scrambled(keyed, value),
    "iban": lambda keyed, _, value: iban(keyed, value),
    "card": lambda keyed, _, value: card(keyed, value),
    "text": lambda keyed, _, value: texts.neutral(keyed, value),
    "url": lambda keyed, longest, value: texts.link(keyed, value, longest),
    "host": lambda keyed, longest, value: texts.host(keyed, value, longest),
    "file": lambda keyed, _, value: texts.file(keyed, value),
    "ip": lambda keyed, _, value: texts.internet_address(keyed, value),
    "password": lambda _, __, value: texts.unusable(value),
}
TEXTS = frozenset({*_TEXTS, *_WORDS, *NAMES, "email"})
"""Kinds whose values are texts."""
