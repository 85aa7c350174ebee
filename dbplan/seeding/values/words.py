"""Words: what Faker says, at Faker's own weights, drawn once and used by number."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dbplan.errors import DbplanError, UnknownName
from dbplan.seeding.rows.stream import Array, Bits, Index, key
from dbplan.seeding.rows.texts import Coded, Number, Pool, Texts

PRODUCTS = (
    ("Classic", "Compact", "Everyday", "Folding", "Handmade", "Heavy", "Light", "Plain", "Round", "Slim", "Small",
     "Soft", "Tall", "Travel", "Washed", "Wide"),
    ("Bamboo", "Brass", "Canvas", "Ceramic", "Copper", "Cork", "Cotton", "Glass", "Leather", "Linen", "Oak", "Paper",
     "Steel", "Walnut", "Wool"),
    ("Apron", "Backpack", "Basket", "Blanket", "Bottle", "Bowl", "Candle", "Chair", "Clock", "Cushion", "Jacket",
     "Lamp", "Mirror", "Mug", "Notebook", "Pan", "Rug", "Scarf", "Shelf", "Stool", "Table", "Tray", "Vase", "Wallet"),
)  # fmt: skip
"""Words that name a product, one of each."""


@cache
def _faker(locale: str) -> object:
    from faker import Faker
    from faker.providers import BaseProvider

    class More(BaseProvider):
        """What Faker has no provider of: names of products, codes of countries in three letters."""

        def product_name(self) -> str:
            return " ".join(self.random_element(words) for words in PRODUCTS)

        def country_code_3(self) -> str:
            return str(self.generator.country_code(representation="alpha-3"))

    faker = Faker(locale)
    faker.add_provider(More)
    return faker


FEW = 512
"""Draws for tables of few rows, which cost no time."""
MANY = 8192
"""Draws for larger tables; kept on disk."""
LARGE = 10_000
"""Rows from which a table is large."""
SLOTS = 2**16
NUMBER = 8
"""Characters kept free for a dot and a number of seven digits."""
_NUMBERED = re.compile(r"\.\d+x*(@|$)")
_EXTENSION = re.compile(r" ?x\d+$")
"""What few dial behind a phone number."""
LISTS: Mapping[str, str] = {"first_name": "first_names", "last_name": "last_names"}
"""Providers that say one word of a list, and where it is: all its words are known, and their weights."""


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Words of a provider, each once, and how often each is said: of 65,536 slots a word has its share."""

    pool: Pool
    slots: Index

    def __len__(self) -> int:
        return len(self.pool)

    def draw(self, random: Bits) -> Texts:
        """Return words at random, with their weights to 1/65,536."""
        return Texts(Coded(self.pool, self.slots[random >> np.uint64(48)]))


def slots_of(weights: Sequence[float]) -> Index:
    """Return 65,536 numbers of words, each as often as its weight asks; one too rare for a slot gets one of its own."""
    shares = np.asarray(weights, dtype=float)[:SLOTS]
    least = 1 if len(shares) < SLOTS // 2 else 0
    wanted = least + shares / shares.sum() * (SLOTS - least * len(shares))
    edges = np.floor(np.cumsum(wanted) + 0.5).astype(np.int64)
    edges[-1] = SLOTS
    return np.repeat(np.arange(len(shares), dtype=np.int32), np.diff(edges, prepend=0))


def lexicon_of(weights: Mapping[str, float]) -> Lexicon:
    """Return words with their weights, in the order of their letters."""
    words = sorted(weights)
    return Lexicon(Pool(words), slots_of([weights[word] for word in words]))


@cache
def weights(provider: str, locale: str = "en_US", draws: int = FEW) -> Mapping[str, float]:
    """Return every word of a provider with its weight."""
    found = _listed(provider, locale)
    if found is None:
        found = {}
        for word in pool(provider, locale, draws).tolist():
            found[word] = found.get(word, 0.0) + 1.0
    return found


def _listed(provider: str, locale: str) -> Mapping[str, float] | None:
    """Return the whole list that a provider draws one word from, None where it composes what it says."""
    from faker.providers.person import Provider

    name = LISTS.get(provider)
    if name is None:
        return None
    faker: Any = _faker(locale)
    owners = (each for factory in faker.factories for each in factory.providers if hasattr(each, provider))
    owner = next(owners, None)
    words = getattr(owner, name, None)
    if not words or getattr(type(owner), provider, None) is not getattr(Provider, provider):
        return None
    found: dict[str, float] = {}
    for word, weight in words.items() if isinstance(words, Mapping) else ((word, 1.0) for word in words):
        found[str(word)] = found.get(str(word), 0.0) + float(weight)
    return found


