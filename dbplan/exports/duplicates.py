"""Indexes of one name: a server makes the first of them, and tools stumble over the others."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Index

from dbplan.evidence import Finding, Place, Severity
from dbplan.plan import Plan, copy_metadata

_BY_SCHEMA = frozenset({"postgresql", "cockroachdb", "sqlite"})
"""Servers that know an index by its schema and name alone."""


def without_duplicates(plan: Plan, target: str, dialect: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan without indexes whose name another one has already, and a finding for each."""
    if dialect not in _BY_SCHEMA or not _duplicates(plan):
        return plan, ()
    metadata = copy_metadata(plan.metadata)
    copied = replace(plan, metadata=metadata)
    found = _duplicates(copied)
    for index in found:
        copied.table(_table(index)).indexes.discard(index)
    said = "another index has its name already: it is left out"
    places = (Place(_table(index), index=str(index.name)) for index in found)
    return copied, tuple(Finding(f"export-{target}", Severity.NOTE, place, said) for place in places)


def _duplicates(plan: Plan) -> list[Index]:
    taken: set[tuple[str, str]] = set()
    found = []
    for table in plan.tables:
        for index in sorted(table.indexes, key=lambda one: (str(one.name), len(one.expressions), str(one.expressions))):
            name = (table.schema or "", str(index.name))
            if index.name and name in taken:
                found.append(index)
            taken.add(name)
    return found


def _table(index: Index) -> str:
    return str(index.table.key) if index.table is not None else ""
