"""Lengths of time as SQL spells them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from dbplan.errors import NotCovered

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31557600}


def interval(text: str) -> Any:
    """Return a length of time such as "24 hours" or "1 day" as a timedelta64."""
    match = re.fullmatch(r"\s*(-?\d+)\s*([a-z]+?)s?\s*", text.lower())
    if match is None or match[2] not in _UNITS:
        raise NotCovered(f"the interval {text!r} cannot be read here")
    return np.timedelta64(int(match[1]) * _UNITS[match[2]], "s").astype("timedelta64[us]")
