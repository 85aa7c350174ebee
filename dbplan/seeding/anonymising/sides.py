"""The two sides: a source that is only read, in one snapshot, and a target that is another database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import randbits
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from dbplan.connection import connect, is_missing
from dbplan.errors import UsageError

_SESSION = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL extra_float_digits = 3",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL lc_monetary = 'C'",
    "SET LOCAL client_encoding = 'UTF8'",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
"""What both sessions have alike, so that a value written as text by one is the same value to the other."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection that reads everything as it was at one moment, and that cannot write."""
    if is_missing(engine.url):
        raise UsageError(f"no file {engine.url.database} to read from")
    server = engine.dialect.name
    if server == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with connect(engine) as connection:
        if server in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        elif server == "postgresql":
            alike(connection)
            connection.exec_driver_sql(
                "SET LOCAL row_security = off"
            )  # rows that a policy hides are an error, not gone
        elif server == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            connection.rollback()
            if server == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = OFF")
                connection.rollback()


def alike(connection: Connection) -> None:
    """Have a PostgreSQL session write and read values as text in one way."""
    for setting in _SESSION:
        connection.exec_driver_sql(setting)


def refuse_same(source: Connection, target: Connection) -> None:
    """Refuse a target that is the source, by whatever spelling of its URL."""
    servers = {source.dialect.name, target.dialect.name}
    if servers == {"postgresql"}:
        same = _shares_locks(source, target) or _is_standby_of(source, target)
    elif servers == {"sqlite"}:
        same = _is_one_file(source, target)
    elif servers <= {"mysql", "mariadb"}:
        same = _shares_names(source, target)
    else:
        same = False
    if same:
        raise UsageError(
            f"{source.engine.url.render_as_string()} and {target.engine.url.render_as_string()} are the same database; "
            "invented values are written to another one: name a development database"
        )


def _shares_locks(source: Connection, target: Connection) -> bool:
    """Whether a lock of one session keeps the other out: advisory locks are those of one database."""
    lock = f"SELECT pg_try_advisory_xact_lock({randbits(62)})"
    source.exec_driver_sql(lock)
    return not target.exec_driver_sql(lock).scalar_one()


def _is_standby_of(source: Connection, target: Connection) -> bool:
    """Whether both are copies of one cluster, kept in step, and of one database in it."""
    identity = "SELECT system_identifier, current_database() FROM pg_control_system()"
    standby = source.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one()
    if not standby:
        return False
    try:
        found = [tuple(side.exec_driver_sql(identity).one()) for side in (source, target)]
    except DBAPIError:
        return False
    return found[0] == found[1]


def _is_one_file(source: Connection, target: Connection) -> bool:
    paths = [_file(side) for side in (source, target)]
    return all(paths) and Path(paths[0]).samefile(paths[1])


def _file(connection: Connection) -> str:
    """Return the file that a SQLite connection has open, "" for one in memory."""
    found: Any = connection.exec_driver_sql("PRAGMA database_list").all()
    return next(str(row[2] or "") for row in found if row[1] == "main")


def _shares_names(source: Connection, target: Connection) -> bool:
    """Whether a named lock of one session is seen by the other, and both are in the database of one name."""
    name = f"dbplan{randbits(62)}"
    source.exec_driver_sql(f"SELECT GET_LOCK('{name}', 0)")
    seen = target.exec_driver_sql(f"SELECT IS_USED_LOCK('{name}')").scalar_one()
    source.exec_driver_sql(f"SELECT RELEASE_LOCK('{name}')")
    here = [side.exec_driver_sql("SELECT DATABASE()").scalar_one() for side in (source, target)]
    return seen is not None and here[0] == here[1]
