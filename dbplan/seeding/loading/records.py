"""Cells as fields of SQLite's records: the values that its driver would be given, in bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Dialect
from sqlalchemy import types as sa

from dbplan.seeding.loading.assembly import Null, Piece, stacked
from dbplan.seeding.loading.encode import decorated, documents, python_values
from dbplan.seeding.loading.figures import dates, hexadecimal, moments
from dbplan.seeding.loading.image import NOTHING, Field, blobs, integers, reals, texts
from dbplan.seeding.loading.packing import Script, listed, spelled, unless
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Texts, UuidTexts
from dbplan.seeding.values.infer import generic

VERBATIM = Script("verbatim", "", str)


def field(cells: Cells | None, kind: Any, dialect: Dialect) -> Field | None:
    """Return cells as a field, NULLs for none; None where the driver is given something not known here."""
    if cells is None or cells.null.all():
        return NOTHING
    null = cells.null if cells.null.any() else None
    made = None if decorated(kind) else _quick(cells.values, generic(kind), null)
    return made or _bound(python_values(cells, kind, dialect))


def _quick(values: Any, kind: Any, null: Null) -> Field | None:
    """Return values as a field where their array says what they are."""
    if isinstance(kind, sa.DateTime | sa.Date):
        return _times(values, isinstance(kind, sa.Date), null) if values.dtype.kind == "M" else None
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
    if isinstance(values, Texts):
        return texts(spelled(values, VERBATIM, null), len(values), null)
    if isinstance(values, UuidTexts):
        return texts([unless(hexadecimal(values), null)], len(values), null)
    return _listed(values.tolist(), null)


def _listed(values: list[Any], null: Null) -> Field | None:
    if null is not None:
        values = ["" if empty else value for value, empty in zip(values, null.tolist(), strict=True)]
    if not all(type(value) is str for value in values):
        return None
    return texts([listed(values, VERBATIM)], len(values), null)


def _times(values: Array, whole: bool, null: Null) -> Field | None:
    """Return times, or whole days, as SQLAlchemy has SQLite keep them: 2024-05-01 12:00:00.000000."""
    if null is not None:
        values = np.where(null, np.zeros(1, dtype=values.dtype), values)
    pieces = _dated(values) if whole else moments(values)
    return None if pieces is None else texts([unless(piece, null) for piece in pieces], len(values), null)


def _dated(values: Array) -> list[Piece] | None:
    written = dates(values)
    return None if written is None else [written]


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
