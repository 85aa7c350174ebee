"""Peewee on psycopg 3 or sqlite3, as its documentation has it.

A pool, of which each call takes a connection and gives it back; the pool asks `SELECT 1` of a connection before it
hands it out. Reads and single writes run in autocommit, several writes in `atomic()`. Parents come by a join, children
by `with_related(Load(...))`; many rows go in by `insert_many` in parts of 100; an upsert is `on_conflict`.
On SQLite, which locks no rows, transactions begin with BEGIN IMMEDIATE, and moments are UTC without a zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from peewee import JOIN, SQL, Load, Tuple, chunked, fn

from dbplan.orms.adapters.drivers import driver, is_sqlite, on_sqlite, zoneless
from dbplan.orms.adapters.peewee_models import (
    Face,
    Models,
    Reader,
    Row,
    after,
    among,
    joined,
    reader,
)
from dbplan.orms.scenarios import Link, Scenario, Study, linked

IS_ASYNC = False
BATCH = 100
"""Rows of one INSERT, as in the documentation."""


class Database:
    """A pool, and the models bound to it."""

    def __init__(self, study: Study) -> None:
        self.pool: Any = _file(study) if is_sqlite(study) else _server(study)
        self.models = Models(study)
        self.models.module.database.initialize(self.pool)


def _server(study: Study) -> Any:
    from playhouse.postgres_ext import PooledPsycopg3Database

    url = study.url
    told = {name: url[name] for name in ("host", "port", "user", "password") if url[name] is not None}
    return PooledPsycopg3Database(url["database"], max_connections=study.pool, timeout=30, **told)


def _file(study: Study) -> Any:
    from playhouse.pool import PooledSqliteDatabase

    pragmas = {"foreign_keys": 1, "synchronous": "full", "busy_timeout": study.url["busy_timeout"]}
    return PooledSqliteDatabase(
        study.url["database"],
        max_connections=study.pool,
        timeout=30,
        pragmas=pragmas,
        lock_type="IMMEDIATE",
        check_same_thread=False,  # a pool hands a connection from thread to thread
    )


@dataclass(frozen=True)
class Bound:
    """A scenario with its model, and the models at the other ends."""

    scenario: Scenario
    own: Face
    read: Reader
    faces: dict[str, Face]

    @property
    def target(self) -> Face:
        """Return the model of which rows are inserted."""
        return self.faces[self.scenario.insert.table] if self.scenario.insert else self.own


def open(study: Study) -> Database:
    """Load the models and make a pool."""
    return Database(study)


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
    faces = {link.table: db.models.face(link.table) for link in linked(scenario)}
    return Bound(scenario, db.models.face(scenario.table), reader(db.models, scenario), faces)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Name the values of rows as the models do; on SQLite, moments lose their zone, which is UTC."""
    params = zoneless(params) if on_sqlite() else params
    made = dict(params)
    if "row" in params:
        made["row"] = b.target.named(params["row"])
    if "rows" in params:
        made["rows"] = [b.own.named(row) for row in params["rows"]]
    return made


def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    with db.pool.connection_context():
        return b.read.row(b.own.model.create(**params["row"]))


def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert many rows in parts, in one transaction."""
    with db.pool.connection_context(), db.pool.atomic():
        parts = chunked(params["rows"], BATCH)
        return sum(b.own.model.insert_many(part).as_rowcount().execute() for part in parts)


def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key, or none."""
    with db.pool.connection_context():
        found = b.own.model.get_or_none(b.own.equal(params["key"]))
        return None if found is None else b.read.row(found)


def _all(db: Database, b: Bound, query: Any) -> list[Row]:
    with db.pool.connection_context():
        return b.read.rows(query)


def _ordered(fields: list[Any], *, descending: bool) -> list[Any]:
    return [field.desc() for field in fields] if descending else fields


