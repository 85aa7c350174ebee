"""Texts and UUIDs in columns: kept as parts and numbers, and spelled out only where someone reads them.

Both stand wherever an array of objects would: numpy, and everything that indexes or compares, sees the objects. What
writes many rows reads the parts instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from dbplan.seeding.rows.stream import Array, Bits, Index

OBJECT = np.dtype(object)
Bytes = NDArray[np.uint8]


POWERS = 10 ** np.arange(1, 19, dtype=np.int64)


class Pool:
    """Words that many cells share; two pools are the same only when they are one object."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words: Array = np.empty(len(words), dtype=object)
        self.words[:] = words
        self.packed: dict[object, Any] = {}
        """What encoders made of the words, by encoder: written once, used in every chunk."""

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, eq=False)
class Coded:
    """Words of a pool, by number."""

    pool: Pool
    index: Index

    def __len__(self) -> int:
        return len(self.index)

    def take(self, at: Any) -> Coded:
        """Return the cells at `at`."""
        return Coded(self.pool, self.index[at])

    @property
    def lengths_of(self) -> Index:
        """How many characters every word has."""
        known = self.pool.packed.get("lengths")
        if known is None:
            known = self.pool.packed["lengths"] = np.array([len(word) for word in self.pool.words.tolist()], np.int64)
        return np.asarray(known[self.index])

    def spelled(self) -> list[str]:
        """Return the words."""
        return list(self.pool.words[self.index].tolist())


@dataclass(frozen=True, eq=False)
class Number:
    """Whole numbers ≥ 0 in decimal digits, at least `width` of them; `blank` is written as nothing at all."""

    values: Index
    width: int = 0
    blank: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, at: Any) -> Number:
        """Return the cells at `at`."""
        return Number(self.values[at], self.width, self.blank)

    @property
    def lengths_of(self) -> Index:
        """How many digits every number has."""
        digits = np.searchsorted(POWERS, self.values, side="right") + 1
        known = np.maximum(digits, max(self.width, 1))
        return known if self.blank is None else np.where(self.values == self.blank, 0, known)

    def spelled(self) -> list[str]:
        """Return the digits."""
        written = (str(value).rjust(self.width, "0") for value in self.values.tolist())
        if self.blank is None:
            return list(written)
        return ["" if value == self.blank else text for value, text in zip(self.values.tolist(), written, strict=True)]


@dataclass(frozen=True, eq=False)
class Chars:
    """ASCII characters, a row of the matrix each; `lengths` says how many of them count, None for all."""

    matrix: Bytes
    lengths: Index | None = None

    def __len__(self) -> int:
        return len(self.matrix)

    def take(self, at: Any) -> Chars:
        """Return the cells at `at`."""
        return Chars(self.matrix[at], None if self.lengths is None else self.lengths[at])

    @property
    def lengths_of(self) -> Index:
        """How many characters every text has."""
        width = self.matrix.shape[1]
        return np.full(len(self), width) if self.lengths is None else np.asarray(self.lengths, dtype=np.int64)

    def spelled(self) -> list[str]:
        """Return the texts."""
        width, text = self.matrix.shape[1], self.matrix.tobytes().decode("ascii")
        ends = repeat(width, len(self)) if self.lengths is None else self.lengths.tolist()
        return [text[n * width : n * width + end] for n, end in enumerate(ends)]


Part = str | Coded | Number | Chars
"""A piece of every cell: the same text in all of them, or one that differs."""


