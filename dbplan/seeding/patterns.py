"""Texts that match a regular expression, numbered: the index in mixed radix picks every class, repeat and branch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dbplan.errors import NotCovered
from dbplan.seeding.domains import VAST, Domain, as_array
from dbplan.seeding.stream import Array, Index, mixed

EXTRA = 6
"""Repeats that an open-ended quantifier may add to its minimum."""
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
Part = tuple[int, Any]


@dataclass(frozen=True)
class Pattern(Domain):
    """Texts of `shortest` to `longest` characters that match `regex` wherever it says it is anchored."""

    regex: str
    shortest: int = 0
    longest: int | None = None

    @cached_property
    def _tree(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import re._parser as parser  # type: ignore[import-not-found]  # the one parser of Python's own syntax
        try:
            return parser.parse(_python_syntax(self.regex))
        except Exception:
            raise NotCovered(f"the pattern {self.regex!r} cannot be read here") from None

    @property
    def capacity(self) -> int:
        return min(size(self._tree, self._extra), VAST)

    @cached_property
    def _extra(self) -> int:
        if self.longest is None:
            return max(EXTRA, self.shortest)
        extra = max(EXTRA, self.shortest)
        while extra > 0 and longest(self._tree, extra) > self.longest:
            extra -= 1
        return extra

    def nth(self, index: Index) -> Array:
        # above the index stand further bits of it, for patterns with more texts than an index can number
        more = [mixed(index.astype(np.uint64) + np.uint64(n)).tolist() for n in range(3)]
        whole = (i + (a << 62) + (b << 126) + (c << 190) for i, a, b, c in zip(index.tolist(), *more, strict=True))
        return as_array([nth(self._tree, i, self._extra)[0] for i in whole])

    @property
    def title(self) -> str:
        return f"texts like {self.regex}"


def _python_syntax(regex: str) -> str:
    classes = {"[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:alnum:]": "a-zA-Z0-9", "[:upper:]": "A-Z"}
    classes |= {"[:lower:]": "a-z", "[:space:]": " ", "[:xdigit:]": "0-9a-f"}
    for name, plain in classes.items():
        regex = regex.replace(name, plain)
    return regex


def size(tree: Any, extra: int) -> int:
    """Return how many indexes a parsed pattern tells apart."""
    total = 1
    for part in tree:
        total *= _part_size(part, extra)
    return int(min(total, VAST * 4))


def _part_size(part: Any, extra: int) -> int:
    kind, value = str(part[0]), part[1]
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        low, high = _repeats(value, extra)
        one = size(value[2], extra)
        return min(sum(min(one**n, VAST) for n in range(low, high + 1)), VAST)
    if kind == "SUBPATTERN":
        return size(value[3], extra)
    if kind == "BRANCH":
        return sum(size(branch, extra) for branch in value[1])
    return len(_characters(part)) if kind in {"IN", "ANY", "NOT_LITERAL"} else 1


def nth(tree: Any, index: int, extra: int) -> tuple[str, int]:
    """Return the text of that index, and what is left of the index."""
    text = ""
    for part in tree:
        piece, index = _part_nth(part, index, extra)
        text += piece
    return text, index


def _part_nth(part: Any, index: int, extra: int) -> Part:
    kind, value = str(part[0]), part[1]
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        return _repeat_nth(value, index, extra)  # type: ignore[return-value]
    if kind == "SUBPATTERN":
        return nth(value[3], index, extra)  # type: ignore[return-value]
    if kind == "BRANCH":
        return _branch_nth(value[1], index, extra)  # type: ignore[return-value]
    if kind == "LITERAL":
        return chr(value), index  # type: ignore[return-value]
    if kind == "AT":
        return "", index  # type: ignore[return-value]
    characters = _characters(part)
    return characters[index % len(characters)], index // len(characters)  # type: ignore[return-value]


def _repeat_nth(value: Any, index: int, extra: int) -> tuple[str, int]:
    low, high = _repeats(value, extra)
    one = size(value[2], extra)
    sizes = [min(one**n, VAST) for n in range(low, high + 1)]
    index, rest = index % sum(sizes), index // sum(sizes)
    times = low
    for room in sizes:
        if index < room:
            break
        index -= room
        times += 1
    text = ""
    for _ in range(times):
        piece, index = nth(value[2], index, extra)
        text += piece
    return text, rest


def _branch_nth(branches: Any, index: int, extra: int) -> tuple[str, int]:
    sizes = [size(branch, extra) for branch in branches]
    index, rest = index % sum(sizes), index // sum(sizes)
    for branch, room in zip(branches, sizes, strict=True):
        if index < room:
            return nth(branch, index, extra)[0], rest
        index -= room
    return "", rest


def longest(tree: Any, extra: int) -> int:
    """Return the most characters a text of the pattern can have."""
    return sum(_part_longest(part, extra) for part in tree)


def _part_longest(part: Any, extra: int) -> int:
    kind, value = str(part[0]), part[1]
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        return _repeats(value, extra)[1] * longest(value[2], extra)
    if kind == "SUBPATTERN":
        return longest(value[3], extra)
    if kind == "BRANCH":
        return max(longest(branch, extra) for branch in value[1])
    return 0 if kind == "AT" else 1


def _repeats(value: Any, extra: int) -> tuple[int, int]:
    low, high = int(value[0]), value[1]
    return low, min(int(high), low + extra) if str(high) != "MAXREPEAT" else low + extra


def _characters(part: Any) -> str:
    kind, value = str(part[0]), part[1]
    if kind == "ANY":
        return _LETTERS
    if kind == "NOT_LITERAL":
        return (_LETTERS + _DIGITS).replace(chr(value), "")
    if kind != "IN":
        raise NotCovered(f"a pattern with {kind} cannot be drawn from")
    chosen, negated = "", False
    for name, content in value:
        label = str(name)
        negated |= label == "NEGATE"
        if label == "LITERAL":
            chosen += chr(content)
        elif label == "RANGE":
            chosen += "".join(map(chr, range(content[0], content[1] + 1)))
        elif label == "CATEGORY":
            chosen += _CLASSES.get(str(content), _LETTERS)
    if negated:
        chosen = "".join(char for char in _LETTERS + _DIGITS if char not in chosen)
    return "".join(dict.fromkeys(chosen))