def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a value."""
    s = b.scenario
    order = _ordered(b.own.several(s.order), descending=s.descending)
    query = b.own.model.select().where(b.own.fields[s.filter] == params["value"])
    return _all(db, b, query.order_by(*order).limit(s.limit))


def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select what comes after a row."""
    s = b.scenario
    fields = b.own.several(s.order)
    page = after(fields, [params["after"][name] for name in s.order], descending=s.descending)
    query = b.own.model.select().where(page).order_by(*_ordered(fields, descending=s.descending))
    return _all(db, b, query.limit(s.limit))


def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a key of a document."""
    s = b.scenario
    query = b.own.model.select().where(b.own.fields[s.filter][s.path] == params["value"])
    return _all(db, b, query.order_by(*b.own.key).limit(s.limit))


def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with parents, by a join."""
    assert b.scenario.parent is not None
    model, how = joined(b.read, b.scenario.parent)
    key = list(b.own.key)
    page = after(key, [params["after"][field.column_name] for field in key])
    query = b.own.model.select(b.own.model, model).join(model, JOIN.LEFT_OUTER, **how)
    return _all(db, b, query.where(page).order_by(*key).limit(b.scenario.limit))


def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with children, by one more query for each level."""
    key = list(b.own.key)
    keys = [tuple(one[field.column_name] for field in key) for one in params["keys"]]
    query = b.own.model.select().where(among(key, keys)).order_by(*key)
    return _all(db, b, query.with_related(_load(b.read)))


deep_include = nested_include


def _load(read: Reader) -> Load:
    assert read.children is not None
    name, below = read.children
    made = Load(getattr(read.face.model, name), below.face.model.select().order_by(*below.order))
    return made.then(_load(below)) if below.children is not None else made


def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    s = b.scenario
    group = b.own.fields[s.group]
    total = fn.SUM(b.own.fields[s.total]) if s.total else SQL("NULL")
    query = b.own.model.select(group, fn.COUNT(SQL("*")), total).where(group.is_null(False))
    with db.pool.connection_context():
        found = query.group_by(group).order_by(group).tuples()
        return [{"group": row[0], "count": row[1], "total": row[2]} for row in found]


def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    field = b.own.fields[b.scenario.update]
    with db.pool.connection_context():
        return int(b.own.model.update({field: params["value"]}).where(b.own.equal(params["key"])).execute())


def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict keep the new value."""
    kept = [b.own.fields[b.scenario.update]]
    query = b.own.model.insert(params["row"]).on_conflict(conflict_target=list(b.own.key), preserve=kept)
    with db.pool.connection_context():
        return int(query.as_rowcount().execute())


def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and create another, in one transaction."""
    field = b.own.fields[b.scenario.update]
    with db.pool.connection_context(), db.pool.atomic():
        query = b.own.model.select().where(b.own.equal(params["key"]))
        found = (query if on_sqlite() else query.for_update()).get()
        row = b.read.row(found)
        setattr(found, field.name, params["value"])
        found.save(only=[field])
        b.target.model.create(**params["row"])
        return row


def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    with db.pool.connection_context(), db.pool.atomic():
        return [int(query.execute()) for query in _deletions(b, params["key"])][-1]


def _deletions(b: Bound, key: Row) -> Iterator[Any]:
    condition = b.own.equal(key)
    for link in b.scenario.cascade:
        yield from _belonging(b, link, b.own, condition, key)
    yield b.own.model.delete().where(condition)


def _belonging(b: Bound, link: Link, above: Face, condition: Any, known: Row) -> Iterator[Any]:
    """Yield the deletes of rows that belong to those of the model above that meet a condition."""
    face, own = b.faces[link.table], [column for _, column in link.pairs]
    values = {column: known[target] for target, column in link.pairs if target in known}
    if len(values) == len(own):
        belonging = face.equal(values)
    else:
        parents = above.model.select(*above.several(target for target, _ in link.pairs)).where(condition)
        fields, values = face.several(own), {}
        belonging = fields[0].in_(parents) if len(fields) == 1 else Tuple(*fields).in_(parents)
    if link.children is not None:
        yield from _belonging(b, link.children, face, belonging, values)
    if not link.by_database:
        yield face.model.delete().where(belonging)
