"""Figures: whole numbers, decimals, times and UUIDs written in digits, many at once.

All come as pieces of rows (see `assembly`), with a `tail` of equal bytes behind each of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dbplan.seeding.loading.assembly import Bytes, Fixed, Packed, Piece, Runs, packed, records
from dbplan.seeding.rows.stream import Array, Index
from dbplan.seeding.rows.texts import UuidTexts

EXACT = 2.0**53
"""Whole numbers below this are exact as doubles."""
SURE = 2.0**40
"""Doubles below this are less than 2^-12 away from the exact product that they stand for."""
DAY = 86_400_000_000
"""Microseconds of a day."""
YEARS = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")
FIRST, LAST = np.datetime64("1900-01-01"), np.datetime64("2100-01-01")
"""Days that are known by heart."""
FEW = 1_000
"""Numbers from which it pays to know the small ones by heart."""
_GROUP = 10_000
_HEX = np.frombuffer(bytes(range(256)).hex().encode(), dtype="V2")


def units(values: Array, scale: int) -> Index | None:
    """Return doubles as whole numbers of 10^-scale; None where one is not the nearest double of such a decimal."""
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.rint(values * 10.0**scale)
        exact = (np.abs(whole) < EXACT) & (whole / 10.0**scale == values)
    return whole.astype(np.int64) if exact.all() else None


def rounded(values: Array, scale: int) -> Index | None:
    """Return doubles rounded to whole numbers of 10^-scale, as their format is; None where one is none of 64 bits."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * 10.0**scale
        if not (np.abs(scaled) < 2.0**62).all():
            return None
        near = np.rint(scaled)
        whole = near.astype(np.int64)
        sure = (np.abs(scaled) < SURE) & (np.abs(np.abs(scaled - near) - 0.5) > 2.0**-12)
    unsure = np.flatnonzero(~sure)
    whole[unsure] = [int(f"{value:.{scale}f}".replace(".", "")) for value in values[unsure].tolist()]
    return whole


def digits(values: Index, width: int = 0, blank: int | None = None, tail: bytes = b"") -> Runs:
    """Return whole numbers ≥ 0 in `width` decimal digits at least; `blank` is no digit at all."""
    if blank is None or not (unwritten := values == blank).any():
        return _unsigned(values, width, tail)
    runs = _unsigned(np.where(unwritten, 0, values), width, tail)
    if not tail:
        return runs.where(~unwritten)
    hidden = np.where(unwritten, runs.lengths - len(tail), 0)
    return Runs(runs.data, runs.starts + hidden, runs.lengths - hidden)


def whole(values: Array, tail: bytes = b"") -> Runs:
    """Return whole numbers of any sign."""
    if len(values) and values.min() >= 0:
        return _unsigned(values, 0, tail)
    return decimal(values, 0, tail)


def decimal(units: Array, scale: int, tail: bytes = b"") -> Runs:
    """Return whole numbers of 10^-scale with a point before the last `scale` digits, a minus before negative ones."""
    negative = units < 0
    size = np.where(negative, -units.astype(np.int64), units.astype(np.int64)).view(np.uint64)
    return _pointed(size, scale, 1, negative, tail)


def shortest(units: Array, scale: int) -> Runs:
    """Return whole numbers of 10^-scale with the fewest digits behind the point, one at least."""
    runs, zeros = decimal(units, scale), np.zeros(len(units), dtype=np.int64)
    for power in range(1, scale):
        zeros += units % 10**power == 0
    return Runs(runs.data, runs.starts, runs.lengths - zeros)


def _unsigned(values: Array, width: int, tail: bytes) -> Runs:
    if width <= 4 and len(values) >= FEW and int(values.max(initial=0)) < _GROUP:
        return _small(width, tail).pick(values.astype(np.int64, copy=False), None)
    return _pointed(values, 0, max(width, 1), None, tail)


def _pointed(size: Array, scale: int, width: int, negative: Array | None, tail: bytes) -> Runs:
    """Return sizes in digits, `width` of them at least before the point."""
    top = len(str(int(size.max(initial=0))))
    matrix = figures(size, max(top, width + scale))
    before = matrix.shape[1] - scale
    line = _line(records(matrix), before, scale, tail)
    lengths = np.full(len(size), width + bool(scale) + scale + len(tail), dtype=np.int64)
    for power in range(width + scale, top):
        lengths += size >= 10**power
    starts = np.arange(1, len(size) + 1, dtype=np.int64) * line.shape[1] - lengths
    if negative is not None and negative.any():
        starts, lengths = starts - negative, lengths + negative
        line.reshape(-1)[starts[negative]] = ord("-")
    return Runs(np.concatenate([line.reshape(-1), np.zeros(line.shape[1], dtype=np.uint8)]), starts, lengths)


