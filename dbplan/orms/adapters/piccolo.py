"""Piccolo on its exported tables: `objects()` and `prefetch()` to read, `insert()` with `on_conflict()` to write."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from importlib.metadata import version as version_of
from operator import and_, or_
from typing import Any

from piccolo.columns import JSON
from piccolo.columns.column_types import JSONB
from piccolo.columns.combination import WhereRaw
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine, TransactionType
from piccolo.query.functions.aggregate import Count, Sum
from piccolo.table import Table
from piccolo.utils.encoding import dump_json, load_json

from dbplan.errors import NotCovered
from dbplan.orms.adapters.drivers import driver, is_sqlite, on_sqlite, timeout, zoneless
from dbplan.orms.scenarios import Link, Scenario, Study

IS_ASYNC = True
MOST = 32_766
"""Parameters that a statement may have."""

_BY_HAND = (
    "Piccolo has no way back from parents to children: a second query, whose rows are put to their parents by hand"
)
_OF_OBJECTS = ("self", "_data", "_exists_in_db", "_ignore_missing")
"""What Piccolo itself gives to new objects, beside what a row holds."""
_RAW = "raw SQL: Piccolo compares a key of PostgreSQL's jsonb alone"
Row = dict[str, Any]


@dataclass(frozen=True)
class Face:
    """A table's class, its Piccolo columns by the database's names, and the columns that a result has."""

    model: Any
    fields: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    late: frozenset[str] = frozenset()
    """JSON columns that `load_json` leaves as text: it looks for them by the names of attributes."""

    def row(self, found: Any) -> Row:
        """Return an object as a row."""
        made = {column: getattr(found, self.fields[column]._meta.name) for column in self.columns}
        for column in self.late & made.keys():
            if made[column] is not None:
                made[column] = load_json(made[column])
        return made

    def made(self, row: Mapping[str, Any]) -> Any:
        """Return a new object with the values of a row."""
        return self.model({self.fields[column]: value for column, value in row.items()})

    def equal(self, row: Mapping[str, Any]) -> Any:
        """Return the condition of rows that have these values."""
        return reduce(and_, (self.fields[column] == value for column, value in row.items()))

    def among(self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Any:
        """Return the condition of rows whose columns have one of several values."""
        if len(columns) == 1:
            return self.fields[columns[0]].is_in([value for (value,) in rows])
        return reduce(or_, (self.equal(dict(zip(columns, values, strict=True))) for values in rows))


@dataclass(frozen=True)
class Database:
    """The classes by schema and table."""

    study: Study
    engine: Any
    models: Mapping[tuple[str | None, str], Any]

    def face(self, table: str, columns: Sequence[str] = ()) -> Face:
        """Return a table's face; NotCovered for one without a class."""
        facts = self.study.tables[table]
        model = self.models.get((facts.schema, facts.name))
        if model is None:
            raise NotCovered(f"Piccolo has no class of {table}: what export() lost says why")
        fields = {column._meta.db_column_name: column for column in model._meta.columns}
        for name in fields.keys() & _OF_OBJECTS:
            raise NotCovered(f"Piccolo makes no object of a row with a column called {name}, as {table} has")
        late = (name for name, column in fields.items() if isinstance(column, JSON) and column._meta.name != name)
        return Face(model, fields, tuple(columns), frozenset(late))


@dataclass(frozen=True)
class Level:
    """Children below parents: columns of parent and child in pairs, in order, and what is below."""

    face: Face
    pairs: tuple[tuple[str, str], ...]
    order: tuple[str, ...]
    below: Level | None = None

    async def attach(self, parents: Sequence[Any], rows: Sequence[Row], above: Face) -> None:
        """Read the children of parents by one query, and put them into the parents' rows."""
        names = [above.fields[a]._meta.name for a, _ in self.pairs]
        found = await self._children([tuple(getattr(one, name) for name in names) for one in parents])
        made = [self.face.row(child) for child in found]
        if self.below is not None:
            await self.below.attach(found, made, self.face)
        own = [self.face.fields[b]._meta.name for _, b in self.pairs]
        families: dict[tuple[Any, ...], list[Row]] = {}
        for child, row in zip(found, made, strict=True):
            families.setdefault(tuple(getattr(child, name) for name in own), []).append(row)
        for parent, row in zip(parents, rows, strict=True):
            row["children"] = families.get(tuple(getattr(parent, name) for name in names), [])

    async def _children(self, keys: list[tuple[Any, ...]]) -> list[Any]:
        if not keys:
            return []
        condition = self.face.among([b for _, b in self.pairs], list(dict.fromkeys(keys)))
        order = (self.face.fields[column] for column in self.order)
        found = await self.face.model.objects().where(condition).order_by(*order).output(load_json=True)
        return list(found)


@dataclass(frozen=True)
class Below:
    """Rows to delete before their parents: columns of parent and child in pairs."""

    face: Face
    pairs: tuple[tuple[str, str], ...]
    by_database: bool
    children: Below | None


