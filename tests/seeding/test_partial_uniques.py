"""Partial uniques: over all rows on a server for which no condition is written, and while a circle is being closed."""

import pytest
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
    text,
)

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.constraints.partial import as_there


def accounts():
    m = MetaData()
    t = Table(
        "accounts", m,
        Column("id", Integer, primary_key=True), Column("owner", String(1), nullable=False),
        Column("is_default", Boolean, nullable=False), Column("kind", Boolean, nullable=False),
    )  # fmt: skip
    Index("one_default", t.c.owner, t.c.is_default, unique=True, postgresql_where=t.c.is_default)
    Index("one_kind", t.c.kind, unique=True, postgresql_where=text("id = 1"), sqlite_where=text("id = 1"))
    return Plan("accounts", m)


@pytest.mark.parametrize(("on", "most"), [("postgresql", 2000), ("sqlite", 100)])
def test_a_partial_unique_of_one_server_is_held_over_all_rows_on_another(on, most):
    with sandbox(accounts(), on) as stage:
        report = seed(stage, rows=2000)
        assert report.ok
        with stage.engine.connect() as connection:
            count = connection.scalar(select(func.count()).select_from(stage.plan.table("accounts")))
    assert (count == most) if on == "postgresql" else (0 < count <= most)


def test_the_plan_itself_stays_as_it_is():
    with sandbox(accounts(), "sqlite") as stage:
        there = as_there(stage.engine, stage.plan)
    wheres = [
        {i.name: i.dialect_options["postgresql"]["where"] is not None for i in plan.table("accounts").indexes}
        for plan in (stage.plan, there)
    ]
    assert wheres == [{"one_default": True, "one_kind": True}, {"one_default": False, "one_kind": True}]


def circle():
    m = MetaData()
    Table("a", m, Column("id", Integer, primary_key=True), Column("b_id", ForeignKey("b.id"), nullable=False))
    b = Table(
        "b", m,
        Column("id", Integer, primary_key=True), Column("flag", Boolean),
        Column("a_id", ForeignKey("a.id", use_alter=True, name="ba")),
        Column("c_id", ForeignKey("a.id", use_alter=True, name="bc")),
        CheckConstraint("(flag) = (c_id IS NULL)"), UniqueConstraint("a_id"),
    )  # fmt: skip
    Index("one", b.c.flag, unique=True, postgresql_where=b.c.a_id.is_(None), sqlite_where=b.c.a_id.is_(None))
    return Plan("circle", m)


def test_a_circle_is_not_closed_through_what_a_check_or_a_partial_unique_reads():
    with sandbox(circle()) as stage:
        assert seed(stage, rows=30).ok
