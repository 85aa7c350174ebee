"""What comes first: a row is not created before the rows that it refers to, where both tables have such a time.

Along the lead, the parent's time begins the window in which the row's own time is drawn. Any other parent is either
picked among those that are there by then, or, where a unique decides which it is, its time begins the window as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.recipe.keys import latest_named
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.frames import Frame, Maker, Source
from dbplan.seeding.rows.growth import Pace
from dbplan.seeding.rows.picking import Grouped, share_of_none
from dbplan.seeding.rows.stream import Array, bits, key, unit
from dbplan.seeding.values.infer import Span

if TYPE_CHECKING:
    from dbplan.seeding.recipe.reading import Recipe
    from dbplan.seeding.rows.builder import Builder

MICRO = "datetime64[us]"
SOON = 0.01
"""Part of its window in which a row comes whose parents ascend with it."""


def settle_precedence(builders: Mapping[str, Builder], recipe: Recipe) -> None:
    """Decide for every reference between tables with a time how the parent comes first.

    What would close a circle of tables that wait for each other is left as it is.
    """
    after: dict[str, set[str]] = {name: set() for name in builders}
    for name, builder in builders.items():
        lead = builder.source.lead
        if lead is not None and _both_timed(builder, lead) and not _leads(after, lead.parent, name):
            after[name].add(lead.parent)
            builder.source.follows = True
    chained = _chained(recipe)
    for name, builder in builders.items():
        for place, reference in enumerate(builder.source.references):
            other = reference is not builder.source.lead and reference.own and reference.parent != name
            if other and _both_timed(builder, reference) and not _leads(after, reference.parent, name):
                after[name].add(reference.parent)
                _settle(builder, place, reference, chained=name in chained)
        _settle_inside(builder)
        if builder.source.timed and (since := latest_named(builder)) is not None:
            builder.source.begins.append(_always(since))


def _always(moment: Any) -> Callable[[Frame], Any]:
    return lambda _frame: moment


def _both_timed(builder: Builder, reference: Reference) -> bool:
    return bool(builder.source.timed and builder.world.sources[reference.parent].timed)


def _leads(after: Mapping[str, set[str]], start: str, goal: str) -> bool:
    """Whether the times of a table follow from those of another."""
    seen, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo.extend(after.get(name, ()))
    return False


def _chained(recipe: Recipe) -> set[str]:
    """Return the tables in which a row follows from the one before it, so that time goes with rank."""
    found = {n for n, rule in recipe.tables.items() for r in rule.columns.values() if {"level", "previous"} & set(r)}
    lasts = (r["last"] for rule in recipe.tables.values() for r in rule.columns.values() if "last" in r)
    return found | {last.rpartition(".")[0] for last in lasts}


def _settle(builder: Builder, place: int, reference: Reference, *, chained: bool) -> None:
    source, how = builder.source, builder.keys.references.get(reference.own, "")
    by_lead = source.lead is not None and set(reference.given) <= set(source.lead.own)
    if not how:
        source.earlier.add(place)
        if not share_of_none(builder, reference):
            _begin(builder, place, reference, by_lead=by_lead)
    elif chained and how == "within" and not reference.given:
        source.ascending.add(place)
        source.waits.append(place)
    elif not chained and (by_lead or not reference.given):
        source.waits.append(place)


def _begin(builder: Builder, place: int, reference: Reference, *, by_lead: bool) -> None:
    """Let no row come before there is a parent to pick, or some where a CHECK may refuse one."""
    source, parent = builder.source, builder.world.sources[reference.parent]
    tied = any(names & set(reference.own) for names in map(set, builder.facts.compared))
    picker = source.pickers[place]
    if isinstance(picker, Grouped) and by_lead:
        source.begins.append(lambda frame: picker.begin(frame, int(tied)))
        return
    some = isqrt(parent.rows) if tied or reference.given else 0
    source.begins.append(lambda _frame: parent.times_in_order()[min(some, parent.rows - 1)])


def _settle_inside(builder: Builder) -> None:
    """Let a reference into its own table lead to the same parent's rows, which come in the order of time."""
    source = builder.source
    if source.fan is None or not source.timed or set(source.waits) - source.ascending:
        return
    for place, reference in enumerate(source.references):
        inside = reference.parent == builder.name and reference.own and not reference.given
        if inside and reference.nullable and share_of_none(builder, reference):
            source.inside.add(place)


def timeline(builder: Builder, name: str, low: Any, high: Any, *, closed: bool) -> Maker:
    """Return a maker of times that ascend: over all rows, or from the parents' own times on over a parent's children.

    `closed` holds them before `high` even where a parent is of later.
    """
    source, stream = builder.source, key(builder.world.random_state, builder.name, name)
    pace = Pace(builder.world.span, builder.rule.growth) if builder.rule.growth else None
    parents = [builder.world.sources[reference.parent] for reference in source.references]

    def make(frame: Frame) -> Cells:
        fan, jitter = source.fan, 0.9 * unit(bits(stream, frame.rows))
        start: Any = np.full(len(frame), low)
        for place in (*_lead_place(source), *source.waits):
            start = np.maximum(start, _since(parents[place], frame.parent(place), low))
        for begin in source.begins:
            start = np.maximum(start, begin(frame))
        if fan is None:
            share = (frame.rows + jitter) / max(1, source.rows)
        else:
            share = (fan.rank(frame.rows) + 0.05 + jitter) / fan.size(frame.rows)
        share = share * SOON if source.ascending else share
        if pace is not None:
            return present(pace.between(start, high, share))
        width = np.maximum((high - start) / np.timedelta64(1, "us"), 1)  # a fixed parent may be of later
        values = start + (share * width).astype("timedelta64[us]")
        return present(np.minimum(values, high) if closed else values)

    return make


def _lead_place(source: Source) -> tuple[int, ...]:
    return (source.references.index(source.lead),) if source.lead is not None and source.follows else ()


def _since(parent: Source, rows: Array, low: Any) -> Array:
    """Return the times of parents, `low` for none."""
    there = np.flatnonzero(rows >= 0)
    times = np.full(len(rows), low)
    times[there] = parent.frame(rows[there])[parent.timed].values.astype(MICRO)
    return times


def window(span: Span, rule: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the time in which rows come to be: the recipe's min and max, else that of all data."""
    from dbplan.seeding.recipe.fitting import held

    low, high = held(rule.get("min", span.start)), held(rule.get("max", span.end))
    return low.astype(MICRO), high.astype(MICRO)
