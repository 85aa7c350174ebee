"""Exported SQLAlchemy models at run time: which class has which table, column and relationship."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import JSON, Dialect, Enum, MetaData, Table, TypeDecorator, null
from sqlalchemy.orm import Mapper, RelationshipProperty, configure_mappers

from dbplan.encryption import DEVELOPMENT, VARIABLE
from dbplan.errors import NotCovered
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Link, Scenario, Study, TableFacts

Make = Callable[[Any], Any]


@cache
def load(folder: str) -> ModuleType:
    """Import `models.py` of a folder, once; where no key is set, its secrets are sealed with the development key."""
    os.environ.setdefault(VARIABLE, DEVELOPMENT)
    spec = spec_from_file_location("models", Path(folder) / "models.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["models"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _metadata_of(value: Any) -> MetaData | None:
    """Return the MetaData of a class or Table of a module."""
    found = getattr(value, "metadata", None)
    return found if isinstance(found, MetaData) else None


class Models:
    """The tables and mapped classes of a module, by schema and name."""

    def __init__(self, study: Study, dialect: Dialect) -> None:
        module = load(study.models)
        configure_mappers()
        self.study, self.dialect = study, dialect
        self.tables: dict[tuple[str | None, str], Table] = {}
        self.mappers: dict[tuple[str | None, str], Mapper[Any]] = {}
        metadatas = {id(found): found for value in vars(module).values() if (found := _metadata_of(value)) is not None}
        for metadata in metadatas.values():
            self.tables |= {(table.schema, str(table.name)): table for table in metadata.tables.values()}
        for value in vars(module).values():
            mapper = getattr(value, "__mapper__", None)
            if isinstance(mapper, Mapper) and isinstance(mapper.local_table, Table):
                self.mappers[mapper.local_table.schema, str(mapper.local_table.name)] = mapper

    def facts(self, key: str) -> TableFacts:
        """Return what is known of a table."""
        return self.study.tables[key]

    def table(self, key: str) -> Face:
        """Return a table as Core sees it."""
        facts = self.facts(key)
        table = self.tables.get((facts.schema, facts.name))
        if table is None:
            raise NotCovered(f"the models have no table {key}")
        columns = {str(column.name): column for column in table.columns}
        return self._face(key, table, columns, {name: str(column.key) for name, column in columns.items()}, columns)

    def mapped(self, key: str) -> Face:
        """Return a table as the ORM sees it: a class with attributes."""
        facts = self.facts(key)
        mapper = self.mappers.get((facts.schema, facts.name))
        if mapper is None:
            raise NotCovered(f"the models have no class for {key}: the ORM maps only tables with a primary key")
        columns = {str(column.name): column for column in mapper.local_table.columns}
        names = {name: mapper.get_property_by_column(column).key for name, column in columns.items()}
        attributes = {name: getattr(mapper.class_, attribute) for name, attribute in names.items()}
        return self._face(key, mapper.class_, attributes, names, columns, mapper)

    def _face(
        self,
        key: str,
        entity: Any,
        columns: Mapping[str, Any],
        names: Mapping[str, str],
        typed: Mapping[str, Any],
        mapper: Mapper[Any] | None = None,
    ) -> Face:
        makes = {name: _made_of(column.type, self.dialect) for name, column in typed.items()}
        labels = {name: _labels(column.type, makes[name]) for name, column in typed.items()}
        return Face(
            key,
            entity,
            columns,
            names,
            {name: make for name, make in makes.items() if make is not None},
            {name: odd for name, odd in labels.items() if odd},
            mapper,
        )


@dataclass(frozen=True)
class Face:
    """A table as an adapter uses it; everything by the names that the database has for columns."""

    key: str
    entity: Any
    """A Table or a class."""
    columns: Mapping[str, Any]
    """What statements are made of: columns or attributes."""
    names: Mapping[str, str]
    """What values are called: keys of columns, or attributes."""
    makes: Mapping[str, Make]
    """What makes of a database's value the one that the column's own type gives: enums, and types of the plan."""
    labels: Mapping[str, Mapping[Any, str]]
    """The database's labels of enums whose members have other values."""
    mapper: Mapper[Any] | None = None

    @cached_property
    def filled(self) -> frozenset[str]:
        """Return the columns of a class that may be NULL and that the server fills: the ORM leaves None to it there."""
        columns = self.mapper.local_table.columns if self.mapper is not None else ()
        return frozenset(column.name for column in columns if column.nullable and column.server_default is not None)

    def several(self, names: Iterable[str]) -> list[Any]:
        """Return columns."""
        return [self.columns[name] for name in names]

    def value(self, name: str, value: Any) -> Any:
        """Return a value as a user of the models holds it."""
        make = self.makes.get(name)
        return value if make is None or value is None else make(value)

    def values(self, row: Row) -> Row:
        """Return a row as a user of the models holds it, still by columns."""
        return {name: self.value(name, value) for name, value in row.items()}

    def named(self, row: Row) -> Row:
        """Return a row as the class or Table takes it; NULL of a document is said, for None is the document null."""
        return {
            self.names[name]: null() if value is None and name in self.documents else self.value(name, value)
            for name, value in row.items()
        }

    @cached_property
    def documents(self) -> frozenset[str]:
        """Return the columns of documents."""
        return frozenset(name for name, column in self.columns.items() if isinstance(column.type, JSON))

    def label(self, name: str, value: Any) -> Any:
        """Return what the database has for a value."""
        labels = self.labels.get(name)
        return labels.get(value, value) if labels else value


