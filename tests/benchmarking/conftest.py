"""A small schema with awkward names, and its data, on both servers."""

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from dbplan.plan import Plan
from dbplan.sandbox import sandbox

ROWS = 12_000
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)

metadata = MetaData()
user = Table(
    "User",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order", String(40), unique=True, nullable=False),
    Column("age", Integer),
)
events = Table(
    "events log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("User.id"), index=True, nullable=False),
    Column("At", DateTime(timezone=True), nullable=False),
    Column("Tag", String(20)),
    Column("n", Numeric(10, 2)),
)
Index("ix odd (at)", events.c.At.desc())
Index("ix_unused", events.c.n)
keyless = Table("select", metadata, Column("group", JSON), Column("note", String(9)))
empty = Table("empty", metadata, Column("id", Integer, primary_key=True), Column("x", Integer))

PLAN = Plan("awkward", metadata)


def fill(connection):
    connection.execute(insert(user), [{"id": i, "order": f"n{i}", "age": i % 70} for i in range(500)])
    # Squares: some users have many events, most have none.
    rows = (
        {"id": i, "user_id": i * i % 500, "At": START + dt.timedelta(seconds=i), "Tag": f"t{i % 300}", "n": i % 1000}
        for i in range(ROWS)
    )
    connection.execute(insert(events), list(rows))
    connection.execute(insert(keyless), [{"group": {"i": i}, "note": None if i % 2 else f"k{i}"} for i in range(20)])


def numbers():
    return iter(range(10**6, 10**7)).__next__


@pytest.fixture
def asked():
    """The plan with queries that read, lock, write, fail, and that nobody can draw for."""
    uid = bindparam("uid")
    by_tag = select(func.sum(events.c.n)).where(events.c.Tag == bindparam("tag"), events.c.n >= bindparam("least"))
    log = insert(events).values(id=bindparam("i"), user_id=uid, At=bindparam("at"), Tag="a", n=3)
    return (
        PLAN.ask("user by name", select(user).where(user.c.order == bindparam("name")), per_second=50)
        .ask(
            "recent", select(events).where(events.c.user_id == uid).order_by(events.c.At.desc()).limit(5), per_second=9
        )
        .ask("by tag", by_tag, per_second=2)
        .ask("lock", select(user).where(user.c.id == uid).with_for_update())
        .ask("log", log, per_second=5, i=numbers())
        .ask("rename", update(user).where(user.c.id == uid).values(age=user.c.age + 1))
        .ask("page", select(events).order_by(events.c.At.desc()).limit(bindparam("lim")))
        .ask("broken", select(func.no_such_function(user.c.id)))
    )


@pytest.fixture(scope="session")
def schema():
    """Its tables."""
    return SimpleNamespace(user=user, events=events, keyless=keyless, empty=empty)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def seeded(request):
    """A seeded stage of the plan without queries; tests work on clones of it or leave it as it is."""
    with sandbox(PLAN, on=request.param) as stage:
        with stage.engine.begin() as connection:
            fill(connection)
        yield stage
