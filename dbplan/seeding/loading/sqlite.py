"""SQLite: prepared INSERTs, many rows at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Dialect

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import anywhere
from dbplan.seeding.loading.encode import python_values
from dbplan.seeding.loading.statements import columns_of, listed
from dbplan.seeding.rows.frames import Frame, Source


def prepare(connection: Connection, order: Order) -> None:
    """Set what rows need inside the transaction: a circle of keys is checked at its end."""
    if order.deferred:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")


def encode(frame: Frame, blank: Collection[str], dialect: Dialect) -> Any:
    """Return the rows as `send` takes them; reads no database, so that a thread can do it beside `send`."""
    names = columns_of(frame)
    if not names:
        return anywhere.encode(frame, blank, dialect)
    table, source = frame.source.table, frame.source
    fields = [
        [None] * len(frame) if name in blank else python_values(frame[name], source.kind(name), dialect)
        for name in names
    ]
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {listed(table, names, dialect.identifier_preparer)} VALUES ({marks})"  # noqa: S608
    return statement, list(zip(*fields, strict=True))


def send(connection: Connection, encoded: Any) -> None:
    """Write encoded rows inside the connection's transaction."""
    statement, rows = encoded
    if isinstance(statement, str):
        connection.exec_driver_sql(statement, rows)
    else:
        anywhere.send(connection, encoded)


def write(connection: Connection, frame: Frame, blank: Collection[str]) -> None:
    """Encode rows and send them."""
    send(connection, encode(frame, blank, connection.dialect))


def finish(connection: Connection, source: Source) -> None:
    """Do what is left once all rows of a table are there: nothing here."""
