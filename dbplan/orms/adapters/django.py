"""Django on psycopg 3 or sqlite3, as its documentation has it.

Connections come from the pool that Django has since 5.1, and go back after each call as after a request; on SQLite,
for which it has none, a thread keeps its own, and transactions begin with BEGIN IMMEDIATE. Reads and
single writes run in autocommit, which is its default, several writes in `transaction.atomic()`. Parents come by
`select_related`, children by `prefetch_related`; many rows go in by `bulk_create`, which with `update_conflicts` is
the upsert as well; `delete()` follows the models' own `on_delete`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import django
from django.db import close_old_connections, connection, connections
from django.db import transaction as transactions

from dbplan.orms.adapters import django_queries as queries
from dbplan.orms.adapters.django_models import Models, Row, configure
from dbplan.orms.adapters.django_queries import Bound
from dbplan.orms.adapters.drivers import driver, on_sqlite
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = False


@dataclass(frozen=True)
class Database:
    """The models of the application."""

    models: Models


def open(study: Study) -> Database:
    """Configure Django and load the models."""
    configure(study)
    connected()
    return Database(Models(study))


def connected() -> None:
    """Connect."""
    with request():
        connection.ensure_connection()


def close(_: Database) -> None:
    """Disconnect."""
    connections.close_all()
    if not on_sqlite():
        connection.close_pool()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": django.get_version(), "driver": driver("psycopg")}


@contextmanager
def request() -> Iterator[None]:
    """Give the connection back at the end, as Django does at the end of a request."""
    try:
        yield
    finally:
        close_old_connections()


def ping(_: Database) -> None:
    """Ask for an answer."""
    with request(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the models, fields and relations of a scenario."""
    return queries.bound(db.models, scenario)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Name the values of rows as the models do."""
    return queries.adapted(b, params)


def insert_one(_: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    with request():
        return queries.inserted(b, b.objects.create(**params["row"]))


def bulk_insert(_: Database, b: Bound, params: Row) -> int:
    """Create many instances."""
    with request():
        return len(b.objects.bulk_create(queries.instances(b, params)))


def point_read(_: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key, or none."""
    with request():
        try:
            return b.read.row(b.objects.get(b.own.equal(params["key"])))
        except b.own.model.DoesNotExist:
            return None


def _all(b: Bound, query: Any) -> list[Row]:
    with request():
        return b.read.rows(query)


def filtered_list(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a value."""
    return _all(b, queries.filtered_list(b, params))


def keyset_page(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter what comes after a row."""
    return _all(b, queries.keyset_page(b, params))


def json_filter(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a key of a document."""
    return _all(b, queries.json_filter(b, params))


def list_to_one(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with parents, by select_related."""
    return _all(b, queries.list_to_one(b, params))


def nested_include(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with children, by prefetch_related."""
    return _all(b, queries.include(b, params))


deep_include = nested_include


def aggregate(_: Database, b: Bound, params: Row) -> list[Row]:
    """Count and add up by group."""
    with request():
        return [queries.total(b, row) for row in queries.aggregate(b)]


def update_one(_: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    with request():
        return int(b.objects.filter(b.own.equal(params["key"])).update(**queries.changed(b, params)))


def upsert(_: Database, b: Bound, params: Row) -> int:
    """Create an instance, on conflict update."""
    with request():
        return len(b.objects.bulk_create([b.own.model(**params["row"])], **queries.on_conflict(b)))


def transaction(_: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and create another, in one transaction."""
    field = b.own.fields[b.scenario.update]
    with request(), transactions.atomic():
        found = b.objects.select_for_update().get(b.own.equal(params["key"]))
        row = b.read.row(found)
        setattr(found, field.attname, params["value"])
        found.save(update_fields=[field.name])
        b.target.model.objects.create(**params["row"])
        return row


def delete_cascade(_: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what neither the database nor the models would delete with it."""
    condition = b.own.equal(params["key"])
    with request(), transactions.atomic():
        for query in queries.deletions(b, params["key"], condition):
            query.delete()
        return queries.deleted(b, b.objects.filter(condition).delete())
