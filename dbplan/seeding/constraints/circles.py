"""Circles: tables that wait for each other's rows, and columns that are copied from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.agreeing import keys_of
from dbplan.seeding.constraints.order import Circle, order
from dbplan.seeding.constraints.references import Reference, alone
from dbplan.seeding.rows.fanout import Fan

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder
    from dbplan.seeding.rows.frames import Source

Place = tuple[str, str]
Copy = tuple[str, str, Reference]
"""A column of a table, with the reference that copies it from a parent."""


def break_copies(sources: Mapping[str, Source]) -> None:
    """Let one column of a circle, in which each is copied from the next, come from elsewhere.

    Where a table of the circle has a narrow key beside the wide one (a tenant's number, to the tenants), that decides.
    Where no table of tenants is in the plan, the column is drawn, and all its rows have one value.
    """
    while circle := _copied_in_circle(sources):
        if not _narrowed(sources, circle):
            _draw_one(sources, circle)


def _narrowed(sources: Mapping[str, Source], circle: list[Copy]) -> bool:
    """Put a narrow key before the wide one of the circle that it is a part of.

    One that may be NULL, if there is one, else that of the smallest table: its tenants are those of all the others.
    """
    ways = _ways_out(sources, circle)
    found = sorted(ways, key=lambda each: (not each[0][2].nullable, sources[each[0][0]].rows))
    for (name, _, wide), narrow in found[:1]:
        source, at = sources[name], sources[name].references.index(wide)
        own = tuple(n for n in wide.own if n not in narrow.columns)
        given = tuple(n for n in wide.columns if n not in own)
        nullable = bool(own) and any(source.table.columns[n].nullable for n in own)
        closing = replace(wide, own=own, given=given, nullable=nullable, closes=True)
        source.references = (*source.references[:at], narrow, closing, *source.references[at + 1 :])
    return bool(found)


def _ways_out(sources: Mapping[str, Source], circle: list[Copy]) -> Iterator[tuple[Copy, Reference]]:
    """Yield the steps of a circle with a narrow key that leads out of it: the table's own, then one of a parent's."""
    around = {name for name, _, _ in circle}
    for at, step in enumerate(circle):
        for key in _narrow(sources[step[0]], step, around):
            yield step, key
            narrow: Reference | None = key
            for before in reversed([*circle[at + 1 :], *circle[:at]]):
                narrow = _borrowed(before[2], narrow) if narrow is not None else None
                if narrow is not None:
                    yield before, narrow


def _borrowed(wide: Reference, narrow: Reference) -> Reference | None:
    """Return a parent's narrow key as one of the child, whose wide key copies its columns; None where it does not."""
    copies = {target: column for column, target in zip(wide.columns, wide.targets, strict=True) if column in wide.own}
    if not set(narrow.columns) < copies.keys():
        return None
    columns = tuple(copies[name] for name in narrow.columns)
    return replace(narrow, columns=columns, own=columns)


def _narrow(source: Source, step: Copy, around: set[str]) -> list[Reference]:
    """Return the keys out of a circle that are a part of a wide one, and decide the column copied around it."""
    _, column, wide = step
    return [
        r
        for r in alone(source.table)
        if column in r.columns and set(r.columns) < set(wide.own) and r.parent not in around
    ]


def _draw_one(sources: Mapping[str, Source], circle: list[Copy]) -> None:
    name, column, reference = next(((n, c, r) for n, c, r in circle if len(r.own) > 1), (*circle[0][:2], None))
    if reference is None:
        path = " → ".join(f"{n}.{c}" for n, c, _ in circle)
        raise NotCovered(f"{path} are copied from each other, so that none of them can be drawn first")
    source = sources[name]
    own = tuple(n for n in reference.own if n != column)
    given = tuple(n for n in reference.columns if n not in own)
    source.references = tuple(replace(r, own=own, given=given) if r is reference else r for r in source.references)
    source.alike |= {column}


def _copied_in_circle(sources: Mapping[str, Source]) -> list[Copy]:
    """Return a circle of columns with the references that decide them; none where there is none."""
    every = ((name, reference) for name, source in sources.items() for reference in source.references)
    edges = {(name, c): ((r.parent, r.target(c)), r) for name, r in every for c in r.own}
    done: set[Place] = set()
    for start in sorted(edges):
        path: list[Place] = []
        at = start
        while at in edges and at not in done:
            if at in path:
                return [(*place, edges[place][1]) for place in path[path.index(at) :]]
            path.append(at)
            at = edges[at][0]
        done.update(path)
    return []


def close_circles(builders: Mapping[str, Builder], sources: Mapping[str, Source]) -> None:
    """Leave those references NULL for good through which no row of a circle could come first otherwise.

    A circle that only a server can close which checks foreign keys at the end is left to it.
    """
    while True:
        try:
            order(dict(sources), defers=False)
        except Circle as circle:
            edge = next(_open_ends(builders, circle.edges), None)
            if edge is None:
                return
            _leave_out(*edge)
        else:
            return


def cover(builders: Mapping[str, Builder]) -> bool:
    """Share out rows so that whoever needs one of the same tenant, around a circle of NOT NULL keys, has one.

    Says whether any were.
    """
    moved = False
    for builder in builders.values():
        for closing in builder.source.references:
            if closing.closes and not closing.nullable:
                for child, names in reversed(_way_back(builders, builder, closing)):
                    _cover(child, names)
                    moved = True
    return moved


def _way_back(
    builders: Mapping[str, Builder], builder: Builder, closing: Reference
) -> list[tuple[Builder, tuple[str, ...]]]:
    """Return the tables around a circle, up to the one that closes it, with the columns that each copies."""
    found: list[tuple[Builder, tuple[str, ...]]] = []
    at, names = closing.parent, tuple(closing.target(n) for n in closing.given)
    while at in builders and at != builder.name:
        child, lead = builders[at], builders[at].source.lead
        if lead is None or child.source.fan is None or not set(names) <= set(lead.own):
            break
        found.append((child, names))
        at, names = lead.parent, tuple(lead.target(n) for n in names)
    return found


def _cover(child: Builder, names: tuple[str, ...]) -> None:
    """Give every group of the lead's parents that has no child one of a group that has several."""
    lead, fan = child.source.lead, child.source.fan
    assert lead is not None
    assert fan is not None
    keys = keys_of(child.world.sources[lead.parent], [lead.target(n) for n in names])
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    group, counts = np.array([numbers[key] for key in keys], dtype=np.int64), fan.counts.copy()
    totals = np.bincount(group, counts, len(numbers)).astype(np.int64)
    for empty in np.flatnonzero(totals == 0).tolist():
        giver = int(np.argmax(np.where(totals[group] > 1, counts, 0)))
        if totals[group[giver]] < 2 or not counts[giver]:
            return  # too few rows: said where a parent is missed
        counts[giver] -= 1
        counts[np.flatnonzero(group == empty)[0]] += 1
        totals[group[giver]] -= 1
    child.source.fan = Fan(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _open_ends(
    builders: Mapping[str, Builder], edges: tuple[tuple[str, Reference], ...]
) -> Iterator[tuple[Source, Reference]]:
    for name, reference in edges:
        builder = builders.get(name)
        if builder is not None and reference.nullable and reference is not builder.source.lead:
            yield builder.source, reference


def _leave_out(source: Source, reference: Reference) -> None:
    place = source.references.index(reference)
    source.pickers[place] = lambda frame: np.full(len(frame), -1, dtype=np.int64)
    source.references = tuple(replace(r, left_out=True) if r is reference else r for r in source.references)
