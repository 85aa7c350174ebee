"""Uniques that no construction holds: the rows that clash are drawn again, all before the first one is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dbplan.errors import NotCovered, Unsatisfiable
from dbplan.seeding.constraints.agreeing import keys_of
from dbplan.seeding.constraints.circles import cover
from dbplan.seeding.constraints.conflicts import KeysInTheWay
from dbplan.seeding.constraints.keys import MEND, may_be_null, said, sizes_of
from dbplan.seeding.constraints.occupied import Occupied
from dbplan.seeding.constraints.uniques import Unique
from dbplan.seeding.rows.cells import Cells, patched
from dbplan.seeding.rows.frames import ATTEMPTS, Frame, Group, Maker, Picker, Source, holds
from dbplan.seeding.rows.picking import Grouped
from dbplan.seeding.rows.stream import Array, Index, bits
from dbplan.seeding.rows.ties import asked_inside
from dbplan.seeding.values.people import Person
from dbplan.seeding.values.slugs import Slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from dbplan.seeding.constraints.references import Reference
    from dbplan.seeding.rows.builder import Builder

MOST = 5_000_000
"""Rows of a table that are searched through; each takes some 50 bytes meanwhile."""
CHUNK = 50_000
ROUNDS = 120
"""Times that a row is drawn again before its few possible values are gone through one by one."""
TOGETHER = 4_096
"""Combinations of values that are gone through for one row."""
PASSES = 4


@dataclass
class Moved:
    """Rows of a table that were drawn again, in order, with what they hold instead."""

    rows: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cells: dict[str, Cells] = field(default_factory=dict)
    parents: dict[int, Index] = field(default_factory=dict)

    def at(self, rows: Index) -> tuple[Index, Index]:
        """Return which of `rows` were moved, and where they stand here."""
        place = np.searchsorted(self.rows, rows)
        place[place == len(self.rows)] = 0
        met = np.flatnonzero(self.rows[place] == rows) if len(self.rows) else np.zeros(0, dtype=np.int64)
        return met, place[met]

    def add(self, rows: Index, cells: Mapping[str, Cells], parents: Mapping[int, Index]) -> None:
        """Take in rows; one that was moved before is moved anew."""
        old = np.flatnonzero(~np.isin(self.rows, rows))
        joined = np.concatenate([self.rows[old], rows])
        order = np.argsort(joined, kind="stable")
        self.cells = {n: _joined(self.cells.get(n), old, new).take(order) for n, new in cells.items()}
        self.parents = {
            p: np.concatenate([self.parents[p][old] if p in self.parents else rows[:0], new])[order]
            for p, new in parents.items()
        }
        self.rows = joined[order]


def _joined(old: Cells | None, kept: Index, new: Cells) -> Cells:
    if old is None:
        return new
    values = [np.asarray(old.values)[kept], np.asarray(new.values)]
    if values[0].dtype != values[1].dtype:
        values = [part.astype(object) for part in values]
    return Cells(np.concatenate(values), np.concatenate([old.null[kept], new.null]))


def search(builder: Builder, builders: Mapping[str, Builder]) -> bool:
    """Draw again the rows of a table that clash in a unique which nothing else holds; say whether there were any.

    Raises Unsatisfiable where some find no place, NotCovered for more rows than are searched through.
    """
    open_ = builder.keys.searched
    if not open_ or not builder.source.rows:
        return False
    if builder.source.rows > MOST:
        raise NotCovered(
            f"{builder.name}: {open_[0].label} is unique, and no column of it has values enough to hold it by "
            f"construction; it is searched for in up to {MOST:,} rows, not {builder.source.rows:,}"
        )
    finder = _Finder(builder, open_)
    for turn in range(PASSES):  # a row that another one of its table refers to may have been moved
        if not finder.once():
            return turn > 0
        _forget(builders)
    finder.give_up(1)
    return True


class _Finder:
    """Finds other cells for the rows of one table that clash."""

    def __init__(self, builder: Builder, uniques: tuple[Unique, ...]) -> None:
        self.builder, self.source, self.uniques = builder, builder.source, uniques
        self.group = _together(builder, uniques)
        self.places = tuple(
            place for place, ref in enumerate(self.source.references) if set(ref.own) & set(self.group.columns)
        )
        for name in self.group.columns:
            if name in self.source.groups:
                self.source.groups[name] = self.group
            if builder.keys.columns.get(name) == "distinct":
                self.source.makers[name] = _or_null(self.source.makers[name], name)
        for place in self.places:
            if builder.keys.references.get(self.source.references[place].own) == "distinct":
                own = self.source.references[place].own[0]
                self.source.pickers[place] = _or_none(self.source.pickers[place], own)
        self.moved = Moved()
        self.worn = 0
        """Attempts that were made, so that no pass repeats those of another."""

    def once(self) -> bool:
        """Move the rows that clash; say whether there were any."""
        self.occupied = Occupied(self.uniques, self.source.rows)
        waiting = [self.clashing(start) for start in range(0, self.source.rows, CHUNK)]
        bad = np.concatenate(waiting)
        if not bad.size:
            return False
        if not self.group.columns:
            self.give_up(bad.size)
        held = Moved()
        bad = self.gone_through(self.drawn_again(bad, held), held)
        if bad.size:
            self.give_up(bad.size)
        self.install(held)
        return True

    def clashing(self, start: int) -> Index:
        """Return the rows of a chunk that have something in common with one before them."""
        rows = np.arange(start, min(start + CHUNK, self.source.rows), dtype=np.int64)
        return rows[~self.occupied.take(self.source.frame(rows))]

    def drawn_again(self, bad: Index, held: Moved) -> Index:
        """Draw rows again and again; return those that still clash."""
        for _ in range(ROUNDS):
            if not bad.size:
                break
            self.worn += 1
            bad = np.concatenate([self._round(bad[at : at + CHUNK], held) for at in range(0, len(bad), CHUNK)])
        return bad

    def _round(self, bad: Index, held: Moved) -> Index:
        frame = Frame(self.source, bad, self.group, ATTEMPTS * 16 + self.worn)
        return self._settle(frame, frame.trial(), held)

    def _settle(self, frame: Frame, cells: Mapping[str, Cells], held: Moved) -> Index:
        """Keep the rows that hold every CHECK and clash with none; return the others."""
        good = np.flatnonzero(holds(self.source, frame.rows, self.group.checks, cells)) if self.group.checks else None
        good = np.arange(len(frame)) if good is None else good
        tried = self._framed(frame, cells, good)
        kept = good[self.occupied.take(tried)]
        parents = {place: frame.parent(place)[kept] for place in self.places}
        if kept.size:
            held.add(frame.rows[kept], {n: c.take(kept) for n, c in cells.items()}, parents)
        return np.delete(frame.rows, kept)

    def _framed(self, frame: Frame, cells: Mapping[str, Cells], at: Index) -> Frame:
        """Return some of a frame's rows with cells that were drawn for them."""
        tried = Frame(self.source, frame.rows[at])
        tried._cells.update({name: drawn.take(at) for name, drawn in cells.items()})
        return tried

    def gone_through(self, bad: Index, held: Moved) -> Index:
        """Give rows that found nothing by chance the first combination of values that clashes with none."""
        options = [self._options(name) for name in self._units()]
        count = int(np.prod([len(o) for o in options], dtype=float)) if all(map(len, options)) and options else 0
        if not 0 < count <= TOGETHER or count * len(bad) > 50_000_000:
            return bad
        return np.array([row for row in bad.tolist() if not self._try_all(row, options, count, held)], dtype=np.int64)

    def _units(self) -> list[str | int]:
        """Return what is chosen on its own: a column, or a parent by the place of its reference."""
        owned = {name for place in self.places for name in self.source.references[place].own}
        wanted = frozenset().union(*(_columns(u) for u in self.uniques))
        alone = [n for n in self.group.columns if n in self.group.free and n not in owned and n in wanted]
        return [*alone, *self.places]

    def _options(self, unit: str | int) -> Sequence[Any]:
        """Return what a column may hold, or the parents that there are; none where there are too many."""
        if isinstance(unit, int):
            reference = self.source.references[unit]
            count = self.builder.world.rows[reference.parent]
            if reference.left_out:
                return [-1]
            own = reference.given or reference.parent == self.builder.name
            return [] if own or count > TOGETHER else [*([-1] if reference.nullable else []), *range(count)]
        held = self.builder.domains[unit]
        none: list[Any] = [None] if self.builder.null_share(self.source.table.columns[unit]) else []
        if held is None or held.roomy(self.source.rows).capacity > TOGETHER:
            return []
        roomy = held.roomy(self.source.rows)
        return [*none, *np.asarray(roomy.nth(np.arange(roomy.capacity, dtype=np.int64))).tolist()]

    def _try_all(self, row: int, options: list[Sequence[Any]], count: int, held: Moved) -> bool:
        """Try all combinations for a row, from one that differs by row on."""
        picks = np.unravel_index((np.arange(count) + row * 2654435761) % count, [len(o) for o in options])
        frame = Frame(self.source, np.full(count, row, dtype=np.int64), self.group, ATTEMPTS * 16)
        for unit, items, pick in zip(self._units(), options, picks, strict=True):
            if isinstance(unit, int):
                frame._picked[unit] = np.asarray(items, dtype=np.int64)[pick]
            else:
                frame._cells[unit] = _cells_of(items, pick, frame.source.makers[unit](frame))
        cells = {name: frame[name] for name in self.group.columns}
        good = np.flatnonzero(holds(self.source, frame.rows, self.group.checks, cells)) if self.group.checks else None
        good = np.arange(count) if good is None else good
        free = good[self.occupied.free(self._framed(frame, cells, good))]
        if not free.size:
            return False
        first = free[:1]
        self.occupied.take(self._framed(frame, cells, first))
        held.add(frame.rows[first], {n: c.take(first) for n, c in cells.items()},
                 {place: frame.parent(place)[first] for place in self.places})  # fmt: skip
        return True

    def install(self, held: Moved) -> None:
        """Let the moved rows have their new cells wherever they are read."""
        first = not self.moved.rows.size
        self.moved.add(held.rows, held.cells, held.parents)
        if not first:
            return
        copied = {name for place in self.places for name in self.source.references[place].own}
        for name in self.group.columns:
            if name not in copied and name in self.source.makers:  # what is copied follows from the parent
                self.source.makers[name] = _instead(self.source.makers[name], self.moved, name)
        for place in self.places:
            self.source.pickers[place] = _elsewhere(self.source.pickers[place], self.moved, place, self.source)

    def give_up(self, count: int) -> None:
        """Say which unique leaves no room, with the arithmetic."""
        room = {ref.own: self.builder.world.rows[ref.parent] for ref in self.source.references}
        unique = self.occupied.fullest()
        raise KeysInTheWay(
            self.builder.name,
            f"{said(self.builder, unique, sizes_of(self.builder, unique, room))}, and {count:,} of these found no "
            f"place beside the other keys, uniques and CHECKs of the table; {MEND}",
            self.source.rows - count,
        )


