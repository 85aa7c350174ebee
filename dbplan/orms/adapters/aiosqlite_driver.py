"""aiosqlite by hand, the baseline of Python's asynchronous contestants on SQLite.

It is sqlite3 in a thread for each connection, and is used as that: connections in autocommit, several writes between
BEGIN IMMEDIATE and COMMIT, each statement with its rows by one `execute_fetchall`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiosqlite

from dbplan.orms.adapters.handwritten import Among, Bound, Level
from dbplan.orms.adapters.joining import Row
from dbplan.orms.adapters.sqlite_values import BoundFile, Reader, adapted, bound, register, totals, with_parent
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = True


class Database:
    """Connections that are handed out, and what the tables are."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.seats = asyncio.Semaphore(study.pool)
        self.free: list[Any] = []

    async def connect(self) -> Any:
        """Open a connection."""
        url = self.study.url
        made = await aiosqlite.connect(url["database"], timeout=url["busy_timeout"] / 1000, isolation_level=None)
        made.row_factory = sqlite3.Row
        await made.execute("PRAGMA foreign_keys = ON")
        await made.execute("PRAGMA synchronous = FULL")
        return made

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Lend a connection."""
        async with self.seats:
            lent = self.free.pop() if self.free else await self.connect()
            try:
                yield lent
            finally:
                self.free.append(lent)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Lend a connection whose work is committed at the end, or undone."""
        async with self.connection() as lent:
            await lent.execute("BEGIN IMMEDIATE")
            try:
                yield lent
            except BaseException:
                await lent.execute("ROLLBACK")
                raise
            await lent.execute("COMMIT")


async def open(study: Study) -> Database:
    """Connect."""
    register()
    db = Database(study)
    db.free.append(await db.connect())
    return db


async def close(db: Database) -> None:
    """Disconnect."""
    while db.free:
        await db.free.pop().close()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": aiosqlite.__version__, "driver": f"SQLite {sqlite3.sqlite_version}"}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    async with db.connection() as connection:
        await connection.execute_fetchall("SELECT 1")


async def bind(db: Database, scenario: Scenario) -> BoundFile:
    """Write the statements of a scenario."""
    return bound(db.study, scenario)


def adapt(db: Database, b: Bound, params: Row) -> Row:
    """Mark documents."""
    return adapted(db.study, b, params)


async def _rows(connection: Any, statement: str, given: Sequence[Any], reader: Reader) -> list[Row]:
    return [reader.row(dict(found)) for found in await connection.execute_fetchall(statement, given)]


async def insert_one(db: Database, b: BoundFile, params: Row) -> Row:
    """Insert a row and return it as the database has it."""
    row = params["row"]
    async with db.connection() as connection:
        return (await _rows(connection, b.insert(row), list(row.values()), b.reader))[0]


async def bulk_insert(db: Database, b: BoundFile, params: Row) -> int:
    """Insert rows by executemany, in one transaction."""
    rows = params["rows"]
    async with db.transaction() as connection:
        done = await connection.executemany(b.insert(rows[0]), [list(row.values()) for row in rows])
        return int(done.rowcount)


def _key(b: Bound, params: Row) -> list[Any]:
    return [params["key"][name] for name in b.key]


async def _all(db: Database, b: BoundFile, given: Sequence[Any]) -> list[Row]:
    async with db.connection() as connection:
        return await _rows(connection, b.sql, given, b.reader)


async def point_read(db: Database, b: BoundFile, params: Row) -> Row | None:
    """Read a row by its key."""
    found = await _all(db, b, _key(b, params))
    return found[0] if found else None


async def filtered_list(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read rows by a value."""
    return await _all(db, b, [params["value"]])


async def keyset_page(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read the rows that come after one."""
    return await _all(db, b, [params["after"][name] for name in b.scenario.order])


async def json_filter(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read rows by a key of their document."""
    return await _all(db, b, [b.scenario.path, params["value"]])


async def aggregate(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Count and add up by group."""
    async with db.connection() as connection:
        return totals(b, db.study, await connection.execute_fetchall(b.sql))


async def list_to_one(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read rows with what they refer to, by one LEFT JOIN."""
    after = [params["after"][name] for name in b.key]
    async with db.connection() as connection:
        return [with_parent(b, tuple(found)) for found in await connection.execute_fetchall(b.sql.sql, after)]


async def nested_include(db: Database, b: BoundFile, params: Row) -> list[Row]:
    """Read parents and then their children, by one statement for each level."""
    among, level = b.sql
    async with db.connection() as connection:
        rows = await _among(connection, among, [tuple(key[name] for name in b.key) for key in params["keys"]], b.reader)
        await _children(connection, level, rows, b.below)
        return rows


deep_include = nested_include


async def _among(connection: Any, among: Among, keys: list[tuple[Any, ...]], reader: Reader) -> list[Row]:
    return await _rows(connection, among.sql(len(keys)), among.given(keys), reader) if keys else []


async def _children(connection: Any, level: Level, rows: list[Row], readers: Sequence[Reader]) -> None:
    children = await _among(connection, level.among, level.keys(rows), readers[0])
    level.attach(rows, children)
    if level.below is not None:
        await _children(connection, level.below, children, readers[1:])


async def update_one(db: Database, b: BoundFile, params: Row) -> int:
    """Set a column of one row."""
    async with db.connection() as connection:
        return int((await connection.execute(b.sql, [params["value"], *_key(b, params)])).rowcount)


async def upsert(db: Database, b: BoundFile, params: Row) -> int:
    """Insert a row, or set a column of the one that is there."""
    row = params["row"]
    async with db.connection() as connection:
        return int((await connection.execute(b.insert(row), list(row.values()))).rowcount)


async def transaction(db: Database, b: BoundFile, params: Row) -> Row:
    """Take the write lock, read a row, change it and insert another."""
    read, update = b.sql
    key, row = _key(b, params), params["row"]
    async with db.transaction() as connection:
        found = await _rows(connection, read, key, b.reader)
        if not found:
            raise LookupError("the row to change is not there")
        await connection.execute(update, [params["value"], *key])
        await connection.execute(b.insert(row), list(row.values()))
        return found[0]


async def delete_cascade(db: Database, b: BoundFile, params: Row) -> int:
    """Delete a row, and before it what the database would not delete with it."""
    key = params["key"]
    async with db.transaction() if len(b.sql) > 1 else db.connection() as connection:  # one is whole by itself
        done = [(await connection.execute(text, [key[name] for name in names])).rowcount for text, names in b.sql]
        return int(done[-1])
