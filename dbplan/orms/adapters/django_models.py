"""Exported Django models at run time: which model has which table, which field a column, which key a relation."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import ForeignKey, JSONField, Prefetch, Q, TextField

from dbplan.errors import NotCovered
from dbplan.orms.adapters.drivers import is_sqlite, on_sqlite, timeout
from dbplan.orms.scenarios import Link, Scenario, Study

Row = dict[str, Any]
APP = "exported"
"""What the folder of models is called as an application."""


def configure(study: Study, *, lasting: bool = True) -> None:
    """Configure Django; on SQLite, for which it has no pool, connections last where a thread comes again."""
    settings.configure(
        DATABASES={"default": _file(study, lasting=lasting) if is_sqlite(study) else _server(study)},
        INSTALLED_APPS=application(study.models),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="UTC",  # which a new project has; without it moments are those of Chicago
    )
    django.setup()


def _server(study: Study) -> dict[str, Any]:
    url = study.url
    told = {"HOST": url["host"], "PORT": url["port"], "USER": url["user"], "PASSWORD": url["password"]}
    server = {"ENGINE": "django.db.backends.postgresql", "NAME": url["database"]}
    server |= {name: str(value) for name, value in told.items() if value is not None}
    server["OPTIONS"] = {"pool": {"min_size": 1, "max_size": study.pool}}
    return server


def _file(study: Study, *, lasting: bool) -> dict[str, Any]:
    options = {
        "timeout": timeout(study),
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA synchronous = FULL",
    }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": study.url["database"],
        "OPTIONS": options,
        "CONN_MAX_AGE": None if lasting else 0,
    }


def application(folder: str) -> list[str]:
    """Make a folder with `models.py` an application, and return what is installed with it."""
    module = sys.modules[APP] = ModuleType(APP)
    module.__path__ = [folder]
    text = (Path(folder) / "models.py").read_text("utf-8")
    return ["django.contrib.postgres", APP] if "django.contrib.postgres" in text and not on_sqlite() else [APP]


class Models:
    """The models of the application, by table."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.models = {model._meta.db_table: model for model in apps.get_app_config(APP).get_models()}

    def face(self, key: str) -> Face:
        """Return the model of a table; NotCovered where there is none that Django writes."""
        facts = self.study.tables[key]
        name = f'{facts.schema}"."{facts.name}' if facts.schema else facts.name
        model = self.models.get(name)
        if model is None or not model._meta.managed:
            raise NotCovered(f"Django takes no percent sign and no quotes in names, as {key} or its columns have")
        fields = {field.column: field for field in model._meta.concrete_fields}
        return Face(key, model, fields, facts.key, {name: told["kind"] for name, told in facts.columns.items()})


@dataclass(frozen=True)
class Face:
    """A table as an adapter uses it: its model, the fields by column, and the columns of its key."""

    table: str
    model: Any
    fields: dict[str, Any]
    key: tuple[str, ...]
    kinds: dict[str, str]

    def names(self, columns: Iterable[str]) -> list[str]:
        """Return what the model calls the values of columns."""
        return [self.fields[name].attname for name in columns]

    def named(self, row: Row) -> Row:
        """Return a row as the model takes it; documents of columns that are no JSONField go to psycopg as such."""
        return {self.fields[name].attname: self.value(name, value) for name, value in row.items()}

    def value(self, name: str, value: Any) -> Any:
        """Return a value as the model takes it."""
        if name not in self.documents or value is None:
            return value
        from psycopg.types.json import Jsonb

        return Jsonb(value)

    @cached_property
    def documents(self) -> frozenset[str]:
        """Return the columns of documents for which the model has no JSONField."""
        return frozenset(
            n for n, f in self.fields.items() if self.kinds.get(n) == "json" and not isinstance(f, JSONField)
        )

    def unwrapped(self, row: Row) -> Row:
        """Return the row of an instance that was made: it holds documents as they were given to psycopg."""
        return {**row, **{n: row[n].obj for n in self.documents if row.get(n) is not None}} if self.documents else row

    def enums(self, columns: Iterable[str]) -> list[str]:
        """Return the columns that hold enums of the server, which are texts to Django."""
        return [name for name in columns if self.kinds[name] == "enum" and isinstance(self.fields[name], TextField)]

    def equal(self, values: Row) -> Q:
        """Return the condition that columns have values."""
        return Q(**{self.fields[name].attname: value for name, value in values.items()})

    def among(self, keys: Sequence[Row]) -> Q:
        """Return the condition that the key is one of many."""
        if len(self.key) == 1:
            return Q(pk__in=[one[self.key[0]] for one in keys])
        order = [field.column for field in self.model._meta.pk_fields]
        return Q(pk__in=[tuple(one[name] for name in order) for one in keys])

    def after(self, columns: Sequence[str], values: Row, *, descending: bool = False) -> Q:
        """Return the condition that a row comes after values: Django compares no rows, so column by column."""
        condition, sign = Q(), "lt" if descending else "gt"
        for name in reversed(columns):
            attribute, value = self.fields[name].attname, values[name]
            later = Q(**{f"{attribute}__{sign}": value})
            condition = later | Q(**{attribute: value}) & condition if condition else later
        return condition

    def key_of(self, columns: Sequence[str]) -> Any:
        """Return the foreign key that is of these columns; None where Django has none."""
        found = self.fields[columns[0]] if len(columns) == 1 else None
        return found if isinstance(found, ForeignKey) else None


