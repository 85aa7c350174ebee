"""A profile says what is in the database: every figure of it against rows that were put there by hand."""

import datetime as dt
import json
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    event,
    insert,
    select,
)

from dbplan import profile
from dbplan.columns import Encrypted
from dbplan.connection import new_engine
from dbplan.domains.credits import PLAN
from dbplan.errors import UsageError
from dbplan.evidence import ColumnProfile, FanOut, RowCount, RowsOverTime
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.profiling import fanouts, sampling

AUTHORS, BOOKS = 6, 40


def plan():
    metadata = MetaData()
    Table(
        "author", metadata,
        Column("id", Integer, primary_key=True), Column("name", String(40)), Column("key", Uuid),
        Column("secret", Encrypted("author.secret")),
    )  # fmt: skip
    Table(
        "Book of all", metadata,
        Column("id", Integer, primary_key=True), Column("author_id", ForeignKey("author.id")),
        Column("price", Numeric(8, 2)), Column("printed", Boolean), Column("notes", JSON), Column("cover", LargeBinary),
        Column("created_at", DateTime), CheckConstraint("price < 100", name="cheap"),
    )  # fmt: skip
    return Plan(name="library", metadata=metadata)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("DBPLAN_ENCRYPTION_KEY", "development")


@pytest.fixture
def engine(tmp_path):
    made = new_engine(f"sqlite:///{tmp_path / 'library.db'}")
    fill(made, plan())
    yield made
    made.dispose()


def fill(engine, plan):
    """Put books there: 16 by the first author, 4 by each other but the last, 4 by none, one a month or two."""
    plan.metadata.create_all(engine)
    writers = [1] * 20 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [None] * 4
    with engine.begin() as connection:
        author, book = plan.table("author"), plan.table("Book of all")
        named = [None, "Ama", "Bo", "Bo", "Bo", "Cy"]
        connection.execute(
            insert(author),
            [{"id": n + 1, "name": named[n], "key": UUID(int=n), "secret": f"hush {n}"} for n in range(AUTHORS)],
        )
        rows = [
            {
                "id": n + 1,
                "author_id": writers[n],
                "price": None if n % 4 == 0 else Decimal(n) + Decimal("0.5"),
                "printed": n % 8 > 1,
                "notes": {"a": [1, "ü"]} if n % 2 else {"b": 2},
                "cover": b"\x00\xff" * (n % 2),
                "created_at": dt.datetime(2025, 1 + n % 10, 3, 4, 5, 6, 7),
            }
            for n in range(BOOKS)
        ]
        connection.execute(insert(book), rows)


def facts(report, kind):
    return {
        str(fact.place) if hasattr(fact, "place") else fact.table: fact
        for fact in report.evidence
        if type(fact) is kind
    }


def test_columns_are_told_by_their_values(engine):
    found = facts(profile(engine, plan()), ColumnProfile)
    name = found["author.name"]
    assert (name.n, name.null, name.distinct) == (6, 1 / 6, 3)
    assert (name.shortest, name.longest, name.common) == (2, 3, (("Bo", 0.6),))
    price = found["Book of all.price"]
    assert (price.null, price.distinct, price.low, price.high, price.common) == (0.25, 30, "1.50", "39.50", ())
    assert found["Book of all.printed"].common == (("true", 0.75), ("false", 0.25))
    assert found["Book of all.notes"].common == (('{"a": [1, "ü"]}', 0.5), ('{"b": 2}', 0.5))
    assert found["Book of all.cover"].common == (("\\x", 0.5), ("\\x00ff", 0.5))
    time = found["Book of all.created_at"]
    assert (time.low, time.high, time.distinct) == ("2025-01-03 04:05:06", "2025-10-03 04:05:06", 10)


def test_secrets_and_keys_show_no_value(engine):
    report = profile(engine, plan())
    found = facts(report, ColumnProfile)
    assert found["author.secret"].common == found["Book of all.author_id"].common == ()
    assert found["Book of all.author_id"].distinct == 5
    assert "hush" not in str(report) + json.dumps(str(report.evidence))
    assert "key of author" in str(report)


def test_fan_out_counts_every_parent(engine):
    (fan,) = facts(profile(engine, plan()), FanOut).values()
    assert (fan.parent, str(fan.place)) == ("author", "Book of all.author_id")
    assert (fan.n, fan.childless, fan.median, fan.most) == (6, 1, 4, 20)
    assert fan.classes == ((0, 1), (1, 0), (2, 0), (4, 4), (8, 0), (16, 1))


def test_rows_over_time_are_told_by_month(engine):
    (course,) = facts(profile(engine, plan()), RowsOverTime).values()
    assert (course.period, course.n) == ("month", BOOKS)
    assert course.counts == tuple((f"2025-{month:02}", 4) for month in range(1, 11))


def test_rows_violations_and_sizes_are_counted(engine):
    assert profile(engine, plan()).verdict == "46 rows in 2 tables, 0 violations"
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql('UPDATE "Book of all" SET price = 500 WHERE id = 3')
    report = profile(engine, plan())
    counted = facts(report, RowCount)
    assert (counted["Book of all"].rows, counted["Book of all"].violations) == (40, 1)
    assert counted["author"].size is None or counted["author"].size >= 4096
    assert not report.ok


