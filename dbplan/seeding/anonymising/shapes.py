"""Texts of the same shape: digits for digits, letters for letters, in a permutation, so that no two become one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from string import ascii_lowercase, ascii_uppercase

from dbplan.seeding.anonymising.keyed import Keyed

DIGITS, NONZERO, HEX = "0123456789", "123456789", "0123456789abcdef"
_ROUNDS = 2
_BLOCK = 128
_HEX = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f-]{8,}")
_FIRST = re.compile("[0-9]")
_KINDS = {
    **dict.fromkeys(map(ord, DIGITS), "0"),
    **dict.fromkeys(map(ord, ascii_lowercase), "a"),
    **dict.fromkeys(map(ord, ascii_uppercase), "A"),
}
_ALPHABETS = {"0": DIGITS, "a": ascii_lowercase}
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
    form = _form(text)
    if not form.free:
        return text
    drawn = keyed.named(form.name)
    while True:  # a step may lead to a text of another shape, from which the permutation leads back
        text = _permuted(drawn, form, text)
        if _form(text) is form:
            return text


@dataclass(frozen=True, eq=False)
class Form:
    """The shape of a text: the alphabet of every character, and the half of those that may change."""

    alphabets: Shape

    @cached_property
    def name(self) -> str:
        """What tells it from other shapes."""
        return "".join(f"{alphabet[0]}{len(alphabet)}" for alphabet in self.alphabets)

    @cached_property
    def free(self) -> list[int]:
        """The places of characters that may change."""
        return [at for at, alphabet in enumerate(self.alphabets) if len(alphabet) > 1]

    @cached_property
    def halves(self) -> tuple[Half, Half]:
        """The places that may change, in two halves."""
        middle = len(self.free) // 2
        left, right = (
            [(at, self.alphabets[at]) for at in places] for places in (self.free[:middle], self.free[middle:])
        )
        return Half(left), Half(right)


class Half:
    """Some characters of a text as one whole number, each a digit in a base of its own."""

    def __init__(self, places: list[tuple[int, str]]) -> None:
        self.digits = [(at, _places(alphabet), len(alphabet)) for at, alphabet in places]
        self.letters = [(at, alphabet, len(alphabet)) for at, alphabet in reversed(places)]
        self.room = prod(base for _, _, base in self.digits)

    def read(self, text: str) -> int:
        """Return the number."""
        whole = 0
        for at, values, base in self.digits:
            whole = whole * base + values[text[at]]
        return whole

    def write(self, whole: int, out: list[str]) -> None:
        """Put the characters of a number in their places."""
        for at, alphabet, base in self.letters:
            whole, digit = divmod(whole, base)
            out[at] = alphabet[digit]


def _form(text: str) -> Form:
    """Return the one form that all texts of a shape have."""
    if not text.isascii():
        return _of_shape(_shape(text))
    kinds, first = text.translate(_KINDS), _FIRST.search(text)
    return _of_ascii(kinds, first[0] if first else "", _HEX.fullmatch(text) is not None)


@lru_cache(1 << 14)
def _of_ascii(kinds: str, first: str, hexadecimal: bool) -> Form:
    if hexadecimal:
        return _of_shape(tuple("-" if c == "-" else HEX for c in kinds))
    shape = [_ALPHABETS.get(c, c) for c in kinds]
    if first:
        shape[shape.index(DIGITS)] = "0" if first == "0" else NONZERO
    return _of_shape(tuple(shape))


@lru_cache(1 << 14)
def _of_shape(shape: Shape) -> Form:
    return Form(shape)


def _shape(text: str) -> Shape:
    """Return the alphabet of every character; one that stays is its own."""
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


def _permuted(drawn: Callable[[int, int], int], form: Form, text: str) -> str:
    """Return a text through a Feistel network: one half of it is added to by a hash of the other, in turns."""
    first, second = form.halves
    left, right = first.read(text), second.read(text)
    for turn in range(_ROUNDS):
        left = (left + drawn(2 * turn, right)) % first.room
        right = (right + drawn(2 * turn + 1, left)) % second.room
    out = list(text)
    first.write(left, out)
    second.write(right, out)
    return "".join(out)


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
