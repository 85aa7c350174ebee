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
from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.db import transaction as transactions
from django.db.models import Count, Exists, OuterRef, Q, Sum, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from dbplan.orms.adapters.django_models import Face, Models, Reader, Row, application, reader
from dbplan.orms.adapters.drivers import driver, is_sqlite, on_sqlite, timeout
from dbplan.orms.scenarios import Link, Scenario, Study, linked

IS_ASYNC = False


@dataclass(frozen=True)
class Database:
    """The models of the application."""

    models: Models


@dataclass(frozen=True)
class Bound:
    """A scenario with its model, and the models at the other ends."""

    scenario: Scenario
    own: Face
    read: Reader
    faces: dict[str, Face]
    labels: frozenset[str] = frozenset()
    """Columns of the server's enums, in a bulk insert."""

    @property
    def note(self) -> str:
        """What it takes besides what the documentation has."""
        return _LABELS if self.labels else ""

    @property
    def target(self) -> Face:
        """Return the model of which rows are inserted."""
        return self.faces[self.scenario.insert.table] if self.scenario.insert else self.own

    def labelled(self, row: Row) -> Row:
        """Return a row with its labels as expressions, for which bulk_create() writes VALUES."""
        made = {name: Value(row[name]) for name in self.labels if row.get(name) is not None}
        return {**row, **made}


def open(study: Study) -> Database:
    """Configure Django and load the models."""
    database = _file(study) if is_sqlite(study) else _server(study)
    settings.configure(
        INSTALLED_APPS=application(study.models),
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    with _request():
        connection.ensure_connection()
    return Database(Models(study))


def _server(study: Study) -> dict[str, Any]:
    url = study.url
    told = {"HOST": url["host"], "PORT": url["port"], "USER": url["user"], "PASSWORD": url["password"]}
    server = {"ENGINE": "django.db.backends.postgresql", "NAME": url["database"]}
    server |= {name: str(value) for name, value in told.items() if value is not None}
    server["OPTIONS"] = {"pool": {"min_size": 1, "max_size": study.pool}}
    return server


def _file(study: Study) -> dict[str, Any]:
    options = {
        "timeout": timeout(study),
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA synchronous = FULL",
    }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": study.url["database"],
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
    }


def close(_: Database) -> None:
    """Disconnect."""
    connections.close_all()
    if not on_sqlite():
        connection.close_pool()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": django.get_version(), "driver": driver("psycopg")}


@contextmanager
def _request() -> Iterator[None]:
    """Give the connection back at the end, as Django does at the end of a request."""
    try:
        yield
    finally:
        close_old_connections()


