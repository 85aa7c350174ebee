"""The half that reads: what the tables of a live database hold, as facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table

from dbplan.columns import Encrypted
from dbplan.evidence import ColumnProfile, Fact, FanOut, Place, RowsOverTime
from dbplan.seeding.constraints.references import key_of
from dbplan.seeding.profiling.columns import column_profile, shown
from dbplan.seeding.profiling.courses import rows_over_time
from dbplan.seeding.profiling.fanouts import fan_out
from dbplan.seeding.profiling.sampling import Sample, count, sample, sizes

SHOWN = 3
"""Rows of each table that are shown."""
Asked = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class TableProfile:
    """What one table holds: `chosen` says how the `n` rows were that were looked at; `shown` are a few of them."""

    table: str
    rows: int
    n: int
    chosen: str
    size: int | None
    columns: tuple[ColumnProfile, ...]
    keys: Mapping[str, str]
    """The tables to which its columns refer."""
    course: RowsOverTime | None
    shown: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Profile:
    """What a database holds; `uncounted` are foreign keys whose children were too many to count."""

    tables: tuple[TableProfile, ...]
    fans: tuple[FanOut, ...]
    uncounted: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[Fact, ...]:
        """Every fact, by table."""
        courses = tuple(table.course for table in self.tables if table.course is not None)
        return (*(column for table in self.tables for column in table.columns), *self.fans, *courses)

    def sizes(self) -> Mapping[str, int | None]:
        """Return the bytes of every table."""
        return {table.table: table.size for table in self.tables}


def measure(connection: Connection, tables: Sequence[Table], asked: Asked, *, show: bool = True) -> Profile:
    """Return the profile of tables; without `show`, no value of any row stands in it."""
    rows = {key_of(table): count(connection, table) for table in tables}
    on_disk = sizes(connection, tables)
    taken = {table: sample(connection, table, rows[key_of(table)], on_disk.get(key_of(table))) for table in tables}
    courses = rows_over_time({table: found.columns for table, found in taken.items()}, rows)
    measured = tuple(
        _table(table, rows[key_of(table)], on_disk.get(key_of(table)), found, courses.get(key_of(table)), asked, show)
        for table, found in taken.items()
    )
    fans, uncounted = _fans(connection, tables, rows)
    return Profile(measured, fans, uncounted)


def _table(
    table: Table, rows: int, size: int | None, found: Sample, course: RowsOverTime | None, asked: Asked, show: bool
) -> TableProfile:
    name = key_of(table)
    keys = {f.parent.name: key_of(f.column.table) for f in table.foreign_keys}
    columns = tuple(
        column_profile(
            Place(name, column.name),
            found.columns[column.key],
            asked.get((name, column.name)),
            sealed=not show or isinstance(column.type, Encrypted) or column.name in keys,
        )
        for column in table.columns
    )
    return TableProfile(name, rows, found.n, found.chosen, size, columns, keys, course, _shown(found) if show else ())


def _shown(found: Sample) -> tuple[tuple[str, ...], ...]:
    first = zip(*(values[:SHOWN] for values in found.columns.values()), strict=True)
    return tuple(tuple(map(shown, row)) for row in first)


def _fans(
    connection: Connection, tables: Sequence[Table], rows: Mapping[str, int]
) -> tuple[tuple[FanOut, ...], tuple[str, ...]]:
    fans: list[FanOut] = []
    uncounted = []
    for table in tables:
        keys: Any = table.foreign_key_constraints
        for constraint in sorted(keys, key=lambda key: [column.name for column in key.columns]):
            if key_of(constraint.referred_table) not in rows:
                continue
            found = fan_out(connection, table, constraint, rows)
            if found is None:
                uncounted.append(str(Place(key_of(table), ", ".join(constraint.column_keys))))
            else:
                fans.append(found)
    return tuple(sorted(fans, key=lambda fan: (fan.parent, fan.place))), tuple(uncounted)
