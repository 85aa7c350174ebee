"""Plans from a live database, by reflection; what reflection cannot hold is listed, not dropped in silence."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

from sqlalchemy import Column, Connection, Integer, MetaData, Sequence, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.sqltypes import NullType

from dbplan.connection import connect, new_engine, normalise
from dbplan.errors import SourceError
from dbplan.plan import Plan

_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog", "mysql", "performance_schema", "sys", "crdb_internal"}
_NEXTVAL = re.compile(r"nextval\('(?P<name>[^']+)'(?:::regclass)?\)")


def read(url: str) -> Plan:
    """Return the plan of the database at `url`: tables of every schema but the server's own.

    `metadata.info["not_covered"]` lists in words what was there and is not in the plan.
    """
    target = normalise(url)
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
    metadata = MetaData()
    inspector = inspect(connection)
    missing: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for schema in _schemas(inspector.default_schema_name, inspector.get_schema_names(), connection.dialect.name):
            metadata.reflect(connection, schema=schema, resolve_fks=False)
            missing += [f"view {name}" for name in inspector.get_view_names(schema)]
    missing += sorted({str(warning.message).splitlines()[0] for warning in said})
    for table in metadata.tables.values():
        for column in table.columns:
            _own_sequence(column, metadata)
            if isinstance(column.type, NullType):
                missing.append(f"the type of {table.fullname}.{column.name}")
    metadata.info["not_covered"] = tuple(missing)
    return metadata


def _schemas(default: str | None, names: Iterable[str], dialect: str) -> list[str | None]:
    """Return the schemas to read; None is the default one, whose tables go unqualified."""
    if dialect != "postgresql":
        return [None]
    others = (n for n in names if n != default and n not in _SYSTEM_SCHEMAS and not n.startswith("pg_"))
    return [None, *sorted(others)]


def _own_sequence(column: Column[object], metadata: MetaData) -> None:
    """Let the plan create the sequence that a serial column draws from."""
    text = str(getattr(column.server_default, "arg", ""))
    match = _NEXTVAL.fullmatch(text)
    if not match:
        return
    table = column.table
    if column.primary_key and len(table.primary_key) == 1 and isinstance(column.type, Integer):
        column.server_default = None
        column.autoincrement = True
        return
    schema, _, name = match["name"].replace('"', "").rpartition(".")
    Sequence(name, schema=schema or None, metadata=metadata)