@dataclass
class Bound:
    """What a scenario needs, looked up."""

    scenario: Scenario
    face: Face
    key: tuple[str, ...]
    note: str = ""
    parent: Face | None = None
    way: Any = None
    level: Level | None = None
    other: Face | None = None
    cascade: tuple[Below, ...] = ()


async def open(study: Study) -> Database:
    """Connect, and load the tables."""
    sys.path.insert(0, study.models)
    module = import_module("tables")
    engine: Any = _file(study) if is_sqlite(study) else await _server(study)
    found = [
        one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Table) and one is not Table
    ]
    for model in found:
        model._meta.db = engine
    return Database(study, engine, {(model._meta.schema, model._meta.tablename): model for model in found})


async def _server(study: Study) -> Any:
    config = {key: value for key, value in study.url.items() if value is not None}
    engine = PostgresEngine(config=config, extensions=())
    await engine.start_connection_pool(min_size=1, max_size=study.pool)
    return engine


def _file(study: Study) -> Any:
    """Return an engine that opens a connection for each query, which is how Piccolo speaks to SQLite."""
    return SQLiteEngine(study.url["database"], timeout=timeout(study))


async def close(db: Database) -> None:
    """Disconnect."""
    if on_sqlite():
        return
    await db.engine.close_connection_pool()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": version_of("piccolo"), "driver": driver("asyncpg", sqlite="aiosqlite")}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    model = next(iter(db.models.values()), None)
    if model is not None:
        await model.raw("SELECT 1")


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Look up classes, columns and keys."""
    face = db.face(scenario.table, scenario.columns)
    b = Bound(scenario, face, db.study.tables[scenario.table].key)
    if scenario.parent is not None:
        b.parent = db.face(scenario.parent.table, scenario.parent.columns)
        b.way = _upward(face, scenario.parent)
    if scenario.children is not None:
        b.level, b.note = _level(db, scenario.children), _BY_HAND
    if scenario.insert is not None:
        b.other = db.face(scenario.insert.table, scenario.insert.columns)
    b.cascade = tuple(_below(db, link) for link in scenario.cascade)
    if scenario.name == "json_filter" and not isinstance(face.fields[scenario.filter], JSONB):
        b.note = _RAW
    return b


def _upward(face: Face, link: Link) -> Any:
    """Return the column that leads to a parent."""
    if len(link.pairs) != 1:
        raise NotCovered("Piccolo has no foreign keys of several columns")
    column = link.pairs[0][0]
    found = face.fields[column]
    if not hasattr(found, "_foreign_key_meta"):
        place = f"{face.model._meta.tablename}.{column}"
        raise NotCovered(f"Piccolo has no foreign key on {place}: what export() lost says why")
    target = found._foreign_key_meta.resolved_target_column._meta
    if target.name != target.db_column_name:
        raise NotCovered(f"Piccolo joins by the name of an attribute, and {target.db_column_name} is {target.name}")
    return found


def _level(db: Database, link: Link) -> Level:
    face = db.face(link.table, link.columns)
    return Level(face, link.pairs, link.order, _level(db, link.children) if link.children else None)


def _below(db: Database, link: Link) -> Below:
    face = db.face(link.table, link.columns)
    return Below(face, link.pairs, link.by_database, _below(db, link.children) if link.children else None)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Return parameters as the columns take them: on SQLite, moments have no zone."""
    return zoneless(params) if on_sqlite() else params


def _writing() -> dict[str, Any]:
    """Return what the documentation advises for transactions that write to SQLite."""
    return {"transaction_type": TransactionType.immediate} if on_sqlite() else {}


async def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Save a new object."""
    made = b.face.made(params["row"])
    await made.save()
    return {column: getattr(made, b.face.fields[column]._meta.name) for column in b.face.columns}


async def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert objects, as many a statement as its parameters allow."""
    rows = [b.face.made(row) for row in params["rows"]]
    most = MOST // len(b.face.fields)
    if len(rows) <= most:
        await b.face.model.insert(*rows)
        return len(rows)
    async with db.engine.transaction(**_writing()):
        for start in range(0, len(rows), most):
            await b.face.model.insert(*rows[start : start + most])
    return len(rows)


async def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an object by its key."""
    found = await b.face.model.objects().where(b.face.equal(params["key"])).first().output(load_json=True)
    return None if found is None else b.face.row(found)


def _listed(b: Bound, condition: Any, *way: Any) -> Any:
    """Return the query of a list: in order, limited, with documents read."""
    order = (b.face.fields[column] for column in b.scenario.order or b.key)
    query = b.face.model.objects(*way).where(condition).order_by(*order, ascending=not b.scenario.descending)
    return query.limit(b.scenario.limit).output(load_json=True)


async def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter, order, limit."""
    found = await _listed(b, b.face.fields[b.scenario.filter] == params["value"])
    return [b.face.row(one) for one in found]


