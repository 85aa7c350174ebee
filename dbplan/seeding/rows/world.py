"""From a plan and its recipe to one source a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Table

from dbplan.errors import NotCovered
from dbplan.plan import Plan
from dbplan.seeding.constraints.circles import break_copies, close_circles
from dbplan.seeding.constraints.conflicts import KeysInTheWay, with_looser_keys
from dbplan.seeding.constraints.folding import fold_cases
from dbplan.seeding.constraints.generated import never_null_where_referred
from dbplan.seeding.constraints.lengths import no_longer_than_referring
from dbplan.seeding.constraints.references import all_uniques, references
from dbplan.seeding.constraints.search import search_all
from dbplan.seeding.constraints.stored import facts_of
from dbplan.seeding.recipe.fitting import refuse_nulls
from dbplan.seeding.recipe.fixed import source_of
from dbplan.seeding.recipe.keys import decided
from dbplan.seeding.recipe.reading import Recipe
from dbplan.seeding.rows.builder import Builder
from dbplan.seeding.rows.clearance import NOBODY, Standing
from dbplan.seeding.rows.frames import Frame, Source, beside_rules, shown_cell
from dbplan.seeding.rows.precedence import settle_precedence
from dbplan.seeding.rows.ties import tie
from dbplan.seeding.values.infer import Span


@dataclass
class World:
    """All sources of a plan, by table name."""

    plan: Plan
    recipe: Recipe
    rows: Mapping[str, int]
    random_state: int
    sources: dict[str, Source]

    @property
    def span(self) -> Span:
        """The time that the data cover."""
        return span_of(self.recipe)


def span_of(recipe: Recipe) -> Span:
    """Return the recipe's time in UTC."""
    start, end = (np.datetime64(t.astimezone(dt.UTC).replace(tzinfo=None), "us") for t in (recipe.start, recipe.end))
    return Span(start, end)


def world(plan: Plan, recipe: Recipe, rows: Mapping[str, int], random_state: int, standing: Standing = NOBODY) -> World:
    """Return the sources of every table, clear of rows that stand; Unsatisfiable or NotCovered before any is made."""
    try:
        return with_looser_keys(lambda loose: _world(plan, recipe, rows, random_state, loose, standing))
    except RecursionError as error:
        raise NotCovered(
            f"columns of {recipe.path or plan.name} follow from each other in a circle of rules, keys and CHECKs, "
            f"which never ends: {', '.join(_asked(error))}; give one of them a rule that reads no other, such as "
            "values = … or min = …"
        ) from None


def _asked(error: RecursionError) -> list[str]:
    """Return the columns that were asked for when it was seen that they follow from each other."""
    step, found = error.__traceback__, dict[str, None]()
    while step is not None:
        here = step.tb_frame.f_locals
        if isinstance(here.get("self"), Frame) and isinstance(here.get("name"), str):
            found[f"{here['self'].source.table.key}.{here['name']}"] = None
        step = step.tb_next
    return list(found)[-CIRCLE:]


def _world(
    plan: Plan, recipe: Recipe, rows: Mapping[str, int], random_state: int, loose: frozenset[str], standing: Standing
) -> World:
    sets = all_uniques(plan.tables)
    sources = {name: _source(t, recipe, rows[name], sets[name]) for t in plan.tables for name in (str(t.key),)}
    for name, held in standing.items():
        sources[name].standing = held
    break_copies(sources)
    never_null_where_referred(sources)
    no_longer_than_referring(sources)
    fold_cases(sources)
    made = World(plan, recipe, {name: source.rows for name, source in sources.items()}, random_state, sources)
    builders = {name: Builder(made, source) for name, source in sources.items() if source.rows and not source.given}
    for name, builder in builders.items():
        builder.relate(loose=name in loose)
    settle_precedence(builders, recipe)
    for builder in builders.values():
        builder.fill()
    for builder in builders.values():
        tie(builder)
    close_circles(builders, sources)
    search_all(builders)
    for builder in builders.values():
        _prove(builder.source)
        refuse_nulls(builder.source, recipe)
        builder.meets_fixed()
    return made


def _source(table: Table, recipe: Recipe, rows: int, uniques: tuple[frozenset[str], ...]) -> Source:
    """Return the source of a table's rows: the fixed ones where all are, else the generated ones, after them."""
    rule = recipe.table(str(table.key))
    known, refs, given = facts_of(table), decided(references(table), rule), rule.fixed
    fixed = source_of(table, given, known, refs, uniques) if given or not rows else None
    if fixed is not None and not rows:
        return fixed
    name = str(table.key)
    ruled = {column: recipe.place("tables", name, "columns", column) for column in rule.columns}
    return Source(table, rows, known, refs, uniques, fixed=fixed, ruled=ruled)


CIRCLE = 6
"""Columns of a circle that an error names."""
PROOF = 512
"""Rows of each table that are made and tested before the first one is written."""


def _prove(source: Source) -> None:
    """Make the first rows and test every CHECK on them."""
    frame = source.frame(np.arange(min(PROOF, source.rows), dtype=np.int64))
    for check in source.facts.checks:
        if check.parsed is None:
            continue
        failed = np.flatnonzero(~check.parsed.holds(lambda name: frame[name], len(frame)))
        if failed.size:
            at = failed[:1]
            shown = ", ".join(f"{n} = {shown_cell(frame[n].take(at))}" for n in sorted(check.parsed.columns))
            raise KeysInTheWay(
                str(source.table.key),
                f'{beside_rules(source, check.parsed.columns)}CHECK "{check.name}" of {source.table.key} '
                f"({check.text}) fails on values that keys or the recipe fix: {shown}; give another column a rule in "
                "the recipe, or ask for other rows",
            )
