"""Peewee on asyncpg or aiosqlite, as the documentation of `playhouse.pwasyncio` has it.

The exported models are Peewee's plain ones, which their DatabaseProxy binds to the asynchronous database: queries go by
`aexecute()` and `list()`, what a model does itself by `run()`. Each call takes a connection by `async with`,
several writes stand in `async with atomic()`; all else is as in the synchronous adapter.
asyncpg refuses bytes, which Peewee wraps for psycopg.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from typing import Any

from peewee import BlobField
from playhouse.pwasyncio import AsyncPostgresqlDatabase, AsyncSqliteDatabase

from dbplan.errors import NotCovered
from dbplan.orms.adapters import peewee_statements as statements
from dbplan.orms.adapters.drivers import driver, is_sqlite, on_sqlite
from dbplan.orms.adapters.peewee_models import Database, Face, Row, login, pragmas
from dbplan.orms.adapters.peewee_statements import Bound, bound
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = True
WAIT = 30
"""Seconds for a connection of the pool, as the synchronous pool waits."""


def _server(study: Study) -> Any:
    url = study.url
    return AsyncPostgresqlDatabase(url["database"], pool_size=study.pool, acquire_timeout=WAIT, **login(study))


def _file(study: Study) -> Any:
    return AsyncSqliteDatabase(
        study.url["database"],
        pool_size=study.pool,
        acquire_timeout=WAIT,
        pragmas=pragmas(study),
        lock_type="IMMEDIATE",
    )


async def open(study: Study) -> Database:
    """Load the models and make a pool, which connects at the first call."""
    return Database(study, _file(study) if is_sqlite(study) else _server(study))


async def close(db: Database) -> None:
    """Disconnect."""
    await db.pool.close_pool()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": metadata.version("peewee"), "driver": driver("asyncpg", sqlite="aiosqlite")}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    async with db.pool:
        (await db.pool.aexecute_sql("SELECT 1")).fetchone()


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the models, fields and relations of a scenario; NotCovered where it gives bytes to asyncpg."""
    made = bound(db.models, scenario)
    for face, name in _given(made):
        if not on_sqlite() and _wraps(face.fields[name]):
            raise NotCovered(f"Peewee wraps the bytes of {face.table}.{name} for psycopg, and asyncpg refuses them")
    return made


def _wraps(field: Any) -> bool:
    blob: Any = BlobField
    return isinstance(field, blob) and not isinstance(field.db_value(b""), bytes)


def _given(b: Bound) -> Iterator[tuple[Face, str]]:
    """Yield the columns that values are given for: of new rows, of keys, and what is compared or set."""
    s = b.scenario
    if s.name in ("insert_one", "bulk_insert", "upsert", "transaction"):
        yield from ((b.target, name) for name in (s.insert or s).columns)
    compared = {"filtered_list": (s.filter,), "keyset_page": s.order, "aggregate": (), "json_filter": ()}
    yield from ((b.own, name) for name in compared.get(s.name, [key.column_name for key in b.own.key]))
    if s.update:
        yield b.own, s.update


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Return parameters as a user of the models holds them."""
    return statements.adapted(b, params)


async def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    async with db.pool:
        return b.read.row(await db.pool.run(b.own.model.create, **params["row"]))


async def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert many rows in parts, in one transaction."""
    async with db.pool, db.pool.atomic():
        return sum([await query.aexecute() for query in statements.bulk_inserts(b, params)])


async def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key, or none."""
    async with db.pool:
        found = await db.pool.run(b.own.model.get_or_none, b.own.equal(params["key"]))
        return None if found is None else b.read.row(found)


async def _all(db: Database, b: Bound, query: Any) -> list[Row]:
    async with db.pool:
        return b.read.rows(await db.pool.list(query))


async def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a value."""
    return await _all(db, b, statements.filtered_list(b, params))


async def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select what comes after a row."""
    return await _all(db, b, statements.keyset_page(b, params))


async def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a key of a document."""
    return await _all(db, b, statements.json_filter(b, params))


async def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with parents, by a join."""
    return await _all(db, b, statements.list_to_one(b, params))


async def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with children, by one more query for each level."""
    return await _all(db, b, statements.include(b, params))


deep_include = nested_include


async def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    async with db.pool:
        return statements.totals(await db.pool.list(statements.aggregate(b)))


async def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    async with db.pool:
        return int(await statements.update_one(b, params).aexecute())


async def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict keep the new value."""
    async with db.pool:
        return int(await statements.upsert(b, params).aexecute())


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and create another, in one transaction."""
    async with db.pool, db.pool.atomic():
        found = await db.pool.get(statements.locked(b, params))
        row = b.read.row(found)
        setattr(found, b.updated.name, params["value"])
        await db.pool.run(found.save, only=[b.updated])
        await db.pool.run(b.target.model.create, **params["row"])
        return row


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    async with db.pool, db.pool.atomic():
        return [int(await query.aexecute()) for query in statements.deletions(b, params)][-1]
