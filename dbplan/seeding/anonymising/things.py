"""Replacements of what is no text: dates, numbers, positions, keys, bytes."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal
from functools import cache
from typing import Any

from dbplan.seeding.anonymising.keyed import Keyed
from dbplan.seeding.anonymising.shapes import within

_MOST = {2: 2**15 - 1, 4: 2**31 - 1, 8: 2**63 - 1}


def birth_date(keyed: Keyed, value: Any) -> Any:
    """Return another day of the same year, so that an age stays what it was within a year; no two days become one."""
    if not isinstance(value, dt.date):
        return value  # infinity, and years that Python has not
    day = dt.date(value.year, value.month, value.day)
    moved = _days(keyed, value.year)[day.timetuple().tm_yday - 1] - (day.timetuple().tm_yday - 1)
    return value + dt.timedelta(days=moved)


@cache
def _days(keyed: Keyed, year: int) -> tuple[int, ...]:
    """Return a permutation of the days of a year."""
    size = dt.date(year, 12, 31).timetuple().tm_yday
    order = sorted(range(size), key=lambda day: keyed.digest(f"{year} {day}"))
    return tuple(order)


def whole_number(keyed: Keyed, value: Any, size: int) -> Any:
    """Return a whole number of as many digits that has room in `size` bytes, in a permutation."""
    return within(keyed, int(value), _MOST[size])


def long_number(keyed: Keyed, value: Any) -> Any:
    """Return a number of as many digits, in a permutation."""
    return type(value)(within(keyed, int(value), 10**40))


def coordinate(keyed: Keyed, value: Any) -> Any:
    """Return a coordinate in the same whole degree, with as many decimals."""
    if isinstance(value, float) and not math.isfinite(value):
        return value
    text = format(value, "f") if isinstance(value, Decimal) else repr(float(value))
    decimals = len(text.partition(".")[2]) if "e" not in text else 6
    steps = 10**decimals
    degree = math.trunc(value)
    part = keyed.number(text) % steps
    made = Decimal(abs(degree) * steps + part) / steps * (-1 if text.startswith("-") else 1)
    limit = 90 if abs(value) <= 90 else 180
    made = made if abs(made) <= limit else Decimal(degree)
    return made.quantize(Decimal(1).scaleb(-decimals)) if isinstance(value, Decimal) else float(made)


def unlike(keyed: Keyed, value: uuid.UUID) -> uuid.UUID:
    """Return a random UUID that follows from another."""
    return uuid.UUID(bytes=keyed.digest(str(value))[:16], version=4)


def noise(keyed: Keyed, value: Any) -> bytes:
    """Return as many bytes that mean nothing."""
    given = bytes(value)
    return keyed.stream(given.hex() if len(given) < 64 else _digest(given), len(given))


def _digest(value: bytes) -> str:
    from hashlib import blake2b

    return blake2b(value).hexdigest()


def network_card(keyed: Keyed, value: Any) -> str:
    """Return a hardware address that no maker gives out."""
    size = 8 if len(str(value)) > 17 else 6
    octets = bytes([2]) + keyed.digest(str(value))[: size - 1]
    return ":".join(f"{octet:02x}" for octet in octets)
