"""Django's asynchronous interface on psycopg 3 or sqlite3, as its documentation has it.

Its methods, `aget`, `acreate` and their like, call the synchronous ones on threads. As Django does for each request
under ASGI, each call has a thread of its own (`ThreadSensitiveContext`), so that calls run beside each other, and its
connection goes back to the pool at the end; on SQLite, for which there is none, each call opens the file, as
connections are not to last under ASGI. There are no asynchronous transactions: what needs one is a synchronous
function that `sync_to_async` calls, as the documentation says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections

from dbplan.orms.adapters import django as synchronous
from dbplan.orms.adapters import django_queries as queries
from dbplan.orms.adapters.django import Database, adapt, version
from dbplan.orms.adapters.django_models import Models, Row, configure
from dbplan.orms.adapters.django_queries import Bound
from dbplan.orms.scenarios import Scenario, Study, linked

__all__ = ["adapt", "version"]

IS_ASYNC = True
DETOUR = "a synchronous function by sync_to_async: Django has no asynchronous transactions"


async def open(study: Study) -> Database:
    """Configure Django and load the models."""
    configure(study, lasting=False)
    await apart(synchronous.connected)
    return Database(Models(study))


async def close(db: Database) -> None:
    """Disconnect."""
    await apart(synchronous.close, db)


async def apart(function: Any, *given: Any) -> Any:
    """Call what is synchronous, and gives its connection back itself, in a thread of its own."""
    async with ThreadSensitiveContext():
        return await sync_to_async(function)(*given)


@asynccontextmanager
async def request() -> AsyncIterator[None]:
    """Have a thread, and give its connection back at the end, as Django does for each request."""
    async with ThreadSensitiveContext():
        try:
            yield
        finally:
            await sync_to_async(close_old_connections)()


async def ping(db: Database) -> None:
    """Ask for an answer; there are no asynchronous cursors."""
    await apart(synchronous.ping, db)


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the models, fields and relations of a scenario."""
    return queries.bound(db.models, scenario, DETOUR if _needs_transaction(scenario) else "")


def _needs_transaction(scenario: Scenario) -> bool:
    """Return whether a scenario writes more than one method of Django does."""
    by_hand = any(not link.by_database for link in linked(scenario))
    return scenario.name == "transaction" or (scenario.name == "delete_cascade" and by_hand)


async def insert_one(_: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    async with request():
        return queries.inserted(b, await b.objects.acreate(**params["row"]))


async def bulk_insert(_: Database, b: Bound, params: Row) -> int:
    """Create many instances."""
    async with request():
        return len(await b.objects.abulk_create(queries.instances(b, params)))


async def point_read(_: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key, or none."""
    async with request():
        try:
            return b.read.row(await b.objects.aget(b.own.equal(params["key"])))
        except b.own.model.DoesNotExist:
            return None


async def _all(b: Bound, query: Any) -> list[Row]:
    async with request():
        return [b.read.row(instance) async for instance in query]


async def filtered_list(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a value."""
    return await _all(b, queries.filtered_list(b, params))


async def keyset_page(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter what comes after a row."""
    return await _all(b, queries.keyset_page(b, params))


async def json_filter(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a key of a document."""
    return await _all(b, queries.json_filter(b, params))


async def list_to_one(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with parents, by select_related."""
    return await _all(b, queries.list_to_one(b, params))


async def nested_include(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with children, by prefetch_related."""
    return await _all(b, queries.include(b, params))


deep_include = nested_include


async def aggregate(_: Database, b: Bound, params: Row) -> list[Row]:
    """Count and add up by group."""
    async with request():
        return [queries.total(b, row) async for row in queries.aggregate(b)]


async def update_one(_: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    async with request():
        return int(await b.objects.filter(b.own.equal(params["key"])).aupdate(**queries.changed(b, params)))


async def upsert(_: Database, b: Bound, params: Row) -> int:
    """Create an instance, on conflict update."""
    async with request():
        return len(await b.objects.abulk_create([b.own.model(**params["row"])], **queries.on_conflict(b)))


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and create another, in the transaction of a synchronous function."""
    row: Row = await apart(synchronous.transaction, db, b, params)
    return row


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key; with what must go before it, in the transaction of a synchronous function."""
    if b.detour:
        return int(await apart(synchronous.delete_cascade, db, b, params))
    async with request():
        return queries.deleted(b, await b.objects.filter(b.own.equal(params["key"])).adelete())
