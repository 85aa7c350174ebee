"""Rows over time: when the rows of a table came to be, by year, month, week, day or hour."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Table
from sqlalchemy import types as sa

from dbplan.evidence import Place, RowsOverTime
from dbplan.seeding.constraints.references import key_of
from dbplan.seeding.rows.times import CREATED
from dbplan.seeding.values.infer import generic

PERIODS = (("year", "Y"), ("month", "M"), ("week", "W"), ("day", "D"), ("hour", "h"), ("minute", "m"), ("second", "s"))
FEWEST = 8
"""Periods that a course has at least, where there is a shorter one."""
MOST = 400


def timed_column(table: Table) -> str:
    """Return the column that says when a row came to be, or ""."""
    named = {column.name.lower(): column for column in table.columns}
    for name in CREATED:
        column = named.get(name)
        if column is not None and isinstance(generic(column.type), sa.DateTime | sa.Date):
            return str(column.key)
    return ""


def rows_over_time(
    taken: Mapping[Table, Mapping[str, Sequence[Any]]], rows: Mapping[str, int]
) -> dict[str, RowsOverTime]:
    """Return the rows of each period for every table with a time, the same periods for all of them.

    `taken` are the values of the rows that were looked at, `rows` all rows, in proportion to which periods count.
    """
    timed = {table: (column, len(values[column])) for table, values in taken.items() if (column := timed_column(table))}
    moments = {table: _moments(taken[table][column]) for table, (column, _) in timed.items()}
    moments = {table: found for table, found in moments.items() if len(found)}
    if not moments:
        return {}
    first, last = min(found.min() for found in moments.values()), max(found.max() for found in moments.values())
    period, unit = next((p, u) for p, u in PERIODS if u == "s" or _periods(first, last, u) >= FEWEST)
    if _periods(first, last, unit) > MOST:
        return {}
    starts = np.arange(first.astype(f"M8[{unit}]"), last.astype(f"M8[{unit}]") + 1)
    courses = {}
    for table, found in moments.items():
        column, n = timed[table]
        counts = _counts(found.astype(f"M8[{unit}]"), starts, rows[key_of(table)] / n)
        place = Place(key_of(table), table.columns[column].name)
        courses[key_of(table)] = RowsOverTime(place, n, period, counts)
    return courses


def _moments(values: Sequence[Any]) -> Any:
    times = [_utc(value) for value in values if isinstance(value, dt.date)]
    return np.array(times, dtype="datetime64[s]")


def _counts(periods: Any, starts: Any, scale: float) -> tuple[tuple[str, int], ...]:
    found = Counter(periods.tolist())
    return tuple((str(at).replace("T", " "), round(found.get(at.item(), 0) * scale)) for at in starts)


def _periods(first: Any, last: Any, unit: str) -> int:
    begin, end = (moment.astype(f"M8[{unit}]").astype(np.int64) for moment in (first, last))
    return int(end - begin) + 1


def _utc(value: dt.date) -> dt.date:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value
