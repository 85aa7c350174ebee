"""Sampling: some rows of a table, the same ones for the same data and random state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Column, Connection, Select, Table, func, literal, select, tablesample

from dbplan.benchmarking.clients import fetched
from dbplan.benchmarking.timing import generator

LARGE = 1_000_000
"""Rows from which on PostgreSQL samples by page: an exact draw would number every row."""
SPARE = 20
"""How many times as many rows the pages hold as are wanted, so that no page weighs much."""

Rows = list[tuple[Any, ...]]


def fullname(columns: Sequence[Column[Any]]) -> str:
    """Return the name of the table that the columns are of."""
    return _table(columns).fullname


def _table(columns: Sequence[Column[Any]]) -> Table:
    table = columns[0].table
    assert isinstance(table, Table)
    return table


def sample(connection: Connection, columns: Sequence[Column[Any]], random_state: int, size: int) -> Rows:
    """Return up to `size` rows of one table's columns, where none of them is NULL, in random order."""
    filled = [column.is_not(None) for column in columns]
    count = connection.scalar(select(func.count()).select_from(_table(columns)).where(*filled)) or 0
    rows: Rows = []
    if count >= LARGE and connection.dialect.name == "postgresql":
        rows = _by_page(connection, columns, 100.0 * SPARE * size / count, random_state)
    if len(rows) < min(size, count):
        rows = _by_place(connection, columns, count, random_state, size)
    order = generator(random_state, "order", fullname(columns)).permutation(len(rows))
    return [rows[place] for place in order[:size]]


def _by_place(connection: Connection, columns: Sequence[Column[Any]], count: int, random_state: int, size: int) -> Rows:
    """Return the rows at random places in the order of the key."""
    rng = generator(random_state, "places", fullname(columns))
    places = [int(place) + 1 for place in rng.choice(count, size=min(size, count), replace=False)]
    key = list(_table(columns).primary_key.columns) or [c for c in columns if not isinstance(c.type, JSON)]
    place = func.row_number().over(order_by=key or None).label("dbplan_place")
    drawn = [column.label(f"dbplan_{number}") for number, column in enumerate(columns)]
    numbered = select(*drawn, place).where(*(column.is_not(None) for column in columns)).subquery()
    found = select(numbered).where(numbered.c.dbplan_place.in_(places)).order_by(numbered.c.dbplan_place)
    return [tuple(row)[:-1] for row in fetched(connection.execute(found))]


def _by_page(connection: Connection, columns: Sequence[Column[Any]], percent: float, random_state: int) -> Rows:
    """Return the rows of some pages picked at random, in the order of the key."""
    table = _table(columns)
    part = tablesample(table, func.system(min(percent, 100.0)), seed=literal(random_state), name="dbplan_sample")
    drawn = [part.c[column.key] for column in columns]
    order = [part.c[column.key] for column in table.primary_key.columns] or drawn
    statement: Select[Any] = select(*drawn).where(*(column.is_not(None) for column in drawn)).order_by(*order)
    return [tuple(row) for row in fetched(connection.execute(statement))]
