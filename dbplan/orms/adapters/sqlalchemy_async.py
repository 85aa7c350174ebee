"""SQLAlchemy's ORM on asyncpg or aiosqlite, as the documentation of its asyncio extension has it.

Sessions do not expire what they commit: there is no awaiting an attribute. Reads use an AUTOCOMMIT engine, writes
`async_sessionmaker.begin()`; a session lives for one call. Children come by `selectinload`, parents by `joinedload`;
many rows go in by one `insert()` with a list; an upsert is the database's own `insert().on_conflict_do_update`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from dbplan.orms.adapters import alchemy_statements as statements
from dbplan.orms.adapters.alchemy_engines import engine
from dbplan.orms.adapters.alchemy_loading import bound, identity
from dbplan.orms.adapters.alchemy_models import Models
from dbplan.orms.adapters.alchemy_statements import Bound
from dbplan.orms.adapters.drivers import driver
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = True


class Database:
    """An engine, the sessions that read and those that write, and the models."""

    session: Any = AsyncSession
    """The class of its sessions."""

    def __init__(self, study: Study) -> None:
        self.engine = engine(study, create_async_engine, driver="asyncpg", sqlite="aiosqlite")
        self.writes = async_sessionmaker(self.engine, class_=self.session, expire_on_commit=False)
        self.reads = async_sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"), class_=self.session, expire_on_commit=False
        )
        self.models = Models(study, self.engine.dialect)

    async def rows(self, b: Bound, statement: Any) -> list[Row]:
        """Return what is selected as rows."""
        async with self.reads() as session:
            found: list[Row] = b.read.rows(await session.scalars(statement))
            return found


async def open(study: Study) -> Database:
    """Load the models and make an engine."""
    return Database(study)


async def close(db: Database) -> None:
    """Disconnect."""
    await db.engine.dispose()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": sqlalchemy.__version__, "driver": driver("asyncpg", sqlite="aiosqlite")}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    async with db.reads() as session:
        (await session.execute(select(1))).scalar_one()


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the classes, attributes and relationships of a scenario."""
    return bound(db.models, scenario, select)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Return parameters as a user of the models holds them."""
    return statements.adapted(b, params)


async def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Add an instance."""
    async with db.writes.begin() as session:
        made = b.own.entity(**params["row"])
        session.add(made)
        await session.flush()
        return dict(b.read.row(made))


async def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert rows by one insert with a list."""
    rows = params["rows"]
    async with db.writes.begin() as session:
        await session.execute(statements.bulk_insert(b), rows)
        return len(rows)


async def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key."""
    async with db.reads() as session:
        found = await session.get(b.own.entity, identity(b, params))
        return None if found is None else b.read.row(found)


async def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a value."""
    return await db.rows(b, statements.filtered_list(b, params))


async def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select what comes after a row."""
    return await db.rows(b, statements.keyset_page(b, params))


async def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a key of a document."""
    return await db.rows(b, statements.json_filter(b, params))


async def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with parents, by joinedload."""
    return await db.rows(b, statements.list_to_one(b, params))


async def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with children, by selectinload."""
    return await db.rows(b, statements.include(b, params))


deep_include = nested_include


async def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    async with db.reads() as session:
        return statements.totals(b, (await session.execute(statements.aggregate(b))).all())


async def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    async with db.writes.begin() as session:
        done: Any = await session.execute(statements.update_one(b, params))
        return int(done.rowcount)


async def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict update."""
    async with db.writes.begin() as session:
        done: Any = await session.execute(statements.upsert(b, params), execution_options={"preserve_rowcount": True})
        return int(done.rowcount)


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and add another, in one transaction."""
    async with db.writes.begin() as session:
        return await changed(session, b, params)


async def changed(session: AsyncSession, b: Bound, params: Row) -> Row:
    """Return the row as it was, locked by a session that changes it and adds another."""
    found = await session.get(b.own.entity, identity(b, params), with_for_update=True)
    if found is None:
        raise LookupError("the row to lock is not there")
    row: Row = b.read.row(found)
    setattr(found, b.own.names[b.scenario.update], params["value"])
    session.add(b.target.entity(**params["row"]))
    return row


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    async with db.writes.begin() as session:
        done: Any = [await session.execute(statement) for statement in statements.deletions(b, params)]
        return int(done[-1].rowcount)
