"""Peewee on asyncpg, by `playhouse.pwasyncio`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from playhouse.migrations import main

from dbplan.orms.features.judging import PARTLY, YES
from dbplan.orms.features.python import peewee
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import awaited_refusal, decimal_seen, enum_seen, refusal, typed_seen


def _model(db: Any, table: str = "accounts") -> Any:
    return db.models.face(table).model


async def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return await db.pool.run(_model(db).create, **account(number, **values))


async def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    model = _model(db, "members")
    async with db.pool:
        await db.pool.run(model.create, id=1, status="paused")
        read = (await db.pool.get(model.select())).status
        return enum_seen(read, await awaited_refusal(db.pool.run(model.create, id=2, status="nonsense")))


async def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    async with db.pool:
        await _made(db, balance=EXACT)
        return decimal_seen((await db.pool.get(_model(db).select())).balance)


async def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    model = _model(db)
    async with db.pool:
        await _made(db, profile=DOCUMENT)
        await _made(db, 2)
        found = await db.pool.list(model.select().where(model.profile["city"] == DOCUMENT["city"]))
        read = (await db.pool.get(model.select().where(model.id == 1))).profile
    return {"read": read, "found": [one.id for one in found]}


async def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns; Peewee has no foreign key to it."""
    async with db.pool:
        told: dict[str, Any] = await db.pool.run(peewee.composite_keys, db)
        return told


async def upsert(db: Any) -> dict[str, Any]:
    """Insert, on conflict keep the new value."""
    model = _model(db)
    rows = [account(number, balance=Decimal(balance)) for number, balance in ((1, 2), (2, 3))]
    async with db.pool:
        query = model.insert_many(rows).on_conflict(conflict_target=[model.id], preserve=[model.balance])
        await query.aexecute()
    return {}


async def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert many."""
    async with db.pool:
        await _model(db).insert_many([account(number) for number in range(1, MANY + 1)]).aexecute()
    return {}


async def streaming(db: Any) -> dict[str, Any]:
    """Iterate in parts of 100."""
    count = 0
    async with db.pool:
        async for _ in db.pool.iterate(_model(db).select()):
            count += 1
    return {"rows": count}


async def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    async with db.pool:
        found = await db.pool.get(_model(db).select())
        await db.pool.run(found.delete_instance)
    return {}


async def _undone(db: Any, number: int) -> None:
    async with db.pool.atomic():
        await _made(db, number)
        raise RuntimeError("undo")


async def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    async with db.pool:
        return {"raised": await awaited_refusal(_undone(db, 1)) is not None}


async def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    async with db.pool, db.pool.atomic():
        await _made(db)
        await awaited_refusal(_undone(db, 2))
        await _made(db, 3)
    return {}


async def soft_delete(db: Any) -> dict[str, Any]:
    """Have a model's own select() leave out what is gone."""
    async with db.pool:
        told: dict[str, Any] = await db.pool.run(peewee.soft_delete, db)
        return told


async def migrations(db: Any) -> dict[str, Any]:
    """Have its command ask the database, and write a first migration within the bridge to asynchronous drivers."""
    error = refusal(lambda: main(["models.database", "status", "-d", "migrations"]))
    told: dict[str, Any] = await db.pool.run(peewee.migrations, db)
    if error is None or told["answer"] != YES:
        return told
    how = f"the command cannot ask an asynchronous database ({error['type']}); within run(), {told['how']}"
    return {"answer": PARTLY, "how": how}


async def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    async with db.pool:
        rows = await db.pool.aexecute_sql("SELECT id, email FROM accounts WHERE id = %s", (1,))
        objects = await db.pool.list(_model(db).raw("SELECT * FROM accounts"))
    return {"rows": [list(row) for row in rows.fetchall()], "objects": len(objects) == 2}


async def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    source = (
        "from models import Account, database\n"
        "async def f() -> None:\n    one = await database.run(Account.get_by_id, 1)"
    )
    return typed_seen(source, indent="    ")
