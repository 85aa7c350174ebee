"""Throwaway databases on a PostgreSQL server: named so that they are known for ours, and dropped whatever happens.

Whoever owns some holds a session advisory lock for their token; the server lets go of it when that session
ends, however it ends. Databases whose lock is free belong to nobody, and the next one to come drops them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

from dbplan.errors import SandboxError
from dbplan.sandbox.names import name_for, token_of

COMMENT = "dbplan sandbox: throwaway, dropped once its owner has gone"
_LOCK_CLASS = 0x6462706C  # "dbpl"
_FORSAKEN = """
    SELECT d.datname, shobj_description(d.oid, 'pg_database')
    FROM pg_database d
    WHERE d.datname LIKE 'dbplan\\_%%' AND pg_has_role(d.datdba, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
"""
_LOCKS = "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2"
_SESSIONS = """
    SELECT application_name, state, query FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_PATIENCE = 1.0
_LARGE = 128 * 1024**2
_Connection = psycopg.Connection[tuple[Any, ...]]


def sweep(connection: _Connection) -> list[str]:
    """Drop the databases whose owners have gone; return their names.

    Only databases of our own role, with a name that proves itself, no session and no lock are dropped.
    """
    names = [name for name, comment in connection.execute(_FORSAKEN) if comment in (None, COMMENT)]
    alive = {f"{key:08x}" for (key,) in connection.execute(_LOCKS, [_LOCK_CLASS])}
    gone = [name for name in names if (token := token_of(name)) and token not in alive]
    for name in gone:
        with suppress(psycopg.Error):  # somebody else was quicker
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    return gone


@dataclass
class Lease:
    """The right to databases of one token, held as long as `connection` lives; `connect` makes another like it."""

    connection: _Connection
    connect: Callable[[], _Connection]
    token: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def database(self, plan: str, template: str | None = None) -> Iterator[str]:
        """Create a database, a copy of `template` where one is given; give its name; drop it at the end."""
        name = name_for(plan, next(self.numbers), self.token)
        try:
            self._create(name, template)
            yield name
        finally:
            self._drop(name)

    def _create(self, name: str, template: str | None) -> None:
        parts: list[sql.Composable] = [sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))]
        if template is not None:
            self._wait_for_quiet(template)
            parts.append(sql.SQL("TEMPLATE {}").format(sql.Identifier(template)))
            if self._is_large(template):
                parts.append(sql.SQL("STRATEGY file_copy"))
        try:
            self.connection.execute(sql.SQL(" ").join(parts))
            self.connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(COMMENT))
            )
        except psycopg.Error as error:
            raise SandboxError(f"cannot create a database: {_said(error)}; {_mend(error)}") from None

    def _is_large(self, database: str) -> bool:
        """Say whether copying the files beats PostgreSQL's default, which writes every page to the log as well."""
        row = self.connection.execute("SELECT pg_database_size(%s)", [database]).fetchone()
        return row is not None and row[0] > _LARGE and self.connection.info.server_version >= 150000

    def _wait_for_quiet(self, template: str) -> None:
        """Give sessions that were just closed the moment they need; refuse while others stay."""
        deadline = time.monotonic() + _PATIENCE
        while sessions := self.connection.execute(_SESSIONS, [template]).fetchall():
            if time.monotonic() > deadline:
                shown = ", ".join(f"{name or 'unnamed'} ({state}: {query[:60]})" for name, state, query in sessions)
                raise SandboxError(
                    f"cannot copy the sandbox while sessions are open in it: {shown}; "
                    "end their transactions and close their connections first"
                )
            time.sleep(0.002)

    def _drop(self, name: str) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        try:
            self.connection.execute(drop)
        except psycopg.OperationalError:
            # The session was lost. Where the server is gone too, the next one to come there drops the database.
            with suppress(psycopg.OperationalError), self.connect() as again:
                again.execute(drop)


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or " ".join(str(error).split())


def _mend(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.DiskFull):
        return "free some space on the server's disk"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "let the role create databases: ALTER ROLE … CREATEDB"
    return "see the server's log"


@contextmanager
def lease(connection: _Connection, connect: Callable[[], _Connection]) -> Iterator[Lease]:
    """Hold a new token over `connection` (autocommit, to the maintenance database), which is closed at the end.

    What others have left behind on this server is dropped first. `connect` is for a connection that was lost.
    """
    token = secrets.token_hex(4)
    try:
        connection.execute("SELECT pg_advisory_lock(%s, %s)", [_LOCK_CLASS, _signed(token)])
        sweep(connection)
        yield Lease(connection, connect, token)
    finally:
        connection.close()


def _signed(token: str) -> int:
    value = int(token, 16)
    return value - 2**32 if value >= 2**31 else value
