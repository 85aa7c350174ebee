"""SQLite: rows handed over as a database in memory, from which SQLite copies them itself; else prepared INSERTs.

Everything stays in the caller's transaction and in the database's own journal. No setting that bears on safety is
touched: `synchronous`, `journal_mode` and `locking_mode` stay the user's own, and a crash leaves what it always does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import anywhere
from dbplan.seeding.loading.encode import python_values
from dbplan.seeding.loading.image import NOTHING, ROWS, image
from dbplan.seeding.loading.records import field
from dbplan.seeding.loading.statements import columns_of, listed
from dbplan.seeding.rows.frames import Frame, Source

FEW = 100
"""Rows up to which a database in memory costs more than it saves."""
BESIDE = "dbplan_rows"
"""What the database in memory is called while it is there."""
ROOM = 65_536
"""KB of pages that SQLite may keep in memory: an index that has no room there is written to disk over and over."""
LARGE = 4_096
"""Pages, of 4 KB and more, that are not set to less."""
_CACHE = "dbplan: cache_size before"


@dataclass(frozen=True)
class Rows:
    """Rows of a table: the image of a database where there is one, else values for the driver."""

    frame: Frame
    blank: Collection[str]
    target: str
    image: Any | None
    values: list[tuple[Any, ...]]


def prepare(connection: Connection, order: Order) -> None:
    """Set what rows need inside the transaction: a circle of keys is checked at its end; room for indexes."""
    if order.deferred:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    found = int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())
    if -ROOM < found <= LARGE:
        connection.info.setdefault(_CACHE, found)
        connection.exec_driver_sql(f"PRAGMA cache_size = {-ROOM}")


def encode(frame: Frame, blank: Collection[str], dialect: Dialect) -> Any:
    """Return the rows as `send` takes them; reads no database, so that a thread can do it beside `send`."""
    names = columns_of(frame)
    if not names:
        return anywhere.encode(frame, blank, dialect)
    target = listed(frame.source.table, names, dialect.identifier_preparer)
    made = _image(frame, blank, dialect) if len(frame) > FEW else None
    return Rows(frame, blank, target, made, _values(frame, blank, dialect) if made is None else [])


def _image(frame: Frame, blank: Collection[str], dialect: Dialect) -> Any | None:
    """Return the rows as an image; None where they hold what an image cannot."""
    fields = []
    for name in columns_of(frame):
        made = field(None if name in blank else frame[name], frame.source.kind(name), dialect)
        if made is None:
            return None
        fields.append(made)
    return image(fields, len(frame))


def _values(frame: Frame, blank: Collection[str], dialect: Dialect) -> list[tuple[Any, ...]]:
    """Return the rows as values for the driver."""
    fields = [
        [None] * len(frame) if name in blank else python_values(frame[name], frame.source.kind(name), dialect)
        for name in columns_of(frame)
    ]
    return list(zip(*fields, strict=True))


def send(connection: Connection, encoded: Any) -> None:
    """Write encoded rows inside the connection's transaction."""
    if not isinstance(encoded, Rows):
        anywhere.send(connection, encoded)
    elif encoded.image is None or not _copied(connection, encoded):
        values = encoded.values or _values(encoded.frame, encoded.blank, connection.dialect)
        marks = ", ".join("?" * len(values[0]))
        connection.exec_driver_sql(f"INSERT INTO {encoded.target} VALUES ({marks})", values)  # noqa: S608 - quoted


def _copied(connection: Connection, encoded: Rows) -> bool:
    """Have SQLite copy rows from their image; say whether it has the means for it."""
    with _beside(connection, encoded.image) as there:
        if there:
            connection.exec_driver_sql(f"INSERT INTO {encoded.target} SELECT * FROM {BESIDE}.{ROWS}")  # noqa: S608
        return there


@contextmanager
def _beside(connection: Connection, content: Any) -> Iterator[bool]:
    """Attach a database in memory and say whether it is there: small builds of SQLite have no means for it."""
    driver: Any = connection.connection.driver_connection
    there = hasattr(driver, "deserialize") and _attach(driver, content)
    try:
        yield there
    finally:
        if there:
            driver.deserialize(image([NOTHING], 1), name=BESIDE)  # one that nobody has read can go in a transaction
            driver.execute(f"DETACH DATABASE {BESIDE}")


def _attach(driver: Any, content: Any) -> bool:
    try:
        driver.execute(f"ATTACH DATABASE ':memory:' AS {BESIDE}")
    except sqlite3.OperationalError:  # as many as there may be
        return False
    try:
        driver.deserialize(content, name=BESIDE)
        driver.execute(f"SELECT 1 FROM {BESIDE}.{ROWS} LIMIT 0")  # noqa: S608 - a database in UTF-16 has no other beside it
    except sqlite3.Error:
        driver.execute(f"DETACH DATABASE {BESIDE}")
        return False
    return True


def write(connection: Connection, frame: Frame, blank: Collection[str]) -> None:
    """Encode rows and send them."""
    send(connection, encode(frame, blank, connection.dialect))


def finish(connection: Connection, source: Source) -> None:
    """Do what is left once all rows of a table are there: the memory for pages is again as it was."""
    before = connection.info.pop(_CACHE, None)
    if before is not None:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
