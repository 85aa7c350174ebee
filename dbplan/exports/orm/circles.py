"""Circles of foreign keys, which no ORM here makes: they are opened."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Table

from dbplan.exports.orm.page import Page
from dbplan.exports.relations import Relation


def open_circles(page: Page, models: list[Table]) -> list[Relation]:
    """Take the relations that close a circle out of the page, optional ones first, and return them."""
    to: dict[str, set[str]] = defaultdict(set)
    closing: list[Relation] = []
    for way in sorted(_between(page, models), key=lambda way: way.optional):
        if _reaches(to, way.parent.key, way.child.key):
            closing.append(way)
            del page.keys[way.child.key, way.columns[0].name]
        else:
            to[way.child.key].add(way.parent.key)
    return closing


def _between(page: Page, models: list[Table]) -> list[Relation]:
    """Return the relations between two tables."""
    ways = (page.keys.get((table.key, column.name)) for table in models for column in table.columns)
    return [way for way in ways if way is not None and way.parent is not way.child]


def _reaches(to: dict[str, set[str]], start: str, end: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        if here == end:
            return True
        waiting += to[here] - seen
        seen |= to[here]
    return False
