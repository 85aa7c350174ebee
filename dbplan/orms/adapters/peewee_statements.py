"""The queries of Peewee, the same for its synchronous and its asynchronous databases, built anew for each call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, SQL, Load, Tuple, chunked, fn

from dbplan.orms.adapters.drivers import on_sqlite, zoneless
from dbplan.orms.adapters.peewee_models import Face, Models, Reader, Row, after, among, joined, reader
from dbplan.orms.scenarios import Link, Scenario, linked

BATCH = 100
"""Rows of one INSERT, as in the documentation; fewer of a table with so many columns that a statement is full."""
MOST = 32_766
"""Parameters that a statement may have: asyncpg and SQLite take no more."""


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

    @property
    def updated(self) -> Any:
        """Return the field that is set."""
        return self.own.fields[self.scenario.update]


def bound(models: Models, scenario: Scenario) -> Bound:
    """Find the models, fields and relations of a scenario; NotCovered for what the models have not."""
    faces = {link.table: models.face(link.table) for link in linked(scenario)}
    return Bound(scenario, models.face(scenario.table), reader(models, scenario), faces)


def adapted(b: Bound, params: Row) -> Row:
    """Name the values of rows as the models do; on SQLite, moments lose their zone, which is UTC."""
    params = zoneless(params) if on_sqlite() else params
    made = dict(params)
    if "row" in params:
        made["row"] = b.target.named(params["row"])
    if "rows" in params:
        made["rows"] = [b.own.named(row) for row in params["rows"]]
    return made


def bulk_inserts(b: Bound, params: Row) -> Iterator[Any]:
    """Yield inserts of many rows each, which tell how many."""
    for part in chunked(params["rows"], min(BATCH, MOST // len(b.own.fields))):
        yield b.own.model.insert_many(part).as_rowcount()


def _ordered(fields: list[Any], *, descending: bool) -> list[Any]:
    return [field.desc() for field in fields] if descending else fields


def filtered_list(b: Bound, params: Row) -> Any:
    """Select rows by a value."""
    s = b.scenario
    order = _ordered(b.own.several(s.order), descending=s.descending)
    query = b.own.model.select().where(b.own.fields[s.filter] == params["value"])
    return query.order_by(*order).limit(s.limit)


def keyset_page(b: Bound, params: Row) -> Any:
    """Select the rows that come after one."""
    s = b.scenario
    fields = b.own.several(s.order)
    page = after(fields, [params["after"][name] for name in s.order], descending=s.descending)
    query = b.own.model.select().where(page).order_by(*_ordered(fields, descending=s.descending))
    return query.limit(s.limit)


def json_filter(b: Bound, params: Row) -> Any:
    """Select rows by a key of their document."""
    s = b.scenario
    query = b.own.model.select().where(b.own.fields[s.filter][s.path] == params["value"])
    return query.order_by(*b.own.key).limit(s.limit)


def list_to_one(b: Bound, params: Row) -> Any:
    """Select rows with what they refer to, by a join."""
    assert b.scenario.parent is not None
    model, how = joined(b.read, b.scenario.parent)
    key = list(b.own.key)
    page = after(key, [params["after"][field.column_name] for field in key])
    query = b.own.model.select(b.own.model, model).join(model, JOIN.LEFT_OUTER, **how)
    return query.where(page).order_by(*key).limit(b.scenario.limit)


def include(b: Bound, params: Row) -> Any:
    """Select rows by their keys with their children, by one more query for each level."""
    key = list(b.own.key)
    keys = [tuple(one[field.column_name] for field in key) for one in params["keys"]]
    query = b.own.model.select().where(among(key, keys)).order_by(*key)
    return query.with_related(_load(b.read))


def _load(read: Reader) -> Load:
    assert read.children is not None
    name, below = read.children
    made = Load(getattr(read.face.model, name), below.face.model.select().order_by(*below.order))
    return made.then(_load(below)) if below.children is not None else made


def aggregate(b: Bound) -> Any:
    """Select counts and sums by group."""
    s = b.scenario
    group = b.own.fields[s.group]
    total = fn.SUM(b.own.fields[s.total]) if s.total else SQL("NULL")
    query = b.own.model.select(group, fn.COUNT(SQL("*")), total).where(group.is_null(False))
    return query.group_by(group).order_by(group).tuples()


def totals(found: Iterable[Any]) -> list[Row]:
    """Return counts and sums by group as rows."""
    return [{"group": row[0], "count": row[1], "total": row[2]} for row in found]


def update_one(b: Bound, params: Row) -> Any:
    """Set a column of one row."""
    return b.own.model.update({b.updated: params["value"]}).where(b.own.equal(params["key"]))


def upsert(b: Bound, params: Row) -> Any:
    """Insert a row, on conflict keep the new value."""
    query = b.own.model.insert(params["row"]).on_conflict(conflict_target=list(b.own.key), preserve=[b.updated])
    return query.as_rowcount()


def locked(b: Bound, params: Row) -> Any:
    """Select a row by its key, with a lock where the database has one."""
    query = b.own.model.select().where(b.own.equal(params["key"]))
    return query if on_sqlite() else query.for_update()


def deletions(b: Bound, params: Row) -> Iterator[Any]:
    """Yield the deletes in order: what the database does not delete by itself comes before its parent."""
    key = params["key"]
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
