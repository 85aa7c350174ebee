"""Fixed rows: rows that a recipe writes out, checked against every constraint before anything is written."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, ForeignKeyConstraint, Index, Table
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.plan import Plan
from dbplan.seeding.constraints.checks import Check, Facts
from dbplan.seeding.constraints.references import Reference, key_of, unique_sets
from dbplan.seeding.constraints.stored import facts_of
from dbplan.seeding.recipe.literals import cell, column_cells
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows.frames import Frame, Maker, Source
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.times import CREATED
from dbplan.seeding.values.defaults import COUNTED, LEFT, default, first_number
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.recipe.places import KeyPath
    from dbplan.seeding.recipe.reading import Reader


@dataclass(frozen=True)
class FixedRow:
    """One row that a recipe writes out, as cells by column; a column that the server alone can fill is not there."""

    place: str
    """Its file and line."""
    number: int
    """Its place among the rows of its table, as the recipe has them."""
    said: frozenset[str]
    """The columns that the recipe names; the others hold their defaults."""
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class FixedReader:
    """Reads all fixed rows of a recipe; times that are left out are the `start` of the data."""

    plan: Plan
    start: np.datetime64
    reader: Reader

    def rows(self, given: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, tuple[FixedRow, ...]]:
        """Return the rows of every table, those that others of the table refer to first."""
        found = {name: self.table(self.plan.table(name), rows) for name, rows in given.items()}
        for name, rows in found.items():
            table = self.plan.table(name)
            self.uniques(table, rows)
            self.checks(table, rows)
            for constraint in table.foreign_key_constraints:
                self.references(table, rows, constraint, found)
        return {name: self.in_order(self.plan.table(name), rows) for name, rows in found.items()}

    def table(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> tuple[FixedRow, ...]:
        """Return the rows of one table, every left-out column filled."""
        made, known = [self.row(table, number, row) for number, row in enumerate(rows)], facts_of(table)
        for column in table.columns:
            numbers = [row.cells.get(column.name) for row in made]
            top = max((n for n in numbers if isinstance(n, int)), default=0)
            following = max(first_number(column, known.limit(column.name)), top + 1)
            for at, number in enumerate(numbers):
                if number is COUNTED:
                    made[at] = replace(made[at], cells={**made[at].cells, column.name: following})
                    following += 1
        return tuple(made)

    def row(self, table: Table, number: int, row: Mapping[str, Any]) -> FixedRow:
        """Return one row."""
        path = ("tables", key_of(table), "fixed", number)
        cells = {name: self.cell(table, name, value, (*path, name)) for name, value in row.items()}
        for column in table.columns:
            if column.name not in row:
                cells[column.name] = self.default(column, number, path)
        known = {name: value for name, value in cells.items() if value is not LEFT}
        return FixedRow(self.reader.place(path), number, frozenset(row), known)

    def cell(self, table: Table, name: str, value: Any, path: KeyPath) -> Any:
        """Return a value that the recipe gives as a cell."""
        self.reader.known("column", name, table.columns.keys(), path)
        column = table.columns[name]
        if column.computed is not None:
            self.reader.fail(path, f"{name} is computed by the database; leave it out")
        try:
            return cell(value, column.type)
        except ValueError as error:
            self.reader.fail(path, f"{name} = {written(value)} {error}")

    def default(self, column: Column[Any], number: int, path: KeyPath) -> Any:
        """Return what a left-out column holds; a column that must hold something and has no default is an error."""
        try:
            found = default(column, number, self.start)
        except ValueError as error:
            self.reader.fail(path, f"no value for {column.name}, and {error}")
        if found is None and not column.nullable:
            self.reader.fail(path, f"no value for {column.name}, which may not be NULL and has no default")
        return found

    def uniques(self, table: Table, rows: Sequence[FixedRow]) -> None:
        """Refuse two rows that are alike where every row must differ; what a partial index says, the server judges."""
        for names in _plain_uniques(table):
            seen: dict[tuple[Any, ...], FixedRow] = {}
            for row in rows:
                values = _values(row, names)
                if values is not None and (other := seen.setdefault(values, row)) is not row:
                    shown = _shown(table, names, (row.cells[name] for name in names))
                    self.reader.fail(
                        self.place(table, row, names), f"{shown} stands in the row of {other.place} already"
                    )

    def references(
        self,
        table: Table,
        rows: Sequence[FixedRow],
        constraint: ForeignKeyConstraint,
        found: Mapping[str, Sequence[FixedRow]],
    ) -> None:
        """Refuse a key that leads to no fixed row; generated ones have no names that a recipe could know."""
        names, targets = _sides(constraint)
        parent = key_of(constraint.referred_table)
        there = [values for row in found.get(parent, ()) if (values := _values(row, targets)) is not None]
        for row in rows:
            values = _values(row, names)
            if values is not None and values not in there:
                listed = "; ".join(_shown(constraint.referred_table, targets, values) for values in there[:5]) or "none"
                shown = _shown(table, names, (row.cells[name] for name in names))
                self.reader.fail(
                    self.place(table, row, names),
                    f"{shown} leads to no fixed row of {parent}, whose fixed rows have: {listed}; "
                    "a row that is generated cannot be named",
                )

    def checks(self, table: Table, rows: Sequence[FixedRow]) -> None:
        """Refuse a row that breaks a CHECK that can be computed here."""
        if not rows:
            return
        known = facts_of(table)
        source = source_of(table, rows, known)
        for check in known.checks:
            for at in _broken(check, source):
                row = rows[at]
                assert check.parsed is not None
                names = sorted(check.parsed.columns)
                shown = _shown(table, names, (row.cells[name] for name in names))
                self.reader.fail(self.place(table, row, names), f'CHECK "{check.name}" ({check.text}) fails: {shown}')

    def place(self, table: Table, row: FixedRow, names: Iterable[str]) -> KeyPath:
        """Return the key of a row to name in an error: a column that the recipe says, else the row."""
        said = [name for name in names if name in row.said]
        return ("tables", key_of(table), "fixed", row.number, *said[:1])

    def in_order(self, table: Table, rows: tuple[FixedRow, ...]) -> tuple[FixedRow, ...]:
        """Return rows after those of the same table that they refer to."""
        placed: list[FixedRow] = []
        waiting = list(rows)
        inside = [_sides(c) for c in table.foreign_key_constraints if c.referred_table is table]
        while waiting:
            ready = [row for row in waiting if not _needs(row, [w for w in waiting if w is not row], inside)]
            if not ready:
                said = "this row and others of the table refer to each other in a circle"
                self.reader.fail(self.place(table, waiting[0], ()), said)
            placed.append(ready[0])
            waiting.remove(ready[0])
        return tuple(placed)


def _sides(constraint: ForeignKeyConstraint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = [(element.parent.name, element.column.name) for element in constraint.elements]
    return tuple(name for name, _ in pairs), tuple(target for _, target in pairs)


def _needs(row: FixedRow, others: list[FixedRow], inside: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> bool:
    return any(
        (wanted := _values(row, names)) is not None and any(wanted == _values(other, targets) for other in others)
        for names, targets in inside
    )


def _values(row: FixedRow, names: Iterable[str]) -> tuple[Any, ...] | None:
    """Return the values of a key; None where one is NULL, or the server's."""
    values = tuple(row.cells.get(name) for name in names)
    if any(value is None for value in values):
        return None
    return tuple(repr(value) if isinstance(value, dict | list) else value for value in values)


