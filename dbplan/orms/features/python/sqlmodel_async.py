"""SQLModel on asyncpg: its own AsyncSession, select and exec; what a session does without them is as SQLAlchemy's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import with_loader_criteria
from sqlmodel import col, select

from dbplan.orms.features.python import sqlalchemy_async
from dbplan.orms.features.questions import DOCUMENT, MANY, account
from dbplan.orms.features.seeing import typed_seen

enums = sqlalchemy_async.enums
decimals = sqlalchemy_async.decimals
composite_keys = sqlalchemy_async.composite_keys
cascades = sqlalchemy_async.cascades
transactions = sqlalchemy_async.transactions
savepoints = sqlalchemy_async.savepoints
streaming = sqlalchemy_async.streaming
migrations = sqlalchemy_async.migrations


def _entity(db: Any) -> Any:
    return db.models.mapped("accounts").entity


async def _all(db: Any, query: Any) -> list[Any]:
    async with db.reads() as session:
        return list(await session.exec(query))


async def _written(db: Any, *given: Any, **options: Any) -> None:
    async with db.writes() as session:
        for statement in given:
            await session.exec(statement, **options)
        await session.commit()


async def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    entity = _entity(db)
    async with db.writes() as session:
        session.add_all([entity(**account(profile=DOCUMENT)), entity(**account(2))])
        await session.commit()
    found = await _all(db, select(entity).where(entity.profile["city"].astext == DOCUMENT["city"]))
    return {"read": found[0].profile, "found": [one.id for one in found]}


async def upsert(db: Any) -> dict[str, Any]:
    """Insert on conflict do update, in SQLAlchemy's words."""
    made = [
        postgresql.insert(_entity(db)).values(**account(number, balance=Decimal(balance)))
        for number, balance in ((1, 2), (2, 3))
    ]
    changed = [one.on_conflict_do_update(index_elements=["id"], set_={"balance": one.excluded.balance}) for one in made]
    await _written(db, *changed)
    return {}


async def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert a list, in SQLAlchemy's words."""
    await _written(db, insert(_entity(db)), params=[account(number) for number in range(1, MANY + 1)])
    return {"batched": "asyncpg's executemany"}


async def soft_delete(db: Any) -> dict[str, Any]:
    """Have every query leave out what is gone, by SQLAlchemy's event and a criterion on the entity."""
    entity = _entity(db)

    def without_gone(state: Any) -> None:
        state.statement = state.statement.options(with_loader_criteria(entity, col(entity.gone_at).is_(None)))

    await _written(db, text("UPDATE accounts SET gone_at = now() WHERE id = 1"))
    async with db.reads() as session:
        event.listen(session.sync_session, "do_orm_execute", without_gone)
        visible = [one.id for one in await session.exec(select(entity))]
    return {"visible": visible, "built_in": False, "how": "by SQLAlchemy's do_orm_execute with with_loader_criteria"}


async def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    rows = await _all(db, text("SELECT id, email FROM accounts WHERE id = :id").bindparams(id=1))
    objects = await _all(db, select(_entity(db)).from_statement(text("SELECT * FROM accounts")))
    return {"rows": [list(row) for row in rows], "objects": len(objects) == 2}


async def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    source = (
        "from models import Account\n"
        "from sqlmodel import select\nfrom sqlmodel.ext.asyncio.session import AsyncSession\n"
        "async def f(session: AsyncSession) -> None:\n    one = (await session.exec(select(Account))).one()"
    )
    return typed_seen(source, indent="    ")
