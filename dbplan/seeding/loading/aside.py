"""Setting aside: keys, uniques and indexes of PostgreSQL dropped before the rows come, and built again after them.

The SQL that brings each back is the server's own. What cannot come back just as it was stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, text

from dbplan.seeding.loading.statements import quoter, run_sql

_SET = """
WITH ours AS (SELECT c.oid, CAST(CAST(c.oid AS regclass) AS text) AS name FROM pg_class c
  WHERE c.oid = ANY (CAST(:tables AS oid[])) AND c.relkind = 'r' AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)))
"""
"""The tables; those that share their keys with partitions or heirs keep them."""

_KEYS = (
    _SET  # noqa: S608 - nothing but constants
    + """
SELECT o.name AS "table", k.oid, quote_ident(k.conname) AS name, pg_get_constraintdef(k.oid) AS definition,
  obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_constraint k JOIN ours o ON o.oid = k.conrelid
WHERE k.contype = 'f' AND k.conparentid = 0
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = CAST('pg_constraint' AS regclass) AND d.refobjid = k.oid
    AND d.deptype IN ('n', 'x'))
ORDER BY 1, 2
"""
)

_INDEXES = (
    _SET  # noqa: S608 - nothing but constants
    + """
SELECT o.name AS "table", i.indexrelid AS oid, CAST(CAST(i.indexrelid AS regclass) AS text) AS name,
  pg_get_indexdef(i.indexrelid) AS index_definition, quote_ident(k.conname) AS key,
  pg_get_constraintdef(k.oid) AS definition, i.indisclustered AS is_clustered, i.indisreplident AS is_identity,
  quote_ident(x.relname) AS short, obj_description(i.indexrelid, 'pg_class') AS index_comment,
  obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_index i JOIN ours o ON o.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indisvalid AND i.indisready AND (k.oid IS NULL OR (x.reltablespace = 0 AND x.reloptions IS NULL))
  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget >= 0)
  AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid
    AND NOT f.oid = ANY (CAST(:gone AS oid[])))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype IN ('n', 'x', 'e')
    AND NOT (d.classid = CAST('pg_constraint' AS regclass) AND d.objid = ANY (CAST(:gone AS oid[])))
    AND ((d.refclassid = CAST('pg_constraint' AS regclass) AND d.refobjid = k.oid)
      OR (d.refclassid = CAST('pg_class' AS regclass) AND d.refobjid = i.indexrelid)
      OR (d.classid = CAST('pg_class' AS regclass) AND d.objid = i.indexrelid AND d.deptype IN ('x', 'e'))))
ORDER BY 1, k.contype NULLS LAST, 3
"""
)


@dataclass(frozen=True)
class Aside:
    """A key or index: what drops it, what builds it again, on which table, and what follows it."""

    table: str
    drop: str
    build: tuple[str, ...]
    is_reference: bool = False


def set_aside(connection: Connection, tables: Collection[Table]) -> list[Aside]:
    """Drop foreign keys, other keys and indexes inside the transaction; return what brings them back, in order."""
    quote = quoter(connection.dialect)
    find = text("SELECT CAST(CAST(:name AS regclass) AS oid)")
    oids = [connection.execute(find, {"name": quote.format_table(table)}).scalar_one() for table in tables]
    with _names_in_full(connection):
        rows = connection.execute(text(_KEYS), {"tables": oids}).all()
        given = {"tables": oids, "gone": [row.oid for row in rows]}
        others = [_index(row) for row in connection.execute(text(_INDEXES), given)]
        references = [_reference(row) for row in rows]
        for one in (*references, *others):
            run_sql(connection, one.drop)
    return [*others, *references]


def are_free(connection: Connection, tables: Collection[Table]) -> bool:
    """Whether no foreign key of the tables is left."""
    quote = quoter(connection.dialect)
    left = text("SELECT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = CAST(:name AS regclass))")
    return not any(connection.execute(left, {"name": quote.format_table(table)}).scalar() for table in tables)


@contextmanager
def _names_in_full(connection: Connection) -> Iterator[None]:
    """Have the server write names with their schema, which mean the same on any connection."""
    change = text("SELECT set_config('search_path', :path, true)")
    before = connection.exec_driver_sql("SHOW search_path").scalar_one()
    connection.execute(change, {"path": ""})
    yield
    connection.execute(change, {"path": before})


def _reference(row: Any) -> Aside:
    add = f"ALTER TABLE {row.table} ADD CONSTRAINT {row.name} {row.definition}"
    said = _comment(f"CONSTRAINT {row.name} ON {row.table}", row.comment)
    return Aside(row.table, f"ALTER TABLE {row.table} DROP CONSTRAINT {row.name}", (add, *said), is_reference=True)


def _index(row: Any) -> Aside:
    if row.key is None:
        drop, build = f"DROP INDEX {row.name}", [row.index_definition]
    else:
        drop = f"ALTER TABLE {row.table} DROP CONSTRAINT {row.key}"
        build = [f"ALTER TABLE {row.table} ADD CONSTRAINT {row.key} {row.definition}"]
        build += _comment(f"CONSTRAINT {row.key} ON {row.table}", row.comment)
    build += _comment(f"INDEX {row.name}", row.index_comment)
    build += [f"ALTER TABLE {row.table} CLUSTER ON {row.short}"] if row.is_clustered else []
    build += [f"ALTER TABLE {row.table} REPLICA IDENTITY USING INDEX {row.short}"] if row.is_identity else []
    return Aside(row.table, drop, tuple(build))


def _comment(what: str, comment: str | None) -> list[str]:
    if comment is None:
        return []
    quoted = comment.replace("'", "''").replace("\\", "\\\\")
    return [f"COMMENT ON {what} IS E'{quoted}'"]
