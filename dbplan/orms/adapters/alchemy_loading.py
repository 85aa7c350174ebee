"""Scenarios bound to mapped classes: what is selected, how related rows are loaded, how instances become rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import joinedload, selectinload

from dbplan.orms.adapters.alchemy_models import Models, Reader, reader
from dbplan.orms.adapters.alchemy_statements import Bound
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Scenario, linked


def bound(models: Models, scenario: Scenario, select: Callable[..., Any]) -> Bound:
    """Find the classes, attributes and relationships of a scenario; NotCovered for what the models have not."""
    own = models.mapped(scenario.table)
    faces = {link.table: models.mapped(link.table) for link in linked(scenario)}
    read = reader(models, scenario)
    return Bound(
        scenario,
        own,
        models.facts(scenario.table).key,
        (own.entity,),
        select,
        faces,
        read,
        tuple(_options(read)),
        faces[scenario.insert.table] if scenario.insert else None,
    )


def _options(read: Reader) -> list[Any]:
    """Return the loader options: to-one by a join, to-many by one more SELECT for each level."""
    made: list[Any] = []
    if read.parent is not None:
        made.append(joinedload(_attribute(read, read.parent[0])))
    if read.children is not None:
        name, below = read.children
        made.append(selectinload(_attribute(read, name)).options(*_options(below)))
    return made


def _attribute(read: Reader, name: str) -> Any:
    return getattr(read.face.entity, name)


def identity(b: Bound, params: Row) -> Any:
    """Return the key of a row as a session takes it."""
    assert b.own.mapper is not None
    values = tuple(params["key"][str(column.name)] for column in b.own.mapper.primary_key)
    return values[0] if len(values) == 1 else values
