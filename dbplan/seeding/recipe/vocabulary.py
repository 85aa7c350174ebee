"""The words of a recipe: every key with the test of its value. A test returns "" or what the value is not."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Any], str]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


_CLOCK = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


def text(value: Any) -> str:
    """Want a text."""
    return "" if isinstance(value, str) and value else "a text"


def number(value: Any) -> str:
    """Want a number."""
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "a number"


def count(value: Any) -> str:
    """Want a whole number above 0."""
    return "" if not whole(value) and value > 0 else "a whole number above 0"


def whole(value: Any) -> str:
    """Want a whole number, 0 or more."""
    return "" if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "a whole number, 0 or more"


def rows(value: Any) -> str:
    """Want a number of rows."""
    return "" if not whole(value) else count(value)


def positive(value: Any) -> str:
    """Want a number above 0."""
    return "" if not number(value) and value > 0 else "a number above 0"


def share(value: Any) -> str:
    """Want a share of all rows."""
    return "" if not number(value) and 0 <= value <= 1 else "a share from 0 to 1"


def bound(value: Any) -> str:
    """Want an end of a range."""
    of_day = isinstance(value, dt.time) or (isinstance(value, str) and _CLOCK.fullmatch(value))
    return "" if not number(value) or isinstance(value, dt.date) or of_day else "a number, a date or a time"


def items(value: Any) -> str:
    """Want a list."""
    return "" if isinstance(value, list) and value else "a list with at least one item"


def flag(value: Any) -> str:
    """Want true or false."""
    return "" if isinstance(value, bool) else "true or false"


def date(value: Any) -> str:
    """Want a date or a time."""
    return "" if isinstance(value, dt.date) else "a date such as 2025-01-31"


def texts(value: Any) -> str:
    """Want a list of texts."""
    good = isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value)
    return "" if good else "a list of two texts or more"


def weights(value: Any) -> str:
    """Want weights, in a list or by name."""
    if isinstance(value, dict):
        return by_name(value)
    if items(value):
        return "a list of weights, or weights by name"
    good = all(not number(item) and item >= 0 for item in value) and any(value)
    return "" if good else "weights, numbers from 0 on and not all of them 0"


def by_name(value: Any) -> str:
    """Want weights by name."""
    good = isinstance(value, dict) and all(not number(item) and item >= 0 for item in value.values())
    return "" if good and any(value.values()) else "weights by name, such as { open = 9, closed = 1 }"


def window(value: Any) -> str:
    """Want a window of time."""
    if isinstance(value, dict):
        wrong = [key for key, end in value.items() if key not in TIME or date(end)]
        return "" if value and not wrong else "a window such as { start = 2025-01-01, end = 2025-03-31 }"
    good = isinstance(value, str) and re.fullmatch(r"(first|last) \d+ [a-z]+", value)
    return "" if good else 'a window such as "last 90 days" or { start = 2025-01-01 }'


def hours(value: Any) -> str:
    """Want weights by hours of the day."""
    good = not by_name(value) and all(_is_range(key) for key in value)
    return "" if good else 'weights by hours such as { "8-18" = 9, "18-22" = 1 }'


def _is_range(key: str) -> bool:
    ends = re.fullmatch(r"(\d{1,2})-(\d{1,2})", key)
    return ends is not None and int(ends[1]) < int(ends[2]) <= 24


def days(value: Any) -> str:
    """Want weights by days of the week."""
    good = not by_name(value) and set(value) <= set(DAYS)
    return "" if good else f"weights by days, which are {', '.join(DAYS)}"


def moves(value: Any) -> str:
    """Want moves from state to state."""
    good = isinstance(value, dict) and value and not any(by_name(weights) for weights in value.values())
    return "" if good else "moves such as { open = { open = 1, closed = 4 } }"


def columns_by_state(value: Any) -> str:
    """Want a column for states."""
    good = isinstance(value, dict) and value and all(isinstance(column, str) for column in value.values())
    return "" if good else 'columns by state such as { closed = "closed_at" }'


def anything(_value: Any) -> str:
    """Want nothing of the value here: the column's type judges it."""
    return ""


def one_of(*names: str) -> Test:
    """Return the test of a text that is one of a few."""
    quoted = [f'"{name}"' for name in names]
    wanted = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return lambda value: "" if value in names else wanted


TIME: Mapping[str, Test] = {"start": date, "end": date}
CHILDREN: Mapping[str, Test] = {
    "shape": one_of("fixed", "even", "poisson", "pareto", "zipf", "skewed"),
    "mean": positive,
    "none": share,
    "alpha": positive,
    "s": positive,
    "min": whole,
    "max": count,
}
GROWTH: Mapping[str, Test] = {
    "shape": one_of("linear", "exponential"),
    "per_month": number,
    "weekdays": days,
    "hours": hours,
}
LEVEL: Mapping[str, Test] = {"min": whole, "max": count, "cycle": count}
STATES: Mapping[str, Test] = {"start": text, "moves": moves, "times": columns_by_state, "within": text}
HISTORY: Mapping[str, Test] = {"start": text, "from": text, "moves": moves}
CASE: Mapping[str, Any] = {"when": text, "values": items, "weights": weights, "pick": text}
COLUMN: Mapping[str, Any] = {
    "after": text,
    "cases": [CASE],
    "distribution": one_of("uniform", "normal", "lognormal"),
    "empty": anything,
    "expression": text,
    "faker": text,
    "first": anything,
    "history": HISTORY,
    "last": text,
    "level": LEVEL,
    "max": bound,
    "mean": number,
    "min": bound,
    "null": share,
    "omit": flag,
    "only_when": text,
    "parent": text,
    "pattern": text,
    "pick": text,
    "previous": text,
    "same_as": text,
    "sd": positive,
    "states": STATES,
    "template": text,
    "value": anything,
    "values": items,
    "weights": weights,
    "window": window,
    "within": text,
}
TABLE: Mapping[str, Any] = {
    "rows": rows,
    "min_rows": count,
    "per": text,
    "children": CHILDREN,
    "growth": GROWTH,
    "window": window,
    "ordered": texts,
    "columns": None,
    "fixed": None,
}
PROFILE: Mapping[str, Any] = {"rows": whole, "locale": text, "random_state": whole, "time": TIME, "tables": None}
TOP: Mapping[str, Any] = {**PROFILE, "rows": count, "profiles": None}

COMPANIONS: Mapping[str, frozenset[str]] = {
    "after": frozenset({"within"}),
    "cases": frozenset(),
    "expression": frozenset(),
    "faker": frozenset(),
    "history": frozenset(),
    "last": frozenset({"empty"}),
    "level": frozenset(),
    "parent": frozenset(),
    "pattern": frozenset(),
    "pick": frozenset(),
    "previous": frozenset({"first"}),
    "same_as": frozenset(),
    "states": frozenset(),
    "template": frozenset(),
    "value": frozenset(),
    "values": frozenset({"weights"}),
    "weights": frozenset({"values"}),
    "window": frozenset({"min", "max"}),
    "min": frozenset({"max", "distribution", "mean", "sd", "window"}),
    "max": frozenset({"min", "distribution", "mean", "sd", "window"}),
    "distribution": frozenset({"min", "max", "mean", "sd"}),
}
"""What decides the values of a column, each with the keys that say more of it."""
TRIMS = frozenset({"null", "only_when"})
"""Keys that go with any other."""