def test_large_tables_are_looked_at_in_part_and_it_is_said(engine, monkeypatch):
    monkeypatch.setattr(sampling, "SAMPLE", 10)
    monkeypatch.setattr(sampling, "LEAST", 1)
    report = profile(engine, plan())
    found = facts(report, ColumnProfile)["Book of all.created_at"]
    assert found.n == 10
    assert "40 rows, " in str(report)
    assert "looked at 10 of them, at random" in str(report)
    (course,) = facts(report, RowsOverTime).values()
    assert sum(count for _, count in course.counts) == BOOKS


def test_fan_out_of_a_large_table_is_looked_up_by_its_index_or_left_out(engine, monkeypatch):
    monkeypatch.setattr(fanouts, "COUNTED", 5)
    report = profile(engine, plan())
    assert not facts(report, FanOut)
    assert "Book of all.author_id: not counted" in str(report)
    indexed = plan()
    indexed.table("Book of all").c.author_id.index = True
    from sqlalchemy import Index

    Index("ix_author", indexed.table("Book of all").c.author_id)
    (fan,) = facts(profile(engine, indexed), FanOut).values()
    assert (fan.n, fan.childless, fan.most) == (6, 1, 20)


def test_nothing_but_reads_is_sent(engine):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: sent.append(statement))
    profile(engine, plan())
    assert sent
    assert all(statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN")) for statement in sent)


def test_of_a_production_database_no_value_is_shown(engine, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    report = profile(engine, plan())
    assert "No values are shown" in str(report)
    assert "Ama" not in str(report)
    assert "Bo" not in str(report).replace("Book of all", "")
    assert facts(report, ColumnProfile)["author.name"].distinct == 3


def test_tables_that_are_not_there_are_named(tmp_path):
    some = plan()
    made = new_engine(f"sqlite:///{tmp_path / 'half.db'}")
    with pytest.raises(UsageError, match="no file"):
        profile(made, some)
    some.metadata.create_all(made, tables=[some.table("author")])
    report = profile(made, some)
    assert "Not in the database: Book of all." in str(report)
    assert report.verdict == "0 rows in 1 table, 0 violations"
    with made.begin() as connection:
        connection.exec_driver_sql("DROP TABLE author")
    with pytest.raises(UsageError, match=r"has none of the tables of plan library, such as Book of all"):
        profile(made, some)
    made.dispose()


def test_seed_reports_the_profile_of_what_it_wrote(tmp_path):
    made = new_engine(f"sqlite:///{tmp_path / 'credits.db'}")
    PLAN.metadata.create_all(made)
    report = seed(made, PLAN, rows=2_000)
    tier = facts(report, ColumnProfile)["users.membership_tier"]
    assert tier.asked == 0.7
    with made.connect() as connection:
        tiers = list(connection.scalars(select(PLAN.table("users").c.membership_tier)))
    assert tier.null == sum(t is None for t in tiers) / len(tiers)
    assert {str(fact) for fact in report.evidence if type(fact) is not RowCount} == {
        str(fact) for fact in profile(made, PLAN).evidence if type(fact) is not RowCount
    }
    assert report.blocks[-1].folded
    made.dispose()


@pytest.mark.parametrize("on", ["postgresql", pytest.param("mariadb", marks=pytest.mark.ci)])
def test_every_server_tells_the_same(engine, on, monkeypatch):
    here = profile(engine, plan())
    with sandbox(plan(), on=on) as stage:
        fill(stage.engine, plan())
        there = profile(stage)
        assert [fact for fact in there.evidence if type(fact) is FanOut] == [
            fact for fact in here.evidence if type(fact) is FanOut
        ]
        assert _shares(there) == _shares(here)
        assert all(fact.size > 0 for fact in there.evidence if type(fact) is RowCount)
        monkeypatch.setattr(sampling, "SAMPLE", 20)
        monkeypatch.setattr(sampling, "LEAST", 1)
        n = facts(profile(stage), ColumnProfile)["Book of all.id"].n
        assert 2 < n < BOOKS


def _shares(report):
    return {
        str(fact.place): (fact.n, fact.null, fact.distinct, fact.shortest, fact.common)
        for fact in report.evidence
        if type(fact) is ColumnProfile and fact.place.column != "secret"
    }


def test_what_is_odd_is_said_and_chance_is_not(tmp_path):
    some = plan()
    path = tmp_path / "library.toml"
    path.write_text(
        '[tables.author.columns]\nname = { null = 0.5 }\n[tables."Book of all".columns]\nprice = { null = 0.9 }\n'
    )
    ruled = Plan("library", some.metadata, recipe=path)
    made = new_engine(f"sqlite:///{tmp_path / 'odd.db'}")
    fill(made, some)
    with made.begin() as connection:
        connection.exec_driver_sql("UPDATE \"Book of all\" SET printed = NULL, notes = '[]'")
    report = " ".join(str(profile(made, ruled)).replace("\u202f", " ").split())
    made.dispose()
    assert "Book of all.price is NULL in 25.0 % of its rows; the recipe asks for 90.0 %." in report
    assert "Book of all.printed is NULL in every row." in report
    assert "Book of all.notes is [] wherever it is there." in report
    assert "author.name is NULL" not in report
