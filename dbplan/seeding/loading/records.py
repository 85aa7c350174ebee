"""Cells as fields of SQLite's records: the values that its driver would be given, in bytes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Dialect
from sqlalchemy import types as sa

from dbplan.seeding.loading.assembly import Fixed, stacked
from dbplan.seeding.loading.encode import decorated, documents, python_values
from dbplan.seeding.loading.image import NOTHING, Field, blobs, integers, reals, texts
from dbplan.seeding.loading.packing import Null, Script, as_runs, figures, hexadecimal, listed, spelled
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Texts, UuidTexts
from dbplan.seeding.values.infer import generic

VERBATIM = Script("verbatim", "", str)
_FIRST, _LAST = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")


def field(cells: Cells | None, kind: Any, dialect: Dialect) -> Field | None:
    """Return cells as a field, NULLs for none; None where the driver is given something not known here."""
    if cells is None or cells.null.all():
        return NOTHING
    null = cells.null if cells.null.any() else None
    made = None if decorated(kind) else _quick(cells.values, generic(kind), null)
    return made or _bound(python_values(cells, kind, dialect))


def _quick(values: Any, kind: Any, null: Null) -> Field | None:
    """Return values as a field where their array says what they are."""
    if isinstance(kind, sa.DateTime):
        return _times(values, null) if values.dtype.kind == "M" else None
    if isinstance(kind, sa.Date | sa.Time | sa.Interval):
        return None
    if isinstance(kind, sa.JSON):
        return _listed(documents(values.tolist()), null)
    if values.dtype.kind in "ib":
        return integers(values, null)
    if values.dtype.kind == "f":
        return reals(values, null)
    if isinstance(kind, sa.Uuid | sa.String | sa.Enum):
        return _texts(values, null)
    return None


def _texts(values: Any, null: Null) -> Field | None:
    rows = len(values)
    if isinstance(values, Texts):
        return texts(spelled(values, VERBATIM, null), rows, null)
    if isinstance(values, UuidTexts):
        digits = Fixed(hexadecimal(values))
        return texts([digits if null is None else as_runs(digits, rows).where(~null)], rows, null)
    return _listed(values.tolist(), null)


def _listed(values: list[Any], null: Null) -> Field | None:
    if null is not None:
        values = ["" if empty else value for value, empty in zip(values, null.tolist(), strict=True)]
    if not all(type(value) is str for value in values):
        return None
    return texts([listed(values, VERBATIM)], len(values), null)


def _times(values: Array, null: Null) -> Field | None:
    """Return times as SQLAlchemy has SQLite keep them: 2024-05-01 12:00:00.000000."""
    micros = values.astype("datetime64[us]")
    if null is not None:
        micros = np.where(null, np.datetime64(0, "us"), micros)
    days = micros.astype("datetime64[D]")
    first, last = days.min(), days.max()
    if not _FIRST <= first <= last <= _LAST:
        return None
    rest = (micros - days).astype(np.int64)
    seconds = rest // 1_000_000
    out = np.empty(len(values), dtype=[("day", "V10"), ("clock", "V10"), ("rest", "V6")])
    out["day"] = _days(first, last).take((days - first).astype(np.int64))
    out["clock"] = _clocks().take(seconds)
    out["rest"] = figures(rest - seconds * 1_000_000, 8)[:, 2:].copy().view("V6").reshape(-1)
    body = Fixed(out.view(np.uint8).reshape(len(values), -1))
    return texts([body if null is None else as_runs(body, len(values)).where(~null)], len(values), null)


def _days(first: np.datetime64, last: np.datetime64) -> Array:
    """Return the days between two, both included, as records."""
    return np.datetime_as_string(np.arange(first, last + 1)).astype("S10").view("V10")


@cache
def _clocks() -> Array:
    """Return the seconds of a day as records: a space, the time, a dot."""
    texts = [f" {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}." for second in range(86_400)]
    return np.array(texts, dtype="S10").view("V10")


def _bound(values: list[Any]) -> Field | None:
    """Return what a driver would be given as a field: all of one kind, or NULL."""
    empty = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    null = empty if empty.any() else None
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return NOTHING
    if kinds == {str}:
        return _listed(values, null)
    if kinds == {bytes}:
        return blobs([stacked([value or b"" for value in values])], len(values), null)
    if kinds <= {int, bool}:
        return _whole([value or 0 for value in values], null)
    if kinds == {float}:
        return reals(np.array([value or 0.0 for value in values]), null)
    return None


def _whole(values: list[int], null: Null) -> Field | None:
    try:
        return integers(np.array(values, dtype=np.int64), null)
    except OverflowError:  # of more than 64 bits, which the driver refuses in words
        return None
