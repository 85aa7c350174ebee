"""Tortoise on its exported models: `prefetch_related` and `select_related` to read, `bulk_create` to write many."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from importlib.metadata import version as version_of
from operator import and_, or_
from typing import Any

from tortoise import Tortoise
from tortoise.connection import connections
from tortoise.contrib.postgres.json_functions import operator_keywords
from tortoise.expressions import Q
from tortoise.functions import Count, Sum
from tortoise.query_utils import Prefetch
from tortoise.transactions import in_transaction

from dbplan.errors import NotCovered
from dbplan.orms.adapters.drivers import driver, is_sqlite, on_sqlite
from dbplan.orms.scenarios import Link, Scenario, Study

IS_ASYNC = True
Row = dict[str, Any]
LONGEST = 63
"""Bytes of a name that PostgreSQL keeps."""


@dataclass(frozen=True)
class Face:
    """A table's model, its fields by column, and the columns that a result has."""

    model: Any
    fields: Mapping[str, str]
    columns: tuple[str, ...] = ()

    def row(self, found: Any) -> Row:
        """Return an instance as a row."""
        fields = self.fields
        return {column: getattr(found, fields[column]) for column in self.columns}

    def given(self, row: Mapping[str, Any]) -> Row:
        """Return a row as keywords of the model."""
        return {self.fields[column]: value for column, value in row.items()}


@dataclass(frozen=True)
class Database:
    """The models by schema and table."""

    study: Study
    models: Mapping[tuple[str | None, str], Any]

    def face(self, table: str, columns: Sequence[str] = ()) -> Face:
        """Return a table's face; NotCovered for one without a model."""
        facts = self.study.tables[table]
        model = self.models.get((facts.schema, facts.name))
        if model is None:
            raise NotCovered(f"Tortoise has no model of {table}: what export() lost says why")
        fields = dict(model._meta.fields_db_projection_reverse)
        if "cls" in fields:
            raise NotCovered(f"Tortoise makes no object of a row with a column called cls, as {table} has")
        missing = [column for column in columns if column not in fields]
        if missing:
            raise NotCovered(f"Tortoise has no field for {table}.{missing[0]}")
        return Face(model, fields, tuple(columns))


@dataclass(frozen=True)
class Level:
    """Children below parents: the relation that leads to them, their face, and what is below."""

    face: Face
    relation: str
    single: bool
    order: tuple[str, ...]
    below: Level | None = None

    def prefetch(self) -> Any:
        """Return how children are loaded with their parents, in order."""
        query = self.face.model.all().order_by(*self.order)
        return Prefetch(self.relation, query.prefetch_related(self.below.prefetch()) if self.below else query)

    def rows(self, parent: Any) -> list[Row]:
        """Return the children of a parent, each with its own."""
        found = getattr(parent, self.relation)
        children = ([] if found is None else [found]) if self.single else found
        face, below = self.face, self.below
        if below is None:
            return [face.row(child) for child in children]
        return [face.row(child) | {"children": below.rows(child)} for child in children]


@dataclass
class Bound:
    """What a scenario needs, looked up."""

    scenario: Scenario
    face: Face
    key: tuple[str, ...]
    order: tuple[str, ...] = ()
    parent: Face | None = None
    relation: str = ""
    level: Level | None = None
    other: Face | None = None
    cascade: tuple[Below, ...] = ()
    note: str = ""
    words: dict[str, str] = field(default_factory=dict)

    def keyed(self, key: Mapping[str, Any]) -> Row:
        """Return a key as keywords of a filter."""
        return {self.face.fields[column]: value for column, value in key.items()}


@dataclass(frozen=True)
class Below:
    """Rows to delete before their parents: fields of the parent and of the child in pairs."""

    face: Face
    pairs: tuple[tuple[str, str], ...]
    by_database: bool
    children: Below | None


