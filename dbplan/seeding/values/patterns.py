"""Texts that match a regular expression, numbered: the index in mixed radix picks every class, repeat and branch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.regular import regular
from dbplan.seeding.rows.stream import Array, Bits, Index, mixed
from dbplan.seeding.rows.texts import Coded, Part, Pool, as_column
from dbplan.seeding.values.domains import VAST, Domain, as_array

EXTRA = 6
"""Repeats that an open-ended quantifier may add to its minimum."""
WRITTEN = 4096
"""Texts up to which neighbours are written out."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_CLASSES = {
    "CATEGORY_DIGIT": _DIGITS,
    "CATEGORY_WORD": _LETTERS + _DIGITS,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": _LETTERS + _DIGITS,
    "CATEGORY_NOT_DIGIT": _LETTERS,
    "CATEGORY_NOT_WORD": "-",
}
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


@dataclass(frozen=True)
class One:
    """One character of a class; an empty class stands for nothing at all, such as an anchor."""

    characters: str
    longest: int = 1

    @property
    def size(self) -> int:
        """How many texts there are."""
        return len(self.characters)

    def nth(self, index: int) -> tuple[str, int]:
        """Return the text of that index, and what is left of the index."""
        rest, place = divmod(index, len(self.characters))
        return self.characters[place], rest


@dataclass(frozen=True)
class Fixed:
    """One text, always."""

    text: str
    size: int = 1

    @property
    def longest(self) -> int:
        """The most characters of a text."""
        return len(self.text)

    def nth(self, index: int) -> tuple[str, int]:
        """Return the text, and the whole index."""
        return self.text, index


@dataclass(frozen=True)
class Row:
    """Parts one after the other."""

    parts: tuple[Node, ...]

    @cached_property
    def size(self) -> int:
        """How many texts an index tells apart."""
        total = 1
        for part in self.parts:
            total *= part.size
        return total

    @cached_property
    def longest(self) -> int:
        """The most characters of a text."""
        return sum(part.longest for part in self.parts)

    def nth(self, index: int) -> tuple[str, int]:
        """Return the text of that index, and what is left of the index."""
        text = ""
        for part in self.parts:
            piece, index = part.nth(index)
            text += piece
        return text, index


@dataclass(frozen=True)
class Either:
    """One of several parts."""

    parts: tuple[Node, ...]

    @cached_property
    def size(self) -> int:
        """How many texts an index tells apart."""
        return sum(part.size for part in self.parts)

    @cached_property
    def longest(self) -> int:
        """The most characters of a text."""
        return max(part.longest for part in self.parts)

    def nth(self, index: int) -> tuple[str, int]:
        """Return the text of that index, and what is left of the index."""
        rest, index = divmod(index, self.size)
        for part in self.parts:
            if index < part.size:
                return part.nth(index)[0], rest
            index -= part.size
        return "", rest


@dataclass(frozen=True)
class Block:
    """Neighbours of few texts, written out: one division picks what would take one for each character."""

    parts: tuple[str | tuple[str], ...]

    @property
    def size(self) -> int:
        """How many texts there are."""
        return len(self._texts)

    @cached_property
    def longest(self) -> int:
        """The most characters of a text."""
        return max(map(len, self._texts))

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        return _written(self.parts)

    def nth(self, index: int) -> tuple[str, int]:
        """Return the text of that index, and what is left of the index."""
        rest, place = divmod(index, len(self._texts))
        return self._texts[place], rest


Node = One | Fixed | Row | Either | Block


@dataclass(frozen=True)
class Pattern(Domain):
    """Texts of `shortest` to `longest` characters that match `regex` wherever it says it is anchored.

    Those that are `folded` have a letter in one case alone where a class has it in both.
    """

    regex: str
    shortest: int = 0
    longest: int | None = None
    folded: bool = False

    @cached_property
    def _tree(self) -> Node:
        parsed = _parsed(self.regex)
        extra = max(EXTRA, self.shortest)
        tree = _row(parsed, extra)
        while self.longest is not None and tree.longest > self.longest and extra > 0:
            extra -= 1
            tree = _row(parsed, extra)
        return _folded(tree) if self.folded else tree

    @property
    def capacity(self) -> int:
        """How many texts can be told apart."""
        return min(self._tree.size, VAST)

    def samples(self) -> Array:
        """Return many texts, the shortest and the longest among them."""
        first, last = np.arange(min(WRITTEN, self.capacity)), self.capacity - 1
        return self.nth(np.concatenate([first, np.linspace(0, last, WRITTEN).astype(np.int64).clip(max=last)]))

    def nth(self, index: Index) -> Array:
        """Return the texts at `index`."""
        if _is_plain(self._tree):
            return _column(_parts(self._tree), index.astype(np.uint64))
        # Above the index stand further bits of it, for patterns with more texts than an index can number; only as many
        # as there are texts for, so that two indexes never give the same one.
        more = [mixed(index.astype(np.uint64) + np.uint64(n)).tolist() for n in range(3)]
        turns = max(1, self._tree.size // VAST)
        above = ((a + (b << 64) + (c << 128)) % turns for a, b, c in zip(*more, strict=True))
        return as_array([self._tree.nth(i + VAST * turn)[0] for i, turn in zip(index.tolist(), above, strict=True)])

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return f"texts like {self.regex}"


def _folded(node: Any) -> Any:
    """Return a node whose classes have no letter in both cases."""
    if isinstance(node, One):
        return replace(node, characters=_one_case(node.characters))
    if isinstance(node, Block):
        return Block(tuple(part if isinstance(part, tuple) else _one_case(part) for part in node.parts))
    return replace(node, parts=tuple(map(_folded, node.parts))) if isinstance(node, Row | Either) else node


def _one_case(characters: str) -> str:
    return "".join(char for char in characters if not (char.isupper() and char.lower() in characters))


def _is_plain(node: Node) -> bool:
    """Whether every part of a pattern has texts at all."""
    return all(map(_is_plain, node.parts)) if isinstance(node, Row | Either) else node.size > 0


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Row) else (node,)


