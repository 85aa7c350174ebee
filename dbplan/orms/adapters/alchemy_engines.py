"""Engines of SQLAlchemy for a study; those of SQLite send BEGIN themselves, as SQLAlchemy's documentation advises.

What writes begins with BEGIN IMMEDIATE: a transaction that has read is refused once another has written, and waiting
does not help it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from dbplan.orms.adapters.drivers import is_sqlite, timeout
from dbplan.orms.scenarios import Study


def engine(study: Study, make: Any = create_engine, *, driver: str = "psycopg", sqlite: str = "pysqlite") -> Any:
    """Return an engine with a pool, made by SQLAlchemy's or SQLModel's function."""
    if not is_sqlite(study):
        return make(_server(study, driver), pool_size=study.pool, max_overflow=0)
    waits = {"connect_args": {"timeout": timeout(study)}}
    made = make(_file(study, sqlite), pool_size=study.pool, max_overflow=0, **waits)
    _begins(getattr(made, "sync_engine", made))
    return made


def _server(study: Study, driver: str) -> URL:
    url = study.url
    return URL.create(
        f"postgresql+{driver}",
        username=url["user"],
        password=url["password"],
        host=url["host"],
        port=url["port"],
        database=url["database"],
    )


def _file(study: Study, driver: str) -> URL:
    return make_url(f"sqlite+{driver}://").set(database=study.url["database"])


def _begins(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
