"""Tables as functions: any column of any rows, computed when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Table

from dbplan.errors import Unsatisfiable
from dbplan.seeding.cells import Cells, chosen, patched
from dbplan.seeding.checks import Check, Facts
from dbplan.seeding.fanout import Fan
from dbplan.seeding.references import Reference
from dbplan.seeding.stream import Array, Index

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = 48
Maker = Callable[["Frame"], Cells]
Picker = Callable[["Frame"], Index]


@dataclass(frozen=True)
class Group:
    """Columns tied together by CHECKs: drawn together, tested together, drawn again where a CHECK fails."""

    columns: tuple[str, ...]
    """The columns that may be drawn again, free ones first and computed ones after them."""
    free: frozenset[str]
    checks: tuple[Check, ...]
    orders: tuple[tuple[str, str, bool], ...] = ()


@dataclass
class Source:
    """One table as a function of its rows: makers by column, pickers by reference, groups by column.

    Rows are counted in the order of their parents; `order` holds them in the order in which they are written.
    """

    table: Table
    rows: int
    facts: Facts
    references: tuple[Reference, ...]
    makers: dict[str, Maker] = field(default_factory=dict)
    pickers: list[Picker] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    lead: Reference | None = None
    fan: Fan | None = None
    timed: str = ""
    _order: Index | None = None
    _position: Index | None = None

    def frame(self, rows: Index) -> Frame:
        """Return a frame over those rows."""
        return Frame(self, rows)

    @property
    def scattered(self) -> bool:
        """Whether rows are written in another order than they are counted in: by time, as they would have come."""
        earlier = any(reference.parent == str(self.table.key) for reference in self.references)
        return bool(self.timed) and self.fan is not None and not earlier

    @property
    def order(self) -> Index:
        """The rows in the order in which they are written."""
        if self._order is None:
            rows = np.arange(self.rows, dtype=np.int64)
            self._order = np.argsort(self.frame(rows)[self.timed].values, kind="stable") if self.scattered else rows
        return self._order

    def position(self, rows: Index) -> Index:
        """Return the place of rows in the order in which they are written."""
        if not self.scattered:
            return rows
        if self._position is None:
            self._position = np.empty(self.rows, dtype=np.int64)
            self._position[self.order] = np.arange(self.rows, dtype=np.int64)
        return self._position[rows]

    def chunks(self, size: int) -> Iterator[Frame]:
        """Yield frames over all rows, `size` at a time, in the order in which they are written."""
        for start in range(0, self.rows, size):
            yield self.frame(self.order[start : start + size])


class Frame:
    """Some rows of a table; a column is computed once, and a column tied by CHECKs together with its group."""

    def __init__(self, source: Source, rows: Index, group: Group | None = None, attempt: int = 0) -> None:
        self.source, self.rows = source, rows
        self._group, self._attempt = group, attempt
        self._cells: dict[str, Cells] = {}
        self._picked: dict[int, Index] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Cells:
        if name not in self._cells:
            group = self.source.groups.get(name)
            if group is None or group is self._group:
                self._cells[name] = self.source.makers[name](self)
            else:
                self._cells.update(_settled(self.source, self.rows, group))
        return self._cells[name]

    def attempt(self, name: str) -> int:
        """Return how many times `name` was drawn before in vain."""
        return self._attempt if self._group is not None and name in self._group.columns else 0

    def parent(self, place: int) -> Index:
        """Return the parent rows of the reference at `place`; -1 for none."""
        if place not in self._picked:
            self._picked[place] = self.source.pickers[place](self)
        return self._picked[place]

    def trial(self) -> Mapping[str, Cells]:
        """Draw the group, put its ordered pairs in order, and return its cells."""
        group = self._group
        assert group is not None
        for name in group.columns:
            if name in group.free:
                self[name]  # noqa: B018 - drawn and kept
        for low, high, _ in group.orders:
            if low in group.free and high in group.free:
                self._sort(low, high)
        return {name: self[name] for name in group.columns}

    def _sort(self, low: str, high: str) -> None:
        a, b = self._cells[low], self._cells[high]
        if a.values.dtype.kind != b.values.dtype.kind or a.values.dtype.kind not in "iufM":
            return
        wrong = ~a.null & ~b.null & (a.values > b.values)
        self._cells[low], self._cells[high] = chosen(wrong, b, a), chosen(wrong, a, b)


def _settled(source: Source, rows: Index, group: Group) -> Mapping[str, Cells]:
    """Draw a group, and draw it again for the rows where a CHECK fails, until none does."""
    cells = dict(Frame(source, rows, group).trial())
    bad = np.flatnonzero(~holds(source, rows, group, cells))
    for attempt in range(1, ATTEMPTS):
        if not bad.size:
            return cells
        again = Frame(source, rows[bad], group, attempt).trial()
        good = holds(source, rows[bad], group, again)
        where = np.flatnonzero(good)
        cells = {name: patched(old, bad[where], again[name].take(where)) for name, old in cells.items()}
        bad = bad[~good]
    if bad.size:
        raise Unsatisfiable(_unsatisfied(source, rows[bad[:1]], group))
    return cells


def holds(source: Source, rows: Index, group: Group, cells: Mapping[str, Cells]) -> Array:
    """Return where every CHECK of the group is kept."""
    frame = Frame(source, rows)
    frame._cells.update(cells)
    return np.logical_and.reduce([_kept(check, frame) for check in group.checks])


def _kept(check: Check, frame: Frame) -> Array:
    assert check.parsed is not None
    return check.parsed.holds(lambda name: frame[name], len(frame))


def _unsatisfied(source: Source, rows: Index, group: Group) -> str:
    frame = Frame(source, rows, group, ATTEMPTS)
    cells = frame.trial()
    failed = [
        check for check in group.checks if not holds(source, rows, Group((), frozenset(), (check,)), cells).all()
    ] or list(group.checks)
    shown = ", ".join(f"{name} = {_shown(cells[name])}" for name in group.columns)
    table = source.table.key
    return (
        f'no row of {table} was found that holds CHECK "{failed[0].name}" ({failed[0].text}) in {ATTEMPTS} tries; '
        f"the last one had {shown}; give one of the columns a rule: [tables.{table}.columns.{group.columns[0]}]"
    )


def _shown(cells: Cells) -> Any:
    return "NULL" if cells.null[0] else repr(cells.values[:1].tolist()[0])