def _or_null(maker: Maker, name: str) -> Maker:
    """Return a maker of different values that gives up half of them when drawn again: NULLs clash with nothing."""

    def make(frame: Frame) -> Cells:
        cells, again = maker(frame), frame.attempt(name)
        return cells if not again else Cells(cells.values, cells.null | _half(frame.rows, again))

    return make


def _or_none(picker: Picker, name: str) -> Picker:
    def pick(frame: Frame) -> Index:
        rows, again = picker(frame), frame.attempt(name)
        return rows if not again else np.where(_half(frame.rows, again), -1, rows)

    return pick


def _half(rows: Index, attempt: int) -> Array:
    return np.asarray(bits(np.uint64(attempt), rows) & np.uint64(1) == 0)


def _columns(unique: Unique) -> frozenset[str]:
    return unique.columns | (unique.where.columns if unique.where is not None else frozenset())


def _cells_of(items: Sequence[Any], pick: Index, model: Cells) -> Cells:
    none = np.array([item is None for item in items], dtype=bool)
    there = next((item for item in items if item is not None), None)
    values = np.empty(len(items), dtype=object)
    values[:] = [there if item is None else item for item in items]
    plain = np.asarray(model.values).dtype
    return Cells((values.astype(plain) if plain.kind in "iufbMm" else values)[pick], none[pick])


