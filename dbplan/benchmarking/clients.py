"""Clients: one connection that reads and one that writes, neither of which leaves a trace in the data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Row
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.base import Executable

from dbplan.benchmarking.facts import UNREADABLE


class Client:
    """One connection in one role; what it does is undone after each execution, outside the clock."""

    def __init__(self, connection: Connection, *, writes: bool, limit: float) -> None:
        self._connection, self._writes = connection, writes
        self._dialect = connection.dialect.name
        self._limit = limit
        self._prepare()

    def _prepare(self) -> None:
        if self._dialect == "postgresql":
            self._connection.exec_driver_sql(f"SET statement_timeout = {int(self._limit * 1000)}")
            self._connection.commit()
            self._connection.begin()
            self._connection.exec_driver_sql("SAVEPOINT dbplan")
        elif self._dialect == "sqlite":
            query_only = "OFF" if self._writes else "ON"
            self._connection.exec_driver_sql(f"PRAGMA query_only = {query_only}")
            self._connection.rollback()

    def ready(self) -> None:
        """Open the transaction, so that the clock does not count its opening."""
        if self._dialect == "sqlite":
            stop_after(self._connection, self._limit)
        if not self._connection.in_transaction():
            self._connection.begin()

    def run(self, statement: Executable, values: Mapping[str, Any]) -> float:
        """Execute and fetch everything; return the rows returned or changed."""
        options = {"preserve_rowcount": True} if self._writes else {}
        result = self._connection.execute(statement, values, execution_options=options)
        return float(len(fetched(result)) if result.returns_rows else max(result.rowcount, 0))

    def undo(self, *, failed: bool = False) -> None:
        """Undo what the execution did. A reading PostgreSQL client keeps its transaction: there is nothing to undo."""
        if self._dialect != "postgresql":
            self._connection.rollback()
        elif self._writes or failed:
            self._back_to_savepoint()

    def _back_to_savepoint(self) -> None:
        # psycopg forgets its prepared statements when it sees a rollback; an application that commits keeps them.
        raw = getattr(self._connection.connection.driver_connection, "pgconn", None)
        if raw is not None:
            raw.exec_(b"ROLLBACK TO SAVEPOINT dbplan")
        else:
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT dbplan")

    @property
    def connection(self) -> Connection:
        """The connection, to ask the server about it."""
        return self._connection


def fetched(result: CursorResult[Any]) -> Sequence[Row[Any]]:
    """Return all rows; StatementError where a column's own type refuses to read what is there."""
    try:
        return result.fetchall()
    except DBAPIError:
        raise
    except Exception as error:  # a project's type may raise anything
        lines = str(error).strip().splitlines() or [""]
        told = ValueError(f"{UNREADABLE}: {type(error).__name__}: {lines[0]}")
        raise StatementError(str(told), None, None, told) from None


def stop_after(connection: Connection, seconds: float) -> None:
    """Make SQLite give up a statement that runs longer than this many seconds from now."""
    deadline = time.monotonic() + seconds
    raw: Any = connection.connection.driver_connection
    raw.set_progress_handler(lambda: time.monotonic() > deadline, 1_000_000)


@contextmanager
def clients(engine: Engine, *, limit: float) -> Iterator[tuple[Client, Client]]:
    """Give a reading client and a writing one; both are rolled back and closed whatever happens."""
    reading = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
    with (
        engine.connect().execution_options(**reading) as reader,
        engine.connect().execution_options(sqlite_begin="IMMEDIATE") as writer,
    ):
        yield Client(reader, writes=False, limit=limit), Client(writer, writes=True, limit=limit)
