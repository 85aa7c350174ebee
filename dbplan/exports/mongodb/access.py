"""Which named queries reach the rows of a table without going by their parent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, TextClause

from dbplan.exports.relations import Relation
from dbplan.plan import Plan, Query


def alone(plan: Plan, relation: Relation) -> list[str]:
    """Return the queries that read or change the child's rows without naming their parent."""
    return [query.name for query in plan.queries if _is_alone(query, relation)]


def read_by(plan: Plan, relation: Relation) -> float:
    """Return how many calls a second name the parent of a relation to get at the child's rows."""
    asked = (query for query in plan.queries if relation.child.key in _tables(query))
    return sum(
        query.per_second for query in asked if _goes_by(query, relation) or relation.parent.key in _tables(query)
    )


def _is_alone(query: Query, relation: Relation) -> bool:
    touched = _tables(query)
    if relation.child.key not in touched or relation.parent.key in touched:
        return False
    inserts = getattr(query.statement, "is_insert", False)
    return not inserts and not _goes_by(query, relation)


def _goes_by(query: Query, relation: Relation) -> bool:
    """Say whether a query compares the columns that lead to the parent."""
    wanted = {column.name for column in relation.columns}
    return wanted <= set(_compared(query, relation.child))


def _compared(query: Query, child: Table) -> Iterator[str]:
    for element in _elements(query):
        if isinstance(element, BinaryExpression):
            for side in (element.left, element.right):
                if isinstance(side, Column) and _key(side.table) == child.key:
                    yield side.name


def _tables(query: Query) -> set[str]:
    found = {_key(element) for element in _elements(query)}
    found |= {_key(element.table) for element in _elements(query) if isinstance(element, Column)}
    target = getattr(query.statement, "table", None)
    words = " ".join(str(element) for element in _elements(query) if isinstance(element, TextClause))
    return (found | {_key(target)} | set(re.findall(r"\w+", words))) - {""}


def _elements(query: Query) -> Iterator[Any]:
    statement: Any = query.statement
    return visitors.iterate(statement)


def _key(found: Any) -> str:
    """Return the key of a table, also of one under another name."""
    while found is not None and not hasattr(found, "key") and hasattr(found, "element"):
        found = found.element
    found = getattr(found, "element", found)
    return str(found.key) if isinstance(found, Table) else ""
