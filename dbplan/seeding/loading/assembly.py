"""Assembly: pieces of bytes of many rows put together, row after row, without a loop over the rows.

A piece has the same width in all rows (`Fixed`), differs from row to row (`Runs`), or is the same bytes in all of them.
Every piece is written for all rows at once, as one assignment of records of its greatest width at the rows' offsets:
what is too long in a row is overwritten by what is written there later, and where nothing is, a run is written exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.rows.stream import Array, Index

Bytes = NDArray[np.uint8]
Null = NDArray[np.bool_] | None
"""Where cells are NULL; None where none is."""
SHORT = 64
"""Bytes up to which a piece is written at its greatest width in all rows."""
BLOCK = 25_000
"""Rows that are put together at once: few enough to stay in the processor's cache."""
_QUICK = (2, 4, 8, 16, 32)
"""Widths of records that are picked quickest."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """A piece of one width: a row of the matrix each."""

    matrix: Bytes

    @property
    def width(self) -> int:
        """How many bytes a row has."""
        return int(self.matrix.shape[1])


@dataclass(frozen=True, eq=False)
class Runs:
    """A piece of many lengths: `lengths` bytes of `data`, from `starts` on; both int64.

    It is written quickest where `data` has as many bytes behind the last start as the longest run.
    """

    data: Bytes
    starts: Index
    lengths: Index

    def where(self, wanted: NDArray[np.bool_]) -> Runs:
        """Return the runs where they are wanted, and nothing elsewhere."""
        return Runs(self.data, self.starts, np.where(wanted, self.lengths, 0))

    @property
    def width(self) -> int:
        """How many bytes `records` have."""
        return int(self.lengths.max(initial=0))

    def records(self, width: int) -> Array:
        """Return the first bytes of every run, and of what stands behind it."""
        data, end = self.data, int(self.starts.max()) + width
        if end > len(data):
            data = np.concatenate([data, np.zeros(end - len(data), dtype=np.uint8)])
        return _every(data, width)[self.starts]


class Picked(Runs):
    """Runs of a table of a few: `table` holds each of them, padded, as one record."""

    def __init__(self, table: Array, index: Index, lengths: Index) -> None:
        super().__init__(table.view(np.uint8), index * table.itemsize, lengths)
        object.__setattr__(self, "picked", (table, index))

    picked: tuple[Array, Index]

    def where(self, wanted: NDArray[np.bool_]) -> Runs:
        """Return the runs where they are wanted, and nothing elsewhere."""
        return Picked(*self.picked, np.where(wanted, self.lengths, 0))

    @property
    def width(self) -> int:
        """How many bytes `records` have."""
        return self.picked[0].itemsize

    def records(self, width: int) -> Array:
        """Return the first bytes of every run, and of what stands behind it."""
        table, index = self.picked
        return table.take(index) if width == table.itemsize else super().records(width)


@dataclass(frozen=True, eq=False)
class Packed:
    """Words as bytes, and one more entry at the end: what stands for NULL."""

    runs: Runs
    table: Array | None
    """Every word padded to one width, where that is short."""

    def pick(self, index: Index, null: Null) -> Runs:
        """Return the words at `index`."""
        if null is not None:
            index = np.where(null, len(self.runs.lengths) - 1, index)
        lengths = self.runs.lengths.take(index)
        if self.table is not None:
            return Picked(self.table, index, lengths)
        return Runs(self.runs.data, self.runs.starts.take(index), lengths)


def packed(words: Sequence[bytes], absent: bytes) -> Packed:
    """Return words, and what stands for NULL, ready to be picked."""
    runs = stacked([*words, absent])
    width = next((width for width in _QUICK if runs.width <= width), runs.width)
    if not 0 < runs.width <= SHORT:
        return Packed(runs, None)
    table = np.array([word.ljust(width, b"\0") for word in (*words, absent)], dtype=f"V{width}")
    return Packed(runs, table)


Piece = bytes | Fixed | Runs


@dataclass(frozen=True, eq=False)
class Assembled:
    """Rows of bytes, one behind the other: row n stands from `ends[n - 1]` to `ends[n]`."""

    data: Bytes
    ends: Index

    def runs(self) -> Runs:
        """Return the rows as a piece of wider rows."""
        starts = np.concatenate([np.zeros(1, dtype=np.int64), self.ends[:-1]])
        return Runs(self.data, starts, self.ends - starts)


def blocks(rows: int) -> Iterator[slice]:
    """Yield the blocks of so many rows."""
    for start in range(0, rows, BLOCK):
        yield slice(start, min(start + BLOCK, rows))


def assembled(pieces: Sequence[Piece], rows: int) -> Assembled:
    """Return the pieces of every row, one after the other."""
    if not rows:
        return Assembled(np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.int64))
    pieces = merged(pieces)
    lengths = np.full(rows, sum(width_of(piece) for piece in pieces), dtype=np.int64)
    for piece in pieces:
        if isinstance(piece, Runs):
            lengths += piece.lengths
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    out = np.empty(total + SHORT, dtype=np.uint8)
    _write(out, pieces, ends - lengths)
    return Assembled(out[:total], ends)


def merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces with equal bytes beside each other joined, and with fixed ones beside each other as one."""
    out: list[Piece] = []
    for group in _grouped(pieces):
        if len(group) == 1:
            out += group
        elif all(isinstance(piece, bytes) for piece in group):
            out.append(b"".join(piece for piece in group if isinstance(piece, bytes)))
        else:
            out.append(_beside(group))
    return out