async def open(study: Study) -> Database:
    """Connect, and load the models."""
    sys.path.insert(0, study.models)
    await Tortoise.init(
        config={
            "connections": {"default": _file(study) if is_sqlite(study) else _server(study)},
            "apps": {"models": {"models": ["models"], "default_connection": "default"}},
        },
        use_tz=True,
        _enable_global_fallback=True,
    )
    models = Tortoise.apps["models"].values() if Tortoise.apps else ()
    return Database(study, {(model._meta.schema, model._meta.db_table): model for model in models})


def _server(study: Study) -> dict[str, Any]:
    reach = {key: value for key, value in study.url.items() if value is not None}
    return {"engine": "tortoise.backends.asyncpg", "credentials": reach | {"minsize": 1, "maxsize": study.pool}}


def _file(study: Study) -> dict[str, Any]:
    """Return one connection, all that Tortoise has for a file; what it does not know goes to PRAGMA."""
    told = {"busy_timeout": study.url["busy_timeout"], "synchronous": "FULL", "foreign_keys": "ON"}
    return {"engine": "tortoise.backends.sqlite", "credentials": {"file_path": study.url["database"], **told}}


async def close(db: Database) -> None:
    """Disconnect."""
    await Tortoise.close_connections()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": version_of("tortoise-orm"), "driver": driver("asyncpg", sqlite="aiosqlite")}


async def ping(db: Database) -> None:
    """Ask for an answer."""
    await connections.get("default").execute_query("SELECT 1")


async def bind(db: Database, scenario: Scenario) -> Bound:
    """Look up models, fields and relations."""
    face = db.face(scenario.table, scenario.columns)
    b = Bound(scenario, face, db.study.tables[scenario.table].key)
    sign = "-" if scenario.descending else ""
    b.order = tuple(sign + face.fields[column] for column in scenario.order or b.key)
    if scenario.parent is not None:
        b.parent = db.face(scenario.parent.table, scenario.parent.columns)
        b.relation = _upward(face, scenario.parent)
        if db.study.dialect == "postgresql":
            _check_names(face, b)
    if scenario.children is not None:
        b.level = _level(db, face, scenario.children)
    if scenario.insert is not None:
        b.other = db.face(scenario.insert.table, scenario.insert.columns)
    b.cascade = tuple(_below(db, face, link) for link in scenario.cascade)
    b.note = _ALL_GONE if on_sqlite() and scenario.name == "delete_cascade" else ""
    if scenario.name == "json_filter":
        _check_path(scenario)
    return b


def _check_names(face: Face, b: Bound) -> None:
    """Refuse what `select_related` would call by names that PostgreSQL cuts off."""
    joined = f"{face.model._meta.db_table}__{b.relation}"
    for column in b.parent.fields if b.parent else ():
        if len(f"{joined}.{column}".encode()) > LONGEST:
            raise NotCovered(
                f'Tortoise calls a joined column "{joined}.{column}", of which PostgreSQL keeps {LONGEST} bytes'
            )


_ALL_GONE = "delete() tells of all rows that went on SQLite, those that the database deleted with them too"


def _check_path(scenario: Scenario) -> None:
    if on_sqlite():
        raise NotCovered("Tortoise has no filter by a key of a document on SQLite")
    path = scenario.path
    if "__" in path or path.isdigit() or path in operator_keywords:
        raise NotCovered(f'Tortoise reads the key "{path}" of a JSON filter as a lookup')


def _upward(face: Face, link: Link) -> str:
    """Return the relation from a model to its parent."""
    column = _only(link)[0]
    meta = face.model._meta
    for name in (*meta.fk_fields, *meta.o2o_fields):
        if meta.fields_map[meta.fields_map[name].source_field].source_field == column:
            return str(name)
    raise _unrelated(face, column)


def _level(db: Database, parent: Face, link: Link) -> Level:
    """Return the relation from a model back to its children."""
    face = db.face(link.table, link.columns)
    column, meta = _only(link)[1], parent.model._meta
    for name in (*meta.backward_fk_fields, *meta.backward_o2o_fields):
        relation = meta.fields_map[name]
        if relation.related_model is face.model and face.fields.get(column) == relation.relation_field:
            below = _level(db, face, link.children) if link.children else None
            order = tuple(face.fields[one] for one in link.order)
            return Level(face, name, name in meta.backward_o2o_fields, order, below)
    raise _unrelated(face, column)


