"""Taken from elsewhere: what a row holds because its parent does, and the rows that are left out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from dbplan.seeding.constraints.references import references
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame, Maker
from dbplan.seeding.rows.makers import copied
from dbplan.seeding.rows.stream import bits, unit

if TYPE_CHECKING:
    from dbplan.seeding.rows.world import Builder


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
    omitted = builder.world.recipe.column(str(parent.table.key), column).get("omit") and not parent.given
    if omitted or parent.table.columns[column].computed is not None or (parent.given and column not in parent.makers):
        fail(f"reads {said}, which the database itself fills")
    return copied(place, parent, column)


def left_out(maker: Maker, stream: np.uint64, share: float) -> Maker:
    """Return a maker with NULL in a share of the rows."""

    def make(frame: Frame) -> Cells:
        cells = maker(frame)
        return Cells(cells.values, cells.null | (unit(bits(stream, frame.rows)) < share))

    return make
