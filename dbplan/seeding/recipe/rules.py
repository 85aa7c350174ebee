"""The recipe's rules for a column, turned into makers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import RecipeError
from dbplan.seeding.constraints.checks import Limits
from dbplan.seeding.constraints.predicate import expression
from dbplan.seeding.recipe.fitting import held
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows import makers
from dbplan.seeding.rows.frames import Maker
from dbplan.seeding.values.domains import Choice, Decimals, Domain, Integers, Moments, Words
from dbplan.seeding.values.infer import generic
from dbplan.seeding.values.patterns import Pattern

if TYPE_CHECKING:
    from dbplan.seeding.rows.world import Builder

Rule = Mapping[str, Any]
DRAWN = ("values", "faker", "pattern", "min", "max")


def ruled(builder: Builder, column: Column[Any], rule: Rule) -> tuple[Maker, str] | None:
    """Return the maker that a rule asks for; None where the rule only trims what the schema says."""
    made = _made(builder, column, rule)
    if made is None and column.name in builder.keys.columns:
        return None
    if made is None and set(rule) & {*DRAWN, "null", "only_when"}:
        made = _drawn(builder, column, rule)
    if made is None:
        return None
    if isinstance(generic(column.type), sa.Numeric) and not isinstance(generic(column.type), sa.Float):
        made = makers.rounded(made, generic(column.type).scale or 0)
    if isinstance(generic(column.type), sa.Date):
        made = makers.whole_days(made)
    if "only_when" in rule:
        made = makers.only_when(made, expression(rule["only_when"], builder.table.columns.keys()))
    return made, "recipe: " + ", ".join(f"{key} = {_said(value)}" for key, value in rule.items())


def _said(value: Any) -> str:
    text = ", ".join(map(_item, value)) if isinstance(value, list) else _item(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _item(value: Any) -> str:
    return value if isinstance(value, str) else written(value)


def _made(builder: Builder, column: Column[Any], rule: Rule) -> Maker | None:
    state, table, name = builder.world.random_state, builder.name, column.name
    null = float(rule.get("null", 0.0))
    if "value" in rule:
        return makers.constant(held(rule["value"]))
    if "cases" in rule:
        return _cases(builder, column, rule)
    if "expression" in rule:
        whole = isinstance(generic(column.type), sa.Integer)
        return makers.computed(expression(rule["expression"], builder.table.columns.keys()), whole)
    if "after" in rule:
        span = builder.world.span
        return makers.after(state, table, name, rule["after"], within(rule.get("within")), span, null)
    if "last" in rule:
        child, _, target = rule["last"].rpartition(".")
        return makers.last(_child(builder, child, name), target, held(rule.get("empty")))
    if "level" in rule or "previous" in rule:
        return _chained(builder, name, rule)
    return None


def _fail(builder: Builder, name: str, said: str) -> NoReturn:
    where = builder.world.recipe.place("tables", builder.name, "columns", name)
    raise RecipeError(f"{where}: {builder.name}.{name} {said}")


def _chained(builder: Builder, name: str, rule: Rule) -> Maker:
    if builder.source.fan is None:
        _fail(builder, name, "follows a parent's rows, and the table has no lead; say per = …")
    if "previous" in rule:
        return makers.previous(rule["previous"], held(rule.get("first")))
    low, high = int(rule["level"].get("min", 0)), int(rule["level"].get("max", 1000))
    cycle = int(rule["level"].get("cycle", 10))
    if cycle < 2 or high - low < cycle:
        _fail(builder, name, "is a level, which needs a cycle of 2 or more, and max - min ≥ cycle")
    return makers.level(builder.world.random_state, builder.name, name, low, high, cycle)


def _child(builder: Builder, child: str, name: str) -> Any:
    source = builder.world.sources[child]
    if source.lead is None or source.lead.parent != builder.name:
        _fail(builder, name, f"reads {child}, which is not led by {builder.name}; say per = … there")
    return source


def _cases(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    made = []
    for number, case in enumerate(rule["cases"]):
        condition = expression(case["when"], builder.table.columns.keys()) if "when" in case else None
        domain = Choice(tuple(map(held, case["values"])), tuple(case.get("weights", ())))
        label = f"{column.name}#{number}"
        made.append((condition, makers.drawn(builder.world.random_state, builder.name, label, domain, 0.0)))
    return makers.by_case(made)


def _drawn(builder: Builder, column: Column[Any], rule: Rule) -> Maker | None:
    domain = builder.domains[column.name]
    if domain is None:
        raise builder.unknown(column)
    builder.drawn.add(column.name)
    null = float(rule.get("null", 0.0 if "only_when" in rule else builder.null_share(column)))
    return makers.drawn(builder.world.random_state, builder.name, column.name, domain, null)


def ruled_domain(column: Column[Any], rule: Rule, domain: Domain | None, limits: Limits, locale: str) -> Domain | None:
    """Return the domain that a rule names, None where it names none."""
    length = getattr(generic(column.type), "length", None)
    if "values" in rule:
        return Choice(tuple(map(held, rule["values"])), tuple(rule.get("weights", ())))
    if "faker" in rule:
        return Words(rule["faker"], length, limits.shortest, locale)
    if "pattern" in rule:
        return Pattern(rule["pattern"], limits.shortest, length)
    if "min" in rule or "max" in rule:
        return _ranged(domain, rule)
    return None


def _ranged(domain: Domain | None, rule: Rule) -> Domain | None:
    low, high = rule.get("min"), rule.get("max")
    if isinstance(domain, Moments):
        return makers.between(domain, held(low), held(high))
    if isinstance(domain, Decimals):
        unit = 10**domain.scale
        ends = (domain.low if low is None else round(low * unit), domain.high if high is None else round(high * unit))
        return Decimals(*ends, domain.scale)
    if isinstance(domain, Integers):
        return Integers(domain.low if low is None else int(low), domain.high if high is None else int(high))
    return domain


def within(text: str | None) -> np.timedelta64 | None:
    """Return "24 hours", "30 days" as a length of time."""
    from dbplan.seeding.constraints.predicate import interval

    return None if text is None else interval(text)
