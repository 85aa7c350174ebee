"""A column type that refuses to read what is there fails the queries that read it, and no others."""

import pytest
from sqlalchemy import JSON, Column, Integer, MetaData, Table, bindparam, select, text
from sqlalchemy.types import TypeDecorator

from dbplan.benchmarking import benchmark
from dbplan.plan import Plan
from dbplan.sandbox import sandbox


class Strict(TypeDecorator):
    impl = JSON
    cache_ok = True

    def process_result_value(self, value, dialect):
        raise ValueError("no trigger\nvalue = secret")


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_only_the_queries_that_read_it_fail(on):
    m = MetaData()
    t = Table("t", m, Column("id", Integer, primary_key=True), Column("trigger", Strict))
    plan = Plan("t", m)
    plan = plan.ask("whole", select(t).where(t.c.id == bindparam("id")))
    plan = plan.ask("number", select(t.c.id).where(t.c.id == bindparam("id")))
    plan = plan.ask("by trigger", select(t.c.id).where(t.c.trigger == bindparam("trigger")), trigger=t.c.trigger)
    with sandbox(plan, on) as stage:
        with stage.engine.begin() as connection:
            connection.execute(text("""INSERT INTO t (id, "trigger") VALUES (1, '{}'), (2, '{}')"""))
        report = benchmark(stage, seconds=0.2)
    assert not report.ok
    assert report.verdict.startswith("1 of 3 queries measured")
    found = {f.place.statement: f.message for f in report.evidence if getattr(f, "rule", "").startswith("query-")}
    assert set(found) == {"whole", "by trigger"}
    assert all("cannot be read by its column's type: ValueError: no trigger" in said for said in found.values())
    assert "secret" not in str(found)
