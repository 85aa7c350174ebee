"""Usage: which named queries touch which tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from sqlalchemy import Table, TextClause
from sqlalchemy.sql import visitors

from dbplan.plan import Plan, Query


def queries_of(plan: Plan) -> Mapping[str, list[tuple[str, float]]]:
    """Return the queries that read or change each table, by its key: name and calls a second, in the plan's order."""
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for query in plan.queries:
        for key in sorted(set(touched(query, plan))):
            found[key].append((query.name, query.per_second))
    return found


def touched(query: Query, plan: Plan) -> Iterator[str]:
    """Yield the keys of the plan's tables that a statement names, in subqueries too; twice where it does so twice."""
    known = plan.metadata.tables
    for element in visitors.iterate(query.statement):  # type: ignore[arg-type]
        if isinstance(element, TextClause):
            yield from _named(element.text, plan)
        for place in (element, getattr(element, "table", None)):
            if isinstance(place, Table) and place.key in known:
                yield place.key


def _named(text: str, plan: Plan) -> Iterator[str]:
    """Yield the tables whose name stands in hand-written SQL as a word of its own."""
    words = set(re.findall(r"\w+", text))
    return (table.key for table in plan.tables if table.name in words)
