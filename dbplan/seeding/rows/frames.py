"""Tables as functions: any column of any rows, computed when it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Date, Table

from dbplan.seeding.constraints.checks import Check, Facts
from dbplan.seeding.constraints.conflicts import KeysInTheWay
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.rows.cells import Cells, chosen, day_after, patched
from dbplan.seeding.rows.fanout import Fan
from dbplan.seeding.rows.orders import inverse, put_away, sorted_rows
from dbplan.seeding.rows.stream import Array, Index, mixed
from dbplan.seeding.values.infer import generic
from dbplan.seeding.values.widths import widest

if TYPE_CHECKING:
    from dbplan.seeding.recipe.fixed import FixedRow

ATTEMPTS = 48
PATIENCE = 16
"""Attempts in which a value that the recipe weighs stays, and the columns beside it are drawn again."""
SEARCH = 400
BORROWS = 8
Maker = Callable[["Frame"], Cells]
Picker = Callable[["Frame"], Index]


@dataclass(frozen=True)
class Group:
    """Columns tied together by CHECKs: drawn together, tested together, drawn again where a CHECK fails."""

    columns: tuple[str, ...]
    """The columns that may be drawn again, free ones first and computed ones after them."""
    free: frozenset[str]
    checks: tuple[Check, ...]
    open: tuple[Check, ...]
    """The CHECKs that a first draw may break; the others hold of everything that is drawn."""
    orders: tuple[tuple[str, str, bool], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    """Columns to put close to another, now and then, when drawn again."""
    weighed: frozenset[str] = frozenset()
    """Free columns that hold `values` of the recipe: never moved, and drawn again only after the others."""


@dataclass
class Source:
    """One table as a function of its rows: makers by column, pickers by reference, groups by column.

    Rows are counted in the order of their parents; `order` holds them in the order in which they are written.
    """

    table: Table
    rows: int
    facts: Facts
    references: tuple[Reference, ...]
    uniques: tuple[frozenset[str], ...]
    makers: dict[str, Maker] = field(default_factory=dict)
    generated: dict[str, Maker] = field(default_factory=dict)
    """Columns that the server generates, where that can be computed here."""
    alike: frozenset[str] = frozenset()
    """Columns that hold one value in all rows, such as the number of the only tenant."""
    pickers: list[Picker] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    lead: Reference | None = None
    fan: Fan | None = None
    timed: str = ""
    """The column that says when a row came to be."""
    follows: bool = False
    """Whether a row comes after its lead's."""
    waits: list[int] = field(default_factory=list)
    """Other references whose parent a row comes after, and is picked without regard to time."""
    ascending: set[int] = field(default_factory=set)
    """Those of them whose parents come one after the other, as the lead's children do."""
    earlier: set[int] = field(default_factory=set)
    """References whose parent is picked among those that are there when the row comes."""
    begins: list[Callable[[Frame], Any]] = field(default_factory=list)
    """Times before which no row comes, so that there is a parent to pick."""
    inside: set[int] = field(default_factory=set)
    """References into the table itself that lead to a row of the same parent."""
    people: Mapping[str, Mapping[Hashable, int]] = field(default_factory=dict)
    """People whom fixed rows hold already, numbered."""
    raw: set[str] = field(default_factory=set)
    """Columns written past their type's own bind function, which takes none of the values known here."""
    given: tuple[FixedRow, ...] = ()
    """The rows of the recipe that this source is made of; none where it is generated."""
    fixed: Source | None = None
    """Rows of the recipe to write before the generated ones."""
    ruled: Mapping[str, str] = field(default_factory=dict)
    """Columns of which the recipe says something, with the file and line where it does."""
    standing: Mapping[str, Collection[Hashable]] = field(default_factory=dict)
    """What rows that stand in the database hold in columns that are unique: generated rows keep clear of it."""
    is_there: bool = False
    """Whether its rows stand in the database already, and are not written."""
    _order: Index | None = None
    _position: Index | None = None
    _by_time: tuple[Index, Array] | None = None
    _lent: dict[tuple[str, ...], Mapping[str, Cells] | None] = field(default_factory=dict)

    def frame(self, rows: Index) -> Frame:
        """Return a frame over those rows."""
        return Frame(self, rows)

    def kind(self, column: str) -> Any:
        """Return the type by which a column is written."""
        own = self.table.columns[column].type
        return generic(own) if column in self.raw else own

    @property
    def parts(self) -> tuple[Source, ...]:
        """The sources of all rows of the table, in the order in which they are written."""
        both = (self.fixed, self) if self.fixed is not None else (self,)
        return tuple(part for part in both if not part.is_there)

    @property
    def total(self) -> int:
        """All rows of the table, the fixed ones included."""
        return sum(part.rows for part in self.parts)

    @property
    def all_fixed(self) -> int:
        """How many rows of the table are fixed."""
        return sum(len(part.given) for part in self.parts)

    @property
    def scattered(self) -> bool:
        """Whether rows are written in another order than they are counted in: by time, as they would have come."""
        earlier = any(reference.parent == str(self.table.key) for reference in self.references)
        return bool(self.timed) and (self.fan is not None or bool(self.waits)) and not earlier

    @property
    def order(self) -> Index:
        """The rows in the order in which they are written."""
        if self._order is None:
            self._order = self.by_time()[0] if self.scattered else np.arange(self.rows, dtype=np.int64)
        return self._order

    def written(self, start: int, stop: int) -> Index:
        """Return the rows that are written from place `start` to `stop`."""
        if not self.scattered:
            return np.arange(start, stop, dtype=np.int64)
        rows = np.array(self.order[start:stop])
        put_away(self.order)
        return rows

    def forget(self) -> None:
        """Let go of what was computed from rows that have changed."""
        self._order = self._position = self._by_time = None
        self._lent.clear()

    def by_time(self) -> tuple[Index, Array]:
        """Return the rows in the order of time, and their times."""
        if self._by_time is None:
            self._by_time = sorted_rows(lambda rows: self.frame(rows)[self.timed].values, self.rows)
        return self._by_time

    def times_in_order(self) -> Array:
        """Return the times of all rows, in their order."""
        return self.by_time()[1]

    def there(self, times: Array) -> Index:
        """Return how many rows there are at times."""
        return np.searchsorted(self.times_in_order(), times.astype("datetime64[us]"), side="right").astype(np.int64)

    def position(self, rows: Index) -> Index:
        """Return the place of rows in the order in which they are written."""
        if not self.scattered:
            return rows
        if self._position is None:
            self._position = inverse(self.order)
        return self._position[rows]

    def lenders(self, group: Group) -> Mapping[str, Cells] | None:
        """Return cells of a group that hold its CHECKs, for rows that find none themselves."""
        key = group.columns
        if key not in self._lent:
            self._lent[key] = _search(self, group)
        return self._lent[key]


