"""What each index is for: a constraint, a query, a foreign key, or nothing that was asked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import ForeignKeyConstraint, Table

from dbplan.benchmarking.facts import Gathered, Index, TableSize
from dbplan.evidence import Finding, IndexVerdict, Place, Severity
from dbplan.plan import Plan

FEW_ROWS = 10_000
FEW_PAGES = 1_000

GUARDS = "guards a constraint"
USED = "used"
SERVES = "serves a foreign key"
TOO_FEW = "too few rows to judge"
UNUSED = "not used by any named query here"
NOT_ASKED = "not judged: the plan asks no query"
NOT_SEEN = "not judged: plans are not covered"


def is_small(size: TableSize | None) -> bool:
    """Return whether a planner rightly prefers to read this table whole, so that a scan proves nothing."""
    return size is None or (size.rows < FEW_ROWS and (size.pages or 0) < FEW_PAGES)


def verdicts(plan: Plan, facts: Gathered) -> tuple[IndexVerdict, ...]:
    """Return what each index was seen to be for, largest first within each table."""
    sizes = {size.name: size for size in facts.tables}
    tables = {table.fullname: table for table in plan.tables}
    users = _users(facts)
    found = [
        IndexVerdict(
            Place(table=index.table, index=index.name),
            _verdict(index, tables.get(index.table), sizes.get(index.table), users, facts),
            users.get((index.table, index.name), ()),
            index.size,
            index.definition,
        )
        for index in facts.indexes
    ]
    return tuple(sorted(found, key=lambda v: (v.place.table, -(v.size or 0), v.place.index)))


def _users(facts: Gathered) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the queries that used each index, by (table, index)."""
    users: dict[tuple[str, str], tuple[str, ...]] = {}
    # SQLite's plan names a table by its alias, and its index names are unique in the database.
    owner = {index.name: index.table for index in facts.indexes} if facts.dialect == "sqlite" else {}
    for query in facts.measured:
        for node in (node for explained in query.plans for node in explained.nodes if node.index):
            key = (owner.get(node.index, node.relation), node.index)
            if query.query not in users.get(key, ()):
                users[key] = (*users.get(key, ()), query.query)
    return users


def _verdict(
    index: Index,
    table: Table | None,
    size: TableSize | None,
    users: Mapping[tuple[str, str], tuple[str, ...]],
    facts: Gathered,
) -> str:
    if index.constraint or index.unique:
        return GUARDS
    if (index.table, index.name) in users:
        return USED
    if table is not None and not index.partial and _leads_foreign_key(index, table):
        return SERVES
    if not facts.plans_covered:
        return NOT_SEEN
    if not facts.measured:
        return NOT_ASKED
    return TOO_FEW if is_small(size) else UNUSED


def _leads_foreign_key(index: Index, table: Table) -> bool:
    """Return whether the index begins with all columns of a foreign key, in any order."""
    keys = (c for c in table.constraints if isinstance(c, ForeignKeyConstraint))
    return any(set(index.columns[: len(key.columns)]) == {column.name for column in key.columns} for key in keys)


def unused(facts: Gathered, judged: tuple[IndexVerdict, ...]) -> Iterator[Finding]:
    """Yield a note for every index that no named query used on a table large enough to tell."""
    rows = {size.name: size.rows for size in facts.tables}
    count = len(facts.measured)
    who = "the 1 measured query did not use" if count == 1 else f"none of the {count} measured queries used"
    for verdict in judged:
        if verdict.verdict == UNUSED:
            yield Finding(
                "index-unused-here",
                Severity.NOTE,
                verdict.place,
                f"{who} it on {rows.get(verdict.place.table, 0):,} rows",
                why="An index costs space and slows every write; one that no query needs should go, "
                "or the query that needs it should be named in the plan.",
            )
