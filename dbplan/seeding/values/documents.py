"""JSON documents: small ones that a column's name suggests, with the members that are read out of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbplan.seeding.rows.stream import Array, Index
from dbplan.seeding.values.domains import VAST, Choice, Domain, as_array
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
    return Documents(tuple(members.items()))


@dataclass(frozen=True)
class Documents(Domain):
    """Documents of members: truths, numbers and texts, those that match a pattern where one is asked for."""

    members: tuple[tuple[str, type | str], ...]

    @property
    def capacity(self) -> int:
        """How many values there are."""
        return 2 ** len(self.members) if all(kind is bool for _, kind in self.members) else VAST

    def nth(self, index: Index) -> Array:
        """Return the values at `index`."""
        columns = [_member(kind, index, place) for place, (_, kind) in enumerate(self.members)]
        names = [name for name, _ in self.members]
        return as_array([dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)])

    @property
    def title(self) -> str:
        """Name the domain in a few words."""
        return "documents"


def _member(kind: type | str, index: Index, place: int) -> list[Any]:
    """Return one member of each document."""
    made: Array = index
    if kind is bool:
        made = ((index >> place) & 1).astype(bool)
    elif isinstance(kind, str):
        pattern = Pattern(kind)
        made = pattern.nth(index % pattern.capacity)
    return [f"{each:08x}" for each in made.tolist()] if kind is str else list(made.tolist())
