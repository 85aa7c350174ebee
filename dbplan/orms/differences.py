"""Differences between results in the form that is compared: the first one, in words."""

from __future__ import annotations

import json
from typing import Any

SHOWN = 60
"""Characters of a value that are told."""


def first_difference(due: Any, found: Any, place: str = "") -> str:
    """Return where `found` first differs from what is due, and how; empty where it does not."""
    if isinstance(due, dict) and isinstance(found, dict):
        return _of_rows(due, found, place)
    if isinstance(due, list) and isinstance(found, list):
        return _of_lists(due, found, place)
    if type(due) is type(found) and due == found:
        return ""
    if _is_number(due) and _is_number(found) and due == found:
        return ""
    return f"{place or 'the result'} is {_shown(found)} instead of {_shown(due)}"


def _of_rows(due: dict[str, Any], found: dict[str, Any], place: str) -> str:
    for name in (*due, *(name for name in found if name not in due)):
        inner = f"{place}.{name}" if place else name
        if name not in found:
            return f"{inner} is missing"
        if name not in due:
            return f"{inner} is there, and is not asked for"
        told = first_difference(due[name], found[name], inner)
        if told:
            return told
    return ""


def _of_lists(due: list[Any], found: list[Any], place: str) -> str:
    for number, (one, other) in enumerate(zip(due, found, strict=False)):
        told = first_difference(one, other, f"{place or 'call'}[{number}]")
        if told:
            return told
    if len(due) != len(found):
        return f"{place or 'the result'} holds {len(found)} instead of {len(due)}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