def _line(figures: Array, before: int, scale: int, tail: bytes) -> Bytes:
    """Return digits with room for a sign before them, a point among them and the tail behind."""
    digits: Any = figures.view([("before", f"V{before}"), *([("after", f"V{scale}")] if scale else [])])
    fields = [("sign", "V1"), ("before", f"V{before}")]
    fields += [("point", "V1"), ("after", f"V{scale}")] if scale else []
    fields += [("tail", f"V{len(tail)}")] if tail else []
    out = np.empty(len(figures), dtype=fields)
    out["before"] = digits["before"]
    if scale:
        out["point"], out["after"] = np.void(b"."), digits["after"]
    if tail:
        out["tail"] = np.void(tail)
    return out.view(np.uint8).reshape(len(figures), -1)


@cache
def _small(width: int, tail: bytes) -> Packed:
    return packed([str(n).rjust(width, "0").encode() + tail for n in range(_GROUP)], b"")


@cache
def _table(top: int, form: str) -> Array:
    """Return the numbers below `top`, each in that form of one width."""
    return np.array([(form % n).encode() for n in range(top)], dtype=f"V{len(form % 0)}")


def figures(values: Array, width: int) -> Bytes:
    """Return whole numbers ≥ 0 as rows of `width` digits or up to three more, zeros before them."""
    groups = -(-width // 4)
    out = np.empty((len(values), groups), dtype="V4")
    rest = values
    for group in range(groups - 1, 0, -1):
        above = rest // _GROUP
        out[:, group] = _table(_GROUP, "%04d").take((rest - above * _GROUP).astype(np.int64, copy=False))
        rest = above
    out[:, 0] = _table(_GROUP, "%04d").take(rest.astype(np.int64, copy=False))
    return out.view(np.uint8).reshape(len(values), 4 * groups)


@cache
def _days() -> Array:
    return np.datetime_as_string(np.arange(FIRST, LAST)).astype("S10").view("V10")


@cache
def _seconds() -> Array:
    second = np.arange(86_400)
    out = np.empty(len(second), dtype=[("hour", "V2"), ("minute", "V3"), ("second", "V3")])
    out["hour"] = _table(24, "%02d").take(second // 3600)
    out["minute"] = _table(60, ":%02d").take(second // 60 % 60)
    out["second"] = _table(60, ":%02d").take(second % 60)
    return out.view("V8")


def dates(values: Array) -> Fixed | None:
    """Return days as YYYY-MM-DD; None where a year has not four digits."""
    days = values.astype("datetime64[D]")
    if not YEARS[0] <= days.min() <= days.max() <= YEARS[1]:
        return None
    if days.min() >= FIRST and days.max() < LAST:
        return Fixed(_days().take((days - FIRST).astype(np.int64)).view(np.uint8).reshape(-1, 10))
    return Fixed(np.datetime_as_string(days).astype("S10").view(np.uint8).reshape(-1, 10))


def clocks(micros: Index) -> Fixed:
    """Return microseconds of a day as HH:MM:SS.ffffff."""
    seconds = micros // 1_000_000
    rest = micros - seconds * 1_000_000
    millis = rest // 1_000
    out = np.empty(len(micros), dtype=[("clock", "V8"), ("millis", "V4"), ("micros", "V3")])
    out["clock"] = _seconds().take(seconds)
    out["millis"] = _table(1_000, ".%03d").take(millis)
    out["micros"] = _table(1_000, "%03d").take(rest - millis * 1_000)
    return Fixed(out.view(np.uint8).reshape(-1, 15))


def moments(values: Array) -> list[Piece] | None:
    """Return points in time as YYYY-MM-DD HH:MM:SS.ffffff; None where a year has not four digits."""
    micros = values.astype("datetime64[us]").astype(np.int64)
    days = micros // DAY
    dated = dates(days.astype("datetime64[D]"))
    return None if dated is None else [dated, b" ", clocks(micros - days * DAY)]


def hexadecimal(values: UuidTexts) -> Fixed:
    """Return UUIDs as 32 digits."""
    return Fixed(_HEX.take(values.raw).view(np.uint8).reshape(len(values), 32))


def dashed(values: UuidTexts) -> Fixed:
    """Return UUIDs as 8-4-4-4-12 digits."""
    plain = hexadecimal(values).matrix
    out = np.full((len(values), 36), ord("-"), dtype=np.uint8)
    for begin, end, shift in ((0, 8, 0), (8, 12, 1), (12, 16, 2), (16, 20, 3), (20, 32, 4)):
        out[:, begin + shift : end + shift] = plain[:, begin:end]
    return Fixed(out)
