"""Cells: the one place where a value becomes what people read, so that every exit agrees."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbplan.report.blocks import Kind

NOT_MEASURED = "—"
THIN = "\u202f"
"""A narrow space that does not break: between thousands, and between a number and its unit."""

BASE_UNITS: Mapping[str, str] = MappingProxyType(
    {"seconds": "s", "bytes": "B", "rate": "1/s", "ratio": "×", "percent": "fraction"}
)
NUMERIC = frozenset({"count", "number", "seconds", "bytes", "ratio", "percent", "rate"})
ATTACHED = frozenset({"×"})
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_RATES = ((1e9, "G/s"), (1e6, "M/s"), (1e3, "k/s"), (1.0, "/s"))
_TOO_LARGE = 1e12
_TOO_SMALL = 1e-4


@dataclass(frozen=True)
class Cell:
    """A value ready to be read: its number (or words) and, apart from it, its unit."""

    number: str
    unit: str = ""

    def __str__(self) -> str:
        """Return number and unit, held together by a narrow space."""
        return f"{self.number}{'' if self.unit in ATTACHED else THIN}{self.unit}" if self.unit else self.number


@dataclass(frozen=True)
class Figures:
    """Numbers that are read as one cell: its figure, and `below` it what belongs to it, such as its interval.

    Where numbers are kept (frames, csv, json) each of `parts` has a column of its own: the one named "" under the
    heading alone, every other under the heading and its name.
    """

    parts: Mapping[str, float | None]
    figure: Cell
    below: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return all of it in one line."""
        return f"{self.figure} ({', '.join(self.below)})" if self.below else str(self.figure)


def estimate(
    value: float | None, low: float | None, high: float | None, kind: Kind = "seconds", *said: str
) -> Figures | None:
    """Return a value with its 95 % interval, and what else is `said` of it, as one cell; None without a value."""
    if value is None:
        return None
    between = interval(value, low, high, kind)
    return Figures(
        {"": value, "low": low, "high": high},
        cell(value, kind),
        ((between,) if between != NOT_MEASURED else ()) + tuple(filter(None, said)),
    )


def show(value: Any, kind: Kind = "text") -> str:
    """Return `value` (base units: seconds, bytes, fractions for percent) as every exit of a report writes it."""
    return str(cell(value, kind))


def cell(value: Any, kind: Kind = "text") -> Cell:
    """Return `value` as a Cell; None and NaN are "not measured", words in a column of numbers stay words."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Cell(NOT_MEASURED)
    if kind == "flag":
        return Cell(str(value)) if isinstance(value, str) else Cell("yes" if value else "no")
    if kind not in NUMERIC or isinstance(value, str | Figures):
        return Cell(_words(value))
    number = _number(value)
    if math.isnan(number):
        return Cell(NOT_MEASURED)
    sign = "−" if number < 0 else ""
    size = abs(number)
    shown = Cell("∞", BASE_UNITS.get(kind, "")) if math.isinf(size) else _FORMATS[kind](size)
    return Cell(f"{sign}{shown.number}", _SHORT_UNITS.get(shown.unit, shown.unit))


def interval(middle: float | None, low: float | None, high: float | None, kind: Kind = "seconds") -> str:
    """Return `low–high` in words that stand beside `middle`, or — where there is no interval."""
    if middle is None or low is None or high is None or math.isnan(low) or math.isnan(high):
        return NOT_MEASURED
    left, right = cell(low, kind), cell(high, kind)
    return f"{left.number}–{right}" if left.unit == right.unit else f"{left} – {right}"


def heading(title: str, kind: Kind) -> str:
    """Return a column's heading with its base unit, for exits that keep raw values."""
    unit = BASE_UNITS.get(kind)
    return f"{title} ({unit})" if unit else title


def three(size: float) -> str:
    """Return a number that is not negative in three significant digits, thousands grouped."""
    rounded = float(f"{size:.2e}")
    if rounded == 0:
        return "0"
    if rounded < _TOO_SMALL or rounded >= _TOO_LARGE:
        mantissa, _, exponent = f"{size:.2e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    decimals = max(0, 2 - math.floor(math.log10(rounded) + 1e-12))
    return _grouped(rounded, decimals)


def _grouped(size: float, decimals: int = 0) -> str:
    return f"{size:,.{decimals}f}"


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return _words(value.value)  # what a database holds, not how Python calls it
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, sorted(value, key=str) if isinstance(value, set | frozenset) else value))
    return str(value)


def _number(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def _scaled(size: float, steps: tuple[tuple[float, str], ...], zero: str) -> Cell:
    rounded = float(f"{size:.2e}")
    if rounded == 0:
        return Cell("0", zero)
    factor, unit = next((step for step in steps if rounded / step[0] >= 1 - 1e-12), steps[-1])
    return Cell(three(size / factor), unit)


def _count(size: float) -> Cell:
    return Cell(_grouped(size)) if size == math.floor(size) and size < 2**63 else Cell(three(size))


def _bytes(size: float) -> Cell:
    return Cell(f"{size:.0f}", "B") if size < 1000 and size == math.floor(size) else _scaled(size, _BYTES, "B")


def _rate(size: float) -> Cell:
    return Cell(f"{size:.0f}", "/s") if size < 1000 and size == math.floor(size) else _scaled(size, _RATES, "/s")


def _plain(size: float) -> Cell:
    return Cell(f"{size:.0f}") if size < 1000 and size == math.floor(size) else Cell(three(size))


_SHORT_UNITS = {"fraction": "%", "1/s": "/s"}
_FORMATS: Mapping[str, Callable[[float], Cell]] = {
    "count": _count,
    "number": _plain,
    "seconds": lambda size: _scaled(size, _SECONDS, "s"),
    "bytes": _bytes,
    "ratio": lambda size: Cell(three(size), "×"),
    "percent": lambda size: Cell(three(size * 100), "%"),
    "rate": _rate,
}
