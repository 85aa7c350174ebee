"""Taken from elsewhere: what a row holds because its parent does, and the rows that are left out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from dbplan.seeding.constraints.references import references
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame, Maker, Source
from dbplan.seeding.rows.makers import copied
from dbplan.seeding.rows.stream import bits, key, unit

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder


def of_parent(builder: Builder, said: str, fail: Callable[[str], NoReturn]) -> Maker:
    """Return a maker of a column of the row's parent; `said` is `key.column` or `table.column`."""
    before, _, column = said.rpartition(".")
    found = references(builder.table)
    place = next((at for at, ref in enumerate(found) if before in ref.columns), None)
    if place is None:
        place = next((at for at, ref in enumerate(found) if before == ref.parent), None)
    if place is None:
        fail(f"reads {said}, and {before} is no foreign key of {builder.name}, nor the table that one leads to")
    parent = builder.world.sources[found[place].parent]
    if not builder.source.references[place].own:
        fail(f"reads {said} of a row that {before} is not picked for; leave out the rule of that key")
    _refuse_unknown(builder, parent, column, said, fail)
    return copied(place, parent, column)


def _refuse_unknown(builder: Builder, source: Source, column: str, said: str, fail: Callable[[str], NoReturn]) -> None:
    """Refuse a column that only the database knows."""
    omitted = builder.world.recipe.column(str(source.table.key), column).get("omit") and not source.given
    if omitted or source.table.columns[column].computed is not None or (source.given and column not in source.makers):
        fail(f"reads {said}, which the database itself fills")


def picked(builder: Builder, said: str, label: str, fail: Callable[[str], NoReturn]) -> Maker:
    """Return a maker of a column of any row of a table, of one that is there by then where both have such a time."""
    table, _, column = said.rpartition(".")
    source = builder.world.sources[table]
    if not source.rows:
        fail(f"picks {said}, and {table} has no rows")
    _refuse_unknown(builder, source, column, said, fail)
    stream = key(builder.world.random_state, builder.name, label, "pick")

    def make(frame: Frame) -> Cells:
        share = unit(bits(stream, frame.rows))
        if not source.timed or not builder.source.timed or source is builder.source:
            return source.frame((share * source.rows).astype(np.int64))[column]
        order, count = source.by_time()[0], source.there(frame[builder.source.timed].values)
        cells = source.frame(order[(share * count).astype(np.int64)])[column]
        return (
            Cells(cells.values, cells.null | (count == 0)) if builder.table.columns[_plain(label)].nullable else cells
        )

    return make


def _plain(label: str) -> str:
    """Return the column of a label, which may end in the number of a case."""
    return label.partition("#")[0]


def left_out(maker: Maker, stream: np.uint64, share: float) -> Maker:
    """Return a maker with NULL in a share of the rows."""

    def make(frame: Frame) -> Cells:
        cells = maker(frame)
        return Cells(cells.values, cells.null | (unit(bits(stream, frame.rows)) < share))

    return make
