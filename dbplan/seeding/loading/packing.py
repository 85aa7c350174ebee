"""Packing: texts, whole numbers and words of a pool as pieces of rows (see `assembly`).

A `Script` says how a text becomes bytes. The words of a pool are written once by each script, and kept in the pool; a
chunk then only picks them by number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbplan.seeding.loading.assembly import Fixed, Null, Piece, Runs, packed, stacked
from dbplan.seeding.loading.encode import refilled
from dbplan.seeding.loading.figures import digits
from dbplan.seeding.rows.texts import Chars, Coded, Number, Part, Texts


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


FEW = 4
"""Cells of which a pool has so many times more words are written one by one: the pool is not worth packing."""
PLAIN = Script("plain", "\0", without_nul)


def picked(coded: Coded, key: object, write: Callable[[str], bytes], absent: bytes, null: Null) -> Runs:
    """Return words of a pool, each as `write` writes it; `key` names what it and `absent` write."""
    known = coded.pool.packed.get(key)
    if known is None and FEW * len(coded) < len(coded.pool):
        index = coded.index if null is None else coded.index[~null]
        return stacked(refilled([write(word) for word in coded.pool.words[index].tolist()], null, absent))
    if known is None:
        known = packed([write(word) for word in coded.pool.words.tolist()], absent)
        coded.pool.packed[key] = known
    return known.pick(coded.index, null)


def spelled(texts: Texts, script: Script, null: Null, tail: bytes = b"") -> list[Piece]:
    """Return the parts of texts as pieces, nothing under a NULL, and `tail` after all of them."""
    joined = _joined(texts.parts if null is None else [_without(part, null) for part in texts.parts])
    inside = tail if null is None else b""
    tails = [b""] * (len(joined) - 1) + [inside]
    pieces = [piece for part, end in zip(joined, tails, strict=True) for piece in _pieces(*part, script, end)]
    return pieces if null is None else [*(unless(piece, null) for piece in pieces), tail]


def _without(part: Part, null: NDArray[np.bool_]) -> Part:
    """Return a part with zeros for the numbers under NULL, which may be any."""
    return Number(np.where(null, 0, part.values), part.width, part.blank) if isinstance(part, Number) else part


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


def _pieces(before: str, part: Part, after: str, script: Script, tail: bytes) -> list[Piece]:
    if isinstance(part, Coded):
        key = (script.name, before, after, tail)
        return [picked(part, key, lambda word: script.written(before + word + after) + tail, b"", None)]
    start, end = script.written(before), script.written(after) + tail
    if isinstance(part, Number):
        return [start, digits(part.values, part.width, part.blank, end)]
    assert isinstance(part, Chars)
    return [start, _chars(part, script), end]


def _chars(part: Chars, script: Script) -> Piece:
    if having(part, script.special).any():
        return listed(part.spelled(), script)
    if part.lengths is None:
        return Fixed(part.matrix)
    rows, width = part.matrix.shape
    return Runs(np.ascontiguousarray(part.matrix).reshape(-1), np.arange(rows, dtype=np.int64) * width, part.lengths)


def having(part: Chars, wanted: str) -> NDArray[np.bool_]:
    """Return which rows have one of the wanted characters."""
    found = [part.matrix == ord(char) for char in wanted if (part.matrix == ord(char)).any()]
    if not found:
        return np.zeros(len(part), dtype=bool)
    hits = np.logical_or.reduce(found)
    if part.lengths is not None:
        hits &= np.arange(part.matrix.shape[1]) < part.lengths[:, None]
    return np.asarray(hits.any(axis=1))


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
