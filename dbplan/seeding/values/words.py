"""Words: pools drawn from Faker once a process, at Faker's own weights."""

from __future__ import annotations

from functools import cache

import numpy as np

from dbplan.errors import UnknownName
from dbplan.seeding.rows.stream import Array, key

POOL = 512


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

    class Product(BaseProvider):
        """Names of products, which Faker has none of."""

        def product_name(self) -> str:
            return " ".join(self.random_element(words) for words in PRODUCTS)

    faker = Faker(locale)
    faker.add_provider(Product)
    return faker


@cache
def pool(provider: str, locale: str = "en_US") -> Array:
    """Return 512 draws of a Faker provider; the same in every run of one Faker version.

    Draws keep the provider's weights: what Faker says twice as often stands in the pool twice as often.
    """
    faker = _faker(locale)
    method = getattr(faker, provider, None)
    if method is None or not callable(method) or provider.startswith("_"):
        raise UnknownName("Faker provider", provider, providers(locale))
    faker.seed_instance(int(key(0, "pool", locale, provider)))  # type: ignore[attr-defined]
    drawn = np.empty(POOL, dtype=object)
    drawn[:] = [_words(method()) for _ in range(POOL)]
    return drawn


@cache
def distinct_pool(provider: str, locale: str = "en_US") -> Array:
    """Return the words of a pool once each; words that differ only in case count as one."""
    once = {str(word).lower(): str(word) for word in reversed(pool(provider, locale).tolist())}
    words = np.empty(len(once), dtype=object)
    words[:] = [once[low] for low in sorted(once)]
    return words


def providers(locale: str = "en_US") -> list[str]:
    """Return the names of the providers that Faker has for a locale."""
    faker = _faker(locale)
    names = (name for factory in faker.factories for provider in factory.providers for name in dir(provider))  # type: ignore[attr-defined]
    return sorted({name for name in names if not name.startswith("_") and callable(getattr(faker, name, None))})


def _words(value: object) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, list) else str(value)
