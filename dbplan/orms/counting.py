"""Counting: how many statements a contestant sends, as the server itself counted them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from dbplan.plan import Plan
from dbplan.sandbox import sandbox

_OF_TRANSACTIONS = ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE")
_OF_SESSIONS = ("SET", "RESET", "DEALLOCATE", "DISCARD", "CLOSE", "UNLISTEN", "SHOW")
CONTROL = frozenset((*_OF_TRANSACTIONS, *_OF_SESSIONS))
"""First words of statements that steer transactions and sessions."""
_ENDINGS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})
_BEGINNINGS = frozenset({"BEGIN", "START"})
UNSEEN = "COMMIT /* prepared */"
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*\n?|/\*.*?\*/)+", re.DOTALL)
_OF_KEYS = re.compile(r"\A(SELECT \S+ |DELETE |UPDATE )(FROM )?ONLY .* OPERATOR\(pg_catalog\.", re.DOTALL)
"""What a foreign key that is checked at COMMIT asks the server itself, which counts it as if a client had sent it."""
_UNLOCK = "SELECT pg_advisory_unlock_all()"
_OLDEST = 140000

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Counted:
    """What arrived at the server: statements, those that steer transactions and sessions, transactions ended."""

    statements: int
    control: int
    transactions: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Meter:
    """The server's own count of statements, by database; `why` says why there is none."""

    connection: Any = field(repr=False)
    why: str = ""

    @contextmanager
    def another(self) -> Iterator[Connection]:
        """Give another connection to the same place."""
        info = self.connection.info
        with closing(psycopg.connect(info.dsn, password=info.password or None, autocommit=True)) as connection:
            yield connection

    def reset(self, database: str) -> None:
        """Begin to count anew."""
        if not self.why:
            reset = "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = %s"
            self.connection.execute(reset, [database])

    def read(self, database: str) -> Counted | None:
        """Return what was counted since; None where the server does not count."""
        if self.why:
            return None
        query = (
            "SELECT query, calls FROM pg_stat_statements JOIN pg_database ON oid = dbid "
            "WHERE datname = %s AND toplevel ORDER BY calls DESC, query"
        )
        rows = [(str(text), int(calls)) for text, calls in self.connection.execute(query, [database])]
        return counted([(text, calls) for text, calls in rows if not _OF_KEYS.match(text)])


def counted(found: list[tuple[str, int]]) -> Counted:
    """Return statements with their calls as counts.

    A transaction that has begun has ended: where the server shows no end of it, a driver keeps COMMIT prepared, which
    pg_stat_statements counts the first time alone.
    """
    unseen = _begun(found) - _ended(found)
    found = [*found, (UNSEEN, unseen)] if unseen > 0 else found
    control = [(text, calls) for text, calls in found if is_control(text)]
    rest = [(text, calls) for text, calls in found if not is_control(text)]
    return Counted(
        sum(calls for _, calls in rest),
        sum(calls for _, calls in control),
        _ended(control),
        tuple(f"{calls} × {' '.join(text.split())}" for text, calls in (*rest, *control)),
    )


def _begun(found: list[tuple[str, int]]) -> int:
    return sum(calls for text, calls in found if _first_word(text) in _BEGINNINGS)


def _ended(found: list[tuple[str, int]]) -> int:
    return sum(calls for text, calls in found if _first_word(text) in _ENDINGS and not _to_savepoint(text))


def is_control(statement: str) -> bool:
    """Return whether a statement only steers its transaction or session."""
    return _first_word(statement) in CONTROL or statement.strip() == _UNLOCK


def _first_word(statement: str) -> str:
    bare = _COMMENT.sub("", statement)
    return re.split(r"[\s;(]", bare, maxsplit=1)[0].upper()


def _to_savepoint(statement: str) -> bool:
    return bool(re.match(r"ROLLBACK\s+(WORK\s+|TRANSACTION\s+)?TO\b", _COMMENT.sub("", statement), re.IGNORECASE))


@contextmanager
def meter(on: str) -> Iterator[Meter]:
    """Give the meter of a server, which looks on from a throwaway database of its own."""
    from sqlalchemy import MetaData

    with sandbox(Plan("meter", MetaData()), on=on, create=False) as office, office.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.rollback()
        raw.autocommit = True
        why = _prepare(raw)
        if on == "postgresql" and not why:
            _forget_dropped(raw)
        yield Meter(raw, why)
        raw.autocommit = False


def _forget_dropped(connection: Connection) -> None:
    """Forget the statements of databases that are gone: thousands of them slow every look at those that are there."""
    gone = connection.execute("SELECT DISTINCT dbid FROM pg_stat_statements(false) EXCEPT SELECT oid FROM pg_database")
    for dbid in gone.fetchall():
        connection.execute("SELECT pg_stat_statements_reset(0, %s, 0)", dbid)


def _prepare(connection: Connection) -> str:
    """Have the server count; return why it does not."""
    if connection.info.server_version < _OLDEST:
        return "the server is older than PostgreSQL 14, whose pg_stat_statements tells no top level"
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        connection.execute("SELECT pg_stat_statements_reset(0, (SELECT max(oid) FROM pg_database), 0)")
        utility = connection.execute("SHOW pg_stat_statements.track_utility").fetchone()
        tracked = connection.execute("SHOW pg_stat_statements.track").fetchone()
    except psycopg.Error as error:
        said = error.diag.message_primary or " ".join(str(error).split())
        return f"the server does not let us count statements by pg_stat_statements: {said}"
    if utility != ("on",) or tracked == ("none",):
        return "pg_stat_statements is set not to track every statement (track, track_utility)"
    return ""
