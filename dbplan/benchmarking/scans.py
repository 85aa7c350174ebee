"""Scans: queries that read a large table whole, and the index that could spare them that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

from sqlalchemy import JSON, Column, Index, LargeBinary, MetaData, Table
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import ARRAY

from dbplan.benchmarking import facts
from dbplan.benchmarking.facts import Gathered, Measured, Scan
from dbplan.benchmarking.indexes import is_small
from dbplan.evidence import Finding, Place, Severity
from dbplan.plan import Plan, Query

WHOLE = 0.5
"""The part of a table from which on a read counts as a read of the whole."""
SELECTIVE = 0.1
"""The part of the rows read up to which an index could have spared most of the work."""
RARE = 1 / 60
"""Calls per second below which a scan may be meant: less than once a minute."""

_EQUAL = frozenset({operators.eq, operators.in_op, operators.is_})
_RANGE = frozenset({operators.lt, operators.le, operators.gt, operators.ge, operators.between_op})
_NO_BTREE = (JSON, LargeBinary, ARRAY)
_LONGEST_NAME = 60
_WHY = (
    "Reading a whole table takes time in proportion to its rows: what is quick at this volume is not at ten times it."
)


def scans(plan: Plan, gathered: Gathered) -> Iterator[Finding]:
    """Yield one finding for each large table that a query reads whole."""
    for measured in gathered.measured:
        worst: dict[str, Scan] = {}
        for scan in (scan for explained in measured.plans for scan in explained.scans):
            if scan.table not in worst or _weight(scan) >= _weight(worst[scan.table]):
                worst[scan.table] = scan
        for table, scan in worst.items():
            yield from _finding(plan, gathered, measured, plan_table(plan, measured.query, table), scan)


def is_guess(query: Query, measured: Measured) -> bool:
    """Return whether it is only expected, and not seen, how far a query reads its tables."""
    seen = [scan for explained in measured.plans for scan in explained.scans]
    return any(scan.read is None and (_stops_somewhere(query, scan) or (scan.share or 1) < 1) for scan in seen)


def _weight(scan: Scan) -> float:
    return scan.read or scan.share or 0


def _stops_somewhere(query: Query, scan: Scan) -> bool:
    limited = getattr(query.statement, "_limit_clause", None) is not None
    return limited and scan.read is None and scan.share is None


def plan_table(plan: Plan, query: str, relation: str) -> str:
    """Return the table behind a name in a query plan, which on SQLite may be an alias; "" when there is none."""
    if relation in plan.metadata.tables:
        return relation
    names = {}
    for element in visitors.iterate(plan.query(query).statement):  # type: ignore[arg-type]
        inner = getattr(element, "element", None)
        if isinstance(element, FromClause) and isinstance(inner, Table):
            names[str(getattr(element, "name", ""))] = inner.fullname
    anonymous = relation.rpartition("_")[0] if relation.rpartition("_")[2].isdigit() else relation
    by_name = {table.name: table.fullname for table in plan.tables}
    return names.get(relation) or by_name.get(relation) or by_name.get(anonymous, "")


def _finding(plan: Plan, gathered: Gathered, measured: Measured, table: str, scan: Scan) -> Iterator[Finding]:
    size = next((size for size in gathered.tables if size.name == table), None)
    if size is None or is_small(size):
        return
    read = scan.read if scan.read is not None else size.rows * (1 if scan.share is None else scan.share)
    if read < WHOLE * size.rows:
        return
    query = plan.query(measured.query)
    limited = _stops_somewhere(query, scan)
    selective = _kept(query, measured, scan, size.rows) <= SELECTIVE * read
    rare = 0 < query.per_second < RARE
    columns = candidate(query, plan.table(table)) if selective and not limited else ()
    known = _existing(columns, gathered.indexes, table)
    yield Finding(
        "query-scans-table",
        Severity.WARNING if selective and not rare and not limited else Severity.NOTE,
        Place(table=table, statement=query.name),
        _sentence(scan, measured, size.rows, limited=limited) + _aside(columns, known),
        "" if known or not columns else create_index(columns, gathered),
        _WHY,
    )


def _kept(query: Query, measured: Measured, scan: Scan, rows: int) -> float:
    """Return how many of the rows read were wanted: where not counted, those returned, or all without a condition."""
    if scan.kept is not None:
        return scan.kept
    elements = visitors.iterate(query.statement)  # type: ignore[arg-type]
    if scan.read is None and all(getattr(element, "whereclause", None) is None for element in elements):
        return rows
    return measured.rows or 0


def _sentence(scan: Scan, measured: Measured, rows: int, *, limited: bool) -> str:
    if scan.read is None:
        how = "may read up to all" if limited else "reads all"
        if (scan.share or 1) < 1:
            how = f"is expected to read {rows * (scan.share or 1):,.0f} of"
        return f"{how} {rows:,} rows to return {measured.rows or 0:,.0f}"
    kept = f"keeps {scan.kept:,.0f}" if scan.kept is not None else f"returns {measured.rows or 0:,.0f}"
    return f"reads {scan.read:,.0f} rows and {kept}" + ("" if scan.condition else ": it has no condition on this table")


def _aside(columns: Sequence[Column[object]], known: str) -> str:
    if known:
        return f"; the index {known} begins with these columns and was not chosen"
    if columns:
        return f"; an index on ({', '.join(column.name for column in columns)}) is a candidate, not yet measured"
    return ""


def candidate(query: Query, table: Table) -> tuple[Column[object], ...]:
    """Return the columns an index for this query would begin with: those compared for equality, then one range."""
    where = getattr(query.statement, "whereclause", None)
    equal: dict[str, Column[object]] = {}
    ranged: dict[str, Column[object]] = {}
    for element in visitors.iterate(where) if where is not None else ():
        if isinstance(element, BinaryExpression):
            column = _own_column(element, table)
            if column is not None and element.operator in _EQUAL:
                equal[column.name] = column
            elif column is not None and element.operator in _RANGE:
                ranged[column.name] = column
    first_range = [column for name, column in ranged.items() if name not in equal][:1]
    return (*equal.values(), *first_range)


def _own_column(element: BinaryExpression[object], table: Table) -> Column[object] | None:
    """Return this table's column in a comparison with a value."""
    for side, other in ((element.left, element.right), (element.right, element.left)):
        if isinstance(side, Column) and _is_value(other):
            for root in side.base_columns:
                if isinstance(root, Column) and isinstance(root.table, Table) and root.table.fullname == table.fullname:
                    column = table.columns.get(root.key)
                    return None if column is None or isinstance(column.type, _NO_BTREE) else column
    return None


def _is_value(element: ColumnElement[object]) -> bool:
    parts = list(visitors.iterate(element))
    return any(isinstance(part, BindParameter) for part in parts) and not any(isinstance(p, Column) for p in parts)


def _existing(columns: Sequence[Column[object]], indexes: Sequence[facts.Index], table: str) -> str:
    names = {column.name for column in columns}
    for index in indexes:
        if names and index.table == table and not index.partial and set(index.columns[: len(names)]) == names:
            return index.name
    return ""


def create_index(columns: Sequence[Column[object]], gathered: Gathered) -> str:
    """Return the DDL of an index on these columns, built on PostgreSQL without blocking writes."""
    table = columns[0].table
    assert isinstance(table, Table)
    copy = table.to_metadata(MetaData())
    name = _name(table, columns)
    index = Index(name, *(copy.c[column.key] for column in columns), postgresql_concurrently=True)
    dialect = registry.load(gathered.dialect)()
    return f"{str(CreateIndex(index).compile(dialect=dialect)).strip()};"


def _name(table: Table, columns: Sequence[Column[object]]) -> str:
    name = "_".join(("ix", table.name, *(column.name for column in columns)))
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 9]}_{crc32(name.encode()):08x}"
