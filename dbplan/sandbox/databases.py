"""Throwaway databases on a PostgreSQL server: named so that they are known for ours, and dropped whatever happens.

Whoever owns some holds a session advisory lock for their token; the server lets go of it when that session
ends, however it ends. Databases whose lock is free belong to nobody, and the next one to come drops them.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

from dbplan.errors import SandboxError

COMMENT = "dbplan sandbox: throwaway, dropped once its owner has gone"
_LOCK_CLASS = 0x6462706C  # "dbpl"
_NAME = re.compile(r"dbplan_(?P<slug>[a-z0-9_]{1,32})_(?P<random>[0-9a-f]{8})(?P<check>[0-9a-f]{8})")
_FORSAKEN = """
    SELECT d.datname, shobj_description(d.oid, 'pg_database')
    FROM pg_database d
    WHERE d.datname LIKE 'dbplan\\_%%' AND pg_has_role(d.datdba, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
"""
_LOCKS = "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2"
_SESSIONS = "SELECT application_name, state, query FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_Connection = psycopg.Connection[tuple[Any, ...]]


def slug(name: str) -> str:
    """Return what of a plan's name can stand in a database's name."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:24].strip("_") or "plan"


def token_of(database: str) -> str | None:
    """Return the random part of a name that dbplan has made, None for every other name.

    The name proves itself: half of its last part is a digest of the other half, so that the mark stands
    from the moment of creation and no chosen name carries it by accident.
    """
    found = _NAME.fullmatch(database)
    return found["random"] if found and found["check"] == _check(found["random"]) else None


def _check(random: str) -> str:
    return blake2b(random.encode(), digest_size=4, person=b"dbplan").hexdigest()


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
    """The right to databases of one token, held as long as `connection` lives."""

    connection: _Connection
    token: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def database(self, plan: str, template: str | None = None) -> Iterator[str]:
        """Create a database, a copy of `template` where one is given; give its name; drop it at the end."""
        name = f"dbplan_{slug(plan)}_{next(self.numbers)}_{self.token}{_check(self.token)}"
        try:
            self._create(name, template)
            yield name
        finally:
            self._drop(name)

    def _create(self, name: str, template: str | None) -> None:
        parts = [sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))]
        if template is not None:
            self._wait_for_quiet(template)
            parts.append(sql.SQL("TEMPLATE {}").format(sql.Identifier(template)))
        try:
            self.connection.execute(sql.SQL(" ").join(parts))
            self.connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(COMMENT))
            )
        except psycopg.Error as error:
            raise SandboxError(self._why(error, template)) from None

    def _wait_for_quiet(self, template: str) -> None:
        """Give sessions that were just closed the moment they need; the server itself would look ten times a second."""
        deadline = time.monotonic() + 0.5
        while self.connection.execute(_SESSIONS, [template]).fetchone() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _why(self, error: psycopg.Error, template: str | None) -> str:
        if isinstance(error, psycopg.errors.ObjectInUse) and template is not None:
            sessions = [
                f"{name or 'unnamed'} ({state}: {query[:60]})" for name, state, query in self._sessions(template)
            ]
            return (
                f"cannot copy the sandbox while {len(sessions)} sessions are open in it: {', '.join(sessions)}; "
                "end their transactions and close their connections first"
            )
        return f"cannot create a database: {error.diag.message_primary or error}; {_mend(error)}"

    def _sessions(self, database: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(_SESSIONS, [database]).fetchall()

    def _drop(self, name: str) -> None:
        # A server that has gone took our lock along: the next one to come there drops the database.
        with suppress(psycopg.OperationalError):
            self.connection.cancel_safe()
            self.connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _mend(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.DiskFull):
        return "free some space on the server's disk"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "let the role create databases: ALTER ROLE … CREATEDB"
    return "see the server's log"


@contextmanager
def lease(connection: _Connection) -> Iterator[Lease]:
    """Hold a new token over `connection` (autocommit, to the maintenance database), which is closed at the end.

    What others have left behind on this server is dropped first.
    """
    with connection:
        token = secrets.token_hex(4)
        connection.execute("SELECT pg_advisory_lock(%s, %s)", [_LOCK_CLASS, _signed(token)])
        sweep(connection)
        yield Lease(connection, token)


def _signed(token: str) -> int:
    value = int(token, 16)
    return value - 2**32 if value >= 2**31 else value