def _instead(maker: Maker, moved: Moved, name: str) -> Maker:
    def make(frame: Frame) -> Cells:
        cells = maker(frame)
        if frame.attempt(name):
            return cells
        met, place = moved.at(frame.rows)
        return patched(cells, met, moved.cells[name].take(place)) if met.size else cells

    return make


def _elsewhere(picker: Picker, moved: Moved, place: int, source: Source) -> Picker:
    own = source.references[place].own[0]

    def pick(frame: Frame) -> Index:
        rows = picker(frame)
        if frame.attempt(own):
            return rows
        met, at = moved.at(frame.rows)
        if met.size:
            rows = rows.copy()
            rows[met] = moved.parents[place][at]
        return rows

    return pick


def _together(builder: Builder, uniques: tuple[Unique, ...]) -> Group:
    """Return the columns that may be moved to hold uniques, with all that CHECKs tie to them."""
    asked = frozenset().union(*(_columns(unique) for unique in uniques))
    names = {name for name in asked - asked_inside(builder) if _movable(builder, name)}
    names = {n for n in names if not isinstance(builder.domains[n], Person)} or names
    groups = list({id(g): g for n in names if (g := builder.source.groups.get(n)) is not None}.values())
    for group in groups:
        names |= set(group.columns)
    for reference in builder.source.references:
        if names & set(reference.own):
            names |= set(reference.own)
    free = names & builder.drawn
    ordered = [n for n in builder.table.columns.keys() if n in names]  # noqa: SIM118 - a ColumnCollection
    checks = tuple(c for c in builder.facts.checks if c.parsed is not None and c.parsed.columns & names)
    return Group(
        columns=(*(n for n in ordered if n in free), *(n for n in ordered if n not in free)),
        free=frozenset(free),
        checks=checks,
        open=checks,
        orders=tuple(order for group in groups for order in group.orders),
        pairs=tuple(pair for group in groups for pair in group.pairs),
        weighed=frozenset().union(*(group.weighed for group in groups)),
    )


