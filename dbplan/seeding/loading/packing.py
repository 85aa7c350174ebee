"""Packing: texts, whole numbers and words of a pool as pieces of rows (see `assembly`).

A `Script` says how a text becomes bytes. The words of a pool are written once by each script, and kept in the pool; a
chunk then only picks them by number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.loading.assembly import SHORT, Bytes, Fixed, Picked, Piece, Runs, stacked
from dbplan.seeding.rows.stream import Array, Index
from dbplan.seeding.rows.texts import Chars, Coded, Number, Part, Texts, UuidTexts

Null = NDArray[np.bool_] | None
"""Where cells are NULL; None where none is."""
HEX = np.frombuffer(bytes(range(256)).hex().encode(), dtype="V2")
_GROUP = 10_000


@dataclass(frozen=True)
class Script:
    """How a text becomes bytes: in UTF-8, `special` characters by `escape`, whose result joins as the texts do."""

    name: str
    special: str
    escape: Callable[[str], str]

    def written(self, text: str) -> bytes:
        """Return one text as bytes."""
        return (self.escape(text) if self.touches(text) else text).encode()

    def touches(self, text: str) -> bool:
        """Whether any character of a text is special."""
        return any(char in text for char in self.special)


def without_nul(text: str) -> str:
    """Return a text without U+0000, which PostgreSQL has not."""
    return text.replace("\0", "")


PLAIN = Script("plain", "\0", without_nul)


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
    width = runs.width
    if not 0 < width <= SHORT:
        return Packed(runs, None)
    table = np.array([word.ljust(width, b"\0") for word in (*words, absent)], dtype=f"V{width}")
    return Packed(runs, table)


def picked(coded: Coded, key: object, write: Callable[[str], bytes], absent: bytes, null: Null) -> Runs:
    """Return words of a pool, each as `write` writes it; `key` names what it writes."""
    known = coded.pool.packed.get(key)
    if known is None:
        known = packed([write(word) for word in coded.pool.words.tolist()], absent)
        coded.pool.packed[key] = known
    return known.pick(coded.index, null)


def spelled(texts: Texts, script: Script, null: Null) -> list[Piece]:
    """Return the parts of texts as pieces; nothing at all under a NULL."""
    return [unless(piece, null) for part in _joined(texts.parts) for piece in _pieces(part, script)]


def _joined(parts: Sequence[Part]) -> list[tuple[str, Part, str]]:
    """Return the parts, each with the equal text before and after it; equal texts go with words where they can."""
    joined: list[tuple[str, Part, str]] = []
    before = ""
    for part in parts:
        if not isinstance(part, str):
            joined.append((before, part, ""))
            before = ""
        elif joined and isinstance(joined[-1][1], Coded):
            joined[-1] = (*joined[-1][:2], joined[-1][2] + part)
        else:
            before += part
    if before:
        joined[-1] = (*joined[-1][:2], joined[-1][2] + before)
    return joined


def _pieces(joined: tuple[str, Part, str], script: Script) -> list[Piece]:
    before, part, after = joined
    if isinstance(part, Coded):
        key = (script.name, before, after)
        return [picked(part, key, lambda word: script.written(before + word + after), b"", None)]
    ends = [script.written(text) for text in (before, after)]
    middle = digits(part) if isinstance(part, Number) else _chars(part, script) if isinstance(part, Chars) else b""
    return [ends[0], middle, ends[1]]


def _chars(part: Chars, script: Script) -> Piece:
    special = np.zeros(256, dtype=bool)
    special[[ord(char) for char in script.special]] = True
    if special[part.matrix].any():
        return listed(part.spelled(), script)
    if part.lengths is None:
        return Fixed(part.matrix)
    rows, width = part.matrix.shape
    return Runs(np.ascontiguousarray(part.matrix).reshape(-1), np.arange(rows, dtype=np.int64) * width, part.lengths)


def unless(piece: Piece, null: Null) -> Piece:
    """Return a piece that takes no room under a NULL."""
    if null is None or not _takes_room(piece):
        return piece
    return as_runs(piece, len(null)).where(~null)


def _takes_room(piece: Piece) -> bool:
    return not isinstance(piece, bytes) or bool(piece)


def as_runs(piece: Piece, rows: int) -> Runs:
    """Return a piece as one that may differ from row to row."""
    if isinstance(piece, Runs):
        return piece
    if isinstance(piece, bytes):
        return packed([piece], b"").pick(np.zeros(rows, dtype=np.int64), None)
    width = piece.width
    starts = np.arange(rows, dtype=np.int64) * width
    return Runs(np.ascontiguousarray(piece.matrix).reshape(-1), starts, np.full(rows, width, dtype=np.int64))


def listed(texts: list[str], script: Script) -> Runs:
    """Return texts that nothing is known of as a piece."""
    joined = "".join(texts)
    if script.touches(joined):
        texts = [script.escape(text) for text in texts]
        joined = "".join(texts)
    if not joined.isascii():
        return stacked([text.encode() for text in texts])
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    data: Any = np.frombuffer(joined.encode() + bytes(int(lengths.max(initial=0))), dtype=np.uint8)
    return Runs(data, np.cumsum(lengths) - lengths, lengths)


def digits(number: Number) -> Runs:
    """Return whole numbers ≥ 0 in decimal digits."""
    values, blank = number.values, number.blank
    unwritten = None if blank is None else values == blank
    if unwritten is not None and unwritten.any():
        values = np.where(unwritten, 0, values)
    runs = _digits(values, number.width)
    return runs if unwritten is None else runs.where(~unwritten)


def _digits(values: Index, width: int) -> Runs:
    top = int(values.max(initial=0))
    if top < _GROUP and width <= 4:
        return _small(width).pick(values.astype(np.int64, copy=False), None)
    matrix = figures(values, max(len(str(top)), width))
    lengths = np.full(len(values), max(width, 1), dtype=np.int64)
    for power in range(max(width, 1), len(str(top))):
        lengths += values >= 10**power
    data = np.concatenate([matrix.reshape(-1), np.zeros(matrix.shape[1], dtype=np.uint8)])
    return Runs(data, np.arange(1, len(values) + 1, dtype=np.int64) * matrix.shape[1] - lengths, lengths)


@cache
def _small(width: int) -> Packed:
    return packed([str(n).rjust(width, "0").encode() for n in range(_GROUP)], b"")


@cache
def _four() -> Array:
    """Return the numbers below 10,000 as four digits each."""
    return np.array([b"%04d" % n for n in range(_GROUP)], dtype="V4")


def figures(values: Index, width: int) -> Bytes:
    """Return whole numbers ≥ 0 as rows of `width` digits or up to three more, zeros before them."""
    groups = -(-width // 4)
    out = np.empty((len(values), groups), dtype="V4")
    rest = values
    for group in range(groups - 1, 0, -1):
        above = rest // _GROUP
        out[:, group] = _four().take(rest - above * _GROUP)
        rest = above
    out[:, 0] = _four().take(rest)
    return out.view(np.uint8).reshape(len(values), 4 * groups)


def hexadecimal(values: UuidTexts) -> Bytes:
    """Return UUIDs as rows of 32 digits."""
    return HEX.take(values.raw).view(np.uint8).reshape(len(values), 32)
