"""SQLite: the same rows through an image as through prepared INSERTs, all checked, nothing left behind."""

import enum

import numpy as np
import pytest
import sqlalchemy as sa

from dbplan import read
from dbplan.columns import Digest, Encrypted, JsonDocument, Key, Money, UtcDateTime
from dbplan.connection import new_engine
from dbplan.errors import Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.loading import sqlite
from dbplan.seeding.rows.cells import present
from dbplan.seeding.run import prepare

ROWS = 400


class Mood(enum.Enum):
    glad = "glad"
    sad = "sad"


def odd(null):
    metadata = sa.MetaData()
    kinds = {
        "text": sa.Text, "letters": sa.String(3), "unlettered": sa.Unicode(400), "number": sa.Integer,
        "large": sa.BigInteger, "real": sa.Float, "price": sa.Numeric(10, 2),
        "share": sa.Numeric(9, 4, asdecimal=False), "truth": sa.Boolean, "day": sa.Date, "clock": sa.Time,
        "moment": sa.DateTime, "moment_utc": sa.DateTime(True),
        "utc": UtcDateTime, "length": sa.Interval, "key": sa.Uuid, "key_text": sa.Uuid(as_uuid=False), "own_key": Key,
        "mood": sa.Enum(Mood), "word": sa.Enum("a", "b", name="word"), "document": sa.JSON,
        "own_document": JsonDocument, "bytes": sa.LargeBinary, "money": Money,
        "secret": Encrypted("things.secret"), "digest": Digest, "pickled": sa.PickleType,
        "email": sa.String(80), "first_name": sa.String(40), "url": sa.String(200),
    }  # fmt: skip
    table = sa.Table(
        "odd things", metadata, sa.Column("id", sa.Integer, primary_key=True),
        *(sa.Column(f"a {name}", kind, nullable=null) for name, kind in kinds.items()),
    )  # fmt: skip
    sa.Table(
        "order", metadata,
        sa.Column("group", sa.String(30), primary_key=True),
        sa.Column("select", sa.ForeignKey(table.c.id), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False), sa.Column("ended_at", sa.DateTime),
        sa.CheckConstraint("ended_at IS NULL OR ended_at > created_at"), sqlite_with_rowid=False,
    )  # fmt: skip
    return Plan("odd", metadata)


PLANS_HERE = {
    **{name: read(name) for name in ("credits", "store")},
    "odd": odd(null=False),
    "odd with NULLs": odd(null=True),
}


def stored(plan, path, pragmas=()):
    """Return what a seeded database holds, with the kinds that SQLite keeps the values in."""
    engine = new_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for pragma in pragmas:
            connection.exec_driver_sql(pragma)
        plan.metadata.create_all(connection)
    seed(engine, plan, rows=ROWS)
    quote = engine.dialect.identifier_preparer
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").all() == [("ok",)]
        found = {}
        for table in plan.tables:
            names = [quote.quote(column.name) for column in table.columns]
            cells = ", ".join(f"{name}, typeof({name})" for name in names)
            keys = ", ".join(quote.quote(column.name) for column in table.primary_key.columns)
            query = f"SELECT {cells} FROM {quote.format_table(table)} ORDER BY {keys or '1'}"
            found[table.name] = connection.exec_driver_sql(query).all()
    engine.dispose()
    return found


@pytest.fixture
def copied(monkeypatch):
    """How many chunks went through an image."""
    counts = []
    real = sqlite._copied

    def counted(connection, encoded):
        done = real(connection, encoded)
        counts.append(done)
        return done

    monkeypatch.setattr(sqlite, "_copied", counted)
    monkeypatch.setattr(sqlite, "FEW", 100)
    return counts


@pytest.mark.parametrize("name", PLANS_HERE)
def test_an_image_holds_what_would_be_bound(name, tmp_path, monkeypatch, copied):
    plan = PLANS_HERE[name]
    quick = stored(plan, tmp_path / "quick.db")
    assert True in copied[:1]  # versions newer than 3.40 may have room for ten in a transaction
    monkeypatch.setattr(sqlite, "FEW", 10**9)
    del copied[:]
    slow = stored(plan, tmp_path / "slow.db")
    assert not copied
    assert {name: len(rows) for name, rows in quick.items()} == {name: len(rows) for name, rows in slow.items()}
    assert quick == slow


def test_a_database_in_utf_16_takes_no_image_and_gets_the_same_rows(tmp_path, copied):
    plan = PLANS_HERE["credits"]
    here = stored(plan, tmp_path / "utf8.db")
    del copied[:]
    assert stored(plan, tmp_path / "utf16.db", ["PRAGMA encoding = 'UTF-16le'"]) == here
    assert copied.count(False) == len(copied) > 0


def people(*more):
    metadata = sa.MetaData()
    sa.Table(
        "person", metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(80), unique=True, nullable=False),
        *more,
    )  # fmt: skip
    return Plan("people", metadata)


