"""Addressable randomness: the bits of a cell follow from (random_state, table, column, row) and nothing else.

A stream is named, never numbered by position, so that a new column or table leaves every other cell as it was.
splitmix64's finaliser (Steele, Lea, Flood 2014) over a keyed counter is stateless: any row in any order, hence a
child can recompute its parent's key without a look-up table.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Index = NDArray[np.int64]
Array = NDArray[Any]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ROUNDS = 4


def key(random_state: int, *names: object) -> np.uint64:
    """Return the 64-bit key of the stream of that name."""
    text = "\0".join(map(str, (random_state, *names)))
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little"))


def mixed(state: Bits) -> Bits:
    """Return splitmix64's finaliser of every element: a bijection of 64 bits."""
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return state ^ (state >> np.uint64(31))


def bits(stream: np.uint64, rows: Index) -> Bits:
    """Return 64 random bits for every row; the rows may come in any order."""
    return mixed(mixed(rows.astype(np.uint64) * _GAMMA + stream) + stream)


def unit(random: Bits) -> NDArray[np.float64]:
    """Return floats in [0, 1) from random bits."""
    return (random >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(random: Bits, size: int) -> Index:
    """Return whole numbers in [0, size) by multiply-shift; every element uses one draw, whatever its value."""
    if size < 2**32:
        return ((random >> np.uint64(32)) * np.uint64(size) >> np.uint64(32)).astype(np.int64)
    return (random % np.uint64(size)).astype(np.int64)


def permuted(stream: np.uint64, index: Index, size: int) -> Index:
    """Return a pseudo-random permutation of [0, size) at `index`: a Feistel network with cycle walking."""
    half = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
    out = _feistel(stream, index.astype(np.uint64), half)
    outside = np.flatnonzero(out >= np.uint64(size))
    while outside.size:
        out[outside] = _feistel(stream, out[outside], half)
        outside = outside[out[outside] >= np.uint64(size)]
    return out.astype(np.int64)


def _feistel(stream: np.uint64, index: Bits, half: int) -> Bits:
    shift, low = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = index >> shift, index & low
    for turn in range(_ROUNDS):
        scrambled = mixed(right + stream + np.uint64(turn * 0x0D1B54A32D192ED0))
        left, right = right, left ^ (scrambled & low)
    return (left << shift) | right
