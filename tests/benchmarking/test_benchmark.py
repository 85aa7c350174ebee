"""The whole of it, on real servers."""

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import bindparam, func, insert, select, text

from dbplan import benchmark
from dbplan.benchmarking import gather as gathering
from dbplan.benchmarking import server
from dbplan.benchmarking.gather import Effort, gather
from dbplan.connection import new_engine
from dbplan.errors import UsageError
from dbplan.evidence import Finding, IndexVerdict, Timing
from dbplan.sandbox import sandbox


@pytest.fixture
def of(seeded):
    """Return the seeded stage with another plan on it."""

    def with_plan(plan):
        return replace(seeded, plan=plan, _copy=lambda: seeded_clone(seeded, plan))

    @contextmanager
    def seeded_clone(stage, plan):
        with stage.clone() as clone:
            yield replace(clone, plan=plan)

    return with_plan


def contents(stage):
    with stage.engine.connect() as connection:
        tables = stage.plan.tables
        return {t.name: sorted(map(repr, connection.execute(select(t)).all())) for t in tables}


def facts(report, kind):
    return [fact for fact in report.evidence if isinstance(fact, kind)]


def test_each_query_is_timed_or_says_why_not_and_the_data_stays(of, seeded, asked):
    before = contents(seeded)
    told = []
    report = benchmark(of(asked), seconds=0.5, progress=lambda share, doing: told.append((share, doing)))
    assert contents(seeded) == before
    timings = {timing.query: timing for timing in facts(report, Timing)}
    assert set(timings) == {"user by name", "recent", "by tag", "lock", "log", "rename"}
    assert all(0 < t.low <= t.median <= t.high and t.n >= 6 for t in timings.values())
    assert {name: t.rows for name, t in timings.items()} == {
        "user by name": 1, "recent": 5, "by tag": 1, "lock": 1, "log": 1, "rename": 1,
    }  # fmt: skip
    found = {finding.rule: finding for finding in facts(report, Finding)}
    assert found["query-fails"].place.statement == "broken"
    assert "no_such_function" in found["query-fails"].message
    assert found["query-not-measured"].place.statement == "page"
    assert found["query-not-measured"].mend.startswith("plan.ask('page', …, lim=")
    assert not report.ok
    assert report.verdict == "6 of 8 queries measured on 12,520 rows in 4 tables; 1 query fails."
    assert report.server == seeded.server
    shares = [share for share, _ in told]
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_the_indexes_that_queries_use_are_told(of, asked):
    report = benchmark(of(asked.only(["user by name", "rename"])), seconds=0.2)
    used = {v.place.index: v for v in facts(report, IndexVerdict) if v.used_by}
    (by_name,) = (v for v in used.values() if v.used_by == ("user by name",))
    assert by_name.place.table == "User"
    assert by_name.verdict == "guards a constraint"
    rename = next(t for t in facts(report, Timing) if t.query == "rename")
    assert rename.indexes in (("User_pkey",), ("rowid of User",))
    others = {v.place.index: v.verdict for v in facts(report, IndexVerdict) if not v.used_by}
    assert others["ix odd (at)"] == "not used by any named query here"
    assert all(v.size for v in facts(report, IndexVerdict))


def test_a_query_that_reads_a_large_table_is_found_and_its_mend_runs_and_helps(of, seeded, schema):
    query = select(schema.events.c.id).where(schema.events.c.Tag == bindparam("tag"))
    plan = seeded.plan.ask("by tag", query, per_second=3)
    report = benchmark(of(plan), seconds=0.2)
    (finding,) = report.actions
    assert finding.rule == "query-scans-table"
    assert finding.place.table == "events log"
    assert report.ok
    with seeded.clone() as clone:
        with clone.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(finding.mend)
            connection.commit()
        mended = gather(replace(clone, plan=plan), Effort(0.2))
    (measured,) = mended.measured
    assert "ix_events log_Tag" in {node.index for explained in measured.plans for node in explained.nodes}


def test_both_servers_judge_a_limited_scan_alike_and_the_headline_says_what_the_evidence_does(of, seeded, schema):
    tagged = select(schema.events).where(schema.events.c.Tag == bindparam("tag"))
    plan = seeded.plan
    for name, statement, calls in (
        ("sorted", tagged.order_by(schema.events.c.id + 0).limit(20), 5),
        ("all of them", tagged.limit(1000), 5),
        ("nightly", tagged.limit(1000), 1 / 86_400),
        ("first ones", select(schema.events).limit(20), 5),
        ("sum", select(func.sum(schema.events.c.id + 0), func.max(schema.events.c.Tag)), 5),
    ):
        plan = plan.ask(name, statement, per_second=calls)
    report = benchmark(of(plan), seconds=0.2)
    found = {f.place.statement: str(f.severity) for f in facts(report, Finding) if f.rule == "query-scans-table"}
    assert found == {"sorted": "warning", "all of them": "warning", "nightly": "note", "sum": "note"}
    assert report.verdict.endswith(
        "; 2 queries read a large table whole; 2 queries read a large table whole, but seldom, or to use much of it."
    )


