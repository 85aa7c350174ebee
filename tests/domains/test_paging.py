"""Pages by cursor on both servers: nothing is missed, nothing comes twice, whatever is written meanwhile."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Uuid, delete, insert, select

from dbplan.columns import UtcDateTime, new_id
from dbplan.domains.paging import FIRST_ID, LAST_ID, NEWEST, TOP, Cursor, bounded, newest_first
from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
METADATA = MetaData()
ENTRIES = Table(
    "entries",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("owner", BigInteger, nullable=False),
)
Index("ix_entries_owner_created_at", ENTRIES.c.owner, ENTRIES.c.created_at.desc())
PLAN = Plan("pages", METADATA)
MINE = newest_first(select(ENTRIES).where(ENTRIES.c.owner == 1), ENTRIES)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def entries(request):
    with sandbox(PLAN, on=request.param) as stage:
        yield stage.engine


def write(connection, seconds, owner=1):
    rows = [{"id": new_id(), "created_at": START + dt.timedelta(seconds=n), "owner": owner} for n in seconds]
    if rows:
        connection.execute(insert(ENTRIES), rows)


def pages(connection, limit, cursor=TOP):
    while page := connection.execute(MINE, cursor.page(limit)).all():
        assert len(page) <= limit
        yield page
        cursor = Cursor.of(page[-1])


@settings(max_examples=40)
@given(st.lists(st.integers(0, 4), max_size=25), st.integers(1, 9))
def test_pages_hold_every_row_once_newest_first_even_where_instants_are_equal(entries, seconds, limit):
    with entries.connect() as connection, connection.begin() as work:
        write(connection, seconds)
        write(connection, seconds[:5], owner=2)
        seen = [row for page in pages(connection, limit) for row in page]
        wanted = connection.execute(select(ENTRIES).where(ENTRIES.c.owner == 1)).all()
        assert seen == sorted(wanted, key=lambda row: (row.created_at, row.id), reverse=True)
        work.rollback()


def test_what_is_written_meanwhile_moves_no_page(entries):
    with entries.connect() as connection, connection.begin() as work:
        write(connection, range(10))
        reading = pages(connection, 4)
        seen = next(reading)
        write(connection, [20, 21, 22])
        seen += next(reading)
        connection.execute(delete(ENTRIES).where(ENTRIES.c.id == seen[-1].id))
        seen += next(reading)
        assert [int((row.created_at - START).total_seconds()) for row in seen] == list(range(9, -1, -1))
        work.rollback()


def test_a_page_begins_below_its_cursor(entries):
    with entries.connect() as connection, connection.begin() as work:
        write(connection, [1, 2, 3])
        middle = connection.execute(MINE, TOP.page(3)).all()[1]
        (only,) = connection.execute(MINE, Cursor.of(middle).page(10)).all()
        assert only.created_at == START + dt.timedelta(seconds=1)
        assert connection.execute(MINE, Cursor.of(only).page(10)).all() == []
        work.rollback()


@pytest.mark.parametrize("instant", [START, dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)])
def test_no_row_comes_before_the_first_page_and_every_id_lies_between_the_ends(entries, instant):
    with entries.connect() as connection, connection.begin() as work:
        row = {"id": new_id(), "created_at": instant, "owner": 1}
        connection.execute(insert(ENTRIES), row)
        assert [found.id for found in connection.execute(MINE, TOP.page(1))] == [row["id"]]
        for lower, upper, found in ((FIRST_ID, LAST_ID, [row["id"]]), (LAST_ID, FIRST_ID, [])):
            between = select(ENTRIES.c.id).where(ENTRIES.c.id > lower, ENTRIES.c.id < upper)
            assert connection.scalars(between).all() == found
        work.rollback()


def test_a_cursor_is_the_place_of_an_entry():
    entry = SimpleNamespace(created_at=START, id=new_id(), owner=1)
    cursor = Cursor.of(entry)
    assert cursor == (START, entry.id)
    assert cursor.page(7) == {"before": START, "before_id": entry.id, "limit": 7}
    assert TOP.page(1) == {"before": NEWEST, "before_id": LAST_ID, "limit": 1}


@pytest.mark.parametrize("limit", [1, 20, 1000])
def test_a_limit_within_bounds_is_taken(limit):
    assert bounded(limit) == TOP.page(limit)["limit"] == limit


@pytest.mark.parametrize("limit", [0, -1, 1001, 1.5, 2.0, True])
def test_a_senseless_limit_is_named_with_its_bounds(limit):
    for call in (bounded, TOP.page):
        with pytest.raises(UsageError, match=f"^the limit is {limit}; it is a whole number, 1 to 1000$"):
            call(limit)


def test_a_caller_may_have_other_bounds():
    assert bounded(5000, 5000) == 5000
    with pytest.raises(UsageError, match="the limit is 6; it is a whole number, 1 to 5"):
        bounded(6, 5)


def test_a_page_is_read_along_its_index(entries):
    with entries.connect() as connection, connection.begin() as work:
        explain = "EXPLAIN " if entries.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        if entries.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        statement = MINE.params(**TOP.page(3))
        compiled = statement.compile(entries, compile_kwargs={"literal_binds": True})
        plan = "\n".join(" ".join(map(str, row)) for row in connection.exec_driver_sql(f"{explain}{compiled}"))
        assert "ix_entries_owner_created_at" in plan
        work.rollback()
