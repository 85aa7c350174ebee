"""Django's asynchronous interface."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from dbplan.orms.adapters.django_async import DETOUR, apart, request
from dbplan.orms.features.python import django as synchronous
from dbplan.orms.features.python.django import model
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import awaited_refusal, decimal_seen, enum_seen, typed_seen

Probe = Callable[[Any], Awaitable[dict[str, Any]]]


def _requested(probe: Probe) -> Probe:
    """Have a probe run as a request under ASGI does: on a thread of its own, with a connection of the pool."""

    @wraps(probe)
    async def asked(db: Any) -> dict[str, Any]:
        async with request():
            return await probe(db)

    return asked


async def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return await model(db).objects.acreate(**account(number, **values))


@_requested
async def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    members = model(db, "members").objects
    await members.acreate(id=1, status="paused")
    error = await awaited_refusal(members.acreate(id=2, status="nonsense"))
    return enum_seen((await members.aget()).status, error)


@_requested
async def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    await _made(db, balance=EXACT)
    return decimal_seen((await model(db).objects.aget()).balance)


@_requested
async def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    await _made(db, profile=DOCUMENT)
    await _made(db, 2)
    found = [one.id async for one in model(db).objects.filter(profile__city=DOCUMENT["city"])]
    return {"read": (await model(db).objects.aget(pk=1)).profile, "found": found}


@_requested
async def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns; Django has no foreign key to it."""
    found = await model(db, "entries").objects.aget(pk=(1, 2))
    parts = getattr(found, "parts", None)
    return {"note": found.note, "related": parts and [part.id async for part in parts.all()]}


@_requested
async def upsert(db: Any) -> dict[str, Any]:
    """Create in bulk, and update on conflict."""
    await model(db).objects.abulk_create(synchronous.richer(db), **synchronous.CONFLICT)
    return {}


@_requested
async def bulk_insert(db: Any) -> dict[str, Any]:
    """Create in bulk."""
    await model(db).objects.abulk_create([model(db)(**account(number)) for number in range(1, MANY + 1)])
    return {}


@_requested
async def streaming(db: Any) -> dict[str, Any]:
    """Iterate by a cursor on the server."""
    count = 0
    async for _ in model(db).objects.aiterator(chunk_size=100):
        count += 1
    return {"rows": count}


@_requested
async def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    found = await model(db).objects.aget(pk=1)
    await found.adelete()
    return {}


@_requested
async def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction of a synchronous function, after a write."""
    return {**await apart(synchronous.transactions, db), "detour": DETOUR}


@_requested
async def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone, in a synchronous function."""
    return {**await apart(synchronous.savepoints, db), "detour": DETOUR}


@_requested
async def soft_delete(db: Any) -> dict[str, Any]:
    """Have a manager leave out what is gone, as the default one of a proxy."""
    proxy = await apart(synchronous.present, db)
    return synchronous.without_gone([one.id async for one in proxy.objects.all()])


@_requested
async def migrations(db: Any) -> dict[str, Any]:
    """Have Django write a first migration, by its command, which is a program of its own."""
    found: dict[str, Any] = await apart(synchronous.migrations, db)
    return found


@_requested
async def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as objects, and by a synchronous function as rows."""
    objects = [one async for one in model(db).objects.raw(synchronous.ALL)]
    detour = "rows that are no objects by sync_to_async: Django has no asynchronous cursors"
    return {"rows": await apart(synchronous.rows, db), "objects": len(objects) == 2, "detour": detour}


async def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object, without the plug-in that others give for it."""
    source = "from models import Account\nasync def f() -> None:\n    one = await Account.objects.aget(pk=1)"
    return typed_seen(source, synchronous.UNTYPED, indent="    ")
