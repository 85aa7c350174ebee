"""A PostgreSQL catalog as a reader of it asks: by kind and name, and names as SQL writes them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbplan.ddl.compilers import compiler_dialect
from dbplan.evidence import Catalog, Place

Facts = Mapping[str, str]
NOTHING: Facts = {}
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


@dataclass
class Book:
    """The facts of a catalog by kind and place, and by the table that they hang on.

    `schemas` are the names of all its schemas but the default one: what may stand before a dot in a place.
    """

    facts: dict[str, dict[Place, Facts]] = field(default_factory=lambda: defaultdict(dict))
    parts: dict[tuple[str, str], list[tuple[Place, Facts]]] = field(default_factory=lambda: defaultdict(list))
    schemas: frozenset[str] = frozenset()

    def of(self, kind: str, name: str, column: str = "") -> Facts:
        """Return the facts of one object, none where there is no such object."""
        return self.facts[kind].get(Place(name, column), NOTHING)

    def all(self, kind: str) -> Iterator[tuple[str, Facts]]:
        """Yield the objects of a kind by name."""
        yield from ((place.table, facts) for place, facts in self.facts[kind].items())

    def split(self, name: str) -> tuple[str | None, str]:
        """Return schema (None for the default one) and name of what a place names."""
        schema = next((known for known in self.schemas if name.startswith(f"{known}.")), None)
        return schema, name if schema is None else name[len(schema) + 1 :]

    def sql(self, name: str) -> str:
        """Return a name as SQL writes it."""
        schema, own = self.split(name)
        return quoted(own) if schema is None else f"{quoted(schema)}.{quoted(own)}"


def book(catalog: Catalog, default: str | None, schemas: list[str]) -> Book:
    """Return the book of a catalog."""
    made = Book(schemas=frozenset(name for name in schemas if name != default))
    for found in catalog.objects:
        facts = dict(found.properties)
        made.facts[found.kind][found.place] = facts
        made.parts[found.kind, found.place.table].append((found.place, facts))
    return made


def identifiers(words: str) -> tuple[str, ...]:
    """Return the parts of a dotted name as the server writes it, without quotes."""
    return tuple(a.replace('""', '"') or b for a, b in _IDENTIFIER.findall(words))


def names_in(words: str) -> list[str]:
    """Return the names in a list as the server writes it, each as a place has it: `a.b, "C d"` → a.b and C d."""
    parts = re.findall(r'(?:"(?:[^"]|"")+"|[^",])+', words)
    return [".".join(identifiers(part.strip())) for part in parts if part.strip()]


def quoted(name: str) -> str:
    """Return an identifier as SQL writes it."""
    return str(compiler_dialect("postgresql").identifier_preparer.quote(name))


def literal(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def table_sql(table: Any) -> str:
    """Return the name of a table as SQL writes it."""
    return str(compiler_dialect("postgresql").identifier_preparer.format_table(table))
