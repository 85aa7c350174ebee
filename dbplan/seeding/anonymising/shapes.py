"""Texts of the same shape: digits for digits, letters for letters, in a permutation, so that no two become one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

from dbplan.seeding.anonymising.keyed import Keyed

DIGITS, NONZERO, HEX = "0123456789", "123456789", "0123456789abcdef"
_ROUNDS = 3
_BLOCK = 128
_HEX = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f-]{8,}")
Shape = tuple[str, ...]


def scrambled(keyed: Keyed, text: str) -> str:
    """Return a text of the same shape, in a permutation of all texts of that shape: no two texts become one.

    Digits stay digits, small letters and capitals stay such, in their script; a number keeps its first digit from 1 to
    9 and a hexadecimal text its digits. What stands between letters and digits stays. Texts that differ in more than
    case alone still do, and those that differ in case alone differ in it alone.
    """
    low = text.lower()
    if low == text or len(low) != len(text):
        return _shuffled(keyed, text)
    made = _shuffled(keyed, low)
    if text == text.upper():
        return made.upper() if len(made.upper()) == len(made) else made
    return "".join(c.upper() if was != then else c for c, was, then in zip(made, text, low, strict=True))


def _shuffled(keyed: Keyed, text: str) -> str:
    shape = _shape(text)
    free = [at for at, alphabet in enumerate(shape) if len(alphabet) > 1]
    if not free:
        return text
    alphabets = tuple(shape[at] for at in free)
    name = f"{''.join(alphabet[0] for alphabet in shape)}\0{alphabets[0]}"
    out, drawn = list(text), "".join(text[at] for at in free)
    while True:  # a step may lead to a text of another shape, from which the permutation leads back
        drawn = _permuted(keyed, alphabets, drawn, name)
        for at, c in zip(free, drawn, strict=True):
            out[at] = c
        made = "".join(out)
        if _shape(made) == shape:
            return made


def _shape(text: str) -> Shape:
    """Return the alphabet of every character; one that stays is its own."""
    if _HEX.fullmatch(text):
        return tuple("-" if c == "-" else HEX for c in text)
    shape = list(map(_alphabet, text))
    if DIGITS in shape:
        first = shape.index(DIGITS)
        shape[first] = "0" if text[first] == "0" else NONZERO
    return tuple(shape)


@lru_cache(1 << 16)
def _alphabet(character: str) -> str:
    """Return the characters that may stand for one: of its kind, from its place in Unicode."""
    kind = unicodedata.category(character)
    if kind[0] not in "LN":
        return character
    start = ord(character) // _BLOCK * _BLOCK
    of_kind = (c for c in map(chr, range(start, start + _BLOCK)) if unicodedata.category(c) == kind)
    alphabet = "".join(c for c in of_kind if c.lower() == c == c.upper().lower())
    return alphabet if character in alphabet else character


@lru_cache(1024)
def _places(alphabet: str) -> Mapping[str, int]:
    return {c: at for at, c in enumerate(alphabet)}


def _permuted(keyed: Keyed, alphabets: Shape, text: str, name: str) -> str:
    """Return characters through a Feistel network over their places, one half added to by a hash of the other."""
    half = len(alphabets) // 2
    bases = [len(a) for a in alphabets]
    numbers = [_places(a)[c] for a, c in zip(alphabets, text, strict=True)]
    left, right = _joined(numbers[:half], bases[:half]), _joined(numbers[half:], bases[half:])
    room_left, room_right = _room(tuple(bases[:half])), _room(tuple(bases[half:]))
    drawn = keyed.named(name)
    for turn in range(_ROUNDS):
        left = (left + drawn(2 * turn, right)) % room_left
        right = (right + drawn(2 * turn + 1, left)) % room_right
    places = [*_split(left, bases[:half]), *_split(right, bases[half:])]
    return "".join(a[at] for a, at in zip(alphabets, places, strict=True))


def _joined(numbers: list[int], bases: list[int]) -> int:
    whole = 0
    for number, base in zip(numbers, bases, strict=True):
        whole = whole * base + number
    return whole


@lru_cache(4096)
def _room(bases: tuple[int, ...]) -> int:
    room = 1
    for base in bases:
        room *= base
    return room


def _split(whole: int, bases: list[int]) -> list[int]:
    numbers = []
    for base in reversed(bases):
        whole, number = divmod(whole, base)
        numbers.append(number)
    return numbers[::-1]


def within(keyed: Keyed, number: int, most: int) -> int:
    """Return a whole number of as many digits, at most `most`: the permutation is walked until it is inside."""
    sign, walked = (-1 if number < 0 else 1), str(abs(number))
    while int(walked := scrambled(keyed, walked)) > most:
        pass
    return sign * int(walked)


def iban(keyed: Keyed, text: str) -> str:
    """Return an account number of the same country with check digits that are right where they were."""
    plain = re.sub(r"\s", "", text)
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}", plain) or _mod97(plain) != 1:
        return scrambled(keyed, text)
    body = scrambled(keyed, plain[4:])
    check = 98 - _mod97(f"{plain[:2]}00{body}")
    return _spaced_like(text, f"{plain[:2]}{check:02d}{body}")


def _mod97(text: str) -> int:
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97


def card(keyed: Keyed, text: str) -> str:
    """Return a number with a check digit by Luhn that is right where it was."""
    plain = "".join(c for c in text if c in DIGITS)
    if len(plain) < 8 or re.fullmatch(r"[0-9 -]+", text) is None or _luhn(plain) != 0:
        return scrambled(keyed, text)
    body = scrambled(keyed, plain[:-1])
    return _spaced_like(text, f"{body}{-_luhn(f'{body}0') % 10}")


def _luhn(digits: str) -> int:
    doubled = (int(c) * 2 for c in digits[-2::-2])
    return (sum(int(c) for c in digits[::-2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10


def _spaced_like(text: str, plain: str) -> str:
    characters = iter(plain)
    return "".join(c if c in " -\t\n" else next(characters) for c in text)


def remembered(make: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function that keeps its latest answers: values come again in many rows."""
    return lru_cache(1 << 16)(make)
