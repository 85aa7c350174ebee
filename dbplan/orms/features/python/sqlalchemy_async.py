"""SQLAlchemy's ORM on asyncpg."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import event, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, selectinload, with_loader_criteria

from dbplan.orms.features.judging import PARTLY
from dbplan.orms.features.python.sqlalchemy import changes
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import awaited_refusal, decimal_seen, enum_seen, typed_seen


def _entity(db: Any, table: str = "accounts") -> Any:
    return db.models.mapped(table).entity


def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return _entity(db)(**account(number, **values))


async def _add(db: Any, *made: Any) -> None:
    async with db.writes.begin() as session:
        session.add_all(made)


async def _first(db: Any, table: str = "accounts") -> Any:
    async with db.reads() as session:
        return await session.get(_entity(db, table), 1)


async def enums(db: Any) -> dict[str, Any]:
    """Write a member, and a label that there is not."""
    entity = _entity(db, "members")
    await _add(db, entity(id=1, status=entity.__table__.c.status.type.python_type("paused")))
    error = await awaited_refusal(_add(db, entity(id=2, status="nonsense")))
    return enum_seen((await _first(db, "members")).status, error)


async def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    await _add(db, _made(db, balance=EXACT))
    return decimal_seen((await _first(db)).balance)


async def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    await _add(db, _made(db, profile=DOCUMENT), _made(db, 2))
    entity = _entity(db)
    async with db.reads() as session:
        query = select(entity).where(entity.profile["city"].astext == DOCUMENT["city"])
        found = (await session.scalars(query)).all()
    return {"read": (await _first(db)).profile, "found": [one.id for one in found]}


async def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns, and what refers to it."""
    entity = _entity(db, "entries")
    async with db.reads() as session:
        found = await session.get(entity, (1, 2), options=[selectinload(entity.parts)])
        return {"note": found.note, "related": [part.id for part in found.parts]}


async def upsert(db: Any) -> dict[str, Any]:
    """Insert on conflict do update."""
    async with db.writes.begin() as session:
        for number, balance in ((1, 2), (2, 3)):
            made = postgresql.insert(_entity(db)).values(**account(number, balance=Decimal(balance)))
            found = made.on_conflict_do_update(index_elements=["id"], set_={"balance": made.excluded.balance})
            await session.execute(found)
    return {}


async def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert a list."""
    async with db.writes.begin() as session:
        await session.execute(insert(_entity(db)), [account(number) for number in range(1, MANY + 1)])
    return {"batched": "asyncpg's executemany"}


async def streaming(db: Any) -> dict[str, Any]:
    """Stream in parts of 100."""
    query = select(_entity(db)).execution_options(yield_per=100)
    count = 0
    async with db.writes() as session:
        async for _ in await session.stream_scalars(query):
            count += 1
    return {"rows": count}


async def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    async with db.writes.begin() as session:
        await session.delete(await session.get(_entity(db), 1))
    return {}


async def _undone(db: Any) -> None:
    async with db.writes.begin() as session:
        session.add(_made(db))
        await session.flush()
        raise RuntimeError("undo")


async def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": await awaited_refusal(_undone(db)) is not None}


async def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    async with db.writes.begin() as session:
        session.add(_made(db))
        await session.flush()
        await awaited_refusal(_nested(db, session))
        session.add(_made(db, 3))
    return {}


async def _nested(db: Any, session: Any) -> None:
    async with session.begin_nested():
        session.add(_made(db, 2))
        await session.flush()
        raise RuntimeError("undo")


async def soft_delete(db: Any) -> dict[str, Any]:
    """Have every query leave out what is gone, by an event and a criterion on the entity."""
    entity = _entity(db)

    def without_gone(state: Any) -> None:
        state.statement = state.statement.options(with_loader_criteria(entity, entity.gone_at.is_(None)))

    async with db.writes.begin() as session:
        await session.execute(text("UPDATE accounts SET gone_at = now() WHERE id = 1"))
    event.listen(Session, "do_orm_execute", without_gone)
    try:
        async with db.reads() as session:
            visible = [one.id for one in await session.scalars(select(entity))]
    finally:
        event.remove(Session, "do_orm_execute", without_gone)
    return {"visible": visible, "built_in": False, "how": "by a do_orm_execute event with with_loader_criteria"}


async def migrations(db: Any) -> dict[str, Any]:
    """Compare the models with the database by Alembic, which is a package of its own."""
    async with db.engine.connect() as connection:
        return {"answer": PARTLY, "how": await connection.run_sync(changes, _entity(db).metadata)}


async def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    async with db.reads() as session:
        query = text("SELECT id, email FROM accounts WHERE id = :id")
        rows = [list(row) for row in await session.execute(query, {"id": 1})]
        objects = (await session.scalars(select(_entity(db)).from_statement(text("SELECT * FROM accounts")))).all()
    return {"rows": rows, "objects": len(objects) == 2}


async def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    source = (
        "from models import Account\nfrom sqlalchemy.ext.asyncio import AsyncSession\n"
        "async def f(session: AsyncSession) -> None:\n    one = await session.get_one(Account, 1)"
    )
    return typed_seen(source, indent="    ")
