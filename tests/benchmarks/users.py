"""The benchmark's table of users, with its keys or without, and ours: its rows as cells, as bytes, in a database."""

import io
from functools import cache

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, String, Table

from dbplan.connection import connect
from dbplan.plan import Plan
from dbplan.seeding.constraints.order import order
from dbplan.seeding.loading import binary, chunked, ledger, lines
from dbplan.seeding.loading.writing import CHUNK, load, opened
from dbplan.seeding.run import prepare

TYPES = {
    "id": "int8", "first_name": "varchar", "last_name": "varchar", "email": "varchar", "city": "varchar",
    "created_at": "timestamptz", "is_active": "bool", "logins": "int4",
}  # fmt: skip


def plan():
    metadata = MetaData()
    Table(
        "users",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("first_name", String(40), nullable=False),
        Column("last_name", String(40), nullable=False),
        Column("email", String(120), nullable=False, unique=True),
        Column("city", String(60), nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("is_active", Boolean, nullable=False),
        Column("logins", Integer, nullable=False),
    )
    return Plan("users", metadata)


PLAN = plan()


@cache
def world(rows):
    return prepare(PLAN, {"users": rows}, 7)[0]


def frames(rows):
    return world(rows).sources["users"].chunks(CHUNK)


def cells(rows):
    """Compute every column: numbers, times, and words by their number."""
    for frame in frames(rows):
        for name in TYPES:
            frame[name]


def objects(rows):
    """Compute every column as a list of Python's values."""
    for frame in frames(rows):
        for name in TYPES:
            frame[name].values.tolist()


def csv_bytes(rows):
    from sqlalchemy.dialects import postgresql

    return _bytes(rows, lines.encoder(list(TYPES), _kinds(rows), "csv", postgresql.dialect()))


def copy_bytes(rows):
    from sqlalchemy.dialects import postgresql

    source = world(rows).sources["users"]
    return _bytes(rows, binary.encoder(source.table, list(TYPES), TYPES, _kinds(rows), postgresql.dialect()))


def _kinds(rows):
    source = world(rows).sources["users"]
    return {name: source.kind(name) for name in TYPES}


def _bytes(rows, made):
    out = io.BytesIO()
    for frame in frames(rows):
        out.seek(0)  # as much memory as a chunk takes
        out.write(made.rows(frame, frozenset()))
    return out


def load_into(engine, rows):
    """Generate the rows and load them in one transaction, without the checks of `seed` before and after."""
    made = world(rows)
    with engine.execution_options(sqlite_begin="IMMEDIATE").connect() as connection:
        opened(connection)
        with connection.begin():
            load(connection, made, order(made.sources, defers=engine.dialect.name == "sqlite"), lambda *_: None)


def stream_into(engine, rows):
    """Generate the rows and load them as a long run does: in chunks with their lines in a ledger, over connections."""
    made = world(rows)
    with connect(engine) as connection:
        ledger.begin(connection)
        connection.commit()
        run = chunked.Run(made, order(made.sources, defers=False, commits=True), "benchmark")
        chunked.write(engine, connection, run, ledger.Ledger(run.name, ()), None, lambda *_: None)
        ledger.drop(connection)
        connection.commit()


def count(engine):
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one()
