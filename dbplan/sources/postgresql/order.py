"""In which order the objects of a database can be created: what depends on what, as PostgreSQL keeps it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

Node = tuple[str, str]

# A view's query hangs on its rule, a default and a CHECK on objects of their own: each is told as its table.
# A foreign key can always come later, a default or CHECK too: where they would close a circle they are let go.
_DEPENDENCIES = """
WITH relation AS (
    SELECT c.oid, 'tables' AS kind, CASE WHEN n.nspname IS DISTINCT FROM current_schema THEN n.nspname || '.' ELSE ''
        END || c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
), type AS (
    SELECT t.oid, t.typtype, t.typrelid, CASE WHEN n.nspname IS DISTINCT FROM current_schema THEN n.nspname || '.'
        ELSE '' END || t.typname AS name
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('d', 'r', 'c') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
), node AS (
    SELECT 'pg_class'::regclass::oid AS class, oid AS id, kind, name, '' AS part FROM relation
    UNION ALL SELECT 'pg_type'::regclass, t.oid, coalesce(r.kind, 'types'), coalesce(r.name, t.name), ''
        FROM type t LEFT JOIN relation r ON r.oid = t.typrelid
    UNION ALL SELECT 'pg_class'::regclass, t.typrelid, 'types', t.name, ''
        FROM type t WHERE t.typtype = 'c' AND NOT EXISTS (SELECT FROM relation r WHERE r.oid = t.typrelid)
    UNION ALL SELECT 'pg_type'::regclass, a.oid, coalesce(r.kind, 'types'), coalesce(r.name, t.name), ''
        FROM pg_type a JOIN type t ON t.oid = a.typelem LEFT JOIN relation r ON r.oid = t.typrelid
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, 'routines', CASE WHEN n.nspname IS DISTINCT FROM current_schema
            THEN n.nspname || '.' ELSE '' END || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
            ''
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_rewrite'::regclass, w.oid, r.kind, r.name, '' FROM pg_rewrite w JOIN relation r
        ON r.oid = w.ev_class WHERE w.rulename = '_RETURN'
    UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, r.kind, r.name, CASE WHEN a.attgenerated = '' THEN 'column '
            || a.attname ELSE '' END
        FROM pg_attrdef d JOIN relation r ON r.oid = d.adrelid
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, r.kind, r.name,
            CASE WHEN k.contype = 'f' THEN 'key ' ELSE 'constraint ' END || k.conname
        FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 'types', t.name, '' FROM pg_constraint k
        JOIN type t ON t.oid = k.contypid
)
SELECT DISTINCT child.kind, child.name, child.part, parent.kind, parent.name
FROM pg_depend d
JOIN node child ON (child.class, child.id) = (d.classid, d.objid)
JOIN node parent ON (parent.class, parent.id) = (d.refclassid, d.refobjid)
WHERE d.deptype IN ('n', 'a', 'i', 'P', 'S') AND (child.kind, child.name) <> (parent.kind, parent.name)
"""
_RANKS = {"types": 0, "routines": 1, "tables": 2}
_Needs = dict[Node, dict[Node, set[str]]]


def order(
    connection: Connection, nodes: Iterable[Node], views: Collection[str]
) -> tuple[list[Node], set[tuple[str, str]]]:
    """Return the nodes so that each comes after what it needs, and what must come later: (table, "column x").

    As far as that leaves a choice, types come first, then routines, tables and `views`, each by name.
    """
    rank = {node: (_RANKS[node[0]] + (node[1] in views), node[1]) for node in nodes}
    needs: _Needs = {node: {} for node in sorted(rank, key=rank.__getitem__)}
    for kind, name, part, parent_kind, parent in connection.exec_driver_sql(_DEPENDENCIES):
        if (kind, name) in needs and (parent_kind, parent) in needs:
            needs[kind, name].setdefault((parent_kind, parent), set()).add(part)
    return _sorted(needs, rank)


def _sorted(needs: _Needs, rank: Mapping[Node, tuple[int, str]]) -> tuple[list[Node], set[tuple[str, str]]]:
    children: dict[Node, list[Node]] = defaultdict(list)
    for node, parents in needs.items():
        for parent in parents:
            children[parent].append(node)
    late: set[tuple[str, str]] = set()
    found: list[Node] = []
    ready = [(rank[node], node) for node, parents in needs.items() if not parents]
    heapify(ready)
    while needs:
        if not ready:
            heappush(ready, _freed(needs, rank, late))
        _, node = heappop(ready)
        found.append(node)
        del needs[node]
        for child in children[node]:
            if child in needs and needs[child].pop(node, None) is not None and not needs[child]:
                heappush(ready, (rank[child], child))
    return found, late


def _freed(
    needs: _Needs, rank: Mapping[Node, tuple[int, str]], late: set[tuple[str, str]]
) -> tuple[tuple[int, str], Node]:
    """Free the object of a circle that is held by the least: foreign keys first, then defaults and CHECKs."""

    def weight(node: Node) -> tuple[bool, bool, tuple[int, str]]:
        parts = {part for held in needs[node].values() for part in held}
        return "" in parts, not all(part.startswith("key ") for part in parts), rank[node]

    node = min(needs, key=weight)
    parts = {part for held in needs[node].values() for part in held}
    late.update((node[1], part) for part in parts if part and not part.startswith("key "))
    needs[node].clear()
    return rank[node], node
