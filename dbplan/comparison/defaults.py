"""Defaults that PostgreSQL spells in two ways and fills in alike: `now()` is CURRENT_TIMESTAMP, '0'::bigint is 0."""

from __future__ import annotations

import re
from decimal import Decimal

from dbplan.comparison.literals import NUMBERS, type_of, value_of

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_NOW = re.compile(r"\b(?:CURRENT_TIMESTAMP\b(?!\()|now\(\)|transaction_timestamp\(\))", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def same(one: str, other: str, kind: str) -> bool:
    """Say whether two defaults of a column of type `kind` fill in the same, as far as their words tell."""
    if one == other:
        return True
    if not one or not other:
        return False
    ours, theirs = _value(one, kind), _value(other, kind)
    if ours is not None and theirs is not None:
        return ours == theirs
    return _timely(one) == _timely(other)


def _value(words: str, kind: str) -> str | tuple[str, ...] | Decimal | None:
    """Return what a constant fills in; None for an expression that is none."""
    type_ = type_of(kind)
    found = value_of(words, type_) if type_ is not None else None
    if isinstance(found, str) and type_ is not None and type_.name in NUMBERS and _NUMBER.fullmatch(found):
        return Decimal(found)
    return found


def _timely(words: str) -> str:
    """Return an expression with the start of the transaction called now(), what is quoted left alone."""
    parts = _QUOTED.split(words)
    return "".join(part if place % 2 else _NOW.sub("now()", part) for place, part in enumerate(parts))
