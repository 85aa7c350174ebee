"""Steps: how each replaced column of a table follows from the columns of the same row, persons and CHECKs held."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Table
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.anonymising.keyed import Keyed
from dbplan.seeding.anonymising.personal import KEEP, NAMES, Seen, Treatment
from dbplan.seeding.anonymising.persons import TAIL, in_case_of
from dbplan.seeding.anonymising.replacing import TEXTS, Maker, Replacer
from dbplan.seeding.anonymising.shapes import scrambled
from dbplan.seeding.constraints.predicate import Expression
from dbplan.seeding.constraints.uniques import written_uniques
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.values.domains import as_array

Columns = list[Any]
MOST_KEPT = 16
"""Characters at the start of a text that stay at most, where a CHECK asks for them: the prefix of an id."""
_WHO = re.compile(
    r"(?P<who>.*?)_?(e_?mail(_?address)?|handle|login|"
    r"((first|given|fore|last|family|sur|middle|maiden|user|login|nick|screen|full|display)_?)?name)"
)


@dataclass(frozen=True)
class Step:
    """One replaced column: the columns that it follows from, the first of them itself, and how; NULLs stay NULL."""

    column: str
    inputs: tuple[str, ...]
    make: Callable[..., Columns]
    only_addresses: bool = False
    """Whether a text without an at sign stays as it is."""


def steps(replacer: Replacer, table: Table, names: Collection[str]) -> list[Step]:
    """Return how the replaced ones of those columns of a table are made."""
    chosen = {name: what for name, what in replacer.choices.of(table).items() if name in names}
    together = _persons(replacer, table, chosen)
    found = []
    for name, what in chosen.items():
        column = table.columns[name]
        make: Callable[..., Columns] | None
        if name in together:
            sure = sum(chosen[told].kind in ("email", "user_name") for told in together[name])
            make = partial(_of_person, replacer, what.kind, replacer.room(column), sure)
        else:
            one = replacer.maker(column, what)
            make = partial(_each, one) if one is not None else None
        if make is not None:
            held = _held(replacer, table, name, make) if what.kind in TEXTS else make
            found.append(Step(name, (name, *together.get(name, ())), held, what.kind == KEEP))
    return found


def _each(make: Maker, values: Columns) -> Columns:
    return [None if value is None else make(value) for value in values]


def _persons(replacer: Replacer, table: Table, chosen: Mapping[str, Treatment]) -> dict[str, tuple[str, ...]]:
    """Return the columns that follow the person of their row, each with the columns that tell who that is."""
    whose: dict[str, dict[str, str]] = {}
    for name, what in chosen.items():
        match = _WHO.fullmatch(Seen(str(table.name), name).plain)
        if what.kind in ("email", *NAMES) and isinstance(table.columns[name].type, sa.String) and match is not None:
            whose.setdefault(match["who"], {})[name] = what.kind
    found = {}
    for parts in whose.values():
        telling = tuple(sorted(parts, key=lambda name: ("email", "user_name", *NAMES).index(parts[name])))
        for name, kind in parts.items():
            if kind in NAMES and not _stands_alone(replacer, table, name, parts):
                found[name] = telling
    return found


def _stands_alone(replacer: Replacer, table: Table, name: str, parts: Mapping[str, str]) -> bool:
    """Whether a column follows its own values: a key, and a user name that another table has or no address tells."""
    if (str(table.key), name) in replacer.choices.keys:
        return True
    if parts[name] != "user_name":
        return False
    kinds = replacer.choices.columns.items()
    others = [p for p, what in kinds if what.kind == "user_name" and p[1] == name and p[0] != str(table.key)]
    room = replacer.room(table.columns[name])
    alone = {u.told_apart for u in written_uniques(table) if u.where is None and len(u.parts) == 1}
    apart = any(kind == "email" and frozenset({part}) in alone for part, kind in parts.items())
    return bool(others) or not apart or (room is not None and room < TAIL + 2)


def _of_person(
    replacer: Replacer, part: str, longest: int | None, sure: int, own: Columns, *telling: Columns
) -> Columns:
    of, user_name, made = replacer.people.of, part == "user_name", []
    for value, *told in zip(own, *telling, strict=True):
        if not value:
            made.append(value)
            continue
        words = of((told[0] if sure else None) or _anchor(told, sure)).part(part, longest)
        made.append(words if user_name else in_case_of(value, words))
    return made


def _anchor(told: Columns, sure: int) -> str:
    """Return what tells a person: the first of `sure` values that is there, else all their names together."""
    first = next((value for value in told[:sure] if value), None)
    return str(first) if first is not None else " ".join(str(value) for value in told if value)


def _held(replacer: Replacer, table: Table, name: str, make: Callable[..., Columns]) -> Callable[..., Columns]:
    """Return `make` with a text of the old shape wherever what it makes breaks a CHECK on the column alone."""
    checks = replacer.choices.facts[str(table.key)].checks
    conditions = [c.parsed for c in checks if c.parsed is not None and c.parsed.columns == {name}]
    keyed = replacer.keyed.of("scramble")
    return partial(_fitting, conditions, keyed, make) if conditions else make


def _fitting(conditions: list[Expression], keyed: Keyed, make: Callable[..., Columns], *given: Columns) -> Columns:
    """Keep the shape of texts that break a condition otherwise, and of those that still do the first characters."""
    made = make(*given)
    broken = _broken(conditions, made)
    for kept in range(MOST_KEPT):
        if not broken:
            break
        texts = [str(given[0][at]) for at in broken]
        again = [text[:kept] + scrambled(keyed, text[kept:]) for text in texts]
        for at, text in zip(broken, again, strict=True):
            made[at] = text
        wrong = _broken(conditions, again)
        broken = [broken[at] for at in wrong if len(texts[at]) > 2 * kept]
    return made


def _broken(conditions: list[Expression], values: Columns) -> list[int]:
    """Return the places of texts that break a condition; none where it cannot be computed here."""
    cells = Cells(as_array(values), np.array([value is None for value in values], dtype=bool))
    broken = np.zeros(len(values), dtype=bool)
    for condition in conditions:
        try:
            broken |= ~np.asarray(condition.holds(lambda _: cells, len(values)), dtype=bool)
        except (NotCovered, TypeError, ValueError):
            continue
    return [int(at) for at in np.flatnonzero(broken & ~cells.null)]
