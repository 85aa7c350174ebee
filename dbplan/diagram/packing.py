"""Packing: rectangles set side by side on a page no wider than it need be."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import sqrt
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Size = tuple[float, float]
Point = tuple[float, float]

PAGE = 960.0
"""Pixels that a report page has for a picture."""
_WIDER = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


def pack(sizes: Mapping[Key, Size]) -> dict[Key, Point]:
    """Return the upper left corner of each rectangle, none overlapping, on a page that wastes little."""
    if not sizes:
        return {}
    area = sum(width * height for width, height in sizes.values())
    widest = max(width for width, _ in sizes.values())
    widths = [widest, *(factor * max(sqrt(area), widest) for factor in _WIDER)]
    tried = [pack_within(sizes, max(width, PAGE)) for width in widths]
    return min(tried, key=lambda corners: _waste(corners, sizes))


def _waste(corners: Mapping[Key, Point], sizes: Mapping[Key, Size]) -> float:
    """Return the page's area, where one that is higher than wide counts as the square of its height."""
    width = max(corners[key][0] + sizes[key][0] for key in corners)
    height = max(corners[key][1] + sizes[key][1] for key in corners)
    return max(width, PAGE) * height + max(0.0, height - 1.5 * max(width, PAGE)) * height


def pack_within(sizes: Mapping[Key, Size], width: float) -> dict[Key, Point]:
    """Return the upper left corner of each rectangle, on a page of this width at most, in the order given.

    Each one goes as high as it can, and there as far left as it can (bottom-left skyline heuristic,
    E. Hopper and B. Turton, European Journal of Operational Research 128, 2001).
    """
    skyline: list[tuple[float, float, float]] = [(0.0, max(width, 1.0), 0.0)]  # from x, to x, height reached
    corners: dict[Key, Point] = {}
    for key, (wide, high) in sizes.items():
        x, y = min(_places(skyline, wide, width), key=lambda place: (place[1], place[0]))
        corners[key] = (x, y)
        skyline = _raised(skyline, x, x + wide, y + high)
    return corners


def _places(skyline: list[tuple[float, float, float]], wide: float, width: float) -> list[Point]:
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
