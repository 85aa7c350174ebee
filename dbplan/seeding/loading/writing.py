"""Loading: one transaction, tables in order, each by the quickest way its server has."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Integer, bindparam, func, inspect, select, update
from sqlalchemy.sql.compiler import IdentifierPreparer

from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.seeding.constraints.order import Order
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.loading.encode import copy_texts, objects, python_values
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.values.infer import generic

CHUNK = 50_000
Later = frozenset[tuple[str, Reference]]


def how_to_create(plan: Plan, engine: Engine) -> str:
    """Return what makes the tables of a plan in a database."""
    if plan.migrations is None:
        return "MetaData.create_all, from Python"
    return f"dbplan migrate up {plan.name} --to {engine.url.render_as_string()}"


def require_empty(connection: Connection, plan: Plan) -> None:
    """Refuse a target that lacks a table, or that has rows of its own: seeding never deletes."""
    inspector, tables = inspect(connection), plan.tables
    there = {schema: set(inspector.get_table_names(schema)) for schema in {t.schema for t in tables}}
    missing = [str(t.key) for t in tables if t.name not in there[t.schema]]
    if missing:
        listing = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        url = connection.engine.url.render_as_string()
        how = how_to_create(plan, connection.engine)
        raise UsageError(f"{url} has no table {listing}; create the tables first: {how}")
    filled = [str(t.key) for t in tables if connection.execute(select(1).select_from(t).limit(1)).first() is not None]
    if filled:
        listing = ", ".join(filled[:5]) + (", …" if len(filled) > 5 else "")
        raise UsageError(
            f"{connection.engine.url.render_as_string()} has rows in {listing}; seeding fills empty tables and deletes "
            "nothing: empty them yourself, or name another database"
        )


def load(connection: Connection, sources: Mapping[str, Source], order: Order) -> dict[str, float]:
    """Write all rows inside the connection's transaction; return the seconds of each table."""
    write = {"postgresql": _copy, "sqlite": _executemany}.get(connection.dialect.name, _insert)
    _prepare(connection, order)
    seconds = {}
    for name in order.tables:
        began = time.perf_counter()
        blank = {c for table, ref in order.later if table == name for c in _nullable(sources[name], ref)}
        for part in sources[name].parts:
            for frame in part.chunks(CHUNK):
                with _told(frame):
                    write(connection, frame, blank)
        seconds[name] = time.perf_counter() - began
    for name, reference in sorted(order.later, key=lambda item: (item[0], item[1].columns)):
        for part in sources[name].parts:
            _close(connection, part, reference)
    if connection.dialect.name == "postgresql":
        for source in sources.values():
            _advance_sequences(connection, source)
    return seconds


@contextmanager
def _told(frame: Frame) -> Iterator[None]:
    """Note on a server's refusal which fixed row it refused."""
    try:
        yield
    except Exception as error:
        if frame.source.given:
            error.add_note(f"the fixed row at {frame.source.given[int(frame.rows[0])].place}")
        raise


def quoter(connection: Connection) -> IdentifierPreparer:
    """Return what quotes names for a statement that takes no parameters, in which a percent sign is itself."""
    preparer: IdentifierPreparer = connection.dialect.preparer(connection.dialect)
    preparer._double_percents = False
    return preparer


def _prepare(connection: Connection, order: Order) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
        connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
    elif connection.dialect.name == "sqlite" and order.deferred:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")


def _nullable(source: Source, reference: Reference) -> list[str]:
    return [name for name in reference.own if source.table.columns[name].nullable]


def _written(frame: Frame) -> list[str]:
    source = frame.source
    made = source.given[int(frame.rows[0])].cells if source.given else source.makers
    return [name for name in source.table.columns.keys() if name in made]  # noqa: SIM118 - a ColumnCollection


def _copy(connection: Connection, frame: Frame, blank: set[str]) -> None:
    """Stream rows through COPY in its text form, which every type understands."""
    table, names = frame.source.table, _written(frame)
    quote = quoter(connection)
    columns = ", ".join(quote.quote(name) for name in names)
    fields = [
        ["\\N"] * len(frame) if name in blank else copy_texts(frame[name], frame.source.kind(name), connection.dialect)
        for name in names
    ]
    lines = "\n".join(map("\t".join, zip(*fields, strict=True))) if fields else "\n" * (len(frame) - 1)
    statement = f"COPY {quote.format_table(table)} ({columns}) FROM STDIN" if names else ""
    if not statement:
        _insert(connection, frame, blank)
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write((lines + "\n").encode())


def _executemany(connection: Connection, frame: Frame, blank: set[str]) -> None:
    table, names = frame.source.table, _written(frame)
    if not names:
        _insert(connection, frame, blank)
        return
    quote = connection.dialect.identifier_preparer
    columns, marks = ", ".join(quote.quote(name) for name in names), ", ".join("?" * len(names))
    fields = [
        [None] * len(frame)
        if name in blank
        else python_values(frame[name], frame.source.kind(name), connection.dialect)
        for name in names
    ]
    rows = list(zip(*fields, strict=True))
    statement = f"INSERT INTO {quote.format_table(table)} ({columns}) VALUES ({marks})"  # noqa: S608 - quoted names
    connection.exec_driver_sql(statement, rows)


def _insert(connection: Connection, frame: Frame, blank: set[str]) -> None:
    """Insert through SQLAlchemy: slower, for any server."""
    table, names = frame.source.table, _written(frame)
    fields = [
        [None] * len(frame) if name in blank else objects(frame[name], table.columns[name].type) for name in names
    ]
    if not names:
        for _ in range(len(frame)):
            connection.execute(table.insert())
        return
    rows = [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
    connection.execute(table.insert(), rows)


def _close(connection: Connection, source: Source, reference: Reference) -> None:
    """Set a reference that had to be NULL until its parents were there."""
    table, names = source.table, _nullable(source, reference)
    keys = [column.name for column in table.primary_key.columns]
    statement = (
        update(table)
        .where(*(table.columns[name] == bindparam(f"key_{n}") for n, name in enumerate(keys)))
        .values({name: bindparam(f"new_{n}") for n, name in enumerate(names)})
    )
    labels = [f"key_{n}" for n in range(len(keys))] + [f"new_{n}" for n in range(len(names))]
    for frame in source.chunks(CHUNK):
        fields = [objects(frame[name], table.columns[name].type) for name in (*keys, *names)]
        rows = [dict(zip(labels, values, strict=True)) for values in zip(*fields, strict=True)]
        connection.execute(statement, rows)


def _advance_sequences(connection: Connection, source: Source) -> None:
    """Let the next INSERT of an application count on where the seed stopped."""
    quote = quoter(connection)
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
