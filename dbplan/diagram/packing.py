"""Packing: rectangles set side by side on a page no wider than it need be."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import sqrt
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Size = tuple[float, float]

PAGE = 960.0
"""Pixels that a report page has for a picture."""
_LANDSCAPE = 1.25


def page_width(sizes: Mapping[Key, Size]) -> float:
    """Return a width at which all rectangles together come out a little wider than high."""
    area = sum(width * height for width, height in sizes.values())
    return max(PAGE, sqrt(area * _LANDSCAPE), *(width for width, _ in sizes.values()), 0.0)


def pack(sizes: Mapping[Key, Size], width: float) -> dict[Key, tuple[float, float]]:
    """Return the upper left corner of each rectangle, none overlapping, in the order given.

    Each one goes as high as it can, and there as far left as it can (bottom-left skyline heuristic,
    E. Hopper and B. Turton, European Journal of Operational Research 128, 2001).
    """
    skyline: list[tuple[float, float, float]] = [(0.0, max(width, 1.0), 0.0)]  # from x, to x, height reached
    corners: dict[Key, tuple[float, float]] = {}
    for key, (wide, high) in sizes.items():
        x, y = min(_places(skyline, wide, width), key=lambda place: (place[1], place[0]))
        corners[key] = (x, y)
        skyline = _raised(skyline, x, x + wide, y + high)
    return corners


def _places(skyline: list[tuple[float, float, float]], wide: float, width: float) -> list[tuple[float, float]]:
    """Return where the rectangle could stand: one place at the left end of each step of the skyline."""
    starts = [start for start, _, _ in skyline if start + wide <= width] or [0.0]
    return [(x, max(top for start, end, top in skyline if start < x + wide and end > x)) for x in starts]


def _raised(
    skyline: list[tuple[float, float, float]], left: float, right: float, top: float
) -> list[tuple[float, float, float]]:
    """Return the skyline with its part from `left` to `right` lifted to `top`."""
    before = [(start, min(end, left), high) for start, end, high in skyline if start < left]
    after = [(max(start, right), end, high) for start, end, high in skyline if end > right]
    return [*before, (left, right, top), *after]
