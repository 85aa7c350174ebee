"""SQLModel on asyncpg or aiosqlite: its own classes, select, AsyncSession and exec.

A write is `add`, `commit` and, where the row is wanted, `refresh`, as its documentation has it. That tells nothing of
asynchronous sessions: engine, AUTOCOMMIT and `expire_on_commit=False` are as SQLAlchemy's documentation has them, and
what sessions do without `exec` is what SQLAlchemy's do.
"""

from __future__ import annotations

from typing import Any

import sqlmodel
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from dbplan.orms.adapters import alchemy_statements as statements
from dbplan.orms.adapters import sqlalchemy_async
from dbplan.orms.adapters.alchemy_loading import bound
from dbplan.orms.adapters.alchemy_statements import Bound
from dbplan.orms.adapters.drivers import driver
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = True


class Database(sqlalchemy_async.Database):
    """An engine, SQLModel's sessions that read and those that write, and the models."""

    session = AsyncSession

    async def rows(self, b: Bound, statement: Any) -> list[Row]:
        """Return what is selected as rows."""
        async with self.reads() as session:
            found: list[Row] = b.read.rows(await session.exec(statement))
            return found


async def open(study: Study) -> Database:
    """Load the models and make an engine."""
    return Database(study)


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": sqlmodel.__version__, "driver": driver("asyncpg", sqlite="aiosqlite")}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    async with db.reads() as session:
        (await session.exec(select(1))).one()


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the classes, attributes and relationships of a scenario."""
    return bound(db.models, scenario, select)


close = sqlalchemy_async.close
adapt = sqlalchemy_async.adapt
point_read = sqlalchemy_async.point_read
filtered_list = sqlalchemy_async.filtered_list
keyset_page = sqlalchemy_async.keyset_page
json_filter = sqlalchemy_async.json_filter
list_to_one = sqlalchemy_async.list_to_one
nested_include = sqlalchemy_async.nested_include
deep_include = sqlalchemy_async.deep_include


async def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Add an instance."""
    async with db.writes() as session:
        made = b.own.entity(**params["row"])
        session.add(made)
        await session.commit()
        await session.refresh(made)
        return dict(b.read.row(made))


async def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert rows by one insert with a list."""
    async with db.writes() as session:
        await session.exec(statements.bulk_insert(b), params=params["rows"])
        await session.commit()
        return len(params["rows"])


async def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    async with db.reads() as session:
        return statements.totals(b, (await session.exec(statements.aggregate(b))).all())


async def _done(db: Database, *given: Any, **options: Any) -> int:
    """Execute statements in one transaction; return how many rows the last one has met."""
    async with db.writes() as session:
        done: Any = [await session.exec(statement, **options) for statement in given]
        await session.commit()
        return int(done[-1].rowcount)


async def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    return await _done(db, statements.update_one(b, params))


async def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict update."""
    return await _done(db, statements.upsert(b, params), execution_options={"preserve_rowcount": True})


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    return await _done(db, *statements.deletions(b, params))


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and add another, in one transaction."""
    async with db.writes() as session:
        row = await sqlalchemy_async.changed(session, b, params)
        await session.commit()
        return row
