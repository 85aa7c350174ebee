"""Fan-out: how many children the parents of a foreign key have, counted by the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, ForeignKeyConstraint, Table, and_, func, select

from dbplan.evidence import FanOut, Place
from dbplan.seeding.constraints.references import key_of, unique_sets

COUNTED = 1_500_000
"""Rows up to which all children are counted; of larger tables, those of some parents, by an index."""
PARENTS = 2_000
SINGLE = 8
"""Classes that hold one number of children each, where there are no more."""


def fan_out(
    connection: Connection, table: Table, constraint: ForeignKeyConstraint, rows: Mapping[str, int]
) -> FanOut | None:
    """Return the fan-out of one foreign key; None where the table is too large to count and has no index for it."""
    parent = constraint.referred_table
    if rows[key_of(table)] <= COUNTED:
        spread = {children: parents for children, parents in connection.execute(_all(table, constraint))}  # noqa: C416
        total = rows[key_of(parent)]
    elif _has_index(table, constraint):
        counted = [n for (n,) in connection.execute(_some(table, constraint))]
        spread = {n: counted.count(n) for n in set(counted) if n}
        total = len(counted)
    else:
        return None
    spread[0] = max(0, total - sum(spread.values()))
    place = Place(key_of(table), ", ".join(column.name for column in constraint.columns))
    return _fact(place, key_of(parent), {n: count for n, count in sorted(spread.items()) if count})


def _all(table: Table, constraint: ForeignKeyConstraint) -> Any:
    """Count parents by the number of their children; those without any have no group."""
    columns = list(constraint.columns)
    there = select(func.count().label("n")).select_from(table).where(*(c.is_not(None) for c in columns))
    groups = there.group_by(*columns).subquery()
    return select(groups.c.n, func.count()).group_by(groups.c.n)


def _some(table: Table, constraint: ForeignKeyConstraint) -> Any:
    """Count the children of some parents, one look-up each."""
    targets = {element.column.name: element.parent.name for element in constraint.elements}
    chosen = select(*(constraint.referred_table.c[n] for n in targets)).limit(PARENTS).subquery()
    child = table.alias("child")
    same = and_(*(child.c[own] == chosen.c[target] for target, own in targets.items()))
    return select(select(func.count()).select_from(child).where(same).scalar_subquery()).select_from(chosen)


def _has_index(table: Table, constraint: ForeignKeyConstraint) -> bool:
    """Whether an index or a unique begins with the columns of the key."""
    names = [column.name for column in constraint.columns]
    orders = [[getattr(e, "name", None) for e in index.expressions] for index in table.indexes]
    orders.append([column.name for column in table.primary_key.columns])
    whole = any(set(unique) == set(names) for unique, _ in unique_sets(table))
    return whole or any(set(order[: len(names)]) == set(names) for order in orders)


def _fact(place: Place, parent: str, spread: Mapping[int, int]) -> FanOut:
    n = sum(spread.values())
    return FanOut(place, parent, n, spread.get(0, 0), _median(spread, n), max(spread, default=0), classes(spread))


def _median(spread: Mapping[int, int], n: int) -> float:
    """Return the number of children that half of the parents have at most."""
    seen, middle = 0, []
    for children, count in sorted(spread.items()):
        middle += [children for place in ((n - 1) // 2, n // 2) if seen <= place < seen + count]
        seen += count
    return sum(middle) / len(middle) if middle else 0.0


def classes(spread: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """Return a histogram as pairs of a class's fewest children and its parents: one by one, else in doublings."""
    most = max(spread, default=0)
    starts = list(range(most + 1)) if most <= SINGLE else _doublings(most)
    counted = dict.fromkeys(starts, 0)
    for children, count in spread.items():
        counted[max(start for start in starts if start <= children)] += count
    first = next((start for start, count in counted.items() if count), 0)
    return tuple((start, count) for start, count in counted.items() if start >= first)


def _doublings(most: int) -> list[int]:
    starts = [0, 1]
    while starts[-1] * 2 <= most:
        starts.append(starts[-1] * 2)
    return starts


def labels(counted: Sequence[tuple[int, int]], most: int) -> Iterable[str]:
    """Name the classes: "3", or "4–7" for those that hold several numbers of children."""
    ends = [start - 1 for start, _ in counted[1:]] + [most]
    for (start, _), end in zip(counted, ends, strict=True):
        yield str(start) if start >= end else f"{start:,}–{end:,}"
