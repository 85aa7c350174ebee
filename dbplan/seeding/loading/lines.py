"""Rows as lines of text: PostgreSQL's text COPY, CSV, or what MariaDB and MySQL read with LOAD DATA.

    made = encoder(names, kinds, style, dialect)   # "copy", "csv" or "mysql"; kinds: the plan's types by column
    out.write(made.header)                          # CSV: the names; nothing otherwise
    out.write(made.rows(frame, blank))              # whole lines, in UTF-8, NULL in the columns of `blank`

- `copy`: `COPY … FROM STDIN` in a session whose time zone is UTC; values as in `encode.copy_texts`.
- `csv`: RFC 4180 with line feeds. NULL is nothing at all, the empty text two quotes; true and false; instants end with
  +00:00; UUIDs have dashes, bytes and lists are PostgreSQL's texts, which reads it with `(FORMAT csv, HEADER)`.
- `mysql`: `LOAD DATA LOCAL INFILE … CHARACTER SET utf8mb4` with its own defaults: tabs, line feeds, escapes; 1 and 0,
  times in UTC without a zone, UUIDs as 32 digits. Bytes are hexadecimal digits: read a column of `made.hexed` as
  `(@b) SET column = UNHEX(@b)`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Dialect
from sqlalchemy import types as sa
from sqlalchemy.sql.sqltypes import _Binary

from dbplan.seeding.loading import figures
from dbplan.seeding.loading.assembly import Null, Packed, Piece, Runs, assembled, blocks, merged, packed, width_of
from dbplan.seeding.loading.encode import (
    binaries,
    bound,
    decimals,
    escaped,
    plain_texts,
    python_values,
    quiet,
    refilled,
)
from dbplan.seeding.loading.packing import Script, having, listed, picked, spelled, unless
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Chars, Coded, Spelled, Texts, UuidTexts
from dbplan.seeding.values.infer import generic

MARKS = ',"\n\r\0\\'
"""Characters for which a field of CSV stands in quotes."""
VERBATIM = Script("verbatim", "", str)
SCALES = (1, 2, 4)
"""Decimals with which doubles are tried to be written; with more, Python writes some with an exponent."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"})


@dataclass(frozen=True)
class Style:
    """How a kind of lines is written."""

    script: Script
    between: bytes
    absent: bytes
    booleans: tuple[bytes, bytes]
    binary: tuple[bytes, bytes]
    """What stands before and after the hexadecimal digits of bytes."""
    zone: bytes = b""
    dashed: bool = False
    quoted: bool = False


STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "copy": Style(Script("copy", "\\\n\t\r\0", escaped), b"\t", b"\\N", (b"f", b"t"), (b"\\\\x", b"")),
        "csv": Style(
            Script("csv", '"\0', lambda text: text.replace("\0", "").replace('"', '""')),
            b",", b"", (b"false", b"true"), (b'"\\x', b'"'), b"+00:00", dashed=True, quoted=True,
        ),
        "mysql": Style(
            Script("mysql", "\\\n\t\r\0", lambda text: text.translate(_ESCAPES)),
            b"\t", b"\\N", (b"0", b"1"), (b"", b""),
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Column:
    """A column, and how its fields are written, with `tail` behind each of them."""

    name: str
    kind: Any
    style: Style
    dialect: Dialect
    tail: bytes

    @property
    def hexed(self) -> bool:
        """Whether its bytes are written as hexadecimal digits."""
        own = generic(self.kind.dialect_impl(self.dialect))
        return self.dialect.name in ("mysql", "mariadb") and isinstance(own, _Binary)


@dataclass(frozen=True)
class Encoder:
    """Rows as lines of some columns."""

    columns: tuple[Column, ...]

    @property
    def header(self) -> bytes:
        """The line of names, where the style has one."""
        if not self.columns or not self.columns[0].style.quoted:
            return b""
        return b"".join(_quoted(column.name).encode() + column.tail for column in self.columns)

    @property
    def hexed(self) -> frozenset[str]:
        """The columns whose bytes are written as hexadecimal digits."""
        return frozenset(column.name for column in self.columns if column.hexed)

    def rows(self, frame: Frame, blank: AbstractSet[str]) -> bytes:
        """Return the rows of a frame as lines, NULL in the columns of `blank`."""
        cells: dict[Column, Cells] = {column: frame[column.name] for column in self.columns if column.name not in blank}
        return b"".join(self._block(cells, rows) for rows in blocks(len(frame)))

    def _block(self, cells: Mapping[Column, Cells], rows: slice) -> memoryview:
        pieces: list[Piece] = []
        for column in self.columns:
            own = cells.get(column)
            pieces += [column.style.absent + column.tail] if own is None else _fields(column, own.take(rows))
        return assembled(pieces, rows.stop - rows.start).data.data


def encoder(names: Sequence[str], kinds: Mapping[str, Any], style: str, dialect: Dialect) -> Encoder:
    """Return what writes those columns as lines of a style."""
    own = STYLES[style]
    tails = [own.between] * (len(names) - 1) + [b"\n"]
    return Encoder(tuple(Column(n, kinds[n], own, dialect, tail) for n, tail in zip(names, tails, strict=True)))


def _fields(column: Column, cells: Cells) -> list[Piece]:
    """Return cells as fields."""
    cells, kind = bound(cells, column.kind, column.dialect)
    null = cells.null if cells.null.any() else None
    if null is not None and null.all():
        return [column.style.absent + column.tail]
    values = cells.values
    if isinstance(values, Texts) and not isinstance(kind, sa.JSON):
        return _texts(column, values, null)
    pieces = _pieces(column, values, kind, null) or _binaries(column, values, null)
    if pieces is None:
        return _listed(column, _plain(column, cells, kind, null), null)
    if null is None:
        return [*pieces, column.tail]
    return [*_marks(column, null), *(unless(piece, null) for piece in merged(pieces)), column.tail]


def _marks(column: Column, null: Null) -> list[Piece]:
    """Return what stands for NULL where it is."""
    if null is None or not column.style.absent:
        return []
    return [packed([b""], column.style.absent).pick(np.zeros(len(null), dtype=np.int64), null)]


def _pieces(column: Column, values: Any, kind: Any, null: Null) -> list[Piece] | None:
    """Return values that are numbers, times or UUIDs; None for others."""
    if isinstance(values, UuidTexts):
        dashes = column.style.dashed and isinstance(kind, sa.Uuid)
        return [figures.dashed(values) if dashes else figures.hexadecimal(values)]
    values = values if values.dtype == object else quiet(values, null)
    code = values.dtype.kind
    if code == "M":
        return _times(column, values, kind)
    if code == "m" and isinstance(kind, sa.Time):
        return [figures.clocks(values.astype("timedelta64[us]").astype(np.int64) % figures.DAY)]
    if code == "b":
        return [_booleans(column.style.booleans).pick(values.astype(np.int64), None)]
    if code == "i":
        return [figures.whole(values)]
    return _decimals(values, kind) if code == "f" else None


def _binaries(column: Column, values: Any, null: Null) -> list[Piece] | None:
    """Return bytes in hexadecimal digits; None for other values."""
    if isinstance(values, Spelled) or values.dtype != object:
        return None
    raw = binaries((values if null is None else values[~null]).tolist())
    if raw is None:
        return None
    before, after = column.style.binary
    return [before, listed(refilled([value.hex() for value in raw], null, ""), VERBATIM), after]


@cache
def _booleans(words: tuple[bytes, bytes]) -> Packed:
    return packed(words, b"")


def _times(column: Column, values: Array, kind: Any) -> list[Piece] | None:
    if isinstance(kind, sa.Date):
        dates = figures.dates(values)
        return None if dates is None else [dates]
    moments = figures.moments(values) if isinstance(kind, sa.DateTime) else None
    return None if moments is None else [*moments, column.style.zone if kind.timezone else b""]


def _decimals(values: Array, kind: Any) -> list[Piece] | None:
    """Return doubles that are decimals: with the scale of the type, or with the digits that Python writes."""
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        units = figures.rounded(values, decimals(kind))
        return None if units is None else [figures.decimal(units, decimals(kind))]
    if np.signbit(values[values == 0]).any():  # a minus zero keeps its minus
        return None
    for scale in SCALES:
        units = figures.units(values, scale)
        if units is not None:
            return [figures.shortest(units, scale)]
    return None


def _plain(column: Column, cells: Cells, kind: Any, null: Null) -> list[str]:
    """Return the texts of values, nothing for NULL."""
    there = cells if null is None else cells.take(np.flatnonzero(~null))
    if column.dialect.name in ("mysql", "mariadb"):
        texts = list(map(_loaded, python_values(there, kind, column.dialect)))
    else:
        texts = plain_texts(there, kind)
    return refilled(texts, null, "")


def _loaded(value: Any) -> str:
    """Return a driver's value as LOAD DATA reads it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dt.datetime):
        plain = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        return plain.isoformat(" ", "microseconds")
    if isinstance(value, dt.timedelta):
        seconds = value // dt.timedelta(seconds=1)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{value.microseconds:06}"
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, uuid.UUID):
        return value.hex
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _listed(column: Column, texts: list[str], null: Null) -> list[Piece]:
    """Return texts that nothing is known of."""
    if column.style.quoted:
        pieces: list[Piece] = [listed(_all_quoted(texts, null), VERBATIM)]
    else:
        pieces = [listed(texts, column.style.script)]
    return [*_marks(column, null), *pieces, column.tail]


def _all_quoted(texts: list[str], null: Null) -> list[str]:
    """Return texts as fields of CSV, nothing under a NULL."""
    search = re.compile(f"[{re.escape(MARKS)}]").search
    known = {text: _quoted(text) if not text or search(text) else text for text in set(texts)}
    fields = [known[text] for text in texts]
    for at in [] if null is None else np.flatnonzero(null).tolist():
        fields[at] = ""
    return fields


def _quoted(text: str) -> str:
    """Return a text as a field of CSV."""
    return f'"{STYLES["csv"].script.escape(text)}"' if _wants_quotes(text) or not text else text


def _wants_quotes(text: str) -> bool:
    r"""Whether a text stands in quotes; a `\.` alone would end the data."""
    return any(mark in text for mark in MARKS)


def _texts(column: Column, texts: Texts, null: Null) -> list[Piece]:
    """Return texts of parts."""
    style, tail = column.style, column.tail
    if texts.coded is not None:
        write: Callable[[str], str] = _quoted if style.quoted else style.script.escape
        key = (style.script.name, "field", tail)
        return [picked(texts.coded, key, lambda word: write(word).encode() + tail, style.absent + tail, null)]
    if style.quoted:
        return _quoted_texts(column, texts, null)
    return [*_marks(column, null), *spelled(texts, style.script, null, tail)]


def _quoted_texts(column: Column, texts: Texts, null: Null) -> list[Piece]:
    """Return texts of parts, in quotes where a part of them wants some."""
    pieces = spelled(texts, column.style.script, null)
    marked = _marked(texts)
    if _empty(pieces, null):
        return _listed(column, _plain(column, Cells(texts, np.zeros(len(texts), bool)), sa.Text(), null), null)
    if not marked.any():
        return [*pieces, column.tail]
    marks = packed([b"", b'"'], b"").pick((marked if null is None else marked & ~null).astype(np.int64), None)
    return [marks, *pieces, marks, column.tail]


def _empty(pieces: Sequence[Piece], null: Null) -> bool:
    """Whether any field is empty and not NULL."""
    least = sum(width_of(piece) for piece in pieces)
    lengths = sum(piece.lengths for piece in pieces if isinstance(piece, Runs)) + np.array([least])
    return bool((lengths == 0).any() if null is None else (lengths[~null] == 0).any())


def _marked(texts: Texts) -> NDArray[np.bool_]:
    """Return which texts have a part with a character that wants quotes."""
    marked = np.zeros(len(texts), dtype=bool)
    for part in texts.parts:
        if isinstance(part, Chars):
            marked |= having(part, MARKS)
        elif isinstance(part, Coded):
            marked |= _marked_words(part)
        elif isinstance(part, str) and _wants_quotes(part):
            marked[:] = True
    return marked


def _marked_words(coded: Coded) -> Any:
    marks = coded.pool.packed.get("csv marks")
    if marks is None:
        marks = np.array([_wants_quotes(word) for word in coded.pool.words.tolist()], dtype=bool)
        coded.pool.packed["csv marks"] = marks
    return marks.take(coded.index) if marks.any() else False