def ping(_: Database) -> None:
    """Ask for an answer."""
    with _request(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the models, fields and relations of a scenario."""
    faces = {link.table: db.models.face(link.table) for link in linked(scenario)}
    own = db.models.face(scenario.table)
    labels = frozenset(own.enums(scenario.columns) if scenario.name == "bulk_insert" else ())
    return Bound(scenario, own, reader(db.models, scenario), faces, labels)


_LABELS = "the server's enums are given as Value(…): bulk_create() sends arrays of text, which PostgreSQL refuses"


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Name the values of rows as the models do."""
    made = dict(params)
    if "row" in params:
        made["row"] = b.target.named(params["row"])
    if "rows" in params:
        made["rows"] = [b.own.named(b.labelled(row)) for row in params["rows"]]
    if b.scenario.update and "value" in params:
        made["value"] = b.own.value(b.scenario.update, params["value"])
    return made


def insert_one(_: Database, b: Bound, params: Row) -> Row:
    """Create an instance."""
    with _request():
        made = b.own.model.objects.create(**params["row"])
        return b.own.unwrapped(b.read.row(made))


def bulk_insert(_: Database, b: Bound, params: Row) -> int:
    """Create many instances."""
    with _request():
        return len(b.own.model.objects.bulk_create([b.own.model(**row) for row in params["rows"]]))


def point_read(_: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key, or none."""
    with _request():
        try:
            return b.read.row(b.own.model.objects.get(b.own.equal(params["key"])))
        except b.own.model.DoesNotExist:
            return None


def _all(b: Bound, query: Any) -> list[Row]:
    with _request():
        return b.read.rows(query)


def _ordered(names: list[str], *, descending: bool) -> list[str]:
    return [f"-{name}" for name in names] if descending else names


def filtered_list(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a value."""
    s = b.scenario
    order = _ordered(b.own.names(s.order), descending=s.descending)
    return _all(b, b.own.model.objects.filter(b.own.equal({s.filter: params["value"]})).order_by(*order)[: s.limit])


def keyset_page(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter what comes after a row."""
    s = b.scenario
    order = _ordered(b.own.names(s.order), descending=s.descending)
    page = b.own.after(s.order, params["after"], descending=s.descending)
    return _all(b, b.own.model.objects.filter(page).order_by(*order)[: s.limit])


def json_filter(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter by a key of a document: as text, on SQLite as a document, whose lookups Django reads as such there."""
    s = b.scenario
    text = (KeyTransform if on_sqlite() else KeyTextTransform)(s.path, b.own.fields[s.filter].name)
    query = b.own.model.objects.alias(text_of_document=text).filter(text_of_document=params["value"])
    return _all(b, query.order_by(*b.own.names(b.own.key))[: s.limit])


def list_to_one(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with parents, by select_related."""
    assert b.read.parent is not None
    query = b.own.model.objects.select_related(b.read.parent[0]).filter(b.own.after(b.own.key, params["after"]))
    return _all(b, query.order_by(*b.own.names(b.own.key))[: b.scenario.limit])


def nested_include(_: Database, b: Bound, params: Row) -> list[Row]:
    """Filter with children, by prefetch_related."""
    query = b.own.model.objects.filter(b.own.among(params["keys"])).order_by(*b.own.names(b.own.key))
    return _all(b, query.prefetch_related(b.read.prefetch()))


deep_include = nested_include


def aggregate(_: Database, b: Bound, params: Row) -> list[Row]:
    """Count and add up by group."""
    s = b.scenario
    group = b.own.fields[s.group].attname
    sums = {"sum_of_group": Sum(b.own.fields[s.total].attname)} if s.total else {}
    query = b.own.model.objects.filter(**{f"{group}__isnull": False}).values(group)
    with _request():
        found = query.annotate(rows_of_group=Count("*"), **sums).order_by(group)
        return [{"group": row[group], "count": row["rows_of_group"], "total": row.get("sum_of_group")} for row in found]


def update_one(_: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    name = b.own.fields[b.scenario.update].attname
    with _request():
        return int(b.own.model.objects.filter(b.own.equal(params["key"])).update(**{name: params["value"]}))


def upsert(_: Database, b: Bound, params: Row) -> int:
    """Create an instance, on conflict update."""
    names = [b.own.fields[name].name for name in b.own.key]
    changed = [b.own.fields[b.scenario.update].name]
    with _request():
        made = b.own.model.objects.bulk_create(
            [b.own.model(**params["row"])], update_conflicts=True, unique_fields=names, update_fields=changed
        )
        return len(made)


def transaction(_: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and create another, in one transaction."""
    field = b.own.fields[b.scenario.update]
    with _request(), transactions.atomic():
        found = b.own.model.objects.select_for_update().get(b.own.equal(params["key"]))
        row = b.read.row(found)
        setattr(found, field.attname, params["value"])
        found.save(update_fields=[field.name])
        b.target.model.objects.create(**params["row"])
        return row


def delete_cascade(_: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what neither the database nor the models would delete with it."""
    condition = b.own.equal(params["key"])
    with _request(), transactions.atomic():
        for query in _deletions(b, params["key"], condition):
            query.delete()
        _total, by_model = b.own.model.objects.filter(condition).delete()
        return int(by_model[b.own.model._meta.label])


def _deletions(b: Bound, key: Row, condition: Q) -> Iterator[Any]:
    for link in b.scenario.cascade:
        yield from _belonging(b, link, b.own, condition, key)


def _belonging(b: Bound, link: Link, above: Face, condition: Q, known: Row) -> Iterator[Any]:
    """Yield the rows to delete that belong to those of the model above that meet a condition."""
    face = b.faces[link.table]
    values = {column: known[target] for target, column in link.pairs if target in known}
    if len(values) == len(link.pairs):
        belonging = face.equal(values)
    else:
        belonging, values = _within(face, above, link, condition), {}
    if link.children is not None:
        yield from _belonging(b, link.children, face, belonging, values)
    if not link.by_database:
        yield face.model.objects.filter(belonging)


def _within(face: Face, above: Face, link: Link, condition: Q) -> Q:
    """Return the condition that a row belongs to one above; of a key of several columns, by EXISTS."""
    if len(link.pairs) == 1:
        target, column = link.pairs[0]
        parents = above.model.objects.filter(condition).values(above.fields[target].attname)
        return Q(**{f"{face.fields[column].attname}__in": parents})
    outer = {above.fields[target].attname: OuterRef(face.fields[column].attname) for target, column in link.pairs}
    return Q(Exists(above.model.objects.filter(condition, **outer)))
