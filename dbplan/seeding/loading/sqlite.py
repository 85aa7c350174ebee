"""SQLite: rows handed over as a database in memory, from which SQLite copies them itself; else prepared INSERTs.

Everything stays in the caller's transaction and in the database's own journal. No setting that bears on safety is
touched: `synchronous`, `journal_mode` and `locking_mode` stay the user's own, and a crash leaves what it always does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, NullPool, QueuePool

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import anywhere
from dbplan.seeding.loading.encode import python_values
from dbplan.seeding.loading.image import NOTHING, ROWS, image
from dbplan.seeding.loading.records import field
from dbplan.seeding.loading.statements import columns_of, listed
from dbplan.seeding.rows.frames import Frame, Source

CHUNK = 100_000
"""Rows that are made and sent at once."""
FEW = 2_000
"""Rows up to which a database in memory saves little, and there is not room for many of them."""
BESIDE = "dbplan_rows"
"""What databases in memory are called, with a number."""
MOST = 10
"""Databases that may stand beside another, in the usual builds of SQLite."""
ROOM = 65_536
"""KB of pages that SQLite may keep in memory: an index that has no room there is written to disk over and over."""
LARGE = 4_096
"""Pages, of 4 KB and more, that are not set to less."""
_CACHE = "dbplan: cache_size before"
_OWN, _LEFT = "dbplan: not of a pool", "dbplan: databases in memory"


@dataclass(frozen=True)
class Rows:
    """Rows of a table: the image of a database where there is one, else values for the driver."""

    frame: Frame
    blank: Collection[str]
    target: str
    image: Any | None
    values: list[tuple[Any, ...]]


def opened(connection: Connection) -> str:
    """Take a connection to a file out of its pool, so that nothing that stands beside the file is left there."""
    if isinstance(connection.engine.pool, QueuePool | NullPool):
        connection.detach()
        connection.info[_OWN] = True
    return ""


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
    with _beside(connection, encoded.image) as name:
        if name:
            connection.exec_driver_sql(f"INSERT INTO {encoded.target} SELECT * FROM {name}.{ROWS}")  # noqa: S608
        return bool(name)


@contextmanager
def _beside(connection: Connection, content: Any) -> Iterator[str]:
    """Attach a database in memory and give its name; none where SQLite has no means or no room for it."""
    driver: Any = connection.connection.dbapi_connection
    there = hasattr(driver, "deserialize") and (_OWN in connection.info or _lets_go()) and _is_utf_8(driver)
    name = _attach(driver, content, connection.info.setdefault(_LEFT, [])) if there else ""
    try:
        yield name
    finally:
        if name and not _detached(driver, name):
            connection.info[_LEFT].append(name)


def _attach(driver: Any, content: Any, left: list[str]) -> str:
    left[:] = [name for name in left if not _gone(driver, name)]
    name = next(f"{BESIDE}_{n}" for n in range(MOST + 1) if f"{BESIDE}_{n}" not in left)
    try:
        driver.execute(f"ATTACH DATABASE ':memory:' AS {name}")
    except sqlite3.OperationalError:  # as many as there may be
        return ""
    try:
        driver.deserialize(content, name=name)
        driver.execute(f"SELECT 1 FROM {name}.{ROWS} LIMIT 0")  # noqa: S608 - reads what it is
    except sqlite3.Error:
        driver.execute(f"DETACH DATABASE {name}")
        return ""
    return name


def _is_utf_8(driver: Any) -> bool:
    """Whether a database takes one in UTF-8 beside it."""
    return bool(driver.execute("PRAGMA encoding").fetchone() == ("UTF-8",))


def _detached(driver: Any, name: str) -> bool:
    """Detach a database that a transaction has read: old versions can, where it is another one by then."""
    try:
        driver.deserialize(image([NOTHING], 1), name=name)
    except sqlite3.OperationalError:  # newer ones keep it until the transaction ends
        return False
    return _gone(driver, name)


def _gone(driver: Any, name: str) -> bool:
    try:
        driver.execute(f"DETACH DATABASE {name}")
    except sqlite3.OperationalError:
        return False
    return True


@cache
def _lets_go() -> bool:
    """Whether this version of SQLite lets a database in memory go before the transaction that has read it ends."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute("BEGIN")
        with_rows = _attach(connection, image([NOTHING], 1), [])
        if not with_rows:
            return False
        connection.execute(f"SELECT * FROM {with_rows}.{ROWS}").fetchall()  # noqa: S608
        return _detached(connection, with_rows)
    finally:
        connection.close()


def write(connection: Connection, frame: Frame, blank: Collection[str]) -> None:
    """Encode rows and send them."""
    send(connection, encode(frame, blank, connection.dialect))


def finish(connection: Connection, source: Source) -> None:
    """Do what is left once all rows of a table are there: the memory for pages is again as it was."""
    before = connection.info.pop(_CACHE, None)
    if before is not None:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
