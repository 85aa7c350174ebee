"""MariaDB and MySQL: LOAD DATA LOCAL from memory where server and driver allow it; else INSERTs of many rows.

A client that offers LOCAL can be asked for any file by a server that means ill. The connection made here opens no file
at all: it hands over the rows of the statement at hand, and nothing to any other request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, Table, event
from sqlalchemy.dialects import mysql

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import anywhere
from dbplan.seeding.loading.lines import Encoder, encoder
from dbplan.seeding.loading.statements import columns_of
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.values.infer import generic

FEW = 100
"""Rows up to which INSERT is as quick."""
NAME = "dbplan-rows"
"""What the statement calls the file that there is not."""
IDLE = 64
"""Connections that may wait in a pool, and are closed until a new one is made."""
PIECE = 1 << 18
"""Bytes that are sent at once."""
SESSION = (
    "SET SESSION time_zone = '+00:00', sql_notes = 0, sql_mode = "
    "CONCAT(REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO')"
)
"""Times are in UTC, a value that does not fit is an error, and 0 is 0 in a column that counts."""
_LOADS = "dbplan: LOAD DATA"


@dataclass(frozen=True)
class Lines:
    """Rows as lines, how many there are, and the statement that loads them."""

    statement: str
    lines: bytes
    rows: int


def opened(connection: Connection) -> str:
    """Make a fresh connection ready to write rows, and say what it cannot do."""
    missing = _means(connection)
    if not missing and not _reconnect(connection):
        missing = "connections of this engine are made by a function of its own"
    connection.exec_driver_sql(SESSION)
    connection.rollback()
    connection.info[_LOADS] = not missing
    return f"Rows went by INSERT, not by LOAD DATA, which is quicker: {missing}." if missing else ""


def _means(connection: Connection) -> str:
    """Return why LOAD DATA LOCAL is not to be had; nothing where it is."""
    if connection.dialect.driver != "pymysql":
        return f"it wants the driver PyMySQL, not {connection.dialect.driver}"
    allowed = connection.exec_driver_sql("SELECT @@GLOBAL.local_infile").scalar()
    connection.rollback()
    return "" if allowed else "the server forbids it (SET GLOBAL local_infile = 1 allows it)"


def _reconnect(connection: Connection) -> bool:
    """Put a connection that can send rows in the place of the one from the pool, to which it does not go back."""
    engine = connection.engine

    def make(_dialect: Any, _record: Any, words: Any, options: Any) -> Any:
        return _handing()(*words, **options)

    event.listen(engine, "do_connect", make)
    try:
        for _ in range(IDLE):
            connection.invalidate()
            if isinstance(connection.connection.dbapi_connection, _handing()):
                connection.detach()
                return True
    finally:
        event.remove(engine, "do_connect", make)
    return False


@cache
def _handing() -> type[Any]:
    """Return PyMySQL's connection with rows in the place of files."""
    from pymysql.connections import Connection as Plain
    from pymysql.connections import MySQLResult

    class Result(MySQLResult):  # type: ignore[misc]
        def _read_load_local_packet(self, asked: Any) -> None:
            connection = self.connection
            rows, connection.handed = connection.handed, None
            if rows is not None and asked.get_all_data()[1:] == NAME.encode():
                for start in range(0, len(rows), PIECE):
                    connection.write_packet(rows[start : start + PIECE])
            connection.write_packet(b"")
            self._read_ok_packet(connection._read_packet())

    class Handing(Plain):  # type: ignore[misc]
        handed: memoryview | None = None
        """The rows of the statement that is about to be sent."""

        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options | {"local_infile": True})

        def _read_query_result(self, unbuffered: bool = False) -> Any:
            if unbuffered:
                return super()._read_query_result(unbuffered)
            self._result = None
            self._result = result = Result(self)
            result.read()
            if result.server_status is not None:
                self.server_status = result.server_status
            return result.affected_rows

    return Handing


def prepare(connection: Connection, order: Order) -> None:
    """Set what rows need inside the transaction: nothing here."""


def encoding(connection: Connection, _tables: Collection[Table]) -> Callable[[Frame, Collection[str]], Any]:
    """Return what turns rows into what `send` takes on this connection."""
    means = encode if connection.info.get(_LOADS) else anywhere.encode
    return partial(means, dialect=connection.dialect)


def encode(frame: Frame, blank: Collection[str], dialect: Dialect) -> Any:
    """Return the rows as `send` takes them; reads no database, so that a thread can do it beside `send`."""
    names = columns_of(frame)
    if not names or len(frame) <= FEW:
        return anywhere.encode(frame, blank, dialect)
    made = encoder(names, {name: frame.source.kind(name) for name in names}, "mysql", dialect)
    return Lines(_statement(frame, made, dialect), made.rows(frame, frozenset(blank)), len(frame))


def _statement(frame: Frame, made: Encoder, dialect: Dialect) -> str:
    quote = dialect.identifier_preparer  # the driver reads a statement's percent signs
    fields, settings = [], []
    for number, column in enumerate(made.columns):
        change = "UNHEX({})" if column.hexed else "CAST({} AS UNSIGNED)" if _is_bits(column.kind) else ""
        own = quote.quote(column.name)
        fields.append(f"@v{number}" if change else own)
        if change:
            settings.append(f"{own} = {change.format(f'@v{number}')}")
    after = f" SET {', '.join(settings)}" if settings else ""
    table = quote.format_table(frame.source.table)
    return (
        f"LOAD DATA LOCAL INFILE '{NAME}' INTO TABLE {table} CHARACTER SET utf8mb4 "
        rf"FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' ({', '.join(fields)}){after}"
    )


def _is_bits(kind: Any) -> bool:
    return isinstance(generic(kind), mysql.BIT)


def send(connection: Connection, encoded: Any) -> None:
    """Write encoded rows inside the connection's transaction."""
    if isinstance(encoded, Lines):
        _load(connection, encoded)
    else:
        anywhere.send(connection, encoded)


def _load(connection: Connection, encoded: Lines) -> None:
    """Load lines; with LOCAL the server only warns of what it changes or leaves out, and here that is an error."""
    driver: Any = connection.connection.dbapi_connection  # a detached one has no driver_connection
    driver.handed = memoryview(encoded.lines)
    try:
        loaded = connection.exec_driver_sql(encoded.statement).rowcount
    finally:
        driver.handed = None
    warned = connection.exec_driver_sql("SHOW WARNINGS LIMIT 1").first()
    if warned is None and loaded == encoded.rows:
        return
    code, said = warned[1:3] if warned else (0, f"{encoded.rows - loaded} rows were left out")
    raise connection.dialect.loaded_dbapi.IntegrityError(code, said)


def write(connection: Connection, frame: Frame, blank: Collection[str]) -> None:
    """Encode rows and send them."""
    send(connection, encoding(connection, ())(frame, blank))


def finish(connection: Connection, source: Source) -> None:
    """Do what is left once all rows of a table are there: nothing here."""