def _movable(builder: Builder, name: str) -> bool:
    """Whether another draw changes a column, and nothing else is built on it."""
    read = {held.text for held in builder.domains.values() if isinstance(held, Slug)}
    column = builder.table.columns[name]
    decided = builder.reference_of(column)
    if decided is None:
        held = builder.keys.columns.get(name)
        gives_up = held == "distinct" and may_be_null(builder, name) and not builder.is_referred(column)
        return name not in read and name != builder.source.timed and (name in builder.drawn or gives_up)
    reference = decided[1]
    how = builder.keys.references.get(reference.own)
    gives_up = how == "distinct" and all(may_be_null(builder, n) for n in reference.own)
    return reference is not builder.source.lead and not reference.left_out and (how is None or gives_up)


def search_all(builders: Mapping[str, Builder]) -> None:
    """Search through every table whose uniques want it, parents before their children.

    In a circle of tables a parent may be moved after its child: what was moved is looked through again.
    """
    ordered = _parents_first(builders)
    for name in ordered:
        _share_out(builders[name], builders)
    if cover(builders):
        _forget(builders)
    for _ in range(PASSES):
        if not sum(search(builders[name], builders) for name in ordered):
            break
    for name in ordered:
        _pick(builders[name])


def _share_out(builder: Builder, builders: Mapping[str, Builder]) -> None:
    """Share out rows along a lead whose parents do not all agree with the other keys of a row."""
    for agreement in builder.agreements:
        if agreement.reference is builder.source.lead:
            agreement.lead()
            _forget(builders)


def _pick(builder: Builder) -> None:
    """Pick all parents that depend on other columns, so that one which is not there is said before the first row."""
    source = builder.source
    asked = {agreement.place for agreement in builder.agreements}
    places = [place for place, pick in enumerate(source.pickers) if place in asked or isinstance(pick, Grouped)]
    follow = [r for r in source.references if r.given and not r.own and not r.left_out]
    followers = [(r, set(keys_of(builder.world.sources[r.parent], r.targets))) for r in follow]
    for start in range(0, source.rows if places or followers else 0, CHUNK):
        frame = source.frame(np.arange(start, min(start + CHUNK, source.rows), dtype=np.int64))
        for place in places:
            frame.parent(place)
        for reference, there in followers:
            _refuse_lost(builder, reference, there, frame)


def _refuse_lost(builder: Builder, reference: Reference, there: Set[Any], frame: Frame) -> None:
    """Refuse rows whose other keys leave this one no parent."""
    columns = [frame[name] for name in reference.columns]
    null = np.logical_or.reduce([cells.null for cells in columns])
    wanted = zip(*(np.asarray(cells.values).tolist() for cells in columns), strict=True)
    if any(key not in there for key, none in zip(wanted, null.tolist(), strict=True) if not none):
        raise Unsatisfiable(
            f"{builder.name}: the other keys of the table decide {', '.join(reference.columns)}, and not all of what "
            f"they lead to is in {reference.parent}; ask for more rows of it"
        )


def _parents_first(builders: Mapping[str, Builder]) -> list[str]:
    placed: dict[str, None] = {}
    seen: set[str] = set()

    def place(name: str) -> None:
        if name in seen or name not in builders:
            return
        seen.add(name)
        for reference in builders[name].source.references:
            place(reference.parent)
        placed[name] = None

    for name in sorted(builders):
        place(name)
    return list(placed)


def _forget(builders: Mapping[str, Builder]) -> None:
    """Let go of what was read from rows before they were moved."""
    for builder in builders.values():
        builder.source.forget()
        for agreement in builder.agreements:
            agreement.forget()
        for picker in builder.source.pickers:
            if isinstance(picker, Grouped):
                picker.forget()