def test_sqlite_checks_what_it_copies_and_nothing_stays(tmp_path):
    plan = people()
    engine = new_engine(f"sqlite:///{tmp_path / 'strict.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(80) UNIQUE CHECK (email NOT LIKE '%e%'))"
        )
    with pytest.raises(Unsatisfiable, match="CHECK constraint failed"):
        seed(engine, plan, rows=ROWS)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM person").scalar() == 0
        assert sqlite.BESIDE not in str(connection.exec_driver_sql("PRAGMA database_list").all())
    engine.dispose()


def test_settings_are_as_they_were(tmp_path):
    engine = new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    plan = people()
    plan.metadata.create_all(engine)
    names = ("cache_size", "synchronous", "journal_mode", "locking_mode", "temp_store", "foreign_keys", "cache_spill")

    def settings(connection):
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}

    with engine.connect() as connection:
        before = settings(connection)
    seed(engine, plan, rows=ROWS)
    with engine.connect() as connection:
        assert settings(connection) == before
        assert sqlite.BESIDE not in str(connection.exec_driver_sql("PRAGMA database_list").all())
    engine.dispose()


def test_an_attached_database_more_than_allowed_is_no_error(tmp_path, copied):
    """Ten databases that are there already leave no room for another."""
    engine = new_engine(f"sqlite:///{tmp_path / 'dev.db'}", poolclass=sa.StaticPool)
    plan = people()
    plan.metadata.create_all(engine)
    with engine.connect() as connection:
        for number in range(10):
            connection.exec_driver_sql(f"ATTACH DATABASE ':memory:' AS a{number}")
    seed(engine, plan, rows=ROWS)
    assert copied.count(False) == len(copied) > 0
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM person").scalar() == ROWS
    engine.dispose()


def test_a_text_too_long_for_a_page_goes_another_way(tmp_path, copied):
    plan = people(sa.Column("essay", sa.Text, nullable=False))
    source = prepare(plan, ROWS, 7)[0].sources["person"]
    frame = source.frame(source.order)
    essays = np.array(["x" * 100_000, *frame["essay"].values[1:]], dtype=object)
    frame._cells["essay"] = present(essays)
    engine = new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    plan.metadata.create_all(engine)
    with engine.begin() as connection:
        sqlite.write(connection, frame, ())
        assert connection.exec_driver_sql("SELECT max(length(essay)), count(*) FROM person").one() == (100_000, ROWS)
    assert not copied
    engine.dispose()


def test_more_chunks_than_there_is_room_for_databases_are_all_written(tmp_path, monkeypatch, copied):
    monkeypatch.setattr(sqlite, "CHUNK", 150)
    engine = new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    plan = people()
    plan.metadata.create_all(engine)
    seed(engine, plan, rows=3_000)
    assert len(copied) == 20
    assert copied[:10] == [True] * 10
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*), count(DISTINCT email) FROM person").one() == (3_000, 3_000)
        assert sqlite.BESIDE not in str(connection.exec_driver_sql("PRAGMA database_list").all())
    engine.dispose()


def test_a_database_in_memory_is_filled_and_stays(copied):
    engine = new_engine("sqlite:///:memory:")
    plan = people()
    plan.metadata.create_all(engine)
    seed(engine, plan, rows=ROWS)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM person").scalar() == ROWS
        assert sqlite.BESIDE not in str(connection.exec_driver_sql("PRAGMA database_list").all())
    engine.dispose()


def test_a_trigger_that_writes_rows_of_its_own_is_named(tmp_path):
    url = f"sqlite:///{tmp_path / 'log.db'}"
    engine = new_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for sql in (
            "CREATE TABLE a (id INTEGER PRIMARY KEY)",
            "CREATE TABLE log (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a (id))",
            "CREATE TRIGGER note AFTER INSERT ON a BEGIN INSERT INTO log (a_id) VALUES (new.id); END",
        ):
            connection.exec_driver_sql(sql)
    with pytest.raises(Unsatisfiable, match=r"nothing was kept.*drop the triggers meanwhile.*: a\.note$"):
        seed(engine, read(url), rows=5)
    engine.dispose()


@pytest.mark.parametrize("default", ["(gen_random_uuid())", "timezone('utc', NOW())"])
def test_a_default_that_sqlite_cannot_compute_names_its_columns(default):
    metadata = sa.MetaData()
    columns = [sa.Column(name, sa.Text, server_default=sa.text(default)) for name in ("token", "Other one")]
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    name = default.strip("(").partition("(")[0]
    said = rf"^the default of users\.token, users\.Other one calls {name}\(\), .*nothing was kept; give these columns"
    with pytest.raises(Unsatisfiable, match=said), sandbox(Plan("p", metadata), "sqlite") as stage:
        seed(stage, rows=5)
