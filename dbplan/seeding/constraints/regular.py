"""Patterns of SQL, regular expressions of PostgreSQL and LIKE, in the spelling that is read here."""

from __future__ import annotations

import re

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9a-fA-F",
}
_ESCAPES = {r"\m": r"\b", r"\M": r"\b", r"\y": r"\b", r"\Y": r"\B"}
_SPELLED = re.compile(r"\[:(?P<name>[a-z]+):\]|(?P<escape>\\.)", re.DOTALL)


def regular(pattern: str) -> str:
    """Return a pattern of PostgreSQL as one of Python: classes such as [:alpha:], words' ends, `***=` for a text."""
    if pattern.startswith("***="):
        return re.escape(pattern[4:])
    return _SPELLED.sub(_respelled, pattern.removeprefix("***:"))


def like_pattern(pattern: str, *, glob: bool = False) -> str:
    """Return a LIKE (or GLOB) pattern as a regular expression that matches the whole text."""
    every, one = ("*", "?") if glob else ("%", "_")
    # a backslash makes the character after it stand for itself
    found = re.findall(
        r"." if glob else r"\\.|.", pattern, re.DOTALL
    )  # a backslash makes the next one stand for itself
    parts = (".*" if char == every else "." if char == one else re.escape(char[-1]) for char in found)
    return "".join(("^", *parts, "$"))


def _respelled(found: re.Match[str]) -> str:
    if found["escape"]:
        return _ESCAPES.get(found[0], found[0])
    return _CLASSES.get(found["name"], found[0])