def _unrelated(face: Face, column: str) -> NotCovered:
    """Return why a column is no relation."""
    meta = face.model._meta
    place = f"{meta.db_table}.{column}"
    if face.fields.get(column) == meta.pk_attr and meta.unique_together:
        return NotCovered(f"Tortoise has no keys of several columns: {place} stands for one, so it is no relation")
    return NotCovered(f"Tortoise has no relation on {place}: what export() lost says why")


def _only(link: Link) -> tuple[str, str]:
    if len(link.pairs) != 1:
        raise NotCovered("Tortoise has no relations of several columns")
    return link.pairs[0]


def _below(db: Database, parent: Face, link: Link) -> Below:
    face = db.face(link.table, link.columns)
    pairs = tuple((parent.fields[a], face.fields[b]) for a, b in link.pairs)
    return Below(face, pairs, link.by_database, _below(db, face, link.children) if link.children else None)


def adapt(db: Database, b: Bound, params: Row) -> Row:
    """Return parameters with the members of enums."""
    own, made = b.face, dict(params)
    inserted = b.other or own
    for name, face in (("key", own), ("after", own), ("row", inserted)):
        if name in made:
            made[name] = _members(face, made[name])
    for name, face in (("keys", own), ("rows", own)):
        if name in made:
            made[name] = [_members(face, row) for row in made[name]]
    if "value" in made and b.scenario.name != "json_filter":
        column = b.scenario.update or b.scenario.filter
        made["value"] = _members(own, {column: made["value"]})[column]
    return made


def _members(face: Face, row: Mapping[str, Any]) -> Row:
    fields = face.model._meta.fields_map
    made = dict(row)
    for column, value in row.items():
        kind: Any = getattr(fields[face.fields[column]], "enum_type", None)
        made[column] = value if kind is None or value is None else kind(value)
    return made


async def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    return b.face.row(await b.face.model.create(**b.face.given(params["row"])))


async def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Create many instances at once."""
    model, given = b.face.model, b.face.given
    rows = [model(**given(row)) for row in params["rows"]]
    await model.bulk_create(rows)
    return len(rows)


async def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key."""
    found = await b.face.model.get_or_none(**b.keyed(params["key"]))
    return None if found is None else b.face.row(found)


async def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter, order, limit."""
    wanted = {b.face.fields[b.scenario.filter]: params["value"]}
    found = await b.face.model.filter(**wanted).order_by(*b.order).limit(b.scenario.limit)
    return [b.face.row(one) for one in found]


def _after(b: Bound, columns: Sequence[str], after: Mapping[str, Any]) -> Q:
    """Return the condition of rows that come after one, column by column."""
    word = "lt" if b.scenario.descending else "gt"
    names = [b.face.fields[column] for column in columns]
    values = [after[column] for column in columns]
    steps = []
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        same = dict(zip(names[:place], values[:place], strict=True))
        steps.append(Q(**same, **{f"{name}__{word}": value}))
    return reduce(or_, steps)


async def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by what comes after, order, limit."""
    condition = _after(b, b.scenario.order, params["after"])
    found = await b.face.model.filter(condition).order_by(*b.order).limit(b.scenario.limit)
    return [b.face.row(one) for one in found]


async def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a key of a document."""
    wanted = {f"{b.face.fields[b.scenario.filter]}__filter": {b.scenario.path: params["value"]}}
    found = await b.face.model.filter(**wanted).order_by(*b.order).limit(b.scenario.limit)
    return [b.face.row(one) for one in found]


async def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """List with `select_related`."""
    assert b.parent is not None
    query = b.face.model.filter(_after(b, b.key, params["after"])).order_by(*b.order)
    found = await query.limit(b.scenario.limit).select_related(b.relation)
    rows = []
    for one in found:
        parent = getattr(one, b.relation)
        rows.append(b.face.row(one) | {"parent": None if parent is None else b.parent.row(parent)})
    return rows


async def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with `prefetch_related`."""
    assert b.level is not None
    query = b.face.model.filter(_among(b, params["keys"])).order_by(*b.order)
    found = await query.prefetch_related(b.level.prefetch())
    return [b.face.row(one) | {"children": b.level.rows(one)} for one in found]