@cache
def pool(provider: str, locale: str = "en_US", draws: int = FEW) -> Array:
    """Return draws of a Faker provider; the same in every run of one Faker version.

    Draws keep the provider's weights: what Faker says twice as often stands in the pool twice as often.
    """
    method = getattr(_faker(locale), provider, None)
    if method is None or not callable(method) or provider.startswith("_"):
        raise UnknownName("Faker provider", provider, providers(locale))
    drawn = np.empty(draws, dtype=object)
    said = _draws(provider, locale, FEW) if draws <= FEW else _remembered(provider, locale, draws)
    drawn[:] = [_EXTENSION.sub("", word) for word in said] if provider == "phone_number" else said
    return drawn


def _draws(provider: str, locale: str, draws: int) -> list[str]:
    faker: Any = _faker(locale)
    faker.seed_instance(int(key(0, "pool", locale, provider)))
    method = getattr(faker, provider)
    return [_words(method()) for _ in range(draws)]


def _remembered(provider: str, locale: str, draws: int) -> list[str]:
    """Return draws from the disk, where an earlier run left them."""
    path = _place(provider, locale, draws)
    try:
        found = json.loads(path.read_text("utf-8")) if path is not None else None
    except (OSError, ValueError):
        found = None
    if isinstance(found, list) and len(found) == draws and all(isinstance(word, str) for word in found):
        return found
    made = _draws(provider, locale, draws)
    if path is not None:
        _leave(path, json.dumps(made))
    return made


def _place(provider: str, locale: str, draws: int) -> Path | None:
    """Return where draws are kept, None where this machine has no place for them."""
    from faker import VERSION

    from dbplan.sandbox.home import home, own_directory

    try:
        return own_directory(home() / "words", 0o700) / f"{VERSION}-{locale}-{provider}-{draws}.json"
    except (OSError, DbplanError):
        return None


def _leave(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; words are drawn again where it could not be."""
    partly = path.with_suffix(f".{os.getpid()}")
    try:
        partly.write_text(text, "utf-8")
        partly.replace(path)
    except OSError:
        partly.unlink(missing_ok=True)


@cache
def distinct_pool(provider: str, locale: str = "en_US", draws: int = FEW) -> Array:
    """Return the words of a provider once each; words that differ only in case count as one."""
    once = {word.lower(): word for word in sorted(weights(provider, locale, draws), reverse=True)}
    words = np.empty(len(once), dtype=object)
    words[:] = [once[low] for low in sorted(once)]
    return words


class Stems:
    """Words of which each may carry a number: before the "@" of an address, else at the end."""

    def __init__(self, words: Sequence[str]) -> None:
        cut = [word.partition("@") for word in words]
        self._names, self._hosts = Pool([name for name, _, _ in cut]), Pool([at + host for _, at, host in cut])
        self._shortest = min(map(len, words))

    def __len__(self) -> int:
        return len(self._names)

    def numbered(self, word: Index, number: Index, mark: str, shortest: int) -> Any:
        """Return words by number, with their own numbers: ann, ann.1, ann.1@example.org."""
        marks, values = _marks(mark), np.asarray(number)
        made = Texts(
            Coded(self._names, word),
            *(() if not values.any() else (Coded(marks, (values > 0).astype(np.int64)), Number(values, blank=0))),
            Coded(self._hosts, word),
        )
        if self._shortest >= shortest:
            return made
        out = np.empty(len(made), dtype=object)
        out[:] = [text.ljust(shortest, "x") for text in made.tolist()]
        return out


@cache
def _marks(mark: str) -> Pool:
    return Pool(["", mark])


@cache
def stems(provider: str, locale: str, length: int | None, shortest: int, draws: int) -> Stems:
    """Return the different words of a provider, cut so that a dot and a number still fit, none already so numbered."""
    room = None if length is None else max(1, length - NUMBER)
    kept: dict[str, str] = {}
    for word in distinct_pool(provider, locale, draws).tolist():
        name, at, host = word.partition("@")
        cut = name[: None if room is None else max(1, room - len(at + host))].rstrip() + at + host
        cut = cut[:room].rstrip() or "x"
        if not _NUMBERED.search(cut):
            kept.setdefault(cut.ljust(shortest, "x").lower(), cut)
    return Stems(list(kept.values()) or ["x"])


@cache
def fitted(provider: str, locale: str, length: int | None, shortest: int, draws: int) -> Lexicon:
    """Return the words of a provider, cut and padded to the lengths that a column takes."""
    found: dict[str, float] = {}
    for word, weight in weights(provider, locale, draws).items():
        cut = word[:length].rstrip().ljust(shortest, "x") or "x"
        found[cut] = found.get(cut, 0.0) + weight
    return lexicon_of(found)


def providers(locale: str = "en_US") -> list[str]:
    """Return the names of the providers that Faker has for a locale."""
    faker = _faker(locale)
    names = (name for factory in faker.factories for provider in factory.providers for name in dir(provider))  # type: ignore[attr-defined]
    return sorted({name for name in names if not name.startswith("_") and callable(getattr(faker, name, None))})


def _words(value: object) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, list) else str(value)
