"""The smallest and the largest number that a type holds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import types as sa
from sqlalchemy.dialects import mysql

BITS = ((mysql.TINYINT, 8), (mysql.MEDIUMINT, 24), (sa.SmallInteger, 16), (sa.BigInteger, 64), (sa.Integer, 32))


def widest(kind: Any) -> tuple[float, float] | None:
    """Return the ends of a type of numbers; None where it has none."""
    if isinstance(kind, sa.Float):
        return None
    if isinstance(kind, sa.Numeric):
        if kind.precision is None:
            return None
        scale = kind.scale or 0
        most = (10**kind.precision - 1) / 10**scale
        return -most, most
    bits = next((bits for family, bits in BITS if isinstance(kind, family)), None)
    if bits is None:
        return None
    signed = not getattr(kind, "unsigned", False)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