async def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by what comes after, order, limit."""
    found = await _listed(b, _after(b, b.scenario.order, params["after"]))
    return [b.face.row(one) for one in found]


def _after(b: Bound, columns: Sequence[str], after: Mapping[str, Any]) -> Any:
    """Return the condition of rows that come after one, column by column."""
    steps = []
    for place, column in enumerate(columns):
        field, value = b.face.fields[column], after[column]
        later = field < value if b.scenario.descending else field > value
        same = (b.face.fields[one] == after[one] for one in columns[:place])
        steps.append(reduce(and_, same, later))
    return reduce(or_, steps)


async def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a key of a document."""
    document = b.face.fields[b.scenario.filter]
    if isinstance(document, JSONB):
        found = await _listed(b, document.arrow(b.scenario.path) == dump_json(params["value"]))
    else:
        found = await _listed(b, WhereRaw("{} ->> {} = {}", document, b.scenario.path, params["value"]))
    return [b.face.row(one) for one in found]


async def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """List with `prefetch`."""
    assert b.parent is not None
    found = await _listed(b, _after(b, b.key, params["after"]), b.way)
    return [_with_parent(b, one, b.parent) for one in found]


def _with_parent(b: Bound, found: Any, face: Face) -> Row:
    """Return an object's row with its parent's; its own key stands in the parent's object now."""
    parent = getattr(found, b.way._meta.name)
    target = b.way._foreign_key_meta.resolved_target_column._meta.name
    row, key = b.face.row(found), b.way._meta.db_column_name
    value = getattr(parent, target, None)
    if key in row:
        row[key] = value
    return row | {"parent": None if value is None else face.row(parent)}


async def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read parents, then their children."""
    assert b.level is not None
    keys = [tuple(key[column] for column in b.key) for key in params["keys"]]
    order = (b.face.fields[column] for column in b.key)
    query = b.face.model.objects().where(b.face.among(b.key, keys)).order_by(*order)
    found = await query.output(load_json=True)
    rows = [b.face.row(one) for one in found]
    await b.level.attach(found, rows, b.face)
    return rows


deep_include = nested_include


async def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select functions, grouped."""
    group = b.face.fields[b.scenario.group]
    total = [Sum(b.face.fields[b.scenario.total], alias="row_total")] if b.scenario.total else []
    query = b.face.model.select(group.as_alias("row_group"), Count(alias="row_count"), *total)
    found = await query.where(group.is_not_null()).group_by(group).order_by(group)
    return [{"group": r["row_group"], "count": r["row_count"], "total": r.get("row_total")} for r in found]


async def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by condition."""
    changed = {b.face.fields[b.scenario.update]: params["value"]}
    keys = (b.face.fields[column] for column in b.key)
    return len(await b.face.model.update(changed).where(b.face.equal(params["key"])).returning(*keys))


async def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, or update on a conflict."""
    target = tuple(b.face.fields[column] for column in b.key)
    query = b.face.model.insert(b.face.made(params["row"]))
    await query.on_conflict(target=target, action="DO UPDATE", values=[b.face.fields[b.scenario.update]])
    return 1


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock with `lock_rows`, save, save."""
    assert b.other is not None
    condition = b.face.equal(params["key"])
    async with db.engine.transaction(**_writing()):
        query = b.face.model.objects().where(condition).first().output(load_json=True)
        found = await (query if on_sqlite() else query.lock_rows("UPDATE"))
        if found is None:
            raise LookupError("the row to lock is not there")
        read, column = b.face.row(found), b.face.fields[b.scenario.update]
        if len(b.key) == 1:
            setattr(found, column._meta.name, params["value"])
            await found.save(columns=[column])
        else:
            await b.face.model.update({column: params["value"]}).where(condition)
        await b.other.made(params["row"]).save()
        return read


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete children before their parent, in one transaction."""
    keys = (b.face.fields[column] for column in b.key)
    async with db.engine.transaction(**_writing()):
        for below in b.cascade:
            await _delete_below(b.face, params["key"], b.face.equal(params["key"]), below)
        return len(await b.face.model.delete().where(b.face.equal(params["key"])).returning(*keys))


async def _delete_below(parent: Face, known: Mapping[str, Any], of: Any, below: Below) -> None:
    """Delete the rows below those of a condition, the lowest first."""
    if below.by_database and below.children is None:
        return
    condition = await _belonging(parent, known, of, below)
    if condition is None:
        return
    if below.children is not None:
        await _delete_below(below.face, {}, condition, below.children)
    if not below.by_database:
        await below.face.model.delete().where(condition)


async def _belonging(parent: Face, known: Mapping[str, Any], of: Any, below: Below) -> Any:
    """Return the condition of children, by the values that their parents have; None where there are no parents."""
    names, own = [a for a, _ in below.pairs], [b for _, b in below.pairs]
    if set(names) <= known.keys():
        return below.face.equal({b: known[a] for a, b in below.pairs})
    chosen = [parent.fields[name] for name in names]
    if len(names) == 1:
        return below.face.fields[own[0]].is_in(parent.model.select(*chosen).where(of))
    found = await parent.model.select(*chosen).where(of)
    return below.face.among(own, [tuple(row[name] for name in names) for row in found]) if found else None
