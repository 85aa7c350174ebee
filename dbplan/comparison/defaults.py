"""Defaults that PostgreSQL spells in two ways and fills in alike: `now()` is CURRENT_TIMESTAMP, '0'::bigint is 0."""

from __future__ import annotations

import re
from decimal import Decimal

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_NOW = re.compile(r"\b(?:CURRENT_TIMESTAMP\b(?!\()|now\(\)|transaction_timestamp\(\))", re.IGNORECASE)
_WHOLE = "smallint|integer|bigint"
_NUMERIC = re.compile(rf"'?(-?\d+(?:\.\d+)?)'?(?:::(?:{_WHOLE}|numeric|real|double precision)(?:\([\d,]+\))?)?")
_NUMBERS = re.compile(rf"(?:{_WHOLE}|numeric|real|double precision)\b.*")
_CAST = r"::[\w\s.\"]+(?:\([\d,]+\))?"
_ARRAY = re.compile(rf"ARRAY\[(.*?)\](?:{_CAST}\[\])?", re.DOTALL)
_BRACES = re.compile(rf"'\{{(.*)\}}'{_CAST}\[\]", re.DOTALL)
_ITEM = re.compile(rf"(?:'((?:[^']|'')*)'|(-?[\w.]+))(?:{_CAST})?")
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}\\ \t\n\r\v\f](?:[^",{}\\]*[^",{}\\ \t\n\r\v\f])?)')


def same(one: str, other: str, kind: str) -> bool:
    """Say whether two defaults of a column of type `kind` fill in the same, as far as their words tell."""
    if one == other:
        return True
    if not one or not other:
        return False
    if _NUMBERS.fullmatch(kind):
        left, right = _number(one), _number(other)
        if left is not None and right is not None:
            return left == right
    if kind.endswith("[]"):
        ours, theirs = _members(one), _members(other)
        if ours is not None and theirs is not None:
            return ours == theirs
    return _timely(one) == _timely(other)


def _number(words: str) -> Decimal | None:
    match = _NUMERIC.fullmatch(words.strip("()"))
    return Decimal(match[1]) if match else None


def _timely(words: str) -> str:
    """Return an expression with the start of the transaction called now(), what is quoted left alone."""
    parts = _QUOTED.split(words)
    return "".join(part if place % 2 else _NOW.sub("now()", part) for place, part in enumerate(parts))


def _members(words: str) -> list[str] | None:
    """Return the members of a list that is written out, None for anything else."""
    if match := _ARRAY.fullmatch(words):
        items = [part for part in re.split(r",\s*(?=(?:[^']*'[^']*')*[^']*$)", match[1]) if part.strip()]
        found = [_ITEM.fullmatch(item.strip()) for item in items]
        return [f[1].replace("''", "'") if f[1] is not None else f[2] for f in found if f] if all(found) else None
    match = _BRACES.fullmatch(words)
    return _of_braces(match[1].replace("''", "'")) if match else None


def _of_braces(text: str) -> list[str] | None:
    """Return the members of an array's own notation; None for one with NULLs or lists in it."""
    found, place = [], 0
    while place < len(text):
        match = _MEMBER.match(text, place)
        if match is None or (match[2] or "").upper() == "NULL":
            return None
        found.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2])
        place = match.end() + 1
        if text[match.end() : place] not in (",", ""):
            return None
    return found
