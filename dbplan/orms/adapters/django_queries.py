"""What is asked of exported Django models: querysets, which are lazy, so that both of Django's interfaces run them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Sum, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from dbplan.orms.adapters.django_models import Face, Models, Reader, Row, reader
from dbplan.orms.adapters.drivers import on_sqlite
from dbplan.orms.scenarios import Link, Scenario, linked

_LABELS = "the server's enums are given as Value(…): bulk_create() sends arrays of text, which PostgreSQL refuses"


@dataclass(frozen=True)
class Bound:
    """A scenario with its model, and the models at the other ends."""

    scenario: Scenario
    own: Face
    read: Reader
    faces: dict[str, Face]
    labels: frozenset[str] = frozenset()
    """Columns of the server's enums, in a bulk insert."""
    detour: str = ""
    """Why an interface calls what the other has."""

    @property
    def note(self) -> str:
        """What it takes besides what the documentation has."""
        return _LABELS if self.labels else self.detour

    @property
    def target(self) -> Face:
        """Return the model of which rows are inserted."""
        return self.faces[self.scenario.insert.table] if self.scenario.insert else self.own

    @property
    def objects(self) -> Any:
        """Return the manager of the scenario's model."""
        return self.own.model.objects

    def labelled(self, row: Row) -> Row:
        """Return a row with its labels as expressions, for which bulk_create() writes VALUES."""
        made = {name: Value(row[name]) for name in self.labels if row.get(name) is not None}
        return {**row, **made}


def bound(models: Models, scenario: Scenario, detour: str = "") -> Bound:
    """Find the models, fields and relations of a scenario."""
    faces = {link.table: models.face(link.table) for link in linked(scenario)}
    own = models.face(scenario.table)
    labels = frozenset(own.enums(scenario.columns) if scenario.name == "bulk_insert" else ())
    return Bound(scenario, own, reader(models, scenario), faces, labels, detour)


def adapted(b: Bound, params: Row) -> Row:
    """Name the values of rows as the models do."""
    made = dict(params)
    if "row" in params:
        made["row"] = b.target.named(params["row"])
    if "rows" in params:
        made["rows"] = [b.own.named(b.labelled(row)) for row in params["rows"]]
    if b.scenario.update and "value" in params:
        made["value"] = b.own.value(b.scenario.update, params["value"])
    return made


def inserted(b: Bound, instance: Any) -> Row:
    """Return the row of an instance that was made."""
    return b.own.unwrapped(b.read.row(instance))


def instances(b: Bound, params: Row) -> list[Any]:
    """Return instances that are yet to be saved."""
    return [b.own.model(**row) for row in params["rows"]]


def _ordered(names: list[str], *, descending: bool) -> list[str]:
    return [f"-{name}" for name in names] if descending else names


def filtered_list(b: Bound, params: Row) -> Any:
    """Filter by a value."""
    s = b.scenario
    order = _ordered(b.own.names(s.order), descending=s.descending)
    return b.objects.filter(b.own.equal({s.filter: params["value"]})).order_by(*order)[: s.limit]


def keyset_page(b: Bound, params: Row) -> Any:
    """Filter what comes after a row."""
    s = b.scenario
    order = _ordered(b.own.names(s.order), descending=s.descending)
    page = b.own.after(s.order, params["after"], descending=s.descending)
    return b.objects.filter(page).order_by(*order)[: s.limit]


def json_filter(b: Bound, params: Row) -> Any:
    """Filter by a key of a document: as text, on SQLite as a document, whose lookups Django reads as such there."""
    s = b.scenario
    text = (KeyTransform if on_sqlite() else KeyTextTransform)(s.path, b.own.fields[s.filter].name)
    query = b.objects.alias(text_of_document=text).filter(text_of_document=params["value"])
    return query.order_by(*b.own.names(b.own.key))[: s.limit]


def list_to_one(b: Bound, params: Row) -> Any:
    """Filter with parents, by select_related."""
    assert b.read.parent is not None
    query = b.objects.select_related(b.read.parent[0]).filter(b.own.after(b.own.key, params["after"]))
    return query.order_by(*b.own.names(b.own.key))[: b.scenario.limit]


def include(b: Bound, params: Row) -> Any:
    """Filter with children, by prefetch_related."""
    query = b.objects.filter(b.own.among(params["keys"])).order_by(*b.own.names(b.own.key))
    return query.prefetch_related(b.read.prefetch())


def aggregate(b: Bound) -> Any:
    """Count and add up by group."""
    s = b.scenario
    group = b.own.fields[s.group].attname
    sums = {"sum_of_group": Sum(b.own.fields[s.total].attname)} if s.total else {}
    query = b.objects.filter(**{f"{group}__isnull": False}).values(group)
    return query.annotate(rows_of_group=Count("*"), **sums).order_by(group)


def total(b: Bound, row: Row) -> Row:
    """Return a row of an aggregate under the names of all contestants."""
    group = b.own.fields[b.scenario.group].attname
    return {"group": row[group], "count": row["rows_of_group"], "total": row.get("sum_of_group")}


def changed(b: Bound, params: Row) -> Row:
    """Return what an update sets."""
    return {b.own.fields[b.scenario.update].attname: params["value"]}


def on_conflict(b: Bound) -> dict[str, Any]:
    """Return what makes bulk_create() an upsert."""
    names = [b.own.fields[name].name for name in b.own.key]
    return {
        "update_conflicts": True,
        "unique_fields": names,
        "update_fields": [b.own.fields[b.scenario.update].name],
    }


def deleted(b: Bound, told: tuple[int, dict[str, int]]) -> int:
    """Return how many rows of the scenario's own model delete() tells of."""
    _total, by_model = told
    return int(by_model[b.own.model._meta.label])


def deletions(b: Bound, key: Row, condition: Q) -> Iterator[Any]:
    """Yield what goes before a row: what neither the database nor the models would delete with it."""
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
