"""Reasons: what decides the values of a column, as short as a person would say it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.seeding.rows.times import LATER
from dbplan.seeding.values.infer import generic, provider_of, usually
from dbplan.seeding.values.names import RANGES

if TYPE_CHECKING:
    from dbplan.seeding.rows.frames import Source
    from dbplan.seeding.rows.world import World

RECIPE = re.compile(r"(?:^|, )recipe: ")


def values(source: Source, column: Column[Any]) -> str:
    """Say what a column holds."""
    why = source.why.get(column.name)
    return "left to the database" if why is None else RECIPE.sub(lambda found: ", " if found.start() else "", why)


def because(made: World, source: Source, column: Column[Any]) -> str:
    """Say what decides that: a line of the recipe, a key, a CHECK, a unique, the name, or the type."""
    name, why = str(source.table.key), source.why.get(column.name)
    if made.recipe.column(name, column.name):
        return line(made, "tables", name, "columns", column.name)
    if source.given:
        return line(made, "tables", name, "fixed")
    if why is None:
        return _left(column)
    if keyed := _keyed(source, column, why):
        return keyed
    shaped = _checked(source, column, why) or ("name" if _named(source, column) else "")
    return ", ".join(filter(None, (shaped, _unique(source, column, why)))) or "type"


def line(made: World, *path: str) -> str:
    """Return the line of the recipe where a key stands; with the file, where that is not the recipe's own."""
    file, _, number = made.recipe.place(*path).rpartition(":")
    return f"line {number}" if file == made.recipe.path else f"{Path(file).name}:{number}"


def _left(column: Column[Any]) -> str:
    if column.computed is not None:
        return "generated"
    return "identity" if column.identity is not None else "DEFAULT" if column.server_default is not None else ""


def _keyed(source: Source, column: Column[Any], why: str) -> str:
    if any(column.name in reference.own for reference in source.references):
        return "foreign key"
    return "key" if why in ("counts up", "UUIDv7, sorted by time") else ""


def _checked(source: Source, column: Column[Any], why: str) -> str:
    """Name the first CHECK that shapes the values of this column alone, or that defines it."""
    if column.name in source.facts.equations:
        return "CHECK"
    limit = source.facts.limit(column.name)
    numbers = isinstance(generic(column.type), sa.Integer | sa.Numeric | sa.DateTime | sa.Date)
    shaped = limit.values is not None or why.startswith("texts like")
    if not (shaped or (numbers and not (limit.low is None and limit.high is None))):
        return ""
    alone = [c for c in source.facts.checks if c.parsed is not None and c.parsed.columns == {column.name}]
    named = next((check.name for check in alone if check.name != check.text), "")
    return f"CHECK {named}".strip()


def _unique(source: Source, column: Column[Any], why: str) -> str:
    if "each once" not in why and not why.startswith("differs "):
        return ""
    inside = sorted((names for names in source.uniques if column.name in names), key=lambda names: (len(names), *names))
    with_it = ", ".join(name for name in sorted(inside[0]) if name != column.name) if inside else ""
    return f"unique with {with_it}" if with_it else "unique"


def _named(source: Source, column: Column[Any]) -> bool:
    """Whether the name of the column has a say."""
    kind, name = generic(column.type), column.name
    if column.name == source.timed:
        return True
    if isinstance(kind, sa.DateTime | sa.Date):
        return bool(LATER.search(name)) and source.why[name].startswith("after ")
    if isinstance(kind, sa.Enum | sa.Boolean | sa.Uuid):
        return False
    if isinstance(kind, sa.String):
        return provider_of(source.table.name, name) != "word" or usually(source.table.name, name)
    return isinstance(kind, sa.Integer | sa.Numeric) and any(re.search(p, name.lower()) for p, _, _ in RANGES)
