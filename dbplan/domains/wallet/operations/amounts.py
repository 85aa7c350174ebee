"""Amounts between people, who write 12.50, and the database, which counts 1250 minor units: exact, or refused."""

from __future__ import annotations

import re
from decimal import Decimal

from dbplan.domains.calls import whole
from dbplan.errors import UsageError

_FAR = 10**100
_WRITTEN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def decimal_of(amount: int, minor_units: int) -> Decimal:
    """Return an amount of minor units in whole units: 1250 with two decimals is 12.50."""
    whole("amount", amount, -_FAR, _FAR)
    # Built from its text, a Decimal is exact, whatever the precision of the context.
    return Decimal(f"{amount}E-{_decimals(minor_units)}")


def minor_of(value: Decimal, minor_units: int) -> int:
    """Return a value in minor units: 12.5 with two decimals is 1250; UsageError where it is finer than those."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise UsageError(f"{value} is no amount; give a Decimal, as in Decimal('12.50')")
    numerator, denominator = value.as_integer_ratio()
    amount, rest = divmod(numerator * int(10 ** _decimals(minor_units)), denominator)
    if rest:
        raise UsageError(f"{value} is finer than {minor_units} decimals; round it the way your books want it")
    return amount


def format_amount(amount: int, minor_units: int) -> str:
    """Return an amount of minor units as people write it, with all of its decimals and a point."""
    return f"{decimal_of(amount, minor_units):f}"


def parse_amount(written: str, minor_units: int) -> int:
    """Return what people wrote in minor units; UsageError where it is no number or finer than those.

    Digits, one point, a minus: a comma, a space or an exponent means different things to different people.
    """
    if not _WRITTEN.fullmatch(written.strip()):
        raise UsageError(f'"{written}" is no amount; write one with digits and a point, as in 12.50')
    return minor_of(Decimal(written.strip()), minor_units)


def _decimals(minor_units: int) -> int:
    return whole("number of decimals", minor_units, 0, 99)
