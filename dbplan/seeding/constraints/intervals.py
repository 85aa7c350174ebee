"""Lengths of time as SQL spells them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from dbplan.errors import NotCovered

_UNITS = {
    **dict.fromkeys(("microsecond", "us"), 1),
    **dict.fromkeys(("millisecond", "ms"), 1_000),
    **dict.fromkeys(("second", "sec", "s"), 1_000_000),
    **dict.fromkeys(("minute", "min", "m"), 60_000_000),
    **dict.fromkeys(("hour", "hr", "h"), 3_600_000_000),
    **dict.fromkeys(("day", "d"), 86_400_000_000),
    **dict.fromkeys(("week", "w"), 604_800_000_000),
    **dict.fromkeys(("month", "mon"), 2_592_000_000_000),
    **dict.fromkeys(("year", "yr", "y"), 31_557_600_000_000),
}
"""Microseconds of each unit."""
_CLOCK = re.compile(r"(?P<sign>-?)(?P<hours>\d+):(?P<minutes>\d\d)(:(?P<seconds>\d\d(\.\d+)?))?$")
_PART = re.compile(r"\s*(?P<count>[+-]?\d+(\.\d+)?)\s*(?P<unit>[a-z]+)\s*")


def interval(text: str) -> Any:
    """Return a length of time such as "24 hours", "1 day 02:00:00" or "0" as a timedelta64."""
    rest, micros = text.lower().strip(), 0.0
    clock = _CLOCK.search(rest)
    if clock is not None:
        hours, minutes, seconds = int(clock["hours"]), int(clock["minutes"]), float(clock["seconds"] or 0)
        micros = (hours * 3600 + minutes * 60 + seconds) * 1e6 * (-1 if clock["sign"] else 1)
        rest = rest[: clock.start()].strip()
    if clock is None and rest and not rest.strip("0"):
        rest, clock = "", re.match("", "")
    while part := _PART.match(rest):
        unit = part["unit"] if part["unit"] in _UNITS else part["unit"].removesuffix("s")
        if unit not in _UNITS:
            break
        micros, rest, clock = micros + float(part["count"]) * _UNITS[unit], rest[part.end() :], part
    if rest or clock is None:
        raise NotCovered(f"the interval {text!r} cannot be read here")
    return np.timedelta64(round(micros), "us")
