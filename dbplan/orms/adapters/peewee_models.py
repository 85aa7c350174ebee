"""Exported Peewee models at run time: which model has which table, which field a column, which key a relation."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from importlib.util import module_from_spec, spec_from_file_location
from operator import and_
from pathlib import Path
from types import ModuleType
from typing import Any

from peewee import ForeignKeyField, Tuple

from dbplan.errors import NotCovered
from dbplan.orms.scenarios import Link, Scenario, Study

Row = dict[str, Any]


def load(folder: str) -> ModuleType:
    """Import `models.py` of a folder."""
    spec = spec_from_file_location("models", Path(folder) / "models.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["models"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Database:
    """A pool, and the models bound to it."""

    def __init__(self, study: Study, pool: Any) -> None:
        self.pool, self.models = pool, Models(study)
        self.models.module.database.initialize(pool)


def login(study: Study) -> dict[str, Any]:
    """Return what a pool of PostgreSQL's is told besides the database."""
    return {name: study.url[name] for name in ("host", "port", "user", "password") if study.url[name] is not None}


def pragmas(study: Study) -> dict[str, Any]:
    """Return what a pool of SQLite's sets on every connection."""
    return {"foreign_keys": 1, "synchronous": "full", "busy_timeout": study.url["busy_timeout"]}


class Models:
    """The models of a module, by schema and table."""

    def __init__(self, study: Study) -> None:
        self.study, self.module = study, load(study.models)
        self.models = {(found._meta.schema, found._meta.table_name): found for found in self.module.MODELS}

    def face(self, key: str) -> Face:
        """Return the model of a table; NotCovered where there is none that Peewee writes."""
        facts = self.study.tables[key]
        model = self.models.get((facts.schema, facts.name))
        if model is None:
            raise NotCovered(f"Peewee does not take a name of {key}: what export() lost says why")
        fields = {field.column_name: field for field in model._meta.sorted_fields}
        return Face(key, model, fields, tuple(fields[name] for name in facts.key))


@dataclass(frozen=True)
class Face:
    """A table as an adapter uses it: its model, the fields by column, and those of its key."""

    table: str
    model: Any
    fields: dict[str, Any]
    key: tuple[Any, ...]

    def equal(self, values: Row) -> Any:
        """Return the condition that columns have values."""
        return reduce(and_, (self.fields[name] == value for name, value in values.items()))

    def several(self, names: Iterable[str]) -> list[Any]:
        """Return fields."""
        return [self.fields[name] for name in names]

    def named(self, row: Row) -> Row:
        """Return a row as the model takes it."""
        return {self.fields[name].name: value for name, value in row.items()}


def among(fields: list[Any], keys: list[tuple[Any, ...]]) -> Any:
    """Return the condition that fields have the values of one of many keys."""
    if len(fields) == 1:
        return fields[0].in_([key[0] for key in keys])
    return Tuple(*fields).in_([Tuple(*_converted(fields, key)) for key in keys])


def after(fields: list[Any], values: list[Any], *, descending: bool = False) -> Any:
    """Return the condition that a row comes after values, as a comparison of rows."""
    if len(fields) == 1:
        return fields[0] < values[0] if descending else fields[0] > values[0]
    row, given = Tuple(*fields), Tuple(*_converted(fields, values))
    return row < given if descending else row > given


def _converted(fields: list[Any], values: Iterable[Any]) -> list[Any]:
    return [field.to_value(value) for field, value in zip(fields, values, strict=True)]


@dataclass(frozen=True)
class Reader:
    """How instances become rows: attributes by column, and what hangs on relations."""

    face: Face
    pairs: tuple[tuple[str, str], ...]
    parent: tuple[str, Reader] | None = None
    children: tuple[str, Reader] | None = None
    order: tuple[Any, ...] = ()

    def row(self, instance: Any) -> Row:
        """Return an instance as a row."""
        made = {name: getattr(instance, attribute) for name, attribute in self.pairs}
        if self.parent is not None:
            attribute, read = self.parent
            found = getattr(instance, attribute, None)
            made["parent"] = None if found is None else read.row(found)
        if self.children is not None:
            attribute, read = self.children
            made["children"] = read.rows(getattr(instance, attribute))
        return made

    def rows(self, instances: Iterable[Any]) -> list[Row]:
        """Return instances as rows."""
        return [self.row(instance) for instance in instances]


def reader(models: Models, of: Scenario | Link) -> Reader:
    """Return how rows of a scenario are read; NotCovered for children that no field of theirs leads from."""
    face = models.face(of.table)
    pairs = tuple((name, face.fields[name].safe_name) for name in of.columns)
    parent, children = getattr(of, "parent", None), of.children
    made_parent = made_children = None
    if parent is not None:
        key = _key(face, [own for own, _ in parent.pairs], parent.table)
        made_parent = (key.name if key is not None else "joined_parent", reader(models, parent))
    if children is not None:
        made_children = _below(models, face, children)
    order = tuple(face.several(of.order)) if isinstance(of, Link) else ()
    return Reader(face, pairs, made_parent, made_children, order)


def _below(models: Models, face: Face, link: Link) -> tuple[str, Reader]:
    child = models.face(link.table)
    columns = [column for _, column in link.pairs]
    key = _key(child, columns, face.table)
    if key is None or key.backref in ("+", "!"):
        named = ", ".join(columns)
        raise NotCovered(f"Peewee has no relation along {link.table} ({named}): a ForeignKeyField is of one column")
    return key.backref, reader(models, link)


def _key(face: Face, columns: list[str], parent: str) -> Any:
    """Return the foreign key of one column; None for one of several, and for a column that is no such field."""
    found = face.fields[columns[0]] if len(columns) == 1 else None
    return found if isinstance(found, ForeignKeyField) else None


def joined(read: Reader, link: Link) -> tuple[Any, dict[str, Any]]:
    """Return the model of the parent, and how it is joined: by the key's field, else by what its columns say."""
    assert read.parent is not None
    name, parent = read.parent
    fields = [(read.face.fields[own], parent.face.fields[target]) for own, target in link.pairs]
    if name != "joined_parent":
        return parent.face.model, {"on": fields[0][0]}
    condition = reduce(and_, (own == target for own, target in fields))
    return parent.face.model, {"on": condition, "attr": name}
