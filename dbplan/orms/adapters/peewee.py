"""Peewee on psycopg 3 or sqlite3, as its documentation has it.

A pool, of which each call takes a connection and gives it back; the pool asks `SELECT 1` of a connection before it
hands it out. Reads and single writes run in autocommit, several writes in `atomic()`. Parents come by a join, children
by `with_related(Load(...))`; many rows go in by `insert_many` in parts of 100; an upsert is `on_conflict`.
On SQLite, which locks no rows, transactions begin with BEGIN IMMEDIATE, and moments are UTC without a zone.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

from dbplan.orms.adapters import peewee_statements as statements
from dbplan.orms.adapters.drivers import driver, is_sqlite
from dbplan.orms.adapters.peewee_models import Database, Row, login, pragmas
from dbplan.orms.adapters.peewee_statements import Bound, bound
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = False


def _server(study: Study) -> Any:
    from playhouse.postgres_ext import PooledPsycopg3Database

    return PooledPsycopg3Database(study.url["database"], max_connections=study.pool, timeout=30, **login(study))


def _file(study: Study) -> Any:
    from playhouse.pool import PooledSqliteDatabase

    return PooledSqliteDatabase(
        study.url["database"],
        max_connections=study.pool,
        timeout=30,
        pragmas=pragmas(study),
        lock_type="IMMEDIATE",
        check_same_thread=False,  # a pool hands a connection from thread to thread
    )


def open(study: Study) -> Database:
    """Load the models and make a pool."""
    return Database(study, _file(study) if is_sqlite(study) else _server(study))


def close(db: Database) -> None:
    """Disconnect."""
    db.pool.close_all()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": metadata.version("peewee"), "driver": driver("psycopg")}


def ping(db: Database) -> None:
    """Ask for an answer."""
    with db.pool.connection_context():
        db.pool.execute_sql("SELECT 1").fetchone()


def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the models, fields and relations of a scenario; its connections are new, with nothing prepared.

    Peewee sends BEGIN as any statement, and the server does not count one that psycopg has prepared.
    """
    db.pool.close_all()
    return bound(db.models, scenario)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Return parameters as a user of the models holds them."""
    return statements.adapted(b, params)


def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    with db.pool.connection_context():
        return b.read.row(b.own.model.create(**params["row"]))


def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert many rows in parts, in one transaction."""
    with db.pool.connection_context(), db.pool.atomic():
        return sum(query.execute() for query in statements.bulk_inserts(b, params))


def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key, or none."""
    with db.pool.connection_context():
        found = b.own.model.get_or_none(b.own.equal(params["key"]))
        return None if found is None else b.read.row(found)


def _all(db: Database, b: Bound, query: Any) -> list[Row]:
    with db.pool.connection_context():
        return b.read.rows(query)


def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a value."""
    return _all(db, b, statements.filtered_list(b, params))


def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select what comes after a row."""
    return _all(db, b, statements.keyset_page(b, params))


def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a key of a document."""
    return _all(db, b, statements.json_filter(b, params))


def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with parents, by a join."""
    return _all(db, b, statements.list_to_one(b, params))


def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with children, by one more query for each level."""
    return _all(db, b, statements.include(b, params))


deep_include = nested_include


def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    with db.pool.connection_context():
        return statements.totals(statements.aggregate(b))


def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    with db.pool.connection_context():
        return int(statements.update_one(b, params).execute())


def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict keep the new value."""
    with db.pool.connection_context():
        return int(statements.upsert(b, params).execute())


def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and create another, in one transaction."""
    with db.pool.connection_context(), db.pool.atomic():
        found = statements.locked(b, params).get()
        row = b.read.row(found)
        setattr(found, b.updated.name, params["value"])
        found.save(only=[b.updated])
        b.target.model.create(**params["row"])
        return row


def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    with db.pool.connection_context(), db.pool.atomic():
        return [int(query.execute()) for query in statements.deletions(b, params)][-1]