def _shown(table: Table, names: Iterable[str], values: Iterable[Any]) -> str:
    """Return columns and values as a recipe writes them."""
    return ", ".join(f"{n} = {_written(v, table.columns[n])}" for n, v in zip(names, values, strict=True))


def _written(value: Any, column: Column[Any]) -> str:
    if isinstance(value, np.datetime64):
        return str(value).removesuffix(".000000")
    if isinstance(value, str) and isinstance(generic(column.type), sa.Uuid):
        return f"'{uuid.UUID(value)}'"
    return "NULL" if value is None else repr(value)


def _plain_uniques(table: Table) -> list[tuple[str, ...]]:
    """Return the columns of the primary key and of every unique over whole columns and all rows."""
    return sorted({tuple(sorted(names)) for names, index in unique_sets(table) if index is None or _is_plain(index)})


def _is_plain(index: Index) -> bool:
    partial = any(options.get("where") is not None for options in index.dialect_options.values())
    return not partial and all(isinstance(part, Column) for part in index.expressions)


def _broken(check: Check, source: Source) -> list[int]:
    """Return the rows that break a CHECK, as far as it can be computed here from what is known."""
    if check.parsed is None:
        return []
    whole = [n for n, row in enumerate(source.given) if check.parsed.columns <= row.cells.keys()]
    if not whole:
        return []
    frame = source.frame(np.array(whole, dtype=np.int64))
    try:
        kept: Array = check.parsed.holds(lambda name: frame[name], len(frame))
    except (NotCovered, TypeError, ValueError):
        return []
    return [whole[at] for at in np.flatnonzero(~kept).tolist()]


def source_of(
    table: Table,
    rows: Sequence[FixedRow],
    known: Facts,
    references: tuple[Reference, ...] = (),
    uniques: tuple[frozenset[str], ...] = (),
) -> Source:
    """Return fixed rows as a source, so that children may refer to them as to any others."""
    source = Source(table, len(rows), known, references, uniques, given=tuple(rows))
    for column in table.columns:
        if any(column.name in row.cells for row in rows):
            source.makers[column.name] = _maker([row.cells.get(column.name) for row in rows])
            source.why[column.name] = "fixed"
    times = {name.lower(): name for name in source.makers if all(row.cells.get(name) is not None for row in rows)}
    timed = (times[name] for name in CREATED if name in times)
    source.timed = next((n for n in timed if isinstance(generic(table.columns[n].type), sa.DateTime)), "")
    return source


def _maker(values: Sequence[Any]) -> Maker:
    cells = column_cells(values)

    def make(frame: Frame) -> Any:
        return cells.take(frame.rows)

    return make
