"""Values of a server as expressions of TypeScript."""

from __future__ import annotations

import json
import re
from typing import Any

from dbplan.exports.typescript.nodes import List, Node, Record, Text, Word

_SAFE = 2**53
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


def number(words: str) -> Node | None:
    """Return a plain number as JavaScript holds it exactly; None for anything else."""
    if not _NUMBER.fullmatch(words) or len(words.replace(".", "").lstrip("-0")) > 15:
        return None
    return Word(words.rstrip("0").rstrip(".") if "." in words else words)


def document(words: str, *, exact: bool) -> Node | None:
    """Return a JSON object or list as a literal; None where JavaScript writes it back as another.

    `exact` wants the same letters, as `json` keeps them; else the same value will do, as `jsonb` keeps it.
    """
    try:
        found = json.loads(words)
    except ValueError:
        return None
    same = json.dumps(found, separators=(",", ":"), ensure_ascii=False) == words
    if not isinstance(found, dict | list) or (exact and not same) or not _is_safe(found):
        return None
    return literal(found)


def _is_safe(value: Any) -> bool:
    """Say whether a value survives JavaScript, and the quotes that tools put around it."""
    if isinstance(value, dict):
        plain = all(not key.lstrip("-").isdigit() and key != "__proto__" and _is_safe(key) for key in value)
        return plain and all(map(_is_safe, value.values()))
    if isinstance(value, list):
        return all(map(_is_safe, value))
    if isinstance(value, str):
        return not set("'\\") & set(value)
    return not isinstance(value, float) and (value is None or abs(value) < _SAFE)


def literal(value: Any) -> Node:
    """Return a plain Python value as a literal."""
    if isinstance(value, dict):
        return Record(tuple((key, literal(one)) for key, one in value.items()))
    if isinstance(value, list):
        return List(tuple(map(literal, value)))
    return Text(value) if isinstance(value, str) else Word(json.dumps(value))
