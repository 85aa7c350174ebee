"""Circles: tables that wait for each other's rows, and columns that are copied from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.order import Circle, order
from dbplan.seeding.constraints.references import Reference

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder
    from dbplan.seeding.rows.frames import Source

Place = tuple[str, str]


def break_copies(sources: Mapping[str, Source]) -> None:
    """Let one column of a circle, in which each is copied from the next, be drawn: all its rows have one value.

    Such is a tenant's number in keys from one table to another and back, where no table of tenants is in the plan.
    """
    while circle := _copied_in_circle(sources):
        name, column, reference = next(((n, c, r) for n, c, r in circle if len(r.own) > 1), (*circle[0][:2], None))
        if reference is None:
            path = " → ".join(f"{n}.{c}" for n, c, _ in circle)
            raise NotCovered(f"{path} are copied from each other, so that none of them can be drawn first")
        source = sources[name]
        own = tuple(n for n in reference.own if n != column)
        given = tuple(n for n in reference.columns if n not in own)
        source.references = tuple(replace(r, own=own, given=given) if r is reference else r for r in source.references)
        source.alike |= {column}


def _copied_in_circle(sources: Mapping[str, Source]) -> list[tuple[str, str, Reference]]:
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
