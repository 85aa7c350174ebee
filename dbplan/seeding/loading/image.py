"""Rows as the image of an SQLite database (file format 4), which SQLite reads from memory.

A statement that inserts a row binds its values one by one; one that copies a whole table runs inside SQLite. The image
holds one table, `ROWS`, whose columns have no type: SQLite converts and checks what it takes from there as it does
values that are bound. The format is that of https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from dbplan.seeding.loading.assembly import Assembled, Fixed, Null, Picked, Piece, Runs, assembled
from dbplan.seeding.loading.packing import unless
from dbplan.seeding.rows.stream import Array, Index

ROWS = "rows"
PAGE = 65_536
LARGEST = PAGE - 35
"""Bytes of a record that stay on its page; of a larger one SQLite wants the rest elsewhere."""
LEAVES = 7_000
"""Pages with rows that one page above them can list."""
MOST = 2_000_000
"""Rows whose numbers take three bytes at most."""
_LEAF, _INTERIOR = 0x0D, 0x05
_VERSION = 3_040_001
_INTEGERS = ((1, 1), (2, 2), (4, 4), (6, 8))
"""Serial types of whole numbers, with their bytes."""
_REAL = 7
_BLOB, _TEXT = 12, 13


@dataclass(frozen=True, eq=False)
class Field:
    """A column of records: a serial type, one for all rows or one for each, and the bytes of the values."""

    serial: int | Index
    body: tuple[Piece, ...] = ()


NOTHING = Field(0)
"""A column of NULLs."""


def integers(values: Array, null: Null) -> Field:
    """Return whole numbers of up to 64 bits, in as few bytes as the largest one needs."""
    if null is not None:
        values = np.where(null, 0, values)
    values = values.astype(np.int64, copy=False)
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    serial, width = next((s, w) for s, w in _INTEGERS if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)
    return _numbers(serial, values.astype(f">i{width}"), null)


def reals(values: Array, null: Null) -> Field:
    """Return floats."""
    return _numbers(_REAL, values.astype(">f8"), null)


def _numbers(serial: int, values: Array, null: Null) -> Field:
    body = unless(Fixed(values.view(np.uint8).reshape(len(values), -1)), null)
    return Field(serial if null is None else np.where(null, 0, serial), (body,))


def texts(pieces: Sequence[Piece], rows: int, null: Null) -> Field:
    """Return texts of pieces, which take no room under a NULL."""
    return _long(pieces, rows, null, _TEXT)


def blobs(pieces: Sequence[Piece], rows: int, null: Null) -> Field:
    """Return bytes of pieces, which take no room under a NULL."""
    return _long(pieces, rows, null, _BLOB)


def _long(pieces: Sequence[Piece], rows: int, null: Null, kind: int) -> Field:
    width, lengths = _measured(pieces, rows)
    if lengths is None and null is None:
        return Field(kind + 2 * width, tuple(pieces))
    serial = kind + 2 * (width + (np.zeros(rows, dtype=np.int64) if lengths is None else lengths))
    return Field(serial if null is None else np.where(null, 0, serial), tuple(pieces))


def _measured(pieces: Sequence[Piece], rows: int) -> tuple[int, Index | None]:
    """Return the bytes that pieces have in every row, and those that they have beside, row by row."""
    width, lengths = 0, None
    for piece in pieces:
        if isinstance(piece, Runs):
            lengths = piece.lengths if lengths is None else lengths + piece.lengths
        else:
            width += len(piece) if isinstance(piece, bytes) else piece.width
    return width, lengths


def image(fields: Sequence[Field], rows: int) -> Any | None:
    """Return rows as the bytes of a database; None where a record is too large for a page or there are too many."""
    body = [piece for field in fields for piece in field.body]
    width, more = _measured(body, rows)
    if rows > MOST or width + (0 if more is None else int(more.max(initial=0))) > LARGEST:
        return None
    header, lengths = _header(fields, rows)
    lengths = lengths + width + (0 if more is None else more)
    if int(lengths.max(initial=0)) > LARGEST:
        return None
    cells = assembled([varints(lengths), varints(np.arange(1, rows + 1, dtype=np.int64)), *header, *body], rows)
    return _pages(cells, rows, len(fields))


def _header(fields: Sequence[Field], rows: int) -> tuple[list[Piece], Index]:
    """Return the headers of records, serial types after their own length, and the length of each."""
    serials = [varints(f.serial) if isinstance(f.serial, np.ndarray) else _varint(f.serial) for f in fields]
    width, more = _measured(serials, rows)
    inside = np.full(rows, width, dtype=np.int64) + (0 if more is None else more)
    whole = inside + 1 + (inside > 126)  # the header's length counts the bytes that say it
    return [varints(whole), *serials], whole


def _varint(number: int) -> bytes:
    """Return a whole number in SQLite's variable length: seven bits a byte, the highest ones first."""
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(number & 0x7F | 0x80)
    return bytes(reversed(out))