def _column(row: Sequence[Node], index: Bits) -> Array:
    """Return the texts of a row of parts: each part takes its digit of the index, and bits of its hash beyond that."""
    parts: list[Part] = [""]
    rest, told, turn = index, 1, 0
    for part in row:
        if isinstance(part, Fixed):
            parts.append(part.text)
            continue
        if told >= VAST:
            turn += 1
            rest, told = mixed(index + np.uint64(turn)), 1
        # a part of more texts than an index can number takes what is left of it
        rest, digit = np.divmod(rest, np.uint64(min(part.size, VAST)))
        told *= part.size
        parts.append(_coded(part, digit.astype(np.int64)))
    if all(isinstance(part, str) for part in parts):
        parts = [Coded(Pool(["".join(map(str, parts))]), np.zeros(len(index), dtype=np.int64))]
    return as_column(*parts)


def _coded(part: Node, digit: Index) -> Coded:
    """Return the texts of a part, by number."""
    if not isinstance(part, Either | Row):
        return Coded(_pool(part), digit)
    branches = part.parts if isinstance(part, Either) else (part,)
    edges = [min(end, VAST) for end in accumulate((branch.size for branch in branches), initial=0)]
    written = np.empty(len(digit), dtype=object)
    for branch, low, high in zip(branches, edges[:-1], edges[1:], strict=True):
        at = np.flatnonzero((digit >= low) & (digit < high))
        if at.size:
            written[at] = np.asarray(_column(_parts(branch), (digit[at] - low).astype(np.uint64)))
    return Coded(Pool(written.tolist()), np.arange(len(digit)))


@cache
def _pool(part: Node) -> Pool:
    return Pool([part.nth(place)[0] for place in range(part.size)])


def _parsed(regex: str) -> Sequence[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import re._parser as parser  # type: ignore[import-not-found]  # the one parser of Python's own syntax
    try:
        return parser.parse(regular(regex))  # type: ignore[no-any-return]
    except Exception:
        raise NotCovered(f"the pattern {regex!r} cannot be read here") from None


def _row(parsed: Sequence[Any], extra: int) -> Row:
    return _joined([_part(str(kind), value, extra) for kind, value in parsed])


def _joined(parts: Sequence[Node]) -> Row:
    """Return the parts one after the other, neighbours of few texts as one."""
    joined: list[Node] = []
    for part in (inner for each in parts for inner in (each.parts if isinstance(each, Row) else (each,))):
        small = _choices(part)
        last = joined[-1] if joined and isinstance(joined[-1], Block) else None
        if last is not None and small and last.size * part.size <= WRITTEN:
            joined[-1] = Block((*last.parts, *small))
        else:
            joined.append(Block(small) if small and part.size <= WRITTEN else part)
    return Row(tuple(joined))


def _choices(part: Node) -> tuple[str | tuple[str], ...]:
    """Return what a part of few texts chooses from, one place after the other; () for any other."""
    if isinstance(part, Block):
        return part.parts
    if isinstance(part, One):
        return (part.characters,) if part.characters else ()
    return ((part.text,),) if isinstance(part, Fixed) else ()


@cache
def _written(parts: tuple[str | tuple[str], ...]) -> tuple[str, ...]:
    """Return every text of the parts, in the order in which an index counts: the first part changes fastest."""
    texts = [""]
    for choices in parts:
        texts = [text + piece for piece in choices for text in texts]
    return tuple(texts)


def _part(kind: str, value: Any, extra: int) -> Node:
    if kind in _REPEATS:
        low = int(value[0])
        high = low + extra if str(value[1]) == "MAXREPEAT" else min(int(value[1]), low + extra)
        inner = _row(value[2], extra)
        return Either(tuple(_joined((inner,) * times) for times in range(low, high + 1)))
    if kind == "SUBPATTERN":
        return _row(value[3], extra)
    if kind == "BRANCH":
        return Either(tuple(_row(branch, extra) for branch in value[1]))
    if kind == "LITERAL":
        return Fixed(chr(value))
    if kind in ("AT", "ASSERT", "ASSERT_NOT"):  # what looks ahead or back is tested on what is drawn
        return Fixed("")
    return One(_characters(kind, value))


def _characters(kind: str, value: Any) -> str:
    if kind == "ANY":
        return _LETTERS
    if kind == "NOT_LITERAL":
        return (_LETTERS + _DIGITS).replace(chr(value), "")
    if kind != "IN":
        raise NotCovered(f"a pattern with {kind} cannot be drawn from")
    chosen = "".join(_class(str(label), content) for label, content in value)
    if any(str(label) == "NEGATE" for label, _ in value):
        chosen = "".join(char for char in _LETTERS + _DIGITS if char not in chosen)
    return "".join(dict.fromkeys(chosen))


def _class(label: str, content: Any) -> str:
    if label == "LITERAL":
        return chr(content)
    if label == "RANGE":
        return "".join(map(chr, range(content[0], content[1] + 1)))
    return _CLASSES.get(str(content), _LETTERS) if label == "CATEGORY" else ""
