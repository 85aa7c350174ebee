"""One engine per process and URL, transactions over it, and a log of what it runs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from dbplan.connection.settings import Settings, settings
from dbplan.connection.url import normalise, pool_options
from dbplan.errors import ConnectionFailed, NotCovered

log = logging.getLogger("dbplan.sql")

_engines: dict[tuple[int, str], Engine] = {}
_lock = Lock()


def engine(url: str | URL | None = None, **options: Any) -> Engine:
    """Return the engine of `url`, the same one for the same URL all through the process.

    Without a URL it is that of the current environment. A forked child gets its own.
    `options` go to `create_engine` when the engine is made.
    """
    current = settings()
    target = current.url if url is None else url
    normal = normalise(target)
    key = (os.getpid(), normal.render_as_string(hide_password=False))
    with _lock:
        if key not in _engines:
            _engines[key] = new_engine(normal, **_pool(target, current) | options)
            log_statements(_engines[key], slow=current.slow_query)
        return _engines[key]


def new_engine(url: str | URL, **options: Any) -> Engine:
    """Return an engine that nobody else holds; the caller disposes of it. Its errors show no values of a statement."""
    normal = normalise(url)
    if normal.get_backend_name() == "sqlite" and _in_memory(normal):
        options = {name: value for name, value in options.items() if not name.startswith(("pool", "max_"))}
    try:
        made = create_engine(normal, **{"hide_parameters": True} | options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        name = normal.drivername
        raise NotCovered(
            f'no driver for "{name}" ({error}); install it, for MariaDB and MySQL with: pip install "dbplan[mysql]"'
        ) from None
    if made.dialect.name == "sqlite":
        _teach_sqlite(made)
    return made


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")


def _pool(target: str | URL, current: Settings) -> dict[str, Any]:
    default = {"pool_size": current.pool, "max_overflow": current.pool, "pool_timeout": current.pool_timeout}
    return default | {"pool_pre_ping": True} | pool_options(target)


def dispose(url: str | URL | None = None) -> None:
    """Close the engine of `url`, or every engine of this process."""
    wanted = None if url is None else normalise(url).render_as_string(hide_password=False)
    with _lock:
        for key in [k for k in _engines if wanted in (None, k[1])]:
            # A forked child must not close sockets that its parent still uses.
            _engines.pop(key).dispose(close=key[0] == os.getpid())


def _teach_sqlite(made: Engine) -> None:
    """Enforce foreign keys, wait for locks, and let SQLAlchemy alone begin transactions."""

    @event.listens_for(made, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 30000")

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'DEFERRED')}")


@contextmanager
def transaction(bind: Engine | str | URL | None = None) -> Iterator[Session]:
    """Give a Session whose work is committed at the end, or undone by an exception.

    On SQLite the write lock is taken at the start, so that a read that decides a write stays true.
    """
    target = bind if isinstance(bind, Engine) else engine(bind)
    with (
        Session(target.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


def is_missing(url: str | URL) -> bool:
    """Say whether `url` names a SQLite file that does not exist; to connect would create it, empty."""
    normal = normalise(url)
    if normal.get_backend_name() != "sqlite" or _in_memory(normal) or str(normal.database).startswith("file:"):
        return False
    return not Path(str(normal.database)).exists()


@contextmanager
def connect(bind: Engine | str | URL | None = None) -> Iterator[Connection]:
    """Give a connection; ConnectionFailed says in one line why there is none."""
    target = bind if isinstance(bind, Engine) else engine(bind)
    try:
        connection = target.connect()
    except DBAPIError as error:
        raise ConnectionFailed(_why(target.url, error)) from None
    with connection:
        yield connection


def _why(url: URL, error: DBAPIError) -> str:
    # PyMySQL hands over (code, text), the others a text of one or more lines.
    said = str(error.orig.args[-1]) if error.orig is not None and error.orig.args else str(error.orig)
    reason = next((line.strip() for line in said.splitlines() if line.strip()), type(error.orig).__name__)
    return f"cannot connect to {url.render_as_string()}: {reason}; check host, port, name and password"


def log_statements(made: Engine, *, slow: float = 1.0) -> None:
    """Log every statement (level debug) and those slower than `slow` seconds (level warning), never their values.

    On a connection with the execution option `is_bulk` a statement over many rows is not slow for what it does.
    """

    @event.listens_for(made, "before_cursor_execute")
    def start(connection: Connection, *_: Any) -> None:
        connection.info["dbplan_started"] = time.perf_counter()

    @event.listens_for(made, "after_cursor_execute")
    def finish(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        seconds = time.perf_counter() - connection.info.pop("dbplan_started", time.perf_counter())
        if seconds >= slow and not connection.get_execution_options().get("is_bulk"):
            log.warning("slow query, %.2f s: %s", seconds, " ".join(statement.split()))
        else:
            log.debug("%.1f ms: %s", seconds * 1e3, " ".join(statement.split()))
