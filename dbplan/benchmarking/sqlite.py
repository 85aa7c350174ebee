"""What SQLite tells: the plan it would follow, which indexes it keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.selectable import GenerativeSelect

from dbplan.benchmarking.facts import Explained, Index, Scan
from dbplan.evidence import PlanNode

KEY = "rowid"
"""The name of the index that a table is itself: its integer primary key."""

_LINE = re.compile(
    r"^(?P<kind>SEARCH|SCAN) (?P<relation>.+?)"
    r"(?: USING (?P<how>INTEGER PRIMARY KEY|PRIMARY KEY|(?:AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?INDEX)"
    r"(?: (?P<index>(?!\([^)]*[=<>]\?).+?))?)?(?P<rest>(?: \([^)]*[=<>]\?.*\))?(?: LEFT-JOIN)?)$"
)
_READ_TO_THE_END = {"USE TEMP B-TREE FOR ORDER BY", "USE TEMP B-TREE FOR GROUP BY"}
_ORIGINS = {"pk": "primary key", "u": "unique"}


def explain(connection: Connection, statement: str, parameters: Any) -> Explained:
    """Return the plan that SQLite would follow with these values; it counts no rows."""
    rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
    return read_plan([(row[0], row[1], row[3]) for row in rows])


def read_plan(rows: Sequence[tuple[int, int, str]]) -> Explained:
    """Return the nodes and the whole-table scans of EXPLAIN QUERY PLAN's rows (id, parent, detail)."""
    depths: dict[int, int] = {0: -1}
    nodes = []
    for number, parent, detail in rows:
        depths[number] = depths.get(parent, -1) + 1
        nodes.append(_node(detail, depths[number]))
    scans = tuple(Scan(node.relation, None) for node in nodes if node.kind == "SCAN" and not node.index)
    return Explained(tuple(nodes), scans)


def _node(detail: str, depth: int) -> PlanNode:
    match = _LINE.match(detail)
    if match is None or match["relation"].endswith(("CONSTANT ROW", "CONSTANT ROWS")):
        return PlanNode(detail, depth=depth)
    how = match["how"] or ""
    automatic = how.startswith("AUTOMATIC")
    index = "" if automatic else (match["index"] or (KEY if "PRIMARY KEY" in how else ""))
    covering = " with a covering index" if "COVERING" in how and not automatic else ""
    kind = match["kind"] + covering + (" with an index built for this query" if automatic else "")
    return PlanNode(kind, match["relation"], index, detail=match["rest"].strip(), depth=depth)


def until_limit(connection: Connection, explained: Explained, statement: Any, values: Mapping[str, Any]) -> Explained:
    """Return the plan with the part of each table that its scans are expected to read before a LIMIT ends them.

    SQLite does not tell, so what meets the conditions is counted: of rows spread evenly over the table, the k-th of
    m is met after k / (m + 1) of it. A sort before the LIMIT reads all of it. Of a scan inside another nothing is said.
    """
    wanted = _wanted(statement, values)
    if wanted is None or not explained.scans:
        return explained
    whole = statement.limit(None).offset(None).order_by(None).subquery()
    there = connection.scalar(select(func.count()).select_from(whole), values) or 0
    sorts = any(node.kind in _READ_TO_THE_END for node in explained.nodes)
    if sorts or wanted > there:
        return replace(explained, scans=tuple(replace(scan, kept=there, share=1.0) for scan in explained.scans))
    outer = next((node for node in explained.nodes if node.depth == 0), None)
    if outer is None or (outer.kind, outer.index) != ("SCAN", ""):
        return explained
    share = wanted / (there + 1)
    first, *rest = explained.scans
    return replace(explained, scans=(replace(first, kept=there * share, share=share), *rest))


def _wanted(statement: Any, values: Mapping[str, Any]) -> int | None:
    """Return how many rows a query finds before its LIMIT ends it; None where it has none, or one that is computed."""
    if not isinstance(statement, GenerativeSelect) or statement._limit_clause is None:
        return None
    rows = 0
    for clause in (statement._limit_clause, statement._offset_clause):
        if clause is not None:
            value = values.get(clause.key, clause.effective_value) if isinstance(clause, BindParameter) else None
            if not isinstance(value, int):
                return None
            rows += value
    return rows


def indexes(connection: Connection, tables: Sequence[str]) -> tuple[Index, ...]:
    """Return every index of these tables, the automatic ones of constraints too; sizes where dbstat is built in."""
    sizes = _sizes(connection)
    return tuple(index for table in tables for index in _of_table(connection, table, sizes))


def _of_table(connection: Connection, table: str, sizes: Mapping[str, int]) -> Iterator[Index]:
    for _, name, unique, origin, partial, *_ in connection.exec_driver_sql(f"PRAGMA index_list({_quoted(table)})"):
        kept = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).all()
        if not kept:  # the primary key of a WITHOUT ROWID table is the table itself
            continue
        ddl = kept[0][0]
        columns = [row[2] for row in connection.exec_driver_sql(f"PRAGMA index_xinfo({_quoted(name)})") if row[5]]
        stop = columns.index(None) if None in columns else len(columns)
        constraint = _ORIGINS.get(origin, "")
        yield Index(
            table, name, tuple(columns[:stop]), bool(unique), constraint, sizes.get(name), ddl or "", bool(partial)
        )


def _sizes(connection: Connection) -> Mapping[str, int]:
    try:
        rows = connection.exec_driver_sql("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE").fetchall()
    except DBAPIError:
        return {}
    return {row[0]: row[1] for row in rows}


def pages(connection: Connection) -> Mapping[str, int]:
    """Return the pages of each table, where dbstat is built in."""
    size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    return {name: total // size for name, total in _sizes(connection).items()}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
