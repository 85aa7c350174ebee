"""Scenarios: what every contestant is asked to do, on tables of the plan, as facts that travel as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SCENARIOS = {
    "insert_one": "Insert one row",
    "bulk_insert": "Insert many rows",
    "point_read": "Read by key",
    "filtered_list": "Filtered list, ordered, limited",
    "list_to_one": "List with to-one",
    "nested_include": "Parents with their children",
    "deep_include": "Three levels",
    "aggregate": "Aggregate",
    "update_one": "Update one row",
    "upsert": "Upsert",
    "transaction": "Transaction: read, check, write two tables",
    "delete_cascade": "Delete with cascade",
    "keyset_page": "Keyset page",
    "json_filter": "Filter by a key of a JSON column",
}
"""The scenarios by name, as people call them."""

WRITES = frozenset({"insert_one", "bulk_insert", "update_one", "upsert", "transaction", "delete_cascade"})
"""Those that change rows."""


@dataclass(frozen=True)
class Link:
    """A table at the other end of a foreign key: `pairs` are (this side's column, the other table's column).

    A parent's pairs are (child column, parent column), children's are (parent column, child column).
    """

    table: str
    columns: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    order: tuple[str, ...] = ()
    """Ascending; the key."""
    children: Link | None = None
    by_database: bool = False
    """Whether the database deletes these rows itself when their parent goes."""


@dataclass(frozen=True)
class Scenario:
    """One scenario on one table; which of the fields count depends on its name."""

    name: str
    table: str
    columns: tuple[str, ...]
    """What a row of the result holds."""
    filter: str = ""
    order: tuple[str, ...] = ()
    descending: bool = False
    limit: int = 0
    parent: Link | None = None
    children: Link | None = None
    group: str = ""
    total: str = ""
    update: str = ""
    insert: Link | None = None
    """The second table that a transaction writes; without pairs."""
    cascade: tuple[Link, ...] = ()
    """Children of the row to delete, each with its own."""
    path: str = ""
    """The key of the JSON document in the column `filter`."""


@dataclass(frozen=True)
class TableFacts:
    """A table as contestants see it."""

    name: str
    schema: str | None
    key: tuple[str, ...]
    columns: dict[str, dict[str, Any]]
    """By column: kind, nullable, and `made`, whether the database makes its value."""


@dataclass(frozen=True)
class Study:
    """What a contestant is opened with; never shown, for the URL may hold a password."""

    name: str
    dialect: str
    url: dict[str, Any] = field(repr=False)
    models: str
    pool: int
    tables: dict[str, TableFacts]


def linked(scenario: Scenario) -> Iterator[Link]:
    """Yield every table at another end."""
    for link in (scenario.parent, scenario.children, scenario.insert, *scenario.cascade):
        while link is not None:
            yield link
            link = link.children


def involved(scenario: Scenario) -> list[str]:
    """Return the tables of a scenario, the one that it is about first."""
    return list(dict.fromkeys([scenario.table, *(link.table for link in linked(scenario))]))