def _made_of(kind: Any, dialect: Dialect) -> Make | None:
    """Return what the type of a column does with a value that was read; None for types that SQLAlchemy has itself."""
    if isinstance(kind, Enum):
        member: Make | None = kind.dialect_impl(dialect).result_processor(dialect, None)
        return member
    if not isinstance(kind, TypeDecorator):
        return None
    inner, own = _made_of(kind.impl_instance, dialect), kind.process_result_value
    if type(kind).process_result_value is TypeDecorator.process_result_value:
        return inner
    return lambda value: own(value if inner is None else inner(value), dialect)


def _labels(kind: Any, make: Make | None) -> dict[Any, str]:
    inner = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if make is None or not isinstance(inner, Enum) or inner.enum_class is None:
        return {}
    labels = {make(label): str(label) for label in inner.enums}
    return labels if any(getattr(member, "value", member) != label for member, label in labels.items()) else {}


@dataclass(frozen=True)
class Reader:
    """How instances of a class become rows: attributes by column, and what hangs on relationships."""

    face: Face
    pairs: tuple[tuple[str, str], ...]
    parent: tuple[str, Reader] | None = None
    children: tuple[str, Reader] | None = None
    odd: tuple[str, ...] = field(default=())

    def row(self, instance: Any) -> Row:
        """Return an instance as a row."""
        made = {name: getattr(instance, attribute) for name, attribute in self.pairs}
        for name in self.odd:
            made[name] = self.face.label(name, made[name])
        if self.parent is not None:
            attribute, read = self.parent
            found = getattr(instance, attribute)
            made["parent"] = None if found is None else read.row(found)
        if self.children is not None:
            attribute, read = self.children
            made["children"] = [read.row(child) for child in _several(getattr(instance, attribute))]
        return made

    def rows(self, instances: Iterable[Any]) -> list[Row]:
        """Return instances as rows."""
        return [self.row(instance) for instance in instances]


def _several(found: Any) -> Sequence[Any]:
    """Return what a relationship holds: a list, or at most one where the key is unique."""
    if isinstance(found, list):
        return found
    return [] if found is None else [found]


def reader(models: Models, of: Scenario | Link) -> Reader:
    """Return how rows of a scenario are read, through the relationships that it needs.

    Raises NotCovered for a foreign key that the models have no relationship for.
    """
    face = models.mapped(of.table)
    pairs = tuple((name, face.names[name]) for name in of.columns)
    parent, children = getattr(of, "parent", None), of.children
    return Reader(
        face,
        pairs,
        None if parent is None else (_relationship(models, face, parent).key, reader(models, parent)),
        None if children is None else (_ordered(models, face, children).key, reader(models, children)),
        tuple(name for name in of.columns if name in face.labels),
    )


def _ordered(models: Models, face: Face, link: Link) -> RelationshipProperty[Any]:
    """Return the relationship to children, with the order that `relationship(order_by=…)` would give it."""
    found = _relationship(models, face, link)
    if link.order and found.uselist:
        columns = found.mapper.local_table.columns
        by_name = {str(column.name): column for column in columns}
        found.order_by = tuple(by_name[name] for name in link.order)
    return found


def _relationship(models: Models, face: Face, link: Link) -> RelationshipProperty[Any]:
    assert face.mapper is not None
    target = models.mapped(link.table).mapper
    wanted = {(own, other) for own, other in link.pairs}
    for found in face.mapper.relationships:
        pairs = {(str(own.name), str(other.name)) for own, other in found.local_remote_pairs}
        if found.mapper is target and pairs == wanted:
            return found
    keys = ", ".join(f"{own} = {other}" for own, other in link.pairs)
    raise NotCovered(f"the models have no relationship from {face.key} to {link.table} ({keys})")
