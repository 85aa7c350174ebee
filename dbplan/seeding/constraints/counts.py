"""How many rows each table gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Table

from dbplan.errors import UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.seeding.constraints.conflicts import TooFew
from dbplan.seeding.constraints.keys import lead_of
from dbplan.seeding.constraints.references import Uniques, all_uniques, follows, references
from dbplan.seeding.constraints.stored import facts_of
from dbplan.seeding.recipe.keys import decided
from dbplan.seeding.recipe.reading import Recipe
from dbplan.seeding.rows.fanout import Shape, shape_of
from dbplan.seeding.values.infer import Span, domain

Built = TypeVar("Built")
DEFAULT_ROWS = 100
"""Rows of the largest table of a plan that says nothing."""


@dataclass(frozen=True)
class Counts:
    """Rows to generate by table (0 where all are fixed), and a sentence for each that did not get its share."""

    rows: Mapping[str, int]
    notes: tuple[str, ...] = ()
    exact: frozenset[str] = frozenset()
    """The tables whose rows were asked for as they are."""

    def built(self, build: Callable[[Mapping[str, int]], Built]) -> tuple[Built, tuple[str, ...]]:
        """Build with these rows; a table that turns out to have room for fewer gets as many, if it may, with a note."""
        rows, notes = self.rows, self.notes
        while True:
            try:
                return build(rows), notes
            except TooFew as error:
                if error.table in self.exact or not 0 < error.room < rows[error.table]:
                    raise
                rows = {**rows, error.table: error.room}
                told = f"{error.table} got {error.room:,} rows, not its share: "
                why = str(error).removeprefix(f"{error.table}: ").partition(";")[0]
                notes = (
                    *(note for note in notes if not note.startswith(told.partition(" got ")[0] + " got ")),
                    f"{told}{why}.",
                )


def counts(plan: Plan, recipe: Recipe, rows: int | Mapping[str, int] | None, span: Span) -> Counts:
    """Return the rows of every table.

    A number goes to the table planned largest, the others get their share of it, `min_rows` at least, as many as the
    `children.mean` of their parents says, between `children.min` and `children.max`; a mapping is exact for the tables
    it names. Where nothing is asked for, the recipe's number counts: 0 for its fixed rows alone, which come on top.
    Raises UsageError for less than one row of a table that has no fixed ones, UnknownName for an unknown table.
    """
    exact = dict(rows) if isinstance(rows, Mapping) else {}
    for name, count in exact.items():
        if name not in plan.metadata.tables:
            raise UnknownName("table", name, plan.metadata.tables, where=f'plan "{plan.name}"')
        if count != 0 or not recipe.table(name).fixed:
            _positive(count, f' for "{name}"')
    if rows is not None and not isinstance(rows, Mapping):
        _positive(rows, "")
    if rows is None and recipe.rows == 0:
        return Counts(dict.fromkeys(plan.metadata.tables, 0) | dict(recipe.exact))
    if rows is None and recipe.rows is not None:
        exact, rows = dict(recipe.exact), recipe.rows
    elif rows is None:
        exact = {n: r.rows for n, r in recipe.tables.items() if r.rows is not None}
    exact = {n: 0 for n, r in recipe.tables.items() if r.rows == 0} | exact
    shares = _shares(plan, recipe)
    largest = rows if isinstance(rows, int) else max(filter(None, exact.values()), default=DEFAULT_ROWS)
    wanted = {name: max(recipe.table(name).min_rows, round(largest * share)) for name, share in shares.items()}
    fixed = {name: len(rule.fixed) for name, rule in recipe.tables.items()}
    following = _following(plan, recipe, wanted | exact, frozenset(exact), fixed)
    kept, more = _within(plan, recipe, following, frozenset(exact), fixed)
    fitted = _fitted(plan, kept, frozenset(exact), fixed, span)
    return Counts(fitted.rows, (*more, *fitted.notes), frozenset(exact))


def _positive(count: object, where: str) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError(f"rows = {count!r}{where}; seeding takes a whole number of rows, 1 or more")


def _shares(plan: Plan, recipe: Recipe) -> dict[str, float]:
    """Return every table's rows as a share of the largest, by the plan, else by the recipe, else all alike."""
    planned = {n: c for n, c in plan.rows.items() if c > 0 and recipe.table(n).rows != 0}
    planned = planned or {n: r.rows for n, r in recipe.tables.items() if r.rows}
    if not planned:
        return dict.fromkeys(plan.metadata.tables, 1.0)
    most, least = max(planned.values()), min(planned.values())
    return {name: planned.get(name, least) / most for name in plan.metadata.tables}