class Frame:
    """Some rows of a table; a column is computed once, and a column tied by CHECKs together with its group."""

    def __init__(self, source: Source, rows: Index, group: Group | None = None, attempt: int = 0) -> None:
        self.source, self.rows = source, rows
        self._group, self._attempt = group, attempt
        self._cells: dict[str, Cells] = {}
        self._picked: dict[int, Index] = {}
        self.known: dict[Any, Any] = {}
        """What makers of several columns share, such as the person of every row."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Cells:
        if name not in self._cells:
            group = self.source.groups.get(name)
            if group is None or group is self._group:
                maker = self.source.makers.get(name) or self.source.generated[name]
                self._cells[name] = maker(self)
            else:
                self._cells.update(_settled(self.source, self.rows, group))
        return self._cells[name]

    def attempt(self, name: str) -> int:
        """Return how many times `name` was drawn before in vain."""
        if self._group is None or name not in self._group.columns:
            return 0
        return 0 if name in self._group.weighed and self._attempt < PATIENCE else self._attempt

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
                self[name]  # drawn and kept
        for name, other in group.pairs if self._attempt else ():
            if name not in group.weighed:
                self._approach(name, other)
        for _ in group.orders:
            for low, high, strict in group.orders:
                self._order(low, high, strict)
        return {name: self[name] for name in group.columns}

    def _approach(self, name: str, other: str) -> None:
        """Put a third of the free cells at, just above or just below those of another column."""
        a, b = self[name], self[other]
        kinds = {a.values.dtype.kind, b.values.dtype.kind}
        if not (kinds == {"M"} or kinds <= set("iuf")):
            return
        random = mixed((self.rows + 7919 * self._attempt).astype(np.uint64))
        take = ~a.null & ~b.null & (random % np.uint64(3) == 0)
        sign = (random // np.uint64(3) % np.uint64(3)).astype(np.int64) - 1
        near = b.values + sign * self._step(b, strict=False)
        self._cells[name] = chosen(take, Cells(self._like(near, name, np.floor), b.null), a)

    def _order(self, low: str, high: str, strict: bool) -> None:
        """Swap two free cells that stand the wrong way round; where one is a key, put the other beside it."""
        assert self._group is not None
        a, b = self[low], self[high]
        kinds = {a.values.dtype.kind, b.values.dtype.kind}
        if not (kinds == {"M"} or kinds <= set("iuf")):
            return
        wrong = ~a.null & ~b.null & ((a.values >= b.values) if strict else (a.values > b.values))
        free = {low, high} & (self._group.free - self._group.weighed)
        if len(free) == 2 and not self._attempt and a.values.dtype == b.values.dtype:
            lower, higher = (self._like(x.values, name, np.floor) for x, name in ((b, low), (a, high)))
            self._cells[low] = chosen(wrong, Cells(lower, b.null), a)
            self._cells[high] = chosen(wrong, Cells(higher, a.null), b)
        elif high in free and (low not in free or self._attempt % 2):
            raised = self._like(a.values + self._step(a, strict), high, np.ceil)
            self._cells[high] = chosen(wrong, Cells(raised, a.null), b)
        elif low in free:
            lowered = self._like(b.values - self._step(b, strict), low, np.floor)
            self._cells[low] = chosen(wrong, Cells(lowered, b.null), a)

    def _like(self, values: Array, name: str, toward: Callable[[Array], Array]) -> Array:
        """Return numbers or times as those of a column; decimals become whole numbers, times whole days, `toward`.

        What the column's type does not hold becomes its last number, for a CHECK to refuse.
        """
        model, kind = self[name].values, generic(self.source.table.columns[name].type)
        ends = widest(kind) if values.dtype.kind in "iuf" else None
        if ends is not None:
            values = np.clip(values, *(ends if values.dtype.kind == "f" else map(int, ends)))
        if model.dtype.kind in "iu" and values.dtype.kind == "f":
            values = toward(values)
        if isinstance(kind, Date):
            values = day_after(values) if toward is np.ceil else values.astype("datetime64[D]")
        return values.astype(model.dtype)

    def _step(self, cells: Cells, strict: bool) -> Array:
        """Return small distances, smaller at every attempt, in units or seconds."""
        width = max(1, 64 >> min(self._attempt, 6))
        steps = strict + mixed((self.rows + self._attempt).astype(np.uint64)) % np.uint64(width)
        return steps.astype("timedelta64[s]") if cells.values.dtype.kind == "M" else steps.astype(np.int64)


def _settled(source: Source, rows: Index, group: Group) -> Mapping[str, Cells]:
    """Draw a group, and draw it again for the rows where a CHECK fails, until none does."""
    cells = dict(Frame(source, rows, group).trial())
    bad = np.flatnonzero(~holds(source, rows, group.open, cells))
    for attempt in range(1, ATTEMPTS):
        if not bad.size:
            return cells
        bad = _mend(source, rows, group, cells, bad, Frame(source, rows[bad], group, attempt).trial())
    if bad.size:
        bad = _borrow(source, rows, group, cells, bad)
    if bad.size:
        raise KeysInTheWay(str(source.table.key), _unsatisfied(source, rows[bad[:1]], group))
    return cells


def _mend(
    source: Source, rows: Index, group: Group, cells: dict[str, Cells], bad: Index, again: Mapping[str, Cells]
) -> Index:
    """Put the new cells where they hold the CHECKs; return the rows that are still bad."""
    good = holds(source, rows[bad], group.checks, again)
    where = np.flatnonzero(good)
    if where.size:
        cells.update({name: patched(old, bad[where], again[name].take(where)) for name, old in cells.items()})
    return np.asarray(bad[~good])


def _borrow(source: Source, rows: Index, group: Group, cells: dict[str, Cells], bad: Index) -> Index:
    """Give rows that found no cells of their own those that a few other rows found after long search."""
    if any(
        set(group.columns) & set(ref.own) and not set(ref.columns) <= set(group.columns) for ref in source.references
    ):
        return bad  # a part of a wide key is right beside the rest of it alone
    for turn in range(BORROWS):
        if not bad.size:
            break
        lent = source.lenders(group)
        if lent is None:
            break
        size = len(next(iter(lent.values())))
        at = ((rows[bad] + 1) * 2654435761 + turn * 97) % size
        bad = _mend(source, rows, group, cells, bad, {name: old.take(at) for name, old in lent.items()})
    return bad


def _search(source: Source, group: Group) -> Mapping[str, Cells] | None:
    """Return the cells of the first rows after up to SEARCH tries, those that hold; None where none does."""
    rows = np.arange(512, dtype=np.int64) % source.rows
    for attempt in range(ATTEMPTS, SEARCH):
        tried = Frame(source, rows, group, attempt).trial()
        good = np.flatnonzero(holds(source, rows, group.checks, tried))
        if good.size:
            return {name: old.take(good) for name, old in tried.items()}
    return None


def holds(source: Source, rows: Index, checks: tuple[Check, ...], cells: Mapping[str, Cells]) -> Array:
    """Return where every one of the CHECKs is kept."""
    frame = Frame(source, rows)
    frame._cells.update(cells)
    return np.asarray(np.logical_and.reduce([_kept(check, frame) for check in checks]))


def _kept(check: Check, frame: Frame) -> Array:
    assert check.parsed is not None
    return check.parsed.holds(lambda name: frame[name], len(frame))


def _unsatisfied(source: Source, rows: Index, group: Group) -> str:
    frame = Frame(source, rows, group, ATTEMPTS)
    cells = frame.trial()
    failed = [check for check in group.checks if not holds(source, rows, (check,), cells).all()] or list(group.checks)
    shown = ", ".join(f"{name} = {shown_cell(cells[name])}" for name in group.columns)
    table = source.table.key
    said = beside_rules(source, failed[0].parsed.columns if failed[0].parsed is not None else group.columns)
    return (
        f'{said}no row of {table} was found that holds CHECK "{failed[0].name}" ({failed[0].text}) '
        f"in {ATTEMPTS} tries; the last one had {shown}; give one of the columns a rule: "
        f"[tables.{table}.columns.{group.columns[0]}]"
    )


def beside_rules(source: Source, columns: Iterable[str]) -> str:
    """Name the recipe's rules of columns as the beginning of an error, "" where it has none."""
    places = [source.ruled[name] for name in sorted(columns) if name in source.ruled]
    return f"{', '.join(places)}: beside {'this rule' if len(places) == 1 else 'these rules'}, " if places else ""


def shown_cell(cells: Cells) -> str:
    """Return the first cell as an error shows it."""
    value = cells.values[:1].tolist()[0]
    return "NULL" if cells.null[0] else str(value) if isinstance(value, dt.date) else repr(value)
