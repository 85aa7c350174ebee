"""PostgreSQL databases, read so that nothing is lost that a plan can hold."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, inspect

from dbplan.evidence import Catalog
from dbplan.sources.catalog import snapshot
from dbplan.sources.postgresql import columns, constraints, objects, order
from dbplan.sources.postgresql.facts import Book, book

PATIENCE = 10
"""Seconds to wait for a session that changes a table; to describe it, the server has to lock it."""
_OWN = ("information_schema", "crdb_internal")
# What the catalog does not tell at all: it has no place in a plan.
_BEYOND = """
SELECT 'operator ' || o.oid::regoperator FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE {own('pg_operator', o.oid)}
UNION ALL SELECT 'operator class ' || o.opcname FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace
WHERE {own('pg_opclass', o.oid)}
UNION ALL SELECT 'cast from ' || c.castsource::regtype || ' to ' || c.casttarget::regtype FROM pg_cast c
WHERE c.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_depend e WHERE e.classid = 'pg_cast'::regclass AND e.objid = c.oid AND e.deptype IN ('e', 'i'))
UNION ALL SELECT 'text search configuration ' || c.cfgname FROM pg_ts_config c
JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE {own('pg_ts_config', c.oid)}
UNION ALL SELECT 'text search dictionary ' || c.dictname FROM pg_ts_dict c
JOIN pg_namespace n ON n.oid = c.dictnamespace WHERE {own('pg_ts_dict', c.oid)}
UNION ALL SELECT 'base type ' || t.oid::regtype FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'b' AND t.typcategory <> 'A' AND {own('pg_type', t.oid)}
UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
UNION ALL SELECT 'publication ' || pubname FROM pg_publication
UNION ALL SELECT 'foreign server ' || srvname FROM pg_foreign_server
"""


def reflect(connection: Connection) -> MetaData:
    """Return the tables and views of every schema but the server's own, and all that hangs on them.

    `info["not_covered"]` says what a plan cannot hold. The transaction sees the database as of one moment.
    """
    default = _prepare(connection)
    inspector = inspect(connection)
    schemas = [name for name in inspector.get_schema_names() if name not in _OWN and not name.startswith("pg_")]
    catalog = snapshot(connection)
    metadata, known = MetaData(), book(catalog, default, schemas)
    _reflect_tables(metadata, connection, [name for name in schemas if name != default], default, known)
    missing = list(_mend(metadata, known, connection, default))
    metadata.info["dialect"] = "postgresql"
    metadata.info["not_covered"] = tuple(dict.fromkeys([*missing, *_left_out(metadata, catalog), *_beyond(connection)]))
    return metadata


def _prepare(connection: Connection) -> str | None:
    """Look at one moment and in one schema, so that every other name comes with its schema; return the default one."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    default = connection.exec_driver_sql("SELECT current_schema").scalar_one_or_none()
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
    if default is not None:
        connection.exec_driver_sql("SELECT set_config('search_path', quote_ident(current_schema), false)")
    return default


def _reflect_tables(
    metadata: MetaData, connection: Connection, others: list[str], default: str | None, known: Book
) -> None:
    wanted = {place.table for kind in ("table", "view") for place in known.facts[kind]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of types and expressions that are given by the catalog afterwards
        for schema in [*([None] if default is not None else []), *sorted(others)]:

            def is_ours(name: str, _metadata: MetaData, schema: str | None = schema) -> bool:
                return (f"{schema}.{name}" if schema else name) in wanted

            metadata.reflect(connection, schema=schema, only=is_ours, resolve_fks=False, views=True)


def _mend(metadata: MetaData, known: Book, connection: Connection, default: str | None) -> Iterator[str]:
    for table in metadata.tables.values():
        table.info.setdefault("alterations", [])
        columns.mend(table, known)
        yield from constraints.mend(table, known)
    columns.add_sequences(metadata, known)
    columns.name_not_nulls(metadata, connection)
    for table in metadata.tables.values():
        objects.mend(table, known)
    named = objects.describe(metadata, known, default)
    _keep_order(metadata, named, connection)


def _keep_order(metadata: MetaData, named: dict[str, list[str]], connection: Connection) -> None:
    """Keep in which order types, routines, tables and views can be created, and what of a table must come later."""
    nodes = [(kind, name) for kind, names in named.items() for name in names]
    nodes += [("tables", str(table.fullname)) for table in metadata.tables.values()]
    views = {str(table.fullname) for table in metadata.tables.values() if table.info.get("is_view")}
    found, late = order.order(connection, nodes, views)
    place = {kind: {name: number for number, name in enumerate(names)} for kind, names in named.items()}
    metadata.info["order"] = tuple((kind, place[kind][name] if kind in place else name) for kind, name in found)
    for name, part in late:
        _make_late(metadata.tables[name], *part.split(" ", 1))


def _make_late(table: Table, kind: str, name: str) -> None:
    if kind == "column":
        table.columns[name].info["late"] = True
    for constraint in table.constraints if kind == "constraint" else ():
        if constraint.name == name:
            constraint.info["late"] = True


def _left_out(metadata: MetaData, catalog: Catalog) -> Iterator[str]:
    """Yield the tables that no plan holds."""
    for found in catalog.objects:
        if found.kind == "table" and found.place.table not in metadata.tables:
            kind = "foreign table" if "foreign" in dict(found.properties) else "table"
            yield f"{kind} {found.place.table}"


def _beyond(connection: Connection) -> list[str]:
    own = r"""(n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (
        SELECT FROM pg_depend e WHERE e.classid = \1::regclass AND e.objid = \2 AND e.deptype = 'e'))"""
    return list(connection.exec_driver_sql(re.sub(r"\{own\(('\w+'), ([\w.]+)\)\}", own, _BEYOND)).scalars())
