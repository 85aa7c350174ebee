"""Templates: texts put together from literal pieces and from what else is in the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

import numpy as np
from sqlalchemy import Integer, Table

from dbplan.seeding.constraints.references import uniques
from dbplan.seeding.rows.cells import Cells, absent, present
from dbplan.seeding.rows.frames import Frame, Maker
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Coded, Number, Part, Pool, Texts, UuidTexts
from dbplan.seeding.values.infer import generic

NUMBERS = ("row", "rank")
"""Fields that count: the row in its table, the row among its parent's."""
DATES: Mapping[str, int] = {"year": 4, "month": 2, "day": 2}
"""Fields of the time at which a row came to be, with their digits."""
CASES: Mapping[str, Callable[[str], str]] = {"l": str.lower, "u": str.upper}
"""Conversions: {name!l} is in small letters."""
DIGITS = re.compile(r"(0(?P<width>\d+))?d?")


@dataclass(frozen=True)
class Field:
    """One field of a template: a column of the row, or a word that it has of itself."""

    name: str
    conversion: str = ""
    spec: str = ""

    @property
    def width(self) -> int | None:
        """How many digits a whole number has at least; None for any other spelling."""
        found = DIGITS.fullmatch(self.spec)
        return int(found["width"] or 0) if found is not None and not self.conversion else None


Piece = str | Field


def pieces(template: str) -> tuple[Piece, ...]:
    """Return the literals and fields of a template; ValueError says what cannot be read."""
    found: list[Piece] = []
    try:
        for literal, name, spec, conversion in Formatter().parse(template):
            if literal:
                found.append(literal)
            if name is not None:
                found.append(_field(name, conversion or "", spec or ""))
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}") from None
    if not any(isinstance(piece, Field) for piece in found):
        raise ValueError("has no field such as {row:06}; the same text in every row is value = …")
    return tuple(found)


def _field(name: str, conversion: str, spec: str) -> Field:
    if not re.fullmatch(r"[^\W\d][\w ]*(\.[^\W\d]\w*)?", name):
        raise ValueError(f"{{{name}}} is no name of a column")
    if conversion and conversion not in CASES:
        raise ValueError(f"!{conversion} is not !l (small letters) or !u (capitals)")
    return Field(name, conversion, spec)


def tells_apart(found: Sequence[Piece], unique: Callable[[Field], str]) -> bool:
    """Whether a template gives every row another text, since what is its own can be read out of it.

    A number of its own stands first or last among the fields, with no digit beside it; another column of which each
    value is there once stands alone. `unique` says of a field "number", "text" or "".
    """
    return any(_readable(order, unique) for order in (found, tuple(reversed(found))))


def differs(text: str, table: Table) -> bool:
    """Return whether a template gives every row of a table another text."""

    def unique(field: Field) -> str:
        column = table.columns.get(field.name)
        if column is None or column.nullable or frozenset({field.name}) not in uniques(table, strict=True):
            return ""
        return "number" if isinstance(generic(column.type), Integer) else "text"

    return tells_apart(pieces(text), unique)


def _readable(found: Sequence[Piece], unique: Callable[[Field], str]) -> bool:
    at = next(n for n, piece in enumerate(found) if isinstance(piece, Field))
    number = found[at]
    assert isinstance(number, Field)
    rest = found[at + 1 :]
    alone = not any(isinstance(piece, Field) for piece in rest)
    kind = "number" if number.name == "row" else unique(number)
    if kind == "number":
        return number.width is not None and (alone or _parted(rest[0]))
    return kind == "text" and alone and not number.spec and not number.conversion


def _parted(following: Piece) -> bool:
    return isinstance(following, str) and not (following[0].isdigit() or following[-1].isdigit())


Read = Callable[[Frame, str], Cells]


def template(found: Sequence[Piece], read: Read, timed: str) -> Maker:
    """Return a maker of texts; a row in which a field is NULL holds NULL."""

    def make(frame: Frame) -> Cells:
        cells = [None if isinstance(piece, str) else _cells(frame, piece, read, timed) for piece in found]
        null = np.logical_or.reduce([one.null for one in cells if one is not None])
        there = np.flatnonzero(~null)
        if not there.size:
            return absent(len(frame))
        at = np.where(null, there[0], np.arange(len(frame)))  # what stands under a NULL cannot be spelled
        parts: list[Part] = []
        for piece, one in zip(found, cells, strict=True):
            if isinstance(piece, str) or one is None:
                parts.append(str(piece))
            else:
                parts += _spelled(piece, one.values[at])
        return Cells(Texts(*parts), null)

    return make


def _cells(frame: Frame, field: Field, read: Read, timed: str) -> Cells:
    if field.name == "row":
        return present(frame.source.position(frame.rows) + 1)
    if field.name == "rank":
        assert frame.source.fan is not None
        return present(frame.source.fan.rank(frame.rows) + 1)
    if field.name in DATES:
        cells = frame[timed]
        return Cells(_of_date(field.name, cells.values), cells.null)
    return read(frame, field.name)


def _of_date(name: str, values: Any) -> Array:
    months = values.astype("datetime64[M]")
    if name == "year":
        return np.asarray(values.astype("datetime64[Y]").astype(np.int64) + 1970)
    if name == "month":
        return np.asarray(months.astype(np.int64) % 12 + 1)
    return np.asarray((values.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1)


def _spelled(field: Field, values: Any) -> list[Part]:
    """Return the parts that spell the values of a field: as they are kept where that goes, else word by word."""
    if values.dtype.kind in "iu" and field.width is not None and (values >= 0).all():
        return [Number(values.astype(np.int64), field.width or (DATES.get(field.name, 0)))]
    if isinstance(values, Texts) and not field.spec:
        made = values.respelled(CASES[field.conversion]) if field.conversion else values
        if made is not None:
            return list(made.parts)
    words = [_word(field, value) for value in (values.objects if isinstance(values, UuidTexts) else values).tolist()]
    return [Coded(Pool(words), np.arange(len(words), dtype=np.int64))]


def _word(field: Field, value: Any) -> str:
    text = format(value, field.spec)
    return CASES[field.conversion](text) if field.conversion else text
