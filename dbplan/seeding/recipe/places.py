"""Places: the line of a recipe's file where a key stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

_NAME = r"(?:[\w-]+|\"[^\"]*\"|'[^']*')"
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Layer:
    """A text of which a recipe is made: the recipe's own file, or what a profile says over it."""

    name: str
    """The file, as an error names it."""
    text: str
    above: KeyPath = ()
    """Where in the file it stands."""
    before: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """How many fixed rows of a table other layers have before it."""

    def found(self, path: KeyPath) -> tuple[int, int]:
        """Return how much of a key path is there, and its line."""
        match path:
            case ("tables", str() as table, "fixed", int() as number, *rest):
                path = ("tables", table, "fixed", number - self.before.get(table, 0), *rest)
        depth, line = _deepest(self.text, (*self.above, *path))
        return depth - len(self.above), line


def place(layers: tuple[Layer, ...], path: KeyPath) -> str:
    """Return file and line of a key: of the last layer that has it, else of the nearest key above it."""
    found = [(*layer.found(path), layer) for layer in reversed(layers)]
    _, line, layer = max(found, key=lambda one: one[0])
    return f"{layer.name}:{line}"


def _deepest(text: str, path: KeyPath) -> tuple[int, int]:
    """Return how much of a path is there, and the line of that; a number in it is a place in a list of tables."""
    best, deepest = 1, 0
    for number, there in _keys(text):
        depth = min(len(there), len(path))
        if there[:depth] == path[:depth] and depth > deepest:
            best, deepest = number, depth
    return deepest, best


@lru_cache(maxsize=8)
def _keys(text: str) -> list[tuple[int, KeyPath]]:
    """Return the lines and full paths of a text's headers and keys."""
    keys: list[tuple[int, KeyPath]] = []
    inside: KeyPath = ()
    counted: dict[KeyPath, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)([^\]]+)\]\]?\s*(?:#|$)", line):
            found = inside = _numbered(_dotted(header[2]), counted, another=header[1] == "[[")
        else:
            key = _KEY.match(line)
            found = (*inside, *_dotted(key[1])) if key else ()
        above = found[:-1] if found and isinstance(found[-1], int) else ()
        keys += [(number, there) for there in (found, above) if there]
    return keys


def _numbered(path: tuple[str, ...], counted: dict[KeyPath, int], *, another: bool) -> KeyPath:
    """Return the path of a header with the number of the list's item wherever it leads through a list of tables."""
    found: KeyPath = ()
    for at, part in enumerate(path, 1):
        found = (*found, part)
        if another and at == len(path):
            counted[found] = counted.get(found, -1) + 1
        if found in counted:
            found = (*found, counted[found])
    return found


def _dotted(text: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", text)
    return tuple(next(part for part in found if part or found == ("", "", "")) for found in parts)
