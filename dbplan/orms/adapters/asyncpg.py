"""asyncpg by hand, the baseline of Python's asynchronous contestants.

JSON goes through a codec in binary form, so that COPY takes it as well; many rows go in by `copy_records_to_table`.
The pool is asyncpg's own with its defaults: it resets a connection, in one statement of several commands, whenever it
comes back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import asyncpg

from dbplan.orms.adapters.handwritten import Among, Bound, Level, Words, bound
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = True


class Database:
    """A pool, and what the tables are."""

    def __init__(self, study: Study, pool: Any) -> None:
        self.study, self.pool = study, pool


async def open(study: Study) -> Database:
    """Connect."""
    pool = await asyncpg.create_pool(**study.url, min_size=1, max_size=study.pool, init=_codecs)
    return Database(study, pool)


async def _codecs(connection: Any) -> None:
    def text(value: Any) -> bytes:
        return json.dumps(value).encode()

    # jsonb in binary is a version, 1, and then the text
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + text(value),
        decoder=lambda data: json.loads(data[1:]),
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=text, decoder=lambda data: json.loads(data)
    )


async def close(db: Database) -> None:
    """Disconnect."""
    await db.pool.close()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": asyncpg.__version__, "driver": f"asyncpg {asyncpg.__version__}"}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    await db.pool.fetchval("SELECT 1")


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Write the statements of a scenario."""
    return bound(Words(db.study.tables, quoted, lambda number: f"${number}"), scenario)


def quoted(name: str) -> str:
    """Return an identifier in quotation marks."""
    return '"' + name.replace('"', '""') + '"'


async def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Insert a row and return it as the database has it."""
    row = params["row"]
    return dict(await db.pool.fetchrow(b.insert(row), *row.values()))


async def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert rows by COPY."""
    rows = params["rows"]
    names = list(rows[0])
    facts = db.study.tables[b.scenario.table]
    done = await db.pool.copy_records_to_table(
        facts.name,
        records=[[row[name] for name in names] for row in rows],
        columns=names,
        schema_name=facts.schema,
    )
    return _count(done)


def _count(status: str) -> int:
    """Return the rows that a command's status tells of, as in `UPDATE 1`."""
    return int(status.rpartition(" ")[2])


async def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Read a row by its key."""
    found = await db.pool.fetchrow(b.sql, *_key(b, params))
    return None if found is None else dict(found)


async def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read rows by a value."""
    return await _all(db.pool, b.sql, [params["value"]])


async def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read the rows that come after one."""
    return await _all(db.pool, b.sql, [params["after"][name] for name in b.scenario.order])


async def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read rows by a key of their document."""
    return await _all(db.pool, b.sql, [b.scenario.path, params["value"]])


async def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Count and add up by group."""
    return await _all(db.pool, b.sql, [])


async def _all(on: Any, statement: str, given: Sequence[Any]) -> list[Row]:
    return [dict(found) for found in await on.fetch(statement, *given)]


def _key(b: Bound, params: Row) -> list[Any]:
    return [params["key"][name] for name in b.key]


async def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read rows with what they refer to, by one LEFT JOIN."""
    after = [params["after"][name] for name in b.key]
    return [b.sql.row(tuple(found)) for found in await db.pool.fetch(b.sql.sql, *after)]


async def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read parents and then their children, by one statement for each level."""
    among, level = b.sql
    async with db.pool.acquire() as connection:
        rows = await _among(connection, among, [tuple(key[name] for name in b.key) for key in params["keys"]])
        await _children(connection, level, rows)
        return rows


deep_include = nested_include


async def _among(connection: Any, among: Among, keys: list[tuple[Any, ...]]) -> list[Row]:
    return await _all(connection, among.sql(len(keys)), among.given(keys)) if keys else []


async def _children(connection: Any, level: Level, rows: list[Row]) -> None:
    children = await _among(connection, level.among, level.keys(rows))
    level.attach(rows, children)
    if level.below is not None:
        await _children(connection, level.below, children)


async def update_one(db: Database, b: Bound, params: Row) -> int:
    """Set a column of one row."""
    return _count(await db.pool.execute(b.sql, params["value"], *_key(b, params)))


async def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert a row, or set a column of the one that is there."""
    row = params["row"]
    return _count(await db.pool.execute(b.insert(row), *row.values()))


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock a row, change it and insert another, in one transaction."""
    lock, update = b.sql
    key, row = _key(b, params), params["row"]
    async with db.pool.acquire() as connection, connection.transaction():
        found = await connection.fetchrow(lock, *key)
        if found is None:
            raise LookupError("the row to lock is not there")
        await connection.execute(update, params["value"], *key)
        await connection.execute(b.insert(row), *row.values())
        return dict(found)


def _whole(connection: Any, b: Bound) -> AbstractAsyncContextManager[object]:
    """Give a transaction where there are several statements; one is whole by itself."""
    return connection.transaction() if len(b.sql) > 1 else nullcontext()


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete a row, and before it what the database would not delete with it."""
    key = params["key"]
    async with db.pool.acquire() as connection, _whole(connection, b):
        done = [await connection.execute(delete, *(key[name] for name in names)) for delete, names in b.sql]
        return _count(done[-1])
