"""Columns that share CHECKs: drawn together, unless nothing that is drawn breaks one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import Check
from dbplan.seeding.recipe.reach import parents
from dbplan.seeding.rows.frames import Frame, Group
from dbplan.seeding.rows.proof import proven
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

FIXED = frozenset({"level", "previous", "last", "value", "cases", "states", "entered", "history"})
"""Rules whose cells follow from their place alone: they are never drawn again."""


def tie(builder: Builder) -> None:
    """Tie the columns that share CHECKs into groups; a CHECK that cannot be read needs a recipe's rule."""
    for check in builder.facts.checks:
        _readable(builder, check)
    wide = [set(ref.columns) for ref in builder.source.references if len(ref.columns) > 1]
    for names, checks in components([c for c in builder.facts.checks if c.parsed is not None], wide):
        _tie(builder, names, checks)


def components(checks: list[Check], wide: list[set[str]]) -> list[tuple[tuple[str, ...], tuple[Check, ...]]]:
    """Return the sets of columns that CHECKs tie together, each with its CHECKs.

    The columns of a wide key go together: another parent's is another row's for each of them.
    """
    parts: list[tuple[set[str], list[Check]]] = []
    ties = [(set(check.parsed.columns), [check]) for check in checks if check.parsed is not None]
    for names, members in (*ties, *((columns, []) for columns in wide)):
        for part in [p for p in parts if p[0] & names]:
            parts.remove(part)
            names, members = names | part[0], part[1] + members
        parts.append((names, members))
    return [(tuple(sorted(names)), tuple(members)) for names, members in parts if members]


def _readable(builder: Builder, check: Check) -> None:
    ruled_columns = set(builder.rule.columns)
    fault = check.fault
    if check.parsed is not None:
        fault = _trial(builder, check)
        if not fault:
            return
        object.__setattr__(check, "parsed", None)
    if not any(name.lower() in check.text.lower() for name in ruled_columns):
        raise NotCovered(
            f'CHECK "{check.name}" of {builder.name} cannot be held by construction: {fault}; give a column in it '
            f"a rule: [tables.{builder.name}.columns.NAME] values = […]"
        )


def _trial(builder: Builder, check: Check) -> str:
    assert check.parsed is not None
    known = {n for n in check.parsed.columns if n in builder.source.makers or n in builder.source.generated}
    if known != check.parsed.columns:
        return f"the database itself fills {', '.join(sorted(check.parsed.columns - known))}" if not known else "skip"
    try:
        frame = Frame(builder.source, np.zeros(1, dtype=np.int64))
        check.parsed.holds(lambda name: frame[name], 1)
    except NotCovered as error:
        return str(error)
    except (TypeError, ValueError) as error:
        return f"it compares what cannot be compared here ({error})"
    return ""


def _tie(builder: Builder, names: tuple[str, ...], checks: tuple[Check, ...]) -> None:
    held = set(builder.keys.columns) | {
        c
        for ref in builder.source.references
        for c in ref.own
        if ref.own in builder.keys.references or ref is builder.source.lead
    }
    held |= {n for n, rule in builder.rule.columns.items() if set(rule) & FIXED} | {builder.source.timed}
    held |= asked_inside(builder)
    movable = [n for n in builder.table.columns.keys() if n in names and n in builder.source.makers and n not in held]  # noqa: SIM118
    is_free = [n for n in movable if n in builder.drawn]
    far = (n for n in builder.source.generated if (ref := parents(builder.table, n)) and {*ref.own} & {*movable})
    columns = (*is_free, *(n for n in movable if n not in is_free), *(far if movable else ()))
    orders = tuple(o for o in builder.facts.orders if {o[0], o[1]} <= set(names))
    if columns:
        pairs = tuple(sorted(p for p in builder.facts.compared if p[0] in is_free and p[1] in builder.source.makers))
        weighed = frozenset(n for n in is_free if "values" in builder.rule.columns.get(n, {}))
        open_ = tuple(check for check in checks if not _holds_of_all(builder, check))
        group = Group(columns, frozenset(is_free), checks, open_, orders, pairs, weighed)
        if not open_:
            return
        for name in columns:
            builder.source.groups[name] = group


def asked_inside(builder: Builder) -> set[str]:
    """Return the columns in which a key into the table itself follows other rows: they stand before it is picked."""
    inside = (ref for ref in builder.source.references if ref.parent == builder.name and ref.own)
    return {name for reference in inside for name in reference.given}


def _holds_of_all(builder: Builder, check: Check) -> bool:
    """Whether a CHECK of one column holds of all that is drawn for it; what a recipe's rule turns is tried."""
    name = next(iter(check.parsed.columns)) if check.parsed is not None else ""
    held, rule = builder.domains.get(name), set(builder.rule.columns.get(name, {}))
    turned = isinstance(generic(builder.table.columns[name].type), sa.Numeric | sa.Date) and rule
    return name in builder.drawn and held is not None and not turned and proven(check, held)
