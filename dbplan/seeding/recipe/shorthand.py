"""Shorthand: what a recipe says in few words, put in the words of single columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.intervals import interval
from dbplan.seeding.recipe.literals import clock
from dbplan.seeding.recipe.vocabulary import TRIMS
from dbplan.seeding.rows.times import CREATED, created
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.recipe.fitting import Fitting
    from dbplan.seeding.recipe.places import KeyPath
    from dbplan.seeding.recipe.reading import Recipe

Rules = dict[str, dict[str, Any]]


def plain(fitting: Fitting, said: Mapping[str, Any], made: Recipe) -> Rules:
    """Return the rules of a table's columns, those included that the table itself or another column asks for."""
    path = ("tables", str(fitting.table.key))
    rules: Rules = {name: dict(rule) for name, rule in said.get("columns", {}).items()}
    for name, rule in rules.items():
        _by_name(fitting, fitting.table.columns[name], rule, (*path, "columns", name))
        if isinstance(generic(fitting.table.columns[name].type), sa.Time):
            _of_day(rule)
        _in_window(fitting, rule, made, (*path, "columns", name))
    _table_window(fitting, said, rules, made, path)
    _grown(fitting, said, rules, path)
    _ordered(fitting, said.get("ordered", ()), rules, (*path, "ordered"))
    _entered(fitting, rules, path)
    return rules


def _by_name(fitting: Fitting, column: Column[Any], rule: dict[str, Any], path: KeyPath) -> None:
    """Put weights by name as values with their weights."""
    for one, here in ((rule, path), *((case, (*path, "cases")) for case in rule.get("cases", ()))):
        weights = one.get("weights")
        if isinstance(weights, Mapping):
            one["values"] = [_value(fitting, name, column, (*here, "weights")) for name in weights]
            one["weights"] = list(weights.values())


def _value(fitting: Fitting, name: str, column: Column[Any], path: KeyPath) -> Any:
    """Return the value that a name stands for: TOML's keys are texts."""
    kind = generic(column.type)
    try:
        if isinstance(kind, sa.Boolean):
            return {"true": True, "false": False}[name]
        if isinstance(kind, sa.Integer):
            return int(name)
        return float(name) if isinstance(kind, sa.Numeric) else name
    except (KeyError, ValueError):
        fitting.reader.fail(path, f"weights: {name!r} is no value of {column.name}, which is {kind!r}")


def _of_day(rule: dict[str, Any]) -> None:
    """Put texts such as "12:30" as the times of day that they are; what is none stays, and is refused by its type."""
    for key in {"value", "first", "empty", "min", "max"} & set(rule):
        rule[key] = _time(rule[key])
    if "values" in rule:
        rule["values"] = [_time(item) for item in rule["values"]]
    if "cases" in rule:
        cases = [case | {"values": [_time(item) for item in case.get("values", ())]} for case in rule["cases"]]
        rule["cases"] = [made if made["values"] else case for made, case in zip(cases, rule["cases"], strict=True)]


def _time(value: Any) -> Any:
    return (clock(value) or value) if isinstance(value, str) else value


def _in_window(fitting: Fitting, rule: dict[str, Any], made: Recipe, path: KeyPath) -> None:
    """Put a window of time as its ends."""
    if "window" in rule:
        rule.update(_ends(fitting, rule.pop("window"), made, (*path, "window")))


def _ends(fitting: Fitting, window: Any, made: Recipe, path: KeyPath) -> dict[str, dt.date]:
    if isinstance(window, Mapping):
        return {{"start": "min", "end": "max"}[key]: end for key, end in window.items()}
    side, _, length = window.partition(" ")
    try:
        width = interval(length).astype(object)
    except NotCovered:
        fitting.reader.fail(path, f'{length!r} is no length of time such as "90 days"')
    start = made.end - width if side == "last" else made.start
    return {"min": start, "max": start + width}


def _table_window(fitting: Fitting, said: Mapping[str, Any], rules: Rules, made: Recipe, path: KeyPath) -> None:
    """Give the window of a table to the column that says when a row came to be."""
    if "window" not in said:
        return
    name = _created(fitting, rules, "window", path)
    rule = rules.setdefault(name, {})
    if rule:
        fitting.reader.fail((*path, "window"), f"window beside {name}'s own rule; say it once")
    rule.update(_ends(fitting, said["window"], made, (*path, "window")))


def _grown(fitting: Fitting, said: Mapping[str, Any], rules: Rules, path: KeyPath) -> None:
    """Refuse growth where nothing says when a row came to be."""
    growth = said.get("growth")
    if growth is None:
        return
    _created(fitting, rules, "growth", path)
    if ("shape" in growth) != ("per_month" in growth):
        fitting.reader.fail((*path, "growth"), 'growth has a shape and its part per_month, such as "linear" and 0.05')
    if growth.get("per_month", 0) <= -1:
        fitting.reader.fail((*path, "growth", "per_month"), "per_month is above -1: no more than all rows can go")


def _created(fitting: Fitting, rules: Rules, key: str, path: KeyPath) -> str:
    name = created(fitting.table, fitting.facts, rules)
    if not name:
        known = ", ".join(CREATED[:4])
        fitting.reader.fail(
            (*path, key),
            f"{key}: no column of {fitting.table.name} says when a row came to be ({known}, …, without a rule of its "
            "own); say window = … of the column that is meant",
        )
    return name


def _ordered(fitting: Fitting, names: Any, rules: Rules, path: KeyPath) -> None:
    """Let each time of a list come after those before it; what follows a NULL is NULL where it may be."""
    for at, name in enumerate(names):
        fitting.reader.known("column", name, fitting.table.columns.keys(), path)
        column = fitting.table.columns[name]
        if not isinstance(generic(column.type), sa.DateTime | sa.Date) or name in names[:at]:
            fitting.reader.fail(path, f"ordered: {name} is no time, or is there twice")
        if at == 0:
            continue
        rule = rules.setdefault(name, {})
        if other := next((key for key in rule if key not in TRIMS | {"within"}), None):
            fitting.reader.fail(path, f"ordered: {name} has a rule of its own ({other} = …); leave out one of the two")
        rule["after"] = names[:at][::-1]
        before = fitting.table.columns[names[at - 1]]
        if column.nullable and before.nullable:
            there = f'"{before.name}" IS NOT NULL'
            rule["only_when"] = f"({rule['only_when']}) AND {there}" if "only_when" in rule else there


def _entered(fitting: Fitting, rules: Rules, path: KeyPath) -> None:
    """Give the columns that note when a state was entered their rules."""
    for name, states in [(name, rule["states"]) for name, rule in rules.items() if "states" in rule]:
        here = (*path, "columns", name, "states")
        for state, target in states.get("times", {}).items():
            fitting.reader.known("state", state, _all_states(states), (*here, "times"))
            fitting.reader.known("column", target, fitting.table.columns.keys(), (*here, "times"))
            rule = rules.setdefault(target, {})
            if set(rule) - {"entered"} or rule.get("entered", {}).get("column", name) != name:
                said = f"times: {target} has a rule of its own; leave out one of the two"
                fitting.reader.fail((*here, "times"), said)
            entered = rule.setdefault("entered", {"column": name, "states": []})
            entered["states"].append(state)
        if "within" in states and "times" not in states:
            fitting.reader.fail((*here, "within"), "within is the time that the moves take; say times = { … } as well")


def _all_states(states: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*states["moves"], *(to for moves in states["moves"].values() for to in moves)]))
