"""What PostgreSQL tells: how it ran a statement, which indexes it keeps, how it prepared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dbplan.benchmarking.facts import Explained, Index, Scan
from dbplan.evidence import PlanNode

Node = Mapping[str, Any]

_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, TIMING OFF, FORMAT JSON) "
_GENERIC = "EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) "
_WORTH_SAYING = ("Index Cond", "Recheck Cond", "Filter", "Sort Key", "Hash Cond", "Join Filter")

_INDEXES = """
SELECT CASE WHEN n.nspname = current_schema() THEN t.relname ELSE n.nspname || '.' || t.relname END AS "table",
       i.relname AS name,
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place)
             LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number AND k.number > 0
             WHERE k.place <= x.indnkeyatts ORDER BY k.place) AS columns,
       x.indisunique AS is_unique,
       coalesce(c.conname::text, '') AS "constraint",
       CASE WHEN i.relkind = 'i' THEN pg_relation_size(i.oid) END AS size,
       pg_get_indexdef(i.oid) AS definition,
       x.indpred IS NOT NULL AS partial
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.conrelid = t.oid AND c.contype IN ('p', 'u', 'x')
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 1, 2
"""

_PAGES = """
SELECT CASE WHEN n.nspname = current_schema() THEN t.relname ELSE n.nspname || '.' || t.relname END, t.relpages
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE t.relkind IN ('r', 'p', 'm')
"""


def explain(connection: Connection, statement: str, parameters: Any) -> Explained:
    """Run the statement under EXPLAIN ANALYZE with its values bound; the caller rolls back."""
    cursor = connection.exec_driver_sql(_EXPLAIN + statement, parameters)
    said = cursor.scalar_one()
    default = connection.scalar(text("SELECT current_schema()")) or ""
    return read_plan(json.loads(said) if isinstance(said, str) else said, default)


def read_plan(said: Sequence[Mapping[str, Any]], default_schema: str = "public") -> Explained:
    """Return the nodes and the whole-table scans of EXPLAIN's JSON; rows are multiplied by loops."""
    walked = list(_walk(said[0]["Plan"], 0, "", default_schema))
    nodes = tuple(node for node, _ in walked)
    return Explained(nodes, tuple(_scan(node, raw) for node, raw in walked if node.kind.endswith("Seq Scan")))


def _walk(raw: Node, depth: int, above: str, default: str) -> Iterator[tuple[PlanNode, Node]]:
    # A bitmap's index scan does not name its table; the heap scan above it does.
    relation = _relation(raw, default) or (above if "Bitmap" in raw["Node Type"] else "")
    yield _node(raw, depth, relation), raw
    for arbiter in raw.get("Conflict Arbiter Indexes", ()):
        yield PlanNode("Conflict Arbiter", relation, arbiter, depth=depth + 1), {}
    for child in raw.get("Plans", ()):
        yield from _walk(child, depth + 1, relation, default)


def _node(raw: Node, depth: int, relation: str) -> PlanNode:
    loops = raw.get("Actual Loops")
    rows = raw.get("Actual Rows")
    kind = f"Parallel {raw['Node Type']}" if raw.get("Parallel Aware") else raw["Node Type"]
    if raw["Node Type"] == "ModifyTable":
        kind = raw.get("Operation", kind)
    detail = "; ".join(f"{key}: {_flat(raw[key])}" for key in _WORTH_SAYING if key in raw)
    return PlanNode(
        kind=kind,
        relation=relation,
        index=raw.get("Index Name", ""),
        rows=None if rows is None or loops is None else round(rows * loops, 2),
        loops=loops,
        estimated_rows=raw.get("Plan Rows"),
        detail=detail,
        depth=depth,
    )


def _flat(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _relation(raw: Node, default: str) -> str:
    name, schema = raw.get("Relation Name", ""), raw.get("Schema", default)
    return name if not name or schema == default else f"{schema}.{name}"


def _scan(node: PlanNode, raw: Node) -> Scan:
    if "Actual Rows" not in raw:
        return Scan(node.relation, None, None, raw.get("Filter", ""))
    loops = raw.get("Actual Loops", 1)
    kept = raw["Actual Rows"] * loops
    read = kept + raw.get("Rows Removed by Filter", 0) * loops
    return Scan(node.relation, round(read, 2), round(kept, 2), raw.get("Filter", ""))


def indexes(connection: Connection) -> tuple[Index, ...]:
    """Return every index of the database, those behind constraints too, with its size in bytes."""
    found = []
    for row in connection.execute(text(_INDEXES)).mappings():
        plain = _until_none(row["columns"])
        found.append(
            Index(
                row["table"], row["name"], plain, row["is_unique"], row["constraint"], row["size"], row["definition"],
                row["partial"],
            )
        )  # fmt: skip
    return tuple(found)


def _until_none(columns: Sequence[str | None]) -> tuple[str, ...]:
    """Return the columns up to the first expression: what stands behind one serves no lookup of its own."""
    stop = columns.index(None) if None in columns else len(columns)
    return tuple(column for column in columns[:stop] if column is not None)


def pages(connection: Connection) -> Mapping[str, int]:
    """Return the pages of each table, as the last ANALYZE counted them."""
    return {row[0]: row[1] for row in connection.execute(text(_PAGES))}


@dataclass(frozen=True)
class Preparation:
    """What became of one prepared statement: plans made for given values, and runs of the generic plan."""

    custom: int
    generic: int
    plan: Explained | None = None


def preparations(connection: Connection) -> Mapping[str, Preparation]:
    """Return what became of this connection's prepared statements, by statement in the spelling of `numbered`."""
    rows = connection.execute(text("SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements")).all()
    return {
        numbered(statement): Preparation(custom, generic, _generic(connection, statement) if generic else None)
        for statement, custom, generic in rows
    }


def _generic(connection: Connection, statement: str) -> Explained | None:
    """Return the generic plan, which the server tells since version 16."""
    if connection.dialect.server_version_info < (16,):  # type: ignore[operator]
        return None
    default = connection.scalar(text("SELECT current_schema()")) or ""
    try:
        with connection.begin_nested():
            said = connection.exec_driver_sql(_GENERIC + statement).scalar_one()
    except DBAPIError:  # a placeholder whose type only the driver knew
        return None
    return replace(read_plan(json.loads(said) if isinstance(said, str) else said, default), generic=True)


def numbered(statement: str) -> str:
    """Return a statement in one spelling, whether its values are written `%(name)s` or `$1`."""
    return re.sub(r"%\(\w+\)s|\$\d+|%s", "?", statement).replace("%%", "%")
