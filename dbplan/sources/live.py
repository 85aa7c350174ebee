"""Plans from a live database, by reflection; what reflection cannot hold is listed, not dropped in silence."""

from __future__ import annotations

import re
import warnings

from sqlalchemy import Connection, Engine, MetaData, inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dbplan.connection import connect, is_missing, new_engine, normalise
from dbplan.errors import SourceError
from dbplan.plan import Plan
from dbplan.sources import postgresql, reflected_mariadb, sqlite
from dbplan.sources.catalog import LEDGER

_TRIES = 3
_LOCKED = "55P03"
_INTERNAL = "XX000"
"""What PostgreSQL calls it when an object is dropped while it is being described."""


def read(url: str) -> Plan:
    """Return the plan of the database at `url`: tables and views of every schema but the server's own.

    `metadata.info["not_covered"]` lists in words what was there and is not in the plan.
    Raises ConnectionFailed for a database that does not answer, SourceError for one that is empty or cannot be read.
    """
    target = normalise(url)
    if is_missing(target):
        raise SourceError(f"no file {target.database}; give the path of a SQLite database that exists")
    engine = new_engine(target)
    try:
        metadata = _read_at_rest(engine)
    except SQLAlchemyError as error:
        raise SourceError(f"{target.render_as_string()} cannot be read: {_why(error)}") from None
    finally:
        engine.dispose()
    name = re.sub(r"\W+", "_", (target.database or "database").rpartition("/")[2].removesuffix(".db")) or "database"
    if not metadata.tables:
        raise SourceError(f"{target.render_as_string()} holds no tables")
    return Plan(name, metadata, source=target.render_as_string())


def _read_at_rest(engine: Engine) -> MetaData:
    """Reflect a database, again where its schema was changed meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            with connect(engine) as connection:
                return _reflect(connection)
        except DBAPIError as error:
            if _state(error) != _INTERNAL:
                raise
    with connect(engine) as connection:
        return _reflect(connection)


def _state(error: SQLAlchemyError) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", "") or "")


def _why(error: SQLAlchemyError) -> str:
    """Return in one line why a server does not tell its schema."""
    if _state(error) == _LOCKED:
        return "another session is changing one of its tables and does not come to an end; end it, or try later"
    said = (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
    return f"its schema changes all the time ({said}); read it at rest" if _state(error) == _INTERNAL else said


def _reflect(connection: Connection) -> MetaData:
    if connection.dialect.name in ("mariadb", "mysql"):
        return reflected_mariadb.metadata_of(connection)
    if connection.dialect.name == "postgresql":
        return postgresql.reflect(connection)
    if connection.dialect.name == "sqlite":
        return sqlite.reflect(connection)
    return _as_sqlalchemy_does(connection)


def _as_sqlalchemy_does(connection: Connection) -> MetaData:
    """Return the tables of a server whose catalog is not read, and say what is not looked for."""
    metadata = MetaData()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        metadata.reflect(connection, resolve_fks=False)
    if LEDGER in metadata.tables:
        metadata.remove(metadata.tables[LEDGER])
    views = [f"view {name}" for name in inspect(connection).get_view_names()]
    missing = [*views, f"triggers, routines and partitions: they are not looked for on {connection.dialect.name}"]
    missing += [str(warning.message).splitlines()[0] for warning in said]
    metadata.info["not_covered"] = tuple(dict.fromkeys(missing))
    return metadata
