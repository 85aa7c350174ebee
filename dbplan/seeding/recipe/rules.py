"""The recipe's rules for a column, turned into makers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import RecipeError
from dbplan.seeding.constraints.checks import Limits
from dbplan.seeding.recipe.computed import Told, computed, told
from dbplan.seeding.recipe.fitting import held
from dbplan.seeding.recipe.reach import expressed, reach
from dbplan.seeding.recipe.vocabulary import TRIMS
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows import histories, makers, taken, templates
from dbplan.seeding.rows.frames import Maker
from dbplan.seeding.rows.stream import key
from dbplan.seeding.values.domains import Choice, Clocks, Decimals, Domain, Integers, Moments, Unnumbered, Words
from dbplan.seeding.values.infer import generic
from dbplan.seeding.values.patterns import Pattern
from dbplan.seeding.values.ranges import ranged

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

Rule = Mapping[str, Any]
DRAWN = ("values", "faker", "pattern", "min", "max", "distribution")


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
        made = makers.only_when(made, _read(builder, column, rule["only_when"]))
    inferred = builder.domains[column.name] if set(rule) <= TRIMS else None
    return made, said_of(rule) if inferred is None else f"{inferred.title}, {said_of(rule)}"


def said_of(rule: Rule) -> str:
    """Say what a rule says."""
    if "entered" in rule:
        return f"recipe: when {rule['entered']['column']} became {' or '.join(rule['entered']['states'])}"
    return "recipe: " + ", ".join(f"{key} = {_said(value)}" for key, value in rule.items())


def trimmed(builder: Builder, column: Column[Any], made: tuple[Maker, str], *, null: bool) -> tuple[Maker, str]:
    """Return a maker that leaves NULL as often as a rule says, and where its condition does not hold."""
    rule = builder.rule.columns.get(column.name, {})
    maker, why = made
    if null and "null" in rule:
        maker, why = _left_out(builder, column, rule, maker), f"{why}, recipe: null = {rule['null']}"
    if "only_when" in rule:
        maker = makers.only_when(maker, _read(builder, column, rule["only_when"]))
        why = f"{why}, only when {rule['only_when']}"
    return maker, why


def _left_out(builder: Builder, column: Column[Any], rule: Rule, maker: Maker) -> Maker:
    stream = key(builder.world.random_state, builder.name, column.name, "null")
    return taken.left_out(maker, stream, float(rule["null"]))


def _said(value: Any) -> str:
    text = ", ".join(map(_item, value)) if isinstance(value, list) else _item(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _item(value: Any) -> str:
    return value if isinstance(value, str) else written(value)


def _made(builder: Builder, column: Column[Any], rule: Rule) -> Maker | None:
    """Return the maker of what a rule decides, with the NULLs that it asks for."""
    found = next((make for key, make in MAKERS.items() if key in rule), None)
    if found is None:
        return None
    made = found(builder, column, rule)
    return _left_out(builder, column, rule, made) if "null" in rule and "after" not in rule else made


def _read(builder: Builder, column: Column[Any], text: str) -> Told:
    def fail(said: str) -> NoReturn:
        _fail(builder, column.name, said)

    return told(builder, expressed(builder, text, fail), fail)


def _value(_builder: Builder, _column: Column[Any], rule: Rule) -> Maker:
    return makers.constant(held(rule["value"]))


def _computed(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    return computed(builder, column, _read(builder, column, rule["expression"]))


def _after(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    state, span, null = builder.world.random_state, builder.world.span, float(rule.get("null", 0.0))
    until = within(rule.get("within"))
    if isinstance(rule["after"], str):
        return makers.after(state, builder.name, column.name, rule["after"], until, span, null)
    made = histories.after_latest(state, builder.name, column.name, rule["after"], until, span)
    return _left_out(builder, column, rule, made) if null else made


def _last(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    child, _, target = rule["last"].rpartition(".")
    return makers.last(_child(builder, child, column.name), target, held(rule.get("empty")))


def _same(_builder: Builder, _column: Column[Any], rule: Rule) -> Maker:
    return lambda frame: frame[rule["same_as"]]


def _parent(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    reach(builder, rule["parent"], lambda said: _fail(builder, column.name, said))
    return lambda frame: frame[rule["parent"]]


def _template(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    found = templates.pieces(rule["template"])

    def fail(said: str) -> NoReturn:
        _fail(builder, column.name, said)

    names = [piece.name for piece in found if isinstance(piece, templates.Field)]
    if "rank" in names and builder.source.fan is None:
        fail("counts a parent's rows by {rank}, and the table has no lead; say per = …")
    if set(names) & set(templates.DATES) and not builder.source.timed:
        fail("has a date, and no column says when a row came to be; say {COLUMN:%Y} of the one that is meant")
    for name in names:
        if "." in name:
            reach(builder, name, fail)
    return templates.template(found, lambda frame, name: frame[name], builder.source.timed)


def _machine(builder: Builder, name: str) -> tuple[histories.Machine, int, Rule]:
    rule = builder.rule.columns[name].get("states") or builder.rule.columns[name]["history"]
    made = histories.machine(rule["moves"])
    return made, made.number(rule["from"] if "from" in rule else rule["start"]), rule


def _states(builder: Builder, column: Column[Any], _rule: Rule) -> Maker:
    made, start, _ = _machine(builder, column.name)
    return histories.state(builder.world.random_state, builder.name, column.name, made, start)


def _entered(builder: Builder, _column: Column[Any], rule: Rule) -> Maker:
    name = rule["entered"]["column"]
    made, start, said = _machine(builder, name)
    passage = histories.Passage(builder.source.timed, within(said.get("within")), builder.world.span)
    wanted = [made.number(state) for state in rule["entered"]["states"]]
    return histories.entered(builder.world.random_state, builder.name, name, made, start, wanted, passage)


def _history(builder: Builder, column: Column[Any], _rule: Rule) -> Maker:
    fan = builder.source.fan
    if fan is None:
        _fail(builder, column.name, "follows a parent's rows, and the table has no lead; say per = …")
    made, start, said = _machine(builder, column.name)
    longest, moved = made.longest(start), "from" in said
    most = longest if longest is None or moved else longest + 1
    histories.refuse_long(fan.counts, most, f"{builder.name}.{column.name}")
    return histories.history(builder.world.random_state, builder.name, column.name, made, start, moved=moved)


def _fail(builder: Builder, name: str, said: str) -> NoReturn:
    where = builder.world.recipe.place("tables", builder.name, "columns", name)
    raise RecipeError(f"{where}: {builder.name}.{name} {said}")


def _previous(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    if builder.source.fan is None:
        _fail(builder, column.name, "follows a parent's rows, and the table has no lead; say per = …")
    return makers.previous(rule["previous"], held(rule.get("first")))


def _level(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    if builder.source.fan is None:
        _fail(builder, column.name, "follows a parent's rows, and the table has no lead; say per = …")
    low, high = int(rule["level"].get("min", 0)), int(rule["level"].get("max", 1000))
    cycle = int(rule["level"].get("cycle", 10))
    if cycle < 2 or high - low < cycle:
        _fail(builder, column.name, "is a level, which needs a cycle of 2 or more, and max - min ≥ cycle")
    return makers.level(builder.world.random_state, builder.name, column.name, low, high, cycle)


def _child(builder: Builder, child: str, name: str) -> Any:
    source = builder.world.sources[child]
    if source.lead is None or source.lead.parent != builder.name:
        _fail(builder, name, f"reads {child}, which is not led by {builder.name}; say per = … there")
    return source


def _cases(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    made = []
    for number, case in enumerate(rule["cases"]):
        condition = _read(builder, column, case["when"]) if "when" in case else None
        label = f"{column.name}#{number}"
        if "pick" in case:
            made.append((condition, _picked(builder, column, case["pick"], label)))
            continue
        domain = Choice(tuple(map(held, case["values"])), tuple(case.get("weights", ())))
        made.append((condition, makers.drawn(builder.world.random_state, builder.name, label, domain, 0.0)))
    return makers.by_case(made)


def _pick(builder: Builder, column: Column[Any], rule: Rule) -> Maker:
    return _picked(builder, column, rule["pick"], column.name)


def _picked(builder: Builder, column: Column[Any], said: str, label: str) -> Maker:
    return taken.picked(builder, said, label, lambda why: _fail(builder, column.name, why))


def _drawn(builder: Builder, column: Column[Any], rule: Rule) -> Maker | None:
    domain = builder.domains[column.name]
    if domain is None:
        raise builder.unknown(column)
    builder.drawn.add(column.name)
    null = float(rule.get("null", 0.0 if "only_when" in rule else builder.null_share(column)))
    return makers.drawn(builder.world.random_state, builder.name, column.name, domain, null)


MAKERS: Mapping[str, Callable[[Builder, Column[Any], Rule], Maker]] = {
    "value": _value,
    "cases": _cases,
    "expression": _computed,
    "after": _after,
    "last": _last,
    "previous": _previous,
    "level": _level,
    "same_as": _same,
    "parent": _parent,
    "pick": _pick,
    "template": _template,
    "states": _states,
    "entered": _entered,
    "history": _history,
}


def ruled_domain(column: Column[Any], rule: Rule, domain: Domain | None, limits: Limits, locale: str) -> Domain | None:
    """Return the domain that a rule names, None where it names none."""
    length = getattr(generic(column.type), "length", None)
    if "values" in rule:
        return Choice(tuple(map(held, rule["values"])), tuple(rule.get("weights", ())))
    if "faker" in rule:
        return Words(rule["faker"], length, limits.shortest, locale)
    if "pattern" in rule:
        return Pattern(rule["pattern"], limits.shortest, length)
    if "min" in rule or "max" in rule or "distribution" in rule:
        made = _ranged(domain, rule)
        law = rule.get("distribution")
        return ranged(made, law, rule.get("mean"), rule.get("sd")) if law is not None and made is not None else made
    return None


def _clocks(low: np.timedelta64 | None, high: np.timedelta64 | None) -> Domain:
    """Return the times of day from one to another: quarters of an hour, where more are wanted seconds."""
    first = timedelta(0) if low is None else _length(low)
    last = timedelta(days=1, seconds=-1) if high is None else _length(high)
    second, quarter = timedelta(seconds=1), timedelta(minutes=15)
    seconds = Clocks(last + second, first)
    if last - first < quarter:
        return seconds
    return Unnumbered(Clocks(first + ((last - first) // quarter + 1) * quarter, first, 15 * 60), seconds)


def _length(since: np.timedelta64) -> timedelta:
    return timedelta(microseconds=int(since / np.timedelta64(1, "us")))


def _ranged(domain: Domain | None, rule: Rule) -> Domain | None:
    low, high = rule.get("min"), rule.get("max")
    if isinstance(domain, Unnumbered) and isinstance(domain.words, Clocks):
        return _clocks(held(low), held(high))
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
    from dbplan.seeding.constraints.intervals import interval

    return None if text is None else interval(text)