def varints(numbers: Index) -> Piece:
    """Return whole numbers from 0 below 2^21 in SQLite's variable length."""
    high = int(numbers.max(initial=0))
    if high < 0x80:
        return Fixed(numbers.astype(np.uint8).reshape(-1, 1))
    table, lengths = _written(1 << max(high.bit_length(), 17))
    return Picked(table, numbers, lengths.take(numbers))


@cache
def _written(count: int) -> tuple[Array, Index]:
    """Return the numbers below `count`, each as a record of three bytes, and how many of them count."""
    numbers = np.arange(count)
    lengths = 1 + (numbers >= 1 << 7) + (numbers >= 1 << 14).astype(np.int64)
    digits = np.stack([numbers >> 14, numbers >> 7 & 0x7F, numbers & 0x7F], axis=1).astype(np.uint8)
    digits[:, :2] |= 0x80
    at = np.minimum(np.arange(3) + (3 - lengths)[:, None], 2)
    return np.take_along_axis(digits, at, axis=1).reshape(-1).view("V3"), lengths


def _pages(cells: Assembled, rows: int, columns: int) -> Any | None:
    """Return a database of one table whose rows are those cells."""
    cuts = _cuts(cells.ends)
    leaves = len(cuts) - 1
    if leaves > LEAVES:
        return None
    above = 2 if leaves == 1 else 3  # where there are several leaves, page 2 lists them
    out = np.zeros((above - 1 + leaves, PAGE), dtype=np.uint8)
    _put(out[0], _first(len(out), columns))
    if leaves > 1:
        _put(out[1], _listing(cuts, above))
    for number, (start, stop) in enumerate(pairwise(cuts)):
        _fill(out[above - 1 + number], cells, start, stop)
    return out.reshape(-1)


def _cuts(ends: Index) -> list[int]:
    """Return the rows at which pages begin, and the end: as many on each as have room, with two bytes for its place."""
    taken = ends + 2 * np.arange(1, len(ends) + 1)
    cuts = [0]
    while cuts[-1] < len(ends):
        before = int(taken[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(int(np.searchsorted(taken, before + PAGE - 8, side="right")))
    return cuts


def _fill(page: Array, cells: Assembled, start: int, stop: int) -> None:
    """Write rows on a page: its kind, where each row stands, and the rows themselves at the end."""
    begin = int(cells.ends[start - 1]) if start else 0
    end = int(cells.ends[stop - 1])
    first = PAGE - (end - begin)
    page[:8] = np.frombuffer(struct.pack(">BHHHB", _LEAF, 0, stop - start, first % PAGE, 0), dtype=np.uint8)
    places = np.concatenate([[begin], cells.ends[start : stop - 1]]) - begin + first
    page[8 : 8 + 2 * (stop - start)] = places.astype(">u2").view(np.uint8)
    page[first:] = cells.data[begin:end]


def _listing(cuts: Sequence[int], above: int) -> bytes:
    """Return the page that lists the leaves: of each but the last its page and its last row."""
    cells = [struct.pack(">I", above + number) + _varint(last) for number, last in enumerate(cuts[1:-1])]
    return _page(_INTERIOR, cells, struct.pack(">I", above + len(cuts) - 2))


def _page(kind: int, cells: Sequence[bytes], last: bytes = b"", before: bytes = b"") -> bytes:
    """Return a page with its cells at the end; `before` is what stands at its beginning."""
    content = b"".join(cells)
    first = PAGE - len(content)
    places, at = [], first
    for cell in cells:
        places.append(at)
        at += len(cell)
    head = struct.pack(">BHHHB", kind, 0, len(cells), first % PAGE, 0) + last + struct.pack(f">{len(cells)}H", *places)
    return (before + head).ljust(first, b"\0") + content


def _first(pages: int, columns: int) -> bytes:
    """Return the first page: the file's header, and the one table that it has."""
    create = f"CREATE TABLE {ROWS}({', '.join(f'c{n}' for n in range(columns))})".encode()
    values = (b"table", ROWS.encode(), ROWS.encode(), b"\x02", create)
    serials = [_TEXT + 2 * len(value) for value in values]
    serials[3] = _INTEGERS[0][0]  # the page at which the table begins
    header = b"".join(map(_varint, serials))
    record = _varint(len(header) + 1) + header + b"".join(values)
    return _page(_LEAF, [_varint(len(record)) + _varint(1) + record], before=_file_header(pages))


def _file_header(pages: int) -> bytes:
    return struct.pack(
        ">16sH6B12I20x2I",
        b"SQLite format 3\0", PAGE % 65_535, 1, 1, 0, 64, 32, 32,
        1, pages, 0, 0, 1, 4, 0, 0, 1, 0, 0, 0, 1, _VERSION,
    )  # fmt: skip


def _put(page: Array, content: bytes) -> None:
    page[: len(content)] = np.frombuffer(content, dtype=np.uint8)