def _grouped(pieces: Sequence[Piece]) -> list[list[Piece]]:
    groups: list[list[Piece]] = []
    for piece in pieces:
        if isinstance(piece, Runs) or not groups or isinstance(groups[-1][0], Runs):
            groups.append([piece])
        else:
            groups[-1].append(piece)
    return [group for group in groups if isinstance(group[0], Runs) or any(width_of(piece) for piece in group)]


def width_of(piece: Piece) -> int:
    """Return the bytes that a piece has in every row; 0 where that differs."""
    return len(piece) if isinstance(piece, bytes) else piece.width if isinstance(piece, Fixed) else 0


def _beside(pieces: Sequence[Piece]) -> Fixed:
    """Return fixed pieces as one."""
    rows = next(len(piece.matrix) for piece in pieces if isinstance(piece, Fixed))
    widths = [width_of(piece) for piece in pieces]
    names = [f"f{n}" for n in range(len(pieces))]
    whole = np.empty(rows, dtype=[(name, f"V{width}") for name, width in zip(names, widths, strict=True) if width])
    for name, width, piece in zip(names, widths, pieces, strict=True):
        if width:
            whole[name] = records(piece.matrix) if isinstance(piece, Fixed) else np.void(_bytes(piece))
    return Fixed(whole.view(np.uint8).reshape(rows, -1))


def _bytes(piece: Piece) -> bytes:
    assert isinstance(piece, bytes)
    return piece


def records(matrix: Bytes) -> Array:
    """Return the rows of a matrix as records."""
    return np.ascontiguousarray(matrix).view(f"V{matrix.shape[1]}").reshape(-1)


def _write(out: Bytes, pieces: Sequence[Piece], starts: Index) -> None:
    """Write runs, and then what has one width, which overwrites nothing but itself."""
    at = starts
    runs: list[tuple[Runs, Index]] = []
    fixed: list[tuple[bytes | Fixed, Index]] = []
    for piece in pieces:
        if isinstance(piece, Runs):
            runs.append((piece, at))
            at = at + piece.lengths
        else:
            fixed.append((piece, at))
            at = at + width_of(piece)
    cut = _widest_gap(pieces)
    for n in (*range(cut, len(runs)), *range(cut)):
        run, place = runs[n]
        _write_runs(out, run, place, None if n == cut else _room(place, runs[cut][1], n > cut))
    for same, place in fixed:
        made = np.void(same) if isinstance(same, bytes) else records(same.matrix)
        _every(out, width_of(same))[place] = made


def _widest_gap(pieces: Sequence[Piece]) -> int:
    """Return which of the runs comes after the widest piece of one width, that before the row's first run included.

    It is written first: what the run before it leaves behind itself must fit there, all else is overwritten later.
    """
    gaps, gap = [], 0
    for piece in pieces:
        if isinstance(piece, Runs):
            gaps.append(gap)
        gap = 0 if isinstance(piece, Runs) else width_of(piece)
    if gaps:
        gaps[0] += gap
    return gaps.index(max(gaps)) if gaps else 0


def _room(at: Index, cut: Index, next_row: bool) -> Index:
    """Return how many bytes may be written at places before they reach those of the runs written first."""
    if not next_row:
        return cut - at
    room = np.full(len(at), SHORT, dtype=np.int64)
    np.subtract(cut[1:], at[:-1], out=room[:-1])
    return room


def _write_runs(out: Bytes, runs: Runs, at: Index, room: Index | None) -> None:
    """Write runs at their places, over what stands behind them where there is room for that."""
    width = runs.width
    if not 0 < width <= SHORT:
        _write_exactly(out, runs.data, runs.starts, runs.lengths, at)
    elif room is None or int(room.min()) >= width:
        _every(out, width)[at] = runs.records(width)
    else:
        rows, others = np.flatnonzero(room < width), np.flatnonzero(room >= width)
        _every(out, width)[at[others]] = runs.records(width)[others]
        _write_exactly(out, runs.data, runs.starts[rows], runs.lengths[rows], at[rows])


def _write_exactly(out: Bytes, data: Bytes, starts: Index, lengths: Index, at: Index) -> None:
    """Write runs of 2^k to 2^(k+1) - 1 bytes as their first and their last 2^k, which may overlap."""
    width, longest = 1, int(lengths.max(initial=0))
    while width <= longest:
        rows = np.flatnonzero((lengths >= width) & (lengths < 2 * width))
        if rows.size:
            source, target = _every(data, width), _every(out, width)
            begin, place, rest = starts[rows], at[rows], lengths[rows] - width
            target[place] = source[begin]
            target[place + rest] = source[begin + rest]
        width *= 2


def _every(data: Bytes, width: int) -> Array:
    """Return the records of `width` bytes that begin at every byte."""
    return np.ndarray((max(len(data) - width + 1, 0),), dtype=f"V{width}", buffer=data, strides=(1,))


def stacked(texts: Sequence[bytes]) -> Runs:
    """Return a piece of one run for each of the texts, in their order."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    longest = int(lengths.max(initial=0))
    data: Any = np.frombuffer(b"".join(texts) + bytes(longest), dtype=np.uint8)
    return Runs(data, np.cumsum(lengths) - lengths, lengths)
