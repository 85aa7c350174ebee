"""Exported Pony entities at run time: which entity has which table, which attribute a column, which way a relation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from dbplan.errors import NotCovered
from dbplan.orms.scenarios import Link, Scenario, Study

Row = dict[str, Any]
SORTED_ALIKE = frozenset(
    {"int", "float", "real", "decimal", "bool", "uuid", "timestamp", "timestamptz", "date", "time", "bytes"}
)
"""Kinds that Python sorts as the database does."""


def load(folder: str) -> ModuleType:
    """Import `models.py` of a folder."""
    spec = spec_from_file_location("models", Path(folder) / "models.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Face:
    """A table as an adapter uses it: its entity, and the attribute of each column, with its place in that attribute.

    `paths` are what a query calls the columns: `parent.id` for one that is part of a relation.
    """

    table: str
    entity: Any
    attributes: dict[str, tuple[Any, int]]
    paths: dict[str, str]
    key: tuple[str, ...]

    def given(self, row: Row) -> Row:
        """Return a row as the entity takes it: by attributes, and for a relation the key of what it leads to."""
        made: dict[str, Any] = {}
        for name, value in row.items():
            attribute, place = self.attributes[name]
            if len(attribute.columns) == 1:
                made[attribute.name] = value
            else:
                made.setdefault(attribute.name, [None] * len(attribute.columns))[place] = value
        return {name: _whole(value, self.entity._adict_[name]) for name, value in made.items()}

    def reading(self, columns: Iterable[str]) -> Callable[[Any], Row]:
        """Return a function that makes a row of an object."""
        pairs = [(name, self.paths[name].split(".")) for name in columns]
        plain = [(name, path[0]) for name, path in pairs if len(path) == 1]
        far = [(name, path) for name, path in pairs if len(path) > 1]

        def row(found: Any) -> Row:
            made = {name: getattr(found, attribute) for name, attribute in plain}
            for name, path in far:
                made[name] = reduce(_step, path, found)
            return made

        return row

    def order(self, columns: Iterable[str], *, descending: bool = False) -> str:
        """Return what a query is ordered by."""
        paths = (f"x.{self.paths[name]}" for name in columns)
        return ", ".join(f"desc({path})" if descending else path for path in paths)

    def is_key(self, values: dict[str, str], name: str = "x") -> str:
        """Return the condition that columns are what variables hold."""
        return " and ".join(f"{name}.{self.paths[column]} == {value}" for column, value in values.items())


def _whole(value: Any, attribute: Any) -> Any:
    if len(attribute.columns) == 1:
        return value
    return None if None in value else tuple(value)


def _step(found: Any, name: str) -> Any:
    return None if found is None else getattr(found, name)


class Entities:
    """The entities of a database, by table."""

    def __init__(self, study: Study, database: Any) -> None:
        self.study = study
        self.by_table = {entity._table_: entity for entity in database.entities.values()}

    def face(self, key: str) -> Face:
        """Return the entity of a table; NotCovered where there is none."""
        facts = self.study.tables[key]
        entity = self.by_table.get((facts.schema, facts.name) if facts.schema else facts.name)
        if entity is None:
            raise NotCovered(f"Pony has no entity for {key}, which has no primary key that it takes")
        attributes: dict[str, tuple[Any, int]] = {}
        paths: dict[str, str] = {}
        for attribute in entity._attrs_:
            if attribute.is_collection:
                continue
            for place, (column, path) in enumerate(zip(attribute.columns, attribute.col_paths, strict=True)):
                attributes[column] = (attribute, place)
                paths[column] = path.replace("-", ".")
        return Face(key, entity, attributes, paths, facts.key)

    def way(self, child: Face, pairs: Iterable[tuple[str, str]], parent: Face) -> Any:
        """Return the attribute that leads from a child to its parent along columns; None for no relation."""
        targets = dict(pairs)
        for attribute, _ in child.attributes.values():
            known = attribute.reverse and attribute.py_type is parent.entity
            if known and [targets.get(name) for name in attribute.columns] == [*parent.entity._pk_columns_]:
                return attribute
        return None


@dataclass(frozen=True)
class Reader:
    """How objects become rows: their own columns, and what hangs on relations."""

    face: Face
    own: Callable[[Any], Row]
    parent: tuple[str, Reader] | None = None
    children: tuple[str, Reader] | None = None
    sorted_by: tuple[str, ...] = ()
    prefetched: list[Any] = field(default_factory=list)
    """What a query loads with the objects."""

    def row(self, found: Any) -> Row:
        """Return an object as a row."""
        made = self.own(found)
        if self.parent is not None:
            name, read = self.parent
            other = getattr(found, name)
            made["parent"] = None if other is None else read.row(other)
        if self.children is not None:
            name, read = self.children
            made["children"] = read.children_of(getattr(found, name))
        return made

    def children_of(self, several: Any) -> list[Row]:
        """Return the objects of a relation as rows, in order."""
        if several is None:
            return []
        if isinstance(several, self.face.entity):
            return [self.row(several)]
        rows = [self.row(one) for one in several]
        return sorted(rows, key=lambda row: tuple(row[name] for name in self.sorted_by))


def reader(entities: Entities, of: Scenario | Link) -> Reader:
    """Return how rows of a scenario are read; NotCovered along keys that are no relation."""
    face = entities.face(of.table)
    parent, children = getattr(of, "parent", None), of.children
    made_parent = made_children = None
    prefetched: list[Any] = []
    if parent is not None:
        other = entities.face(parent.table)
        way = entities.way(face, parent.pairs, other)
        if way is not None:
            made_parent, prefetched = (way.name, reader(entities, parent)), [way]
    if children is not None:
        made_children, below = _below(entities, face, children)
        prefetched = below
    order = of.order if isinstance(of, Link) else ()
    columns = (*of.columns, *(name for name in order if name not in of.columns))
    return Reader(face, face.reading(columns), made_parent, made_children, order, prefetched)


def _below(entities: Entities, face: Face, link: Link) -> tuple[tuple[str, Reader], list[Any]]:
    child = entities.face(link.table)
    way = entities.way(child, [(own, target) for target, own in link.pairs], face)
    if way is None:
        named = ", ".join(own for _, own in link.pairs)
        raise NotCovered(f"Pony has no relation along {link.table} ({named}): it knows those to a primary key alone")
    kinds = entities.study.tables[link.table].columns
    odd = [name for name in link.order if kinds[name]["kind"] not in SORTED_ALIKE]
    if odd:
        raise NotCovered(f"Pony loads children in no order, and Python sorts {odd[0]} otherwise than the database")
    read = reader(entities, link)
    return (way.reverse.name, read), [way.reverse, *read.prefetched]
