"""Appending: rows added to tables that have some, clear of every unique value that is there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from sqlalchemy import Connection, Integer, Table, func, select

from dbplan.errors import Unsatisfiable, UsageError
from dbplan.plan import Plan
from dbplan.seeding.constraints.references import all_uniques, references
from dbplan.seeding.loading.recognising import has_row
from dbplan.seeding.rows.clearance import Standing, keys_of, marks
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.world import World
from dbplan.seeding.values.infer import generic

MOST = 2_000_000
"""Values that are held in memory so that rows keep clear of them; each takes about 200 bytes."""
ATTEMPTS = 8
"""Times that other rows are tried where some meet standing ones in a unique of several columns."""
CHUNK = 50_000


@dataclass(frozen=True)
class There:
    """What stands in the tables of a plan: rows by table, and what they hold where it is unique."""

    rows: dict[str, int]
    standing: Standing = field(repr=False)

    def state(self, random_state: int, attempt: int) -> int:
        """Return the random state of what is added: the plain one where nothing stands, else another each time."""
        if not any(self.rows.values()) and not attempt:
            return random_state
        said = repr((random_state, attempt, sorted(self.rows.items()))).encode()
        return int.from_bytes(blake2b(said, digest_size=6).digest(), "big")


def there(connection: Connection, plan: Plan) -> There:
    """Read what stands in unique columns; Unsatisfiable with the arithmetic where it is too much to hold."""
    rows = {str(t.key): connection.execute(select(func.count()).select_from(t)).scalar_one() for t in plan.tables}
    sets = all_uniques(plan.tables)
    wanted = {str(t.key): _columns(t, sets[str(t.key)]) for t in plan.tables if rows[str(t.key)]}
    count = sum(rows[name] * sum(not one for one in columns.values()) for name, columns in wanted.items())
    if count > MOST:
        most = max(wanted, key=lambda name: rows[name] * len(wanted[name]))
        raise Unsatisfiable(
            f"{rows[most]:,} rows of {most} and others hold {count:,} unique values, and what is added has to keep "
            f"clear of them; {MOST:,} can be held in memory (some {MOST * 200 // 10**6:,} MB): empty tables take more"
        )
    standing = {
        name: {column: _held(connection, plan.table(name), column, one) for column, one in columns.items()}
        for name, columns in wanted.items()
    }
    return There(rows, standing)


def _columns(table: Table, uniques: tuple[frozenset[str], ...]) -> dict[str, bool]:
    """Return the columns that uniques are made of, and whether the largest value says enough: a key that counts up."""
    decided = {name for reference in references(table) for name in reference.columns}
    names = [c.name for c in table.columns if any(c.name in unique for unique in uniques) and c.name not in decided]
    return {name: _counts(table, name) for name in names}


def _counts(table: Table, name: str) -> bool:
    column = table.columns[name]
    key = bool(column.primary_key or column.identity or column is table.autoincrement_column)
    return key and isinstance(generic(column.type), Integer)


def _held(connection: Connection, table: Table, name: str, largest: bool) -> list[Hashable]:
    column = table.columns[name]
    asked = select(func.max(column)) if largest else select(column).where(column.is_not(None)).distinct()
    found = [value for value in connection.execute(asked).scalars() if value is not None]
    return sorted(_marks(found), key=repr)


def _marks(values: list[Any]) -> list[Hashable]:
    """Return values of the database as the marks of those that would be generated."""
    if values and hasattr(values[0], "year"):
        naive = (v.astimezone(dt.UTC).replace(tzinfo=None) if getattr(v, "tzinfo", None) else v for v in values)
        return marks(np.array(list(naive), dtype="datetime64[us]"))
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    return marks(cells)


def leave_fixed(connection: Connection, made: World, found: There) -> None:
    """Leave out the fixed rows of tables in which they stand; UsageError where some of them do."""
    for name, source in made.sources.items():
        for part in source.parts:
            if not part.given or not found.rows[name]:
                continue
            standing = [has_row(connection, part.frame(np.array([row], dtype=np.int64))) for row in range(part.rows)]
            if any(standing) and not all(standing):
                missing = part.given[standing.index(False)].place
                raise UsageError(
                    f"{sum(standing)} of the {part.rows} fixed rows of {name} are there, and the one at {missing} is "
                    "not; --append adds to tables that have all of them, or none"
                )
            part.is_there = all(standing)


def clash(connection: Connection, made: World, found: There) -> str:
    """Return in words a unique of several columns in which added rows meet standing ones, "" for none."""
    for name, source in made.sources.items():
        if not found.rows[name] or source.given or not source.rows:
            continue
        for names in _open(made, source):
            met = _met(connection, source, sorted(names))
            if met:
                listed = ", ".join(sorted(names))
                return (
                    f"{name}: ({listed}) is unique, and {met:,} of {source.rows:,} rows to add hold what one of the "
                    f"{found.rows[name]:,} there holds"
                )
    return ""


def _open(made: World, source: Source) -> Iterator[frozenset[str]]:
    """Yield the uniques of several columns that lead to no parent which is new itself."""
    for names in source.uniques:
        new = any(set(r.columns) <= names and not made.sources[r.parent].given for r in source.references)
        if len(names) > 1 and not new and names <= source.makers.keys():
            yield names


def _met(connection: Connection, source: Source, names: list[str]) -> int:
    columns = [source.table.columns[name] for name in names]
    rows = connection.execute(select(*columns).where(*(column.is_not(None) for column in columns))).all()
    standing = set(zip(*(_marks(list(values)) for values in zip(*rows, strict=True)), strict=True)) if rows else set()
    return sum(
        key in standing
        for start in range(0, source.rows, CHUNK)
        for key in keys_of(source, np.arange(start, min(start + CHUNK, source.rows)), names)
    )
