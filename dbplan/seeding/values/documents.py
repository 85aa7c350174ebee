"""JSON documents: small ones that a column's name suggests, with the members that are read out of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dbplan.seeding.values.domains import VAST, Choice, Domain, Made
from dbplan.seeding.values.patterns import Pattern

NAMED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (
        r"(setting|preference|option|config)",
        ({"theme": "dark", "notify": True}, {"theme": "light", "notify": False}, {"theme": "light", "notify": True}),
    ),
    (
        r"(address|location)",
        ({"city": "Lyon", "country": "FR"}, {"city": "Osaka", "country": "JP"}, {"city": "Quito", "country": "EC"}),
    ),
    (r"(tags|labels|roles|scopes|keywords|categories)$", (["new"], ["new", "sale"], ["seasonal"], [])),
    (r"(permission|feature|flag)", ({"read": True, "write": False}, {"read": True, "write": True})),
    (r"(error|exception|failure)", ({"code": "timeout", "retry": True}, {"code": "refused", "retry": False})),
    (
        r"(meta|attribute|propert|extra|context|detail|payload|data|body|event|info|param)",
        ({"source": "web", "version": 1}, {"source": "app", "version": 2}, {"source": "import", "version": 1}),
    ),
)


def documents(name: str, members: Mapping[str, type | str]) -> Domain:
    """Return the documents of a column of that name, with the members that something reads out of it."""
    if not members:
        return Choice(next((found for pattern, found in NAMED if re.search(pattern, name)), ({},)))
    parts = {key: _member(kind) for key, kind in members.items()}
    size = 2 ** len(members) if set(members.values()) == {bool} else VAST

    def write(index: int) -> dict[str, Any]:
        return {key: part(index >> at if part is _flag else index) for at, (key, part) in enumerate(parts.items())}

    return Made(write, size, "documents")


def _member(kind: type | str) -> Callable[[int], Any]:
    """Return what writes a member: a truth, a number, or a text, one that matches where a pattern is asked for."""
    if kind is bool:
        return _flag
    if isinstance(kind, str):
        pattern = Pattern(kind)
        return lambda index: pattern.nth(np.array([index % pattern.capacity], dtype=np.int64)).tolist()[0]
    return (lambda index: index) if kind is int else (lambda index: f"{index:08x}")


def _flag(bits: int) -> bool:
    return bool(bits & 1)
