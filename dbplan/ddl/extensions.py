"""The PostgreSQL extensions that a schema evidently needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.types import TypeEngine

from dbplan.evidence import Place

_TYPES = {
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "vector": "vector",
    "halfvec": "vector",
    "sparsevec": "vector",
    "cube": "cube",
    "geometry": "postgis",
    "geography": "postgis",
}
_OPERATOR_CLASSES = {"gin_trgm_ops": "pg_trgm", "gist_trgm_ops": "pg_trgm"}


def extensions(metadata: MetaData) -> dict[str, Place]:
    """Return the extensions that are named, or that types, operator classes and exclusions need; each with a place."""
    found: dict[str, Place] = {str(name): Place() for name in metadata.info.get("extensions", ())}
    own = {str(getattr(known, "name", "")).lower() for known in metadata._objects}
    for table in metadata.tables.values():
        for name, place in _of_table(table):
            if name not in own:
                found.setdefault(name, place)
    return found


def _of_table(table: Table) -> list[tuple[str, Place]]:
    key = str(table.key)
    of_types = [(_TYPES.get(_name(column.type), ""), Place(key, column.name)) for column in table.columns]
    of_indexes = [
        (_OPERATOR_CLASSES.get(str(operator_class).lower(), ""), Place(key, index=str(index.name)))
        for index in table.indexes
        for operator_class in (index.dialect_kwargs.get("postgresql_ops") or {}).values()
    ]
    of_exclusions = [
        ("btree_gist", Place(key, constraint=str(constraint.name)))
        for constraint in table.constraints
        if isinstance(constraint, ExcludeConstraint) and "=" in constraint.operators.values()
    ]
    return [(name, place) for name, place in (*of_types, *of_indexes, *of_exclusions) if name]


def _name(kind: TypeEngine[Any]) -> str:
    item: Any = getattr(kind, "item_type", kind)
    return str(getattr(item, "__visit_name__", type(item).__name__)).lower()
