"""What SQLAlchemy's mappers call things: the class of a table, the attribute of a column, the ways between tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ForeignKeyConstraint, MetaData, Table
from sqlalchemy.orm import Mapper, RelationshipDirection, RelationshipProperty, configure_mappers, mapperlib


def name(original: MetaData, copy: MetaData) -> None:
    """Write into the `.info` of a copied MetaData what the mappers of the original's tables call them.

    Names that are there already stay. Mappers that cannot be configured name their tables and nothing else.
    """
    mappers = [mapper for mapper in _mappers() if _is_of(mapper, original)]
    if not mappers:
        return
    for mapper in mappers:
        copy.tables[mapper.local_table.key].info.setdefault("model", mapper.class_.__name__)  # type: ignore[attr-defined]
    heirs = [
        f"that the class {m.class_.__name__} inherits from {m.inherits.class_.__name__}" for m in mappers if m.inherits
    ]
    if heirs:
        copy.info["not_covered"] = tuple(dict.fromkeys((*copy.info.get("not_covered", ()), *heirs)))
    try:
        configure_mappers()
    except Exception:  # what a stranger hangs on its mappers may raise anything
        return
    for mapper in mappers:
        _columns(mapper, copy)
        _relationships(mapper, copy)


def _mappers() -> Iterator[Mapper[Any]]:
    """Yield every mapper there is, those that others inherit from first."""
    managers = [one for registry in mapperlib._all_registries() for one in list(registry._managers)]  # no public list
    found = [one.mapper for one in managers if one.is_mapped]  # a class whose module failed half-way is not
    yield from sorted(found, key=lambda mapper: (mapper.inherits is not None, mapper.class_.__qualname__))


def _is_of(mapper: Mapper[Any], metadata: MetaData) -> bool:
    table = mapper.local_table
    return isinstance(table, Table) and metadata.tables.get(table.key) is table


def _columns(mapper: Mapper[Any], copy: MetaData) -> None:
    for attribute in mapper.column_attrs:
        for column in attribute.columns:
            table = copy.tables.get(getattr(column.table, "key", ""))
            if table is not None and column.name in table.columns and attribute.key != column.name:
                table.columns[column.name].info.setdefault("field", attribute.key)


def _relationships(mapper: Mapper[Any], copy: MetaData) -> None:
    for relationship in mapper.relationships:
        key = _key(relationship, copy)
        if key is None:
            continue
        outward = relationship.direction is RelationshipDirection.MANYTOONE
        key.info.setdefault("field" if outward else "back", relationship.key)


def _key(relationship: RelationshipProperty[Any], copy: MetaData) -> ForeignKeyConstraint | None:
    """Return the foreign key that a relationship goes by, if it is just one."""
    if relationship.direction is RelationshipDirection.MANYTOMANY:
        return None
    outward = relationship.direction is RelationshipDirection.MANYTOONE
    pairs = relationship.local_remote_pairs or []
    children = [pair[0] if outward else pair[1] for pair in pairs]
    names = {column.name for column in children}
    tables = {getattr(column.table, "key", "") for column in children}
    table = copy.tables.get(next(iter(tables))) if len(tables) == 1 else None
    keys = table.foreign_key_constraints if table is not None else ()
    found = [key for key in keys if {element.parent.name for element in key.elements} == names]
    return found[0] if len(found) == 1 else None