def _leads(plan: Plan, recipe: Recipe, names: Iterable[str]) -> dict[str, str]:
    """Return the table along which the rows of each table are counted."""
    sets, found = all_uniques(plan.tables), {}
    for name in names:
        table = plan.table(name)
        lead = lead_of(table, decided(references(table), recipe.table(name)), sets[name], recipe.table(name).per)
        if lead is not None:
            found[name] = lead.parent
    return found


def _following(
    plan: Plan, recipe: Recipe, wanted: dict[str, int], exact: frozenset[str], fixed: Mapping[str, int]
) -> dict[str, int]:
    """Give the tables whose children have a mean as many rows as follow from their parents'."""
    shapes = {n: shape_of(rule.children) for n, rule in recipe.tables.items() if "mean" in rule.children}
    leads = _leads(plan, recipe, shapes.keys() - exact) if shapes else {}
    for _ in leads:  # a table follows after its parent, at the latest in the last turn
        wanted = wanted | {n: shapes[n].rows(wanted[parent] or fixed[parent]) for n, parent in leads.items()}
    return wanted


def _within(
    plan: Plan, recipe: Recipe, wanted: dict[str, int], exact: frozenset[str], fixed: Mapping[str, int]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Keep tables between the children that each parent has at least and at most, then those below them."""
    shapes = {name: shape_of(rule.children) for name, rule in recipe.tables.items()}
    ended = {name for name, shape in shapes.items() if shape.least or shape.most is not None}
    leads = _leads(plan, recipe, ended - exact) if ended else {}
    notes: dict[str, str] = {}
    for _ in leads:  # a table is kept after its parent, at the latest in the last turn
        for name, parent in leads.items():
            rows, why = _between(shapes[name], wanted[name], wanted[parent] or fixed[parent])
            if why:
                wanted = wanted | {name: rows}
                notes[name] = f"{name} got {rows:,} rows, {why} rows of {parent}."
    return wanted, tuple(notes[name] for name in sorted(notes))


def _between(shape: Shape, children: int, parents: int) -> tuple[int, str]:
    """Return the number of children that a shape's ends allow, and why where it is another."""
    having = shape.having(parents)
    least, most = shape.least * having, (children if shape.most is None else max(1, shape.most * having))
    if children < least:
        return least, f"more than its share: {shape.least} children at least for each of the {having:,}"
    if children > most:
        return most, f"not its share: {shape.most} children at most for each of the {having:,}"
    return children, ""


def _fitted(plan: Plan, wanted: dict[str, int], exact: frozenset[str], fixed: Mapping[str, int], span: Span) -> Counts:
    """Lower the tables whose uniques leave less room than their share, children of children too."""
    notes: dict[str, str] = {}
    sets = all_uniques(plan.tables, strict=True)
    room_of = {str(t.key): _rooms(t, sets, span) for t in plan.tables}
    changed = True
    while changed:
        changed = False
        for name, rooms in room_of.items():
            for parents, values, label in rooms:
                room = values
                for parent in parents:
                    room *= wanted[parent] or fixed[parent]
                if room < wanted[name] and name not in exact:
                    notes[name] = f"{name} got {room:,} rows, not its share: {label} leave no room for more."
                    wanted[name], changed = max(1, room), True
    return Counts(wanted, tuple(notes[name] for name in sorted(notes)))


def _rooms(table: Table, sets: Uniques, span: Span) -> list[tuple[tuple[str, ...], int, str]]:
    """Return for every unique that can run full: the parents whose rows it multiplies, times its own values."""
    found, known = [], facts_of(table)
    refs = [r for r in references(table) if r.own and r.parent != str(table.key)]
    for names in sets[str(table.key)]:
        inside = [r for r in refs if set(r.own) <= names or follows(r, names, sets)]
        values, left = 1, names - {c for r in inside for c in r.columns}
        if any(table.columns[n].nullable for n in names):
            continue
        for name in left:
            column = table.columns[name]
            taken = any(name in r.columns for r in refs)
            held = None if taken else domain(name, column.type, known.limit(name), span)
            values *= held.roomy(2**40).capacity if held is not None else 2**62
        if values < 2**40:
            parents = ", ".join(r.parent for r in inside)
            label = f"unique ({', '.join(sorted(names))})" + (f" and the rows of {parents}" if inside else "")
            found.append((tuple(r.parent for r in inside), values, label))
    return found
