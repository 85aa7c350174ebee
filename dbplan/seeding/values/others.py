"""Other values for a column whose CHECKs refuse all that its name and type tell of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import types as sa

from dbplan.seeding.constraints.checks import Limits
from dbplan.seeding.values.domains import Choice, Domain, Integers, Words
from dbplan.seeding.values.infer import generic
from dbplan.seeding.values.patterns import Pattern

PROVIDERS = ("word", "slug", "user_name", "name", "email", "url", "domain_name", "md5")
PATTERNS = ("^[a-z]{3,8}$", "^[A-Z]{2,6}$", "^[0-9]{1,9}$", "^[a-z0-9]{8,20}$", "^/[a-z]{3,8}(/[a-z]{3,8})?$")


def others(kind: Any, limits: Limits) -> Iterator[Domain]:
    """Yield domains to try in turn: what the CHECKs compare the column with comes first."""
    plain = sa.NullType() if isinstance(kind, sa.TypeDecorator) else generic(kind)  # its own values are another's
    if isinstance(plain, sa.String) and not isinstance(plain, sa.Enum):
        given = [length for length in (plain.length, limits.longest) if length is not None]
        yield from _texts(limits, min(given, default=None))
    elif isinstance(plain, sa.Integer):
        near = {hint + by for hint in limits.hints if isinstance(hint, int) for by in (-1, 0, 1)}
        yield Choice(tuple(sorted(near)))
        yield Integers(0, 100)
        yield Integers(-100, 0)


def _texts(limits: Limits, length: int | None) -> Iterator[Domain]:
    hints = dict.fromkeys(hint for hint in limits.hints if isinstance(hint, str) and len(hint) <= (length or len(hint)))
    yield Choice(tuple(hints))
    for provider in PROVIDERS:
        yield Words(provider, length, limits.shortest)
    for pattern in PATTERNS:
        yield Pattern(pattern, limits.shortest, length)
