"""Plans from a live database, by reflection; what reflection cannot hold is listed, not dropped in silence."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import SQLAlchemyError

from dbplan.connection import connect, is_missing, new_engine, normalise
from dbplan.errors import NotCovered, SourceError
from dbplan.evidence import Catalog
from dbplan.plan import Plan
from dbplan.sources import postgresql, reflected, reflected_mariadb, uncovered
from dbplan.sources.catalog import snapshot

_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog", "mysql", "performance_schema", "sys", "crdb_internal"}


def read(url: str) -> Plan:
    """Return the plan of the database at `url`: tables of every schema but the server's own.

    A partitioned table is one table; partitions, foreign tables and SQLite's virtual tables are left out.
    `metadata.info["not_covered"]` lists in words what was there and is not in the plan.
    """
    target = normalise(url)
    if is_missing(target):
        raise SourceError(f"no file {target.database}; give the path of a SQLite database that exists")
    engine = new_engine(target)
    try:
        with connect(engine) as connection:
            metadata = _reflect(connection)
    except SQLAlchemyError as error:
        raise SourceError(f"{target.render_as_string()} cannot be read: {str(error).splitlines()[0]}") from None
    finally:
        engine.dispose()
    name = re.sub(r"\W+", "_", (target.database or "database").rpartition("/")[2].removesuffix(".db")) or "database"
    if not metadata.tables:
        raise SourceError(f"{target.render_as_string()} holds no tables")
    return Plan(name, metadata, source=target.render_as_string())


def _reflect(connection: Connection) -> MetaData:
    if connection.dialect.name in ("mariadb", "mysql"):
        return reflected_mariadb.metadata_of(connection)
    if connection.dialect.name == "postgresql":
        return postgresql.reflect(connection)
    metadata = MetaData()
    inspector = inspect(connection)
    catalog = _catalog(connection)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for schema in _schemas(inspector.default_schema_name, inspector.get_schema_names(), connection.dialect.name):
            _read_schema(metadata, connection, schema, catalog)
    if catalog is None:
        missing = _without_catalog(connection, inspector) + [str(warning.message).splitlines()[0] for warning in said]
    else:
        missing = [*reflected.mend(metadata, catalog), *uncovered.uncovered(metadata, catalog)]
    metadata.info["not_covered"] = tuple(dict.fromkeys(missing))
    return metadata


def _look_in_one_schema(connection: Connection) -> None:
    """Have PostgreSQL write every name outside the default schema with its schema, whatever the search path."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "SELECT set_config('search_path', quote_ident(current_schema), false) WHERE current_schema IS NOT NULL"
        )


def _catalog(connection: Connection) -> Catalog | None:
    try:
        return snapshot(connection)
    except NotCovered:
        return None


def _read_schema(metadata: MetaData, connection: Connection, schema: str | None, catalog: Catalog | None) -> None:
    plain = None if catalog is None else reflected.plain_tables(catalog)

    def wanted(name: str, _metadata: MetaData) -> bool:
        return plain is None or (f"{schema}.{name}" if schema else name) in plain

    metadata.reflect(connection, schema=schema, only=wanted, resolve_fks=False)


def _schemas(default: str | None, names: Iterable[str], dialect: str) -> list[str | None]:
    """Return the schemas to read; None is the default one, whose tables go unqualified."""
    if dialect != "postgresql":
        return [None]
    others = (n for n in names if n != default and n not in _SYSTEM_SCHEMAS and not n.startswith("pg_"))
    return [None, *sorted(others)]


def _without_catalog(connection: Connection, inspector: Inspector) -> list[str]:
    views = [f"view {name}" for name in inspector.get_view_names()]
    return [*views, f"triggers, routines and partitions: they are not looked for on {connection.dialect.name}"]