@dataclass(frozen=True)
class Reader:
    """How instances become rows: attributes by column, and what hangs on relations."""

    face: Face
    pairs: tuple[tuple[str, str], ...]
    parent: tuple[str, Reader] | None = None
    children: tuple[str, Reader] | None = None
    order: tuple[str, ...] = ()
    single: bool = False

    def row(self, instance: Any) -> Row:
        """Return an instance as a row."""
        made = {name: getattr(instance, attribute) for name, attribute in self.pairs}
        if self.parent is not None:
            attribute, read = self.parent
            found = getattr(instance, attribute)
            made["parent"] = None if found is None else read.row(found)
        if self.children is not None:
            attribute, read = self.children
            made["children"] = read.rows(_children(instance, attribute, read))
        return made

    def rows(self, instances: Iterable[Any]) -> list[Row]:
        """Return instances as rows."""
        return [self.row(instance) for instance in instances]

    def prefetch(self) -> Prefetch:
        """Return how the children are fetched: in order, with theirs."""
        assert self.children is not None
        name, below = self.children
        query = below.face.model.objects.order_by(*below.order)
        return Prefetch(name, query if below.children is None else query.prefetch_related(below.prefetch()))


def _children(instance: Any, attribute: str, read: Reader) -> Iterable[Any]:
    """Return what a relation holds: many, or at most one where the key is unique."""
    if not read.single:
        found: Iterable[Any] = getattr(instance, attribute).all()
        return found
    try:
        return [getattr(instance, attribute)]
    except ObjectDoesNotExist:
        return []


def reader(models: Models, of: Scenario | Link, *, single: bool = False) -> Reader:
    """Return how rows of a scenario are read; NotCovered for a relation that Django has no key for."""
    face = models.face(of.table)
    pairs = tuple((name, face.fields[name].attname) for name in of.columns)
    parent, children = getattr(of, "parent", None), of.children
    above = below = None
    if parent is not None:
        key = face.key_of([own for own, _ in parent.pairs])
        if key is None:
            raise _unrelated(face, [own for own, _ in parent.pairs])
        above = (key.name, reader(models, parent))
    if children is not None:
        below = _below(models, children)
    order = tuple(face.names(of.order)) if isinstance(of, Link) else ()
    return Reader(face, pairs, above, below, order, single)


def _below(models: Models, link: Link) -> tuple[str, Reader]:
    columns = [column for _, column in link.pairs]
    face = models.face(link.table)
    key = face.key_of(columns)
    name = None if key is None else key.remote_field.get_accessor_name()
    if name is None:
        raise _unrelated(face, columns)
    return name, reader(models, link, single=key.one_to_one)


def _unrelated(face: Face, columns: Sequence[str]) -> NotCovered:
    """Return why columns are no relation."""
    why = "what export() lost says why"
    if len(columns) > 1:
        why = "a ForeignKey is of one column"
    elif len(face.key) > 1 and columns[0] in face.key:
        why = "Django's migrations lose it out of a CompositePrimaryKey where it is added after its table"
    return NotCovered(f"Django has no relation along {face.table} ({', '.join(columns)}): {why}")
