"""Throwaway databases on a MariaDB or MySQL server: known for ours by their names, and dropped whatever happens.

Whoever owns some holds a user lock named after their token; the server lets go of it when that session ends,
however it ends. Databases whose lock is free belong to nobody, and the next one to come drops them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from dbplan.ddl.mariadb_text import quoted
from dbplan.errors import SandboxError
from dbplan.sandbox.mariadb import copying
from dbplan.sandbox.mariadb.instance import driver
from dbplan.sandbox.names import name_for, token_of

if TYPE_CHECKING:
    from pymysql.connections import Connection

_FORSAKEN = r"""
    SELECT s.schema_name FROM information_schema.schemata s
    WHERE s.schema_name LIKE 'dbplan\_%'
      AND NOT EXISTS (SELECT 1 FROM information_schema.processlist p WHERE p.db = s.schema_name)
"""
_SESSIONS = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> connection_id()"
_A_YEAR = 31536000
_REFUSED = (1044, 1045, 1142, 1227)  # access denied
_FULL = (1021, 1114)


def rows(connection: Connection[Any], statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one statement; return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def sweep(connection: Connection[Any]) -> list[str]:
    """Drop the databases whose owners have gone; return their names.

    Only databases with a name that proves itself, no session that we may see and no lock are dropped.
    """
    names = [name for (name,) in rows(connection, _FORSAKEN)]
    gone = [name for name in names if (token := token_of(name)) and _is_free(connection, token)]
    for name in gone:
        with suppress(driver().MySQLError):  # somebody else was quicker, or it is another user's
            rows(connection, f"DROP DATABASE IF EXISTS {quoted(name)}")
    return gone


def _is_free(connection: Connection[Any], token: str) -> bool:
    return rows(connection, "SELECT IS_FREE_LOCK(%s)", [_lock(token)]) == [(1,)]


def _lock(token: str) -> str:
    return f"dbplan {token}"


@dataclass
class Lease:
    """The right to databases of one token, held as long as `connection` lives; `connect` makes another like it."""

    connection: Connection[Any]
    connect: Callable[[], Connection[Any]]
    token: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def database(self, plan: str, collation: str = "", template: str | None = None) -> Iterator[str]:
        """Create a database, a copy of `template` where one is given; give its name; drop it at the end."""
        name = name_for(plan, next(self.numbers), self.token)
        try:
            self._create(name, collation)
            if template is not None:
                self._copy(template, name)
            yield name
        finally:
            self._drop(name)

    def _create(self, name: str, collation: str) -> None:
        said = f" COLLATE {quoted(collation)}" if collation else ""
        try:
            rows(self.connection, f"CREATE DATABASE {quoted(name)} CHARACTER SET utf8mb4{said}")
        except driver().MySQLError as error:
            raise SandboxError(f"cannot create a database: {_said(error)}; {_mend(error)}") from None

    def _copy(self, template: str, name: str) -> None:
        try:
            with self.connect() as connection:
                copying.copy(connection, template, name)
        except driver().MySQLError as error:
            raise SandboxError(f"cannot copy the sandbox: {_said(error)}; {_mend(error)}") from None

    def _drop(self, name: str) -> None:
        try:
            _drop(self.connection, name)
        except driver().MySQLError:
            # The session was lost. Where the server is gone too, the next one to come there drops the database.
            with suppress(driver().MySQLError, OSError), self.connect() as again:
                _drop(again, name)


def _drop(connection: Connection[Any], name: str) -> None:
    """Drop a database; a transaction that is still open in it would make us wait."""
    for (session,) in rows(connection, _SESSIONS, [name]):
        with suppress(driver().MySQLError):  # gone by itself
            rows(connection, f"KILL {int(session)}")
    rows(connection, f"DROP DATABASE IF EXISTS {quoted(name)}")


def _said(error: Exception) -> str:
    return " ".join(str(error.args[-1] if error.args else error).split())


def _mend(error: Exception) -> str:
    code = error.args[0] if error.args else None
    if code in _FULL:
        return "free some space on the server's disk"
    if code in _REFUSED:
        return "let the user create databases: GRANT ALL ON `dbplan\\_%`.* TO …"
    return "see the server's log"


@contextmanager
def lease(connection: Connection[Any], connect: Callable[[], Connection[Any]]) -> Iterator[Lease]:
    """Hold a new token over `connection` (autocommit), which is closed at the end.

    What others have left behind on this server is dropped first. `connect` is for a connection that was lost.
    """
    token = secrets.token_hex(4)
    try:
        rows(connection, f"SET SESSION wait_timeout = {_A_YEAR}, lock_wait_timeout = 30")
        rows(connection, "SELECT GET_LOCK(%s, 0)", [_lock(token)])
        sweep(connection)
        yield Lease(connection, connect, token)
    finally:
        with suppress(driver().MySQLError):  # closed already
            connection.close()
