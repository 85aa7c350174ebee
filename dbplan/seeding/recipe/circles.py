"""Circles: columns whose rules follow from each other, so that none of them could ever be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import expression
from dbplan.seeding.constraints.references import key_of
from dbplan.seeding.constraints.stored import facts_of
from dbplan.seeding.recipe.reach import counted, parents, readable
from dbplan.seeding.rows.templates import DATES, NUMBERS, Field, pieces
from dbplan.seeding.rows.times import created

if TYPE_CHECKING:
    from dbplan.plan import Plan
    from dbplan.seeding.recipe.reading import Reader, Recipe

Place = tuple[str, str]
"""A table and a column of it."""
Ways = Mapping[Place, Mapping[Place, str]]
"""What each column follows from, and by which key."""


def refuse_circles(reader: Reader, recipe: Recipe) -> None:
    """Refuse rules that lead from a column back to itself; name the whole way."""
    ways = {
        (name, column): dict(_sources(reader.plan, recipe, name, column))
        for name, rule in recipe.tables.items()
        for column in sorted(reader.plan.table(name).columns.keys())
        if column in rule.columns or column in facts_of(reader.plan.table(name)).equations
    }
    done: set[Place] = set()
    for start in ways:
        circle = _circle(ways, start, [], done)
        if circle:
            _fail(reader, recipe, ways, circle)


def _circle(ways: Ways, at: Place, before: list[Place], done: set[Place]) -> list[Place]:
    """Return the places on a way from a column to itself, an empty list where there is none."""
    if at in before:
        return [*before[before.index(at) :], at]
    if at in done:
        return []
    for following in ways.get(at, ()):
        found = _circle(ways, following, [*before, at], done)
        if found:
            return found
    done.add(at)
    return []


def _fail(reader: Reader, recipe: Recipe, ways: Ways, circle: list[Place]) -> None:
    ruled = [place for place in circle if recipe.column(*place)]
    if not ruled:
        return  # CHECKs alone: they are solved together
    steps = " follows from ".join(f"{table}.{column}" for table, column in circle)
    keys = ", ".join(dict.fromkeys(ways[a][b] for a, b in pairwise(circle)))
    mend = "give one of them a rule of its own, such as values = … or min = …"
    if "previous" in keys:
        mend = "a running value is drawn as a level = { … }, and what leads to it follows"
    reader.fail(("tables", ruled[0][0], "columns", ruled[0][1]), f"{steps} ({keys}), which never ends; {mend}")


def _sources(plan: Plan, recipe: Recipe, name: str, column: str) -> Iterator[tuple[Place, str]]:
    """Yield what a column follows from, with the key that says so."""
    table, rule = plan.table(name), recipe.column(name, column)
    for key, other in _inside(table, recipe, rule):
        if not counted(other):
            yield _place(table, other), key
    if "parent" in rule:
        yield _place(table, rule["parent"]), "parent"
    for key, said in _afar(rule):
        yield _named(said), key
    equation = facts_of(table).equations.get(column)
    if not set(rule) - {"null", "only_when"} and equation is not None:
        for other in sorted(equation.columns):
            yield (name, other), "CHECK"


def _afar(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the columns of other tables that a rule names whole."""
    yield from ((key, rule[key]) for key in ("last", "pick") if key in rule)
    yield from (("cases", case["pick"]) for case in rule.get("cases", ()) if "pick" in case)


def _inside(table: Table, recipe: Recipe, rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys of a rule that read other columns of the row, each with one of them."""
    for key in ("after", "previous", "same_as"):
        others = rule.get(key, ())
        yield from ((key, other) for other in ([others] if isinstance(others, str) else others))
    read = [(key, rule[key]) for key in ("expression", "only_when") if key in rule]
    read += [("cases", case["when"]) for case in rule.get("cases", ()) if "when" in case]
    yield from ((key, other) for key, text in read for other in _read(text, table))
    timed = created(table, facts_of(table), recipe.table(key_of(table)).columns)
    yield from (("template", other) for other in _fields(rule, timed) if other)
    if "entered" in rule and timed:
        yield "states", timed


def _fields(rule: Mapping[str, Any], timed: str) -> Iterator[str]:
    """Yield the columns that a template reads."""
    for piece in pieces(rule["template"]) if "template" in rule else ():
        if isinstance(piece, Field) and piece.name not in NUMBERS:
            yield timed if piece.name in DATES else piece.name


def _read(text: str, table: Table) -> list[str]:
    try:
        return sorted(expression(text, readable(table)).columns)
    except NotCovered:
        return []


def _place(table: Table, name: str) -> Place:
    """Return the column that a name reads, of the row or of one of its parents."""
    reference = parents(table, name)
    if name in table.columns or reference is None:
        return key_of(table), name
    return reference.parent, name.rpartition(".")[2]


def _named(said: str) -> Place:
    before, _, column = said.rpartition(".")
    return before, column
