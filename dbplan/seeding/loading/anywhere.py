"""Any server that SQLAlchemy knows: plain INSERTs, the slow way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Dialect, Table

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading.encode import objects
from dbplan.seeding.loading.statements import columns_of
from dbplan.seeding.rows.frames import Frame, Source


def prepare(connection: Connection, order: Order) -> None:
    """Set what rows need inside the transaction: nothing here."""


def encode(frame: Frame, blank: Collection[str], dialect: Dialect) -> tuple[Table, list[dict[str, Any]]]:
    """Return the rows as `send` takes them; reads no database, so that a thread can do it beside `send`."""
    table, names = frame.source.table, columns_of(frame)
    fields = [
        [None] * len(frame) if name in blank else objects(frame[name], table.columns[name].type) for name in names
    ]
    if not names:
        return table, [{} for _ in range(len(frame))]
    return table, [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]


def send(connection: Connection, encoded: tuple[Table, list[dict[str, Any]]]) -> None:
    """Write encoded rows inside the connection's transaction."""
    table, rows = encoded
    if rows and rows[0]:
        connection.execute(table.insert(), rows)
        return
    for _ in rows:
        connection.execute(table.insert())


def write(connection: Connection, frame: Frame, blank: Collection[str]) -> None:
    """Encode rows and send them."""
    send(connection, encode(frame, blank, connection.dialect))


def finish(connection: Connection, source: Source) -> None:
    """Do what is left once all rows of a table are there: nothing here."""