def test_a_query_that_writes_in_disguise_is_measured_and_undone(of, seeded, schema):
    new = insert(schema.empty).values(id=bindparam("i"), x=1).returning(schema.empty.c.id).cte("new")
    if seeded.dialect == "sqlite":
        statement = text("INSERT INTO empty (id, x) VALUES (:i, 1) RETURNING id")
    else:
        statement = select(new.c.id)
    plan = seeded.plan.ask("insert", statement, i=[1])
    report = benchmark(of(plan), seconds=0.1)
    assert report.ok, report.actions
    assert [(t.query, t.rows) for t in facts(report, Timing)] == [("insert", 1)]
    assert contents(seeded)["empty"] == []


@pytest.mark.parametrize("seeded", ["postgresql"], indirect=True)
def test_a_function_that_writes_goes_to_the_writing_client(of, seeded):
    with seeded.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE IF NOT EXISTS counted")
    report = benchmark(of(seeded.plan.ask("next", select(func.nextval("counted")))), seconds=0.1)
    assert [timing.query for timing in facts(report, Timing)] == ["next"]


def test_values_that_the_driver_refuses_fail_their_query_alone(of, seeded, schema):
    plan = seeded.plan.ask(
        "odd", select(schema.events).where(schema.events.c.At == bindparam("at")), at=["not a time"]
    ).ask("even", select(schema.user).where(schema.user.c.id == bindparam("i")))
    report = benchmark(of(plan), seconds=0.1)
    assert [f.place.statement for f in report.actions if f.rule == "query-fails"] == ["odd"]
    assert [t.query for t in facts(report, Timing)] == ["even"]


def test_a_function_that_raises_leaves_its_query_out(of, seeded, schema):
    by_id = select(schema.user).where(schema.user.c.id == bindparam("i"))
    report = benchmark(of(seeded.plan.ask("odd", by_id, i=lambda: 1 / 0)), seconds=0.1)
    (finding,) = facts(report, Finding)
    assert "ZeroDivisionError" in finding.message
    assert report.verdict.startswith("0 of 1 queries measured")


def test_a_plan_without_queries_says_how_to_ask(of, seeded):
    report = benchmark(of(seeded.plan), seconds=0.1)
    assert report.ok
    assert report.verdict.startswith("The plan asks no query")
    assert facts(report, IndexVerdict)


def test_an_empty_database_measures_nothing_and_says_so(asked):
    with sandbox(asked.only(["recent"]), on="sqlite") as stage:
        report = benchmark(stage, seconds=0.1)
    (note,) = facts(report, Finding)
    assert note.message == "not measured: events log has no row with a value in user_id"


@pytest.mark.parametrize("seeded", ["sqlite"], indirect=True)
def test_sqlite_plans_by_statistics_that_stay(seeded):
    with seeded.clone() as clone:
        server.settle(clone.engine, clone.plan.tables)
        with clone.engine.connect() as connection:
            counted = connection.exec_driver_sql("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'events log'")
            assert counted.scalar_one() == 3


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_to_measure_in_is_refused(seeded, seconds):
    with pytest.raises(UsageError, match="it must be above 0"):
        benchmark(seeded, seconds=seconds)


@pytest.mark.parametrize("seeded", ["postgresql"], indirect=True)
def test_a_statement_that_never_ends_is_given_up(of, seeded, monkeypatch):
    monkeypatch.setattr(gathering, "LONGEST", 0.3)
    report = benchmark(of(seeded.plan.ask("asleep", text("SELECT pg_sleep(600)"))), seconds=0.1)
    assert "statement timeout" in report.actions[0].message


@pytest.mark.parametrize("seeded", ["sqlite"], indirect=True)
def test_a_statement_that_never_ends_is_given_up_on_sqlite_too(of, seeded, monkeypatch):
    monkeypatch.setattr(gathering, "LONGEST", 0.3)
    endless = text("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r")
    report = benchmark(of(seeded.plan.ask("endless", endless)), seconds=0.1)
    assert report.actions[0].message == "the server says: interrupted"


@pytest.mark.parametrize("doing", ["explaining", "measuring"])
def test_an_interrupt_leaves_no_transaction_and_no_change(of, seeded, asked, doing):
    before = contents(seeded)

    def interrupt(share, what):
        if what.startswith(doing) and share > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        benchmark(of(asked.only(["recent", "log"])), seconds=0.5, progress=interrupt)
    assert contents(seeded) == before
    with seeded.clone():
        pass  # nobody is left who holds a connection
    engine = new_engine(seeded.url)
    with engine.begin() as connection:  # and nobody who holds a lock
        if seeded.dialect == "postgresql":
            connection.exec_driver_sql("SET lock_timeout = '2s'")
            connection.exec_driver_sql('LOCK TABLE "events log" IN ACCESS EXCLUSIVE MODE')
        connection.rollback()
    engine.dispose()


def test_the_same_query_under_two_names_sees_the_same_values(of, seeded, schema):
    statement = select(schema.events).where(schema.events.c.At > bindparam("at")).limit(3)
    plan = seeded.plan.ask("a", statement, at=[dt.datetime(2025, 1, 1, tzinfo=dt.UTC)]).ask("b", statement)
    first, second = gather(of(plan), Effort(0.2)).measured
    assert first.rows == second.rows == 3
    assert first.plans[0].shape == second.plans[0].shape
    assert min(len(first.samples), len(second.samples)) >= 6