deep_include = nested_include


def _among(b: Bound, keys: Sequence[Mapping[str, Any]]) -> Q:
    if len(b.key) == 1:
        column = b.key[0]
        return _in(b.face.fields[column], [key[column] for key in keys])
    return reduce(or_, (Q(**b.keyed(key)) for key in keys))


def _in(name: str, values: list[Any]) -> Q:
    wanted: Row = {f"{name}__in": values}
    return Q(**wanted)


async def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Annotate, group, values."""
    group, taken = b.face.fields[b.scenario.group], b.face.fields.values()
    count, total = _free("row_count", taken), _free("row_total", taken)
    made: dict[str, Any] = {count: Count(b.face.fields[b.key[0]])}
    if b.scenario.total:
        made[total] = Sum(b.face.fields[b.scenario.total])
    query = b.face.model.filter(**{f"{group}__isnull": False}).annotate(**made).group_by(group).order_by(group)
    found = await query.values(group, *made)
    return [{"group": row[group], "count": row[count], "total": row.get(total)} for row in found]


def _free(name: str, taken: Any) -> str:
    while name in taken:
        name = f"{name}_"
    return name


async def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by filter."""
    changed = {b.face.fields[b.scenario.update]: params["value"]}
    return int(await b.face.model.filter(**b.keyed(params["key"])).update(**changed))


async def upsert(db: Database, b: Bound, params: Row) -> int:
    """Create, or update on a conflict; Tortoise writes both names into the statement as they are: columns."""
    model = b.face.model
    row = model(**b.face.given(params["row"]))
    await model.bulk_create([row], on_conflict=list(b.key), update_fields=[b.scenario.update])
    return 1


async def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock with `select_for_update`, save, create."""
    assert b.other is not None
    async with in_transaction() as connection:
        wanted = b.face.model.filter(**b.keyed(params["key"])).using_db(connection)
        found = await wanted.select_for_update().first()
        if found is None:
            raise LookupError("the row to lock is not there")
        read, name = b.face.row(found), b.face.fields[b.scenario.update]
        if len(b.key) == 1:
            setattr(found, name, params["value"])
            await found.save(using_db=connection, update_fields=[name])
        else:
            await wanted.update(**{name: params["value"]})
        await b.other.model.create(using_db=connection, **b.other.given(params["row"]))
        return read


async def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete children before their parent, in one transaction."""
    async with in_transaction() as connection:
        own = Q(**b.keyed(params["key"]))
        for below in b.cascade:
            await _delete_below(connection, b.face, own, below)
        gone = int(await b.face.model.filter(own).using_db(connection).delete())
        return min(gone, 1) if on_sqlite() else gone


async def _delete_below(connection: Any, parent: Face, of: Q, below: Below) -> None:
    """Delete the rows below those of a condition, the lowest first."""
    if below.by_database and below.children is None:
        return
    condition = await _belonging(connection, parent, of, below)
    if condition is None:
        return
    if below.children is not None:
        await _delete_below(connection, below.face, condition, below.children)
    if not below.by_database:
        await below.face.model.filter(condition).using_db(connection).delete()


async def _belonging(connection: Any, parent: Face, of: Q, below: Below) -> Q | None:
    """Return the condition of children, by the values that their parents have; None where there are no parents."""
    known: Row = dict(of.filters)
    names = [a for a, _ in below.pairs]
    if not of.children and set(names) <= known.keys():
        return reduce(and_, (Q(**{b: known[a]}) for a, b in below.pairs))
    found = await parent.model.filter(of).using_db(connection).values_list(*names)
    if not found:
        return None
    if len(below.pairs) == 1:
        return _in(below.pairs[0][1], [value for (value,) in found])
    fields = [b for _, b in below.pairs]
    return reduce(or_, (Q(**dict(zip(fields, values, strict=True))) for values in found))
