"""Keys in a recipe: what may be said of a foreign key, whose values are those of other rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Table

from dbplan.seeding.constraints.references import Reference, _places, key_of, references
from dbplan.seeding.recipe.literals import cell
from dbplan.seeding.recipe.written import written

if TYPE_CHECKING:
    from dbplan.seeding.recipe.fixed import FixedRow
    from dbplan.seeding.recipe.places import KeyPath
    from dbplan.seeding.recipe.reading import Reader, Recipe, TableRule
    from dbplan.seeding.rows.builder import Builder

COPIED = ("same_as", "parent")
CHOSEN = ("value", "values", "cases")
DECIDING = frozenset({*COPIED, *CHOSEN})
ALLOWED = frozenset({*DECIDING, "weights", "null", "only_when", "omit"})


def refuse_key_rule(reader: Reader, table: Table, name: str, rule: Mapping[str, Any], path: KeyPath) -> None:
    """Refuse a rule of a foreign key that would be ignored, or lead to no row."""
    held = [ref for ref in references(table) if name in ref.columns]
    if not held:
        return
    label = held[0].label
    wrong = next((key for key in rule if key not in ALLOWED), None)
    if wrong is not None:
        said = "its rows are picked by null, only_when, parent, same_as, or values of fixed rows"
        reader.fail((*path, wrong), f"{wrong} says nothing of a foreign key ({label}): {said}")
    deciding = next((key for key in rule if key in DECIDING), None)
    if deciding is None:
        return
    if len(held) > 1 or len(held[0].columns) > 1:
        reader.fail((*path, deciding), f"{name} is a part of a key of several columns ({label}), which is picked whole")
    if deciding in COPIED:
        _refuse_copied(reader, table, name, rule, deciding, path)


def _refuse_copied(reader: Reader, table: Table, name: str, rule: Mapping[str, Any], key: str, path: KeyPath) -> None:
    """Refuse a copy of what is no key of the table that a foreign key leads to."""
    reference = next(ref for ref in references(table) if name in ref.columns)
    if key == "same_as":
        source = table.columns[rule[key]]
    else:
        _, parent, column = read_parent(reader, table, rule[key], (*path, key))
        source = reader.plan.table(parent).columns[column]
    if (reference.parent, reference.target(name)) not in _places(source, set()):
        reader.fail((*path, key), f"{key} = {rule[key]!r} is no key of {reference.parent}, to which {name} leads")


def read_parent(reader: Reader, table: Table, said: str, path: KeyPath) -> tuple[int, str, str]:
    """Return the place of the reference that `key.column` or `table.column` names, its parent and the column."""
    before, _, column = said.rpartition(".")
    found = [(at, ref) for at, ref in enumerate(references(table)) if before in ref.columns]
    found = found or [(at, ref) for at, ref in enumerate(references(table)) if before == ref.parent]
    if not found:
        names = {name for ref in references(table) for name in (ref.parent, *ref.columns[: len(ref.columns) == 1])}
        near = get_close_matches(before, sorted(names), n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        there = "; ".join(ref.label for ref in references(table)) or "none"
        reader.fail(path, f"{key_of(table)} has no foreign key {before!r}{hint}; there are: {there}")
    if len(found) > 1:
        which = " or ".join(f"{ref.columns[0]}.{column}" for _, ref in found)
        reader.fail(path, f"{said!r} may be of several rows; say which: {which}")
    at, ref = found[0]
    reader.known("column", column, reader.plan.table(ref.parent).columns.keys(), path)
    return at, ref.parent, column


def decided(found: Sequence[Reference], rule: TableRule) -> tuple[Reference, ...]:
    """Return references; those whose column has a rule that decides it decide nothing themselves."""
    return tuple(
        replace(ref, own=(), given=())
        if len(ref.columns) == 1 and set(rule.columns.get(ref.columns[0], ())) & DECIDING
        else ref
        for ref in found
    )


def latest_named(builder: Builder) -> np.datetime64 | None:
    """Return when the latest of the fixed rows came to be that the rules of a table's keys name."""
    found: list[np.datetime64] = []
    for reference in references(builder.table):
        column = reference.columns[0]
        source = builder.world.sources[reference.parent]
        part = source if source.given else source.fixed
        kind = builder.table.columns[column].type
        named = [cell(value, kind) for _, value in _chosen(builder.rule.columns.get(column, {})) if value is not None]
        if part is not None and part.timed and len(reference.columns) == 1:
            rows = (row.cells for row in part.given if row.cells.get(reference.target(column)) in named)
            found += [np.datetime64(row[part.timed], "us") for row in rows]
    return max(found, default=None)


def refuse_strange_keys(reader: Reader, recipe: Recipe, fixed: Mapping[str, Sequence[FixedRow]]) -> None:
    """Refuse values of a foreign key that no fixed row has."""
    for name, rule in recipe.tables.items():
        table = reader.plan.table(name)
        for reference in references(table):
            column = reference.columns[0]
            for key, value in _chosen(rule.columns.get(column, {})):
                there = [row.cells.get(reference.target(column)) for row in fixed.get(reference.parent, ())]
                if value is not None and cell(value, table.columns[column].type) not in there:
                    said = f"{key}: {written(value)} is of no fixed row of {reference.parent}"
                    mend = "a row that is generated cannot be named" if there else "which has none"
                    reader.fail(("tables", key_of(table), "columns", column, key), f"{said}; {mend}")


def _chosen(rule: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "value" in rule:
        yield "value", rule["value"]
    yield from (("values", value) for value in rule.get("values", ()))
    yield from (("cases", value) for case in rule.get("cases", ()) for value in case.get("values", ()))
