"""The standard library's sqlite3 by hand, the reference on SQLite: every other contestant's results must equal these.

Connections are in autocommit and kept in a pool; several writes stand between BEGIN IMMEDIATE and COMMIT, for a
transaction that reads first would be refused where another has written since. Values are stored by adapters of the
module, and made of what is read by hand.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from dbplan.orms.adapters.handwritten import Among, Bound, Level
from dbplan.orms.adapters.joining import Row
from dbplan.orms.adapters.sqlite_values import BoundFile, Reader, adapted, bound, register, totals, with_parent
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = False


class Database:
    """Connections that are handed out, and what the tables are."""

    def __init__(self, study: Study) -> None:
        register()
        self.study = study
        self.seats = BoundedSemaphore(study.pool)
        self.free: deque[sqlite3.Connection] = deque([self.connect()])

    def connect(self) -> sqlite3.Connection:
        """Open a connection."""
        url = self.study.url
        made = sqlite3.connect(
            url["database"], timeout=url["busy_timeout"] / 1000, isolation_level=None, check_same_thread=False
        )
        made.execute("PRAGMA foreign_keys = ON")
        made.execute("PRAGMA synchronous = FULL")
        return made

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection."""
        with self.seats:
            try:
                lent = self.free.pop()
            except IndexError:
                lent = self.connect()
            try:
                yield lent
            finally:
                self.free.append(lent)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection whose work is committed at the end, or undone."""
        with self.connection() as lent:
            lent.execute("BEGIN IMMEDIATE")
            try:
                yield lent
            except BaseException:
                lent.execute("ROLLBACK")
                raise
            lent.execute("COMMIT")


def open(study: Study) -> Database:
    """Connect."""
    return Database(study)


def close(db: Database) -> None:
    """Disconnect."""
    while db.free:
        db.free.pop().close()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": sys.version.split()[0], "driver": f"SQLite {sqlite3.sqlite_version}"}


def ping(db: Database) -> None:
    """Ask for an answer."""
    with db.connection() as connection:
        connection.execute("SELECT 1").fetchone()


def bind(db: Database, scenario: Scenario) -> BoundFile:
    """Write the statements of a scenario."""
    return bound(db.study, scenario)


def adapt(db: Database, b: Bound, params: Row) -> Row:
    """Mark documents."""
    return adapted(db.study, b, params)


def _rows(connection: sqlite3.Connection, statement: str, given: Sequence[Any], reader: Reader) -> list[Row]:
    cursor = connection.execute(statement, given)
    names = [column[0] for column in cursor.description]
    return [reader.row(dict(zip(names, found, strict=True))) for found in cursor.fetchall()]


def insert_one(db: Database, b: BoundFile, params: Row) -> Row:
    """Insert a row and return it as the database has it."""
    row = params["row"]
    with db.connection() as connection:
        return _rows(connection, b.insert(row), list(row.values()), b.reader)[0]


def bulk_insert(db: Database, b: BoundFile, params: Row) -> int:
    """Insert rows by executemany, in one transaction."""
    rows = params["rows"]
    with db.transaction() as connection:
        return int(connection.executemany(b.insert(rows[0]), [list(row.values()) for row in rows]).rowcount)


def _key(b: Bound, params: Row) -> list[Any]:
    return [params["key"][name] for name in b.key]


def _all(db: Database, b: BoundFile, given: Sequence[Any]) -> list[Row]:
    with db.connection() as connection:
        return _rows(connection, b.sql, given, b.reader)


def point_read(db: Database, b: BoundFile, params: Row) -> Row | None:
    """Read a row by its key."""
    found = _all(db, b, _key(b, params))
    return found[0] if found else None


def filtered_list(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read rows by a value."""
    return _all(db, b, [params["value"]])


def keyset_page(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read the rows that come after one."""
    return _all(db, b, [params["after"][name] for name in b.scenario.order])


def json_filter(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read rows by a key of their document."""
    return _all(db, b, [b.scenario.path, params["value"]])


def aggregate(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Count and add up by group."""
    with db.connection() as connection:
        return totals(b, db.study, connection.execute(b.sql).fetchall())


def list_to_one(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read rows with what they refer to, by one LEFT JOIN."""
    after = [params["after"][name] for name in b.key]
    with db.connection() as connection:
        return [with_parent(b, found) for found in connection.execute(b.sql.sql, after).fetchall()]


def nested_include(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read parents and then their children, by one statement for each level."""
    among, level = b.sql
    with db.connection() as connection:
        rows = _among(connection, among, [tuple(key[name] for name in b.key) for key in params["keys"]], b.reader)
        _children(connection, level, rows, b.below)
        return rows


deep_include = nested_include


def _among(connection: sqlite3.Connection, among: Among, keys: list[tuple[Any, ...]], reader: Reader) -> list[Row]:
    return _rows(connection, among.sql(len(keys)), among.given(keys), reader) if keys else []


def _children(connection: sqlite3.Connection, level: Level, rows: list[Row], readers: Sequence[Reader]) -> None:
    children = _among(connection, level.among, level.keys(rows), readers[0])
    level.attach(rows, children)
    if level.below is not None:
        _children(connection, level.below, children, readers[1:])


def update_one(db: Database, b: BoundFile, params: Row) -> int:
    """Set a column of one row."""
    with db.connection() as connection:
        return int(connection.execute(b.sql, [params["value"], *_key(b, params)]).rowcount)


def upsert(db: Database, b: BoundFile, params: Row) -> int:
    """Insert a row, or set a column of the one that is there."""
    row = params["row"]
    with db.connection() as connection:
        return int(connection.execute(b.insert(row), list(row.values())).rowcount)


def transaction(db: Database, b: BoundFile, params: Row) -> Row:
    """Take the write lock, read a row, change it and insert another."""
    read, update = b.sql
    key, row = _key(b, params), params["row"]
    with db.transaction() as connection:
        found = _rows(connection, read, key, b.reader)
        if not found:
            raise LookupError("the row to change is not there")
        connection.execute(update, [params["value"], *key])
        connection.execute(b.insert(row), list(row.values()))
        return found[0]


def delete_cascade(db: Database, b: BoundFile, params: Row) -> int:
    """Delete a row, and before it what the database would not delete with it."""
    key = params["key"]
    with db.transaction() if len(b.sql) > 1 else db.connection() as connection:  # one is whole by itself
        done = [connection.execute(delete, [key[name] for name in names]).rowcount for delete, names in b.sql]
        return int(done[-1])
