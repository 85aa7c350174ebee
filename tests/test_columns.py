import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import IntegrityError, StatementError

from dbplan.columns import JsonDocument, UtcDateTime, clock, named_metadata, new_id, one_of

zones = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
instants = st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(9999, 12, 30), timezones=zones)


@pytest.fixture(scope="module")
def moments():
    engine = create_engine("sqlite://")
    table = Table("moments", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcDateTime()))
    table.create(engine)
    with engine.connect() as connection:
        yield connection, table
    engine.dispose()


@given(st.lists(instants, min_size=1, max_size=5))
def test_an_instant_comes_back_from_sqlite_aware_and_in_order(moments, values):
    connection, table = moments
    with connection.begin():
        connection.execute(insert(table), [{"at": value} for value in values])
        found = connection.scalars(select(table.c.at).order_by(table.c.at)).all()
        connection.execute(table.delete())
    assert found == sorted(values)
    assert all(value.tzinfo is dt.UTC for value in found)


def test_a_naive_datetime_is_refused_with_the_mend(moments):
    connection, table = moments
    with pytest.raises(StatementError, match="no time zone; give an aware datetime"), connection.begin():
        connection.execute(insert(table), {"at": dt.datetime(2026, 1, 1)})


def test_the_clock_is_read_at_the_statement_and_in_utc(moments):
    connection, _ = moments
    with connection.begin():
        read = connection.scalar(select(clock()))
    assert abs(dt.datetime.now(dt.UTC) - read) < dt.timedelta(seconds=5)


def test_the_clock_of_each_dialect():
    said = {d.name: str(clock().compile(dialect=d)) for d in (postgresql.dialect(), mysql.dialect(), sqlite.dialect())}
    assert said["postgresql"] == "clock_timestamp()"
    assert said["mysql"] == "CURRENT_TIMESTAMP(6)"
    assert said["sqlite"].startswith("strftime(")


def test_ids_ascend_within_a_thread_and_never_meet_across_threads():
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert all(a < b for run in runs for a, b in pairwise(run))
    assert len({i for run in runs for i in run}) == 4000
    assert all(i.version == 7 for run in runs for i in run)


def test_none_is_null_and_not_the_document_null():
    engine = create_engine("sqlite://")
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("d", JsonDocument, nullable=False))
    table.create(engine)
    with engine.begin() as connection, pytest.raises(IntegrityError, match="NOT NULL"):
        connection.execute(insert(table), {"d": None})
    engine.dispose()


def test_json_is_binary_on_postgresql_alone():
    assert str(JsonDocument.compile(dialect=postgresql.dialect())) == "JSONB"
    assert str(JsonDocument.compile(dialect=sqlite.dialect())) == "JSON"


def test_every_constraint_gets_a_name():
    from sqlalchemy import ForeignKey, Index, UniqueConstraint

    metadata = named_metadata()
    Table("parents", metadata, Column("id", Integer, primary_key=True))
    child = Table(
        "children",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("parent_id", ForeignKey("parents.id")),
        UniqueConstraint("parent_id", "id"),
    )
    names = {constraint.name for constraint in child.constraints}
    assert names == {"pk_children", "fk_children_parent_id_parents", "uq_children_parent_id_id"}
    assert Index(None, child.c.parent_id).name == "ix_children_parent_id"


def test_one_of_names_each_value_once():
    assert one_of("status", ["success", "failed"]) == "status IN ('success', 'failed')"