class Spelled(NDArrayOperatorsMixin):
    """A column that computes as the array of objects that it spells."""

    dtype: Any = OBJECT
    ndim = 1

    def __len__(self) -> int:
        raise NotImplementedError

    @cached_property
    def objects(self) -> Array:
        """The cells as objects."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int]:
        """The shape of the array."""
        return (len(self),)

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        made = self.objects if dtype is None else self.objects.astype(dtype)
        return made.copy() if copy else made

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = (one.objects if isinstance(one, Spelled) else one for one in inputs)
        return getattr(ufunc, method)(*plain, **options)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.objects.tolist())

    def astype(self, dtype: Any, copy: bool = True) -> Array:
        """Return the cells as an array of their own."""
        return self.objects.astype(dtype, copy=copy)

    def tolist(self) -> list[Any]:
        """Return the cells as a list."""
        return list(self.objects.tolist())


class Texts(Spelled):
    """Texts of parts, one after the other."""

    def __init__(self, *parts: Part) -> None:
        self.parts = tuple(part for part in parts if not isinstance(part, str) or part)
        self._rows = next(len(part) for part in self.parts if not isinstance(part, str))

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int | np.integer):
            return self.objects[at]
        return Texts(*(part if isinstance(part, str) else part.take(at) for part in self.parts))

    @cached_property
    def objects(self) -> Array:
        """The texts themselves."""
        pieces = [repeat(part) if isinstance(part, str) else part.spelled() for part in self.parts]
        out = np.empty(len(self), dtype=object)
        if len(self.parts) == 1:
            out[:] = pieces[0]
        else:
            out[:] = ["".join(row) for row in zip(*pieces, strict=False)]
        return out

    @property
    def lengths(self) -> Index:
        """How many characters every text has."""
        known = [np.full(len(self), len(p)) if isinstance(p, str) else p.lengths_of for p in self.parts]
        return np.asarray(np.sum(known, axis=0))

    def respelled(self, spell: Callable[[Any], Any]) -> Texts | None:
        """Return the texts in the case of `str.lower` or `str.upper`, part by part; None for anything else."""
        if spell not in CASES:
            return None
        return Texts(*(_in_case(part, CASES[spell]) for part in self.parts))

    @property
    def coded(self) -> Coded | None:
        """The one pool that all cells are words of, if there is one."""
        (part, *others) = self.parts
        return part if isinstance(part, Coded) and not others else None


CASES: Mapping[Any, str] = {str.lower: "lower", str.upper: "upper"}


def _in_case(part: Part, case: str) -> Part:
    if isinstance(part, str):
        return str(getattr(part, case)())
    if isinstance(part, Number):
        return part
    if isinstance(part, Chars):
        first, shift = (65, 32) if case == "lower" else (97, -32)
        letters = (part.matrix >= first) & (part.matrix < first + 26)
        return Chars(np.where(letters, part.matrix + np.int8(shift), part.matrix).astype(np.uint8), part.lengths)
    made = part.pool.packed.get(case)
    if made is None:
        made = part.pool.packed[case] = Pool([getattr(word, case)() for word in part.pool.words.tolist()])
    return Coded(made, part.index)


class UuidTexts(Spelled):
    """UUIDs as 32 hexadecimal digits, kept as two halves of 64 bits."""

    def __init__(self, high: Bits, low: Bits) -> None:
        self.high, self.low = high, low

    def __len__(self) -> int:
        return len(self.high)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int | np.integer):
            return self.objects[at]
        return UuidTexts(self.high[at], self.low[at])

    @property
    def raw(self) -> Bytes:
        """The 16 bytes of every UUID."""
        return np.stack([self.high, self.low], axis=1).astype(">u8").view(np.uint8).reshape(-1, 16)

    @cached_property
    def objects(self) -> Array:
        """The digits themselves."""
        text = self.raw.tobytes().hex()
        out = np.empty(len(self), dtype=object)
        out[:] = [text[at : at + 32] for at in range(0, len(text), 32)]
        return out


def digits36(numbers: Bits, width: int) -> Bytes:
    """Return the last `width` digits of whole numbers in base 36, as characters."""
    return in_digits(numbers, width, "0123456789abcdefghijklmnopqrstuvwxyz")


def in_digits(numbers: Bits, width: int, alphabet: str) -> Bytes:
    """Return the last `width` digits of whole numbers as characters of an alphabet, a row each."""
    letters, base = np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8), np.uint64(len(alphabet))
    out, rest = np.empty((len(numbers), width), dtype=np.uint8), numbers
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, base)
        out[:, place] = letters[digit]
    return out


def as_column(*parts: Part) -> Array:
    """Return texts of parts as a column, which stands wherever an array of objects would."""
    return cast("Array", Texts(*parts))


def coded(words: Sequence[str], index: Index) -> Array:
    """Return words by number, of a pool that no other column shares."""
    return as_column(Coded(Pool(words), index))


def shared_pool(one: Any, other: Any) -> tuple[Coded, Coded] | None:
    """Return two columns of words by their numbers in one pool; None where either is no such column."""
    first, second = (values.coded if isinstance(values, Texts) else None for values in (one, other))
    if first is None or second is None:
        return None
    if first.pool is second.pool:
        return first, second
    both = first.pool.packed.get(second.pool)
    if both is None:
        both = first.pool.packed[second.pool] = Pool([*first.pool.words, *second.pool.words])
    return Coded(both, first.index), Coded(both, second.index + len(first.pool))
