"""SQLAlchemy Core on psycopg or sqlite3: the Tables of the exported models, without their classes.

Reads use an AUTOCOMMIT engine, writes `engine.begin()`. A to-one comes by an outer join, children by one more SELECT a
level; many rows go in by one `insert()` with a list; an upsert is the database's own `insert().on_conflict_do_update`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, insert, select

from dbplan.orms.adapters import alchemy_statements as statements
from dbplan.orms.adapters.alchemy_engines import engine
from dbplan.orms.adapters.alchemy_models import Face, Models
from dbplan.orms.adapters.alchemy_statements import Bound, among
from dbplan.orms.adapters.drivers import driver
from dbplan.orms.adapters.joining import Row, attach, keys_of, needed
from dbplan.orms.scenarios import Link, Scenario, Study, linked

IS_ASYNC = False


class Database:
    """An engine, one that reads, and the Tables."""

    def __init__(self, study: Study) -> None:
        self.engine: Engine = engine(study)
        self.reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.models = Models(study, self.engine.dialect)


def open(study: Study) -> Database:
    """Load the models and make an engine."""
    return Database(study)


def close(db: Database) -> None:
    """Disconnect."""
    db.engine.dispose()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": sqlalchemy.__version__, "driver": driver("psycopg")}


def ping(db: Database) -> None:
    """Ask for an answer."""
    with db.reads.connect() as connection:
        connection.execute(select(1)).scalar_one()


@dataclass(frozen=True)
class Rows:
    """Columns of a Table in the order in which they are selected."""

    face: Face
    names: tuple[str, ...]

    @property
    def columns(self) -> list[Any]:
        """Return the columns."""
        return self.face.several(self.names)

    def row(self, found: Sequence[Any]) -> Row:
        """Return a row by the names of columns."""
        made = dict(zip(self.names, found, strict=False))
        for name in self.face.labels.keys() & made.keys():
            made[name] = self.face.label(name, made[name])
        return made


@dataclass(frozen=True)
class Joined:
    """A Table outer joined to that of its parents; the last column is a parent's key where there is one."""

    own: Rows
    parents: Rows
    source: Any
    there: Any

    def row(self, found: Sequence[Any]) -> Row:
        """Return a row with its parent."""
        made, width = self.own.row(found), len(self.own.names)
        made["parent"] = None if found[-1] is None else self.parents.row(found[width:-1])
        return made


@dataclass(frozen=True)
class Level:
    """The children of rows that were read, and the children of those."""

    rows: Rows
    above: tuple[str, ...]
    own: tuple[str, ...]
    order: tuple[str, ...]
    below: Level | None


@dataclass
class BoundTables(Bound):
    """A scenario on Tables, with the children that are read after its rows."""

    level: Level | None = None


def bind(db: Database, scenario: Scenario) -> BoundTables:
    """Find the Tables and columns of a scenario."""
    models, own = db.models, db.models.table(scenario.table)
    faces = {link.table: models.table(link.table) for link in linked(scenario)}
    wanted = [above for above, _ in scenario.children.pairs] if scenario.children else []
    rows = Rows(own, needed(scenario.columns, wanted))
    made = BoundTables(scenario, own, models.facts(scenario.table).key, tuple(rows.columns), select, faces, rows)
    made.inserted = faces[scenario.insert.table] if scenario.insert else None
    if scenario.parent is not None:
        made.read = _joined(rows, faces[scenario.parent.table], scenario.parent)
    if scenario.children is not None:
        made.level = _level(made, scenario.children)
    return made


def _joined(own: Rows, parent: Face, link: Link) -> Joined:
    on = [own.face.columns[a] == parent.columns[b] for a, b in link.pairs]
    source = own.face.entity.outerjoin(parent.entity, sqlalchemy.and_(*on))
    return Joined(own, Rows(parent, link.columns), source, parent.columns[link.pairs[0][1]])


def _level(b: Bound, link: Link) -> Level:
    above, own = tuple(a for a, _ in link.pairs), tuple(column for _, column in link.pairs)
    wanted = [column for column, _ in link.children.pairs] if link.children else []
    rows = Rows(b.faces[link.table], needed(link.columns, [*own, *wanted]))
    return Level(rows, above, own, link.order, _level(b, link.children) if link.children else None)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Return parameters as a user of the Tables holds them."""
    return statements.adapted(b, params)


def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Insert a row and return it."""
    with db.engine.begin() as connection:
        made = insert(b.own.entity).values(params["row"]).returning(*b.what)
        return dict(b.read.row(connection.execute(made).one()))


def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert rows by one insert with a list."""
    with db.engine.begin() as connection:
        done = connection.execute(insert(b.own.entity), params["rows"], execution_options={"preserve_rowcount": True})
        return done.rowcount


def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Select a row by its key."""
    with db.reads.connect() as connection:
        found = connection.execute(statements.point_read(b, params)).one_or_none()
        return None if found is None else b.read.row(found)


def _all(db: Database, b: Bound, statement: Any) -> list[Row]:
    with db.reads.connect() as connection:
        return [b.read.row(found) for found in connection.execute(statement)]


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
    """Select with parents, by an outer join."""
    columns = b.own.several(b.key)
    page = statements.after(columns, [params["after"][name] for name in b.key])
    statement = select(*b.what, *b.read.parents.columns, b.read.there).select_from(b.read.source).where(page)
    return _all(db, b, statement.order_by(*columns).limit(b.scenario.limit))


def nested_include(db: Database, b: BoundTables, params: Row) -> list[Row]:
    """Select parents and then their children, by one statement for each level."""
    with db.reads.connect() as connection:
        rows = [b.read.row(found) for found in connection.execute(statements.include(b, params))]
        _children(connection, b.level, rows)
        return rows


deep_include = nested_include


def _children(connection: Any, level: Level | None, rows: list[Row]) -> None:
    if level is None:
        return
    keys = keys_of(rows, level.above)
    face = level.rows.face
    statement = select(*level.rows.columns).where(among(face.several(level.own), keys))
    found = connection.execute(statement.order_by(*face.several(level.order))) if keys else ()
    children = [level.rows.row(child) for child in found]
    attach(rows, level.above, children, level.own)
    _children(connection, level.below, children)


def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    with db.reads.connect() as connection:
        return statements.totals(b, connection.execute(statements.aggregate(b)).all())


def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    with db.engine.begin() as connection:
        return connection.execute(statements.update_one(b, params)).rowcount


def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict update."""
    with db.engine.begin() as connection:
        done = connection.execute(statements.upsert(b, params), execution_options={"preserve_rowcount": True})
        return done.rowcount


def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock a row, change it and insert another, in one transaction."""
    with db.engine.begin() as connection:
        found = connection.execute(statements.point_read(b, params).with_for_update()).one_or_none()
        if found is None:
            raise LookupError("the row to lock is not there")
        connection.execute(statements.update_one(b, params))
        connection.execute(insert(b.target.entity).values(params["row"]))
        return dict(b.read.row(found))


def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    with db.engine.begin() as connection:
        done = [connection.execute(statement) for statement in statements.deletions(b, params)]
        return done[-1].rowcount
