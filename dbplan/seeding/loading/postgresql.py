"""PostgreSQL: COPY, the time zone UTC, and sequences that go on after the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, Integer, Table, func, select

from dbplan.seeding.constraints.order import Order
from dbplan.seeding.loading import anywhere, lines
from dbplan.seeding.loading.binary import HEADER, TRAILER, Encoder, Uncovered, encoder, server_types
from dbplan.seeding.loading.statements import columns_of, listed, quoter
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.values.infer import generic

Types = Mapping[str, str]
Encode = Callable[[Frame, Collection[str]], Any]


def prepare(connection: Connection, order: Order) -> None:
    """Set what rows need inside the transaction: times in UTC, keys that may wait checked at its end."""
    connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
    connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")


def encoding(connection: Connection, tables: Iterable[Table]) -> Encode:
    """Return what encodes rows of tables, in the binary form where each column has one: it knows the server's types."""
    types = {str(table.key): server_types(connection, table) for table in tables}
    dialect, known = connection.dialect, cache(partial(_encoder, types, connection.dialect))

    def encode_rows(frame: Frame, blank: Collection[str]) -> Any:
        names = tuple(columns_of(frame))
        made = known(frame.source.table, names, tuple(map(frame.source.kind, names)))
        if made is not None:
            with suppress(Uncovered):
                data = b"".join((HEADER, made.rows(frame, frozenset(blank)), TRAILER))
                return f"COPY {listed(frame.source.table, names, quoter(dialect))} FROM STDIN (FORMAT binary)", data
        return encode(frame, blank, dialect)

    return encode_rows


def _encoder(
    types: Mapping[str, Mapping[str, str]],
    dialect: Dialect,
    table: Table,
    names: tuple[str, ...],
    kinds: tuple[Any, ...],
) -> Encoder | None:
    return encoder(table, names, types[str(table.key)], dict(zip(names, kinds, strict=True)), dialect)


def encode(frame: Frame, blank: Collection[str], dialect: Dialect) -> Any:
    """Return the rows in COPY's text form, which every type understands."""
    names = columns_of(frame)
    if not names:
        return anywhere.encode(frame, blank, dialect)
    made = lines.encoder(names, {name: frame.source.kind(name) for name in names}, "copy", dialect)
    return f"COPY {listed(frame.source.table, names, quoter(dialect))} FROM STDIN", made.rows(frame, frozenset(blank))


def send(connection: Connection, encoded: Any) -> None:
    """Write encoded rows inside the connection's transaction."""
    statement, data = encoded
    if not isinstance(statement, str):
        anywhere.send(connection, encoded)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(data)


def write(connection: Connection, frame: Frame, blank: Collection[str]) -> None:
    """Encode rows and send them."""
    send(connection, encode(frame, blank, connection.dialect))


def finish(connection: Connection, source: Source) -> None:
    """Let the next INSERT of an application count on where the seed stopped."""
    quote = quoter(connection.dialect)
    for column in source.table.columns:
        fixed = any(column.name in part.makers for part in source.parts if part.given)
        counted = source.why.get(column.name) == "counts up" or (fixed and isinstance(generic(column.type), Integer))
        if column.name in source.makers and counted:
            qualified = quote.format_table(source.table)
            find = select(func.pg_get_serial_sequence(qualified, column.name))
            sequence = connection.execute(find).scalar()
            top = connection.execute(select(func.max(column))).scalar() if sequence is not None else None
            if top is not None and top > 0:
                connection.execute(select(func.setval(sequence, top)))
