"""The judge on recorded facts: no database here."""

from dataclasses import replace

import pytest
from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)

from dbplan.benchmarking.facts import Explained, Failed, Gathered, Measured, NotMeasured, Scan, TableSize
from dbplan.benchmarking.facts import Index as Seen
from dbplan.benchmarking.judge import judge, tree
from dbplan.evidence import Finding, IndexVerdict, Place, PlanNode, Server, Severity, Timing
from dbplan.plan import Plan
from dbplan.report import blocks

metadata = MetaData()
users = Table("users", metadata, Column("id", Integer, primary_key=True))
orders = Table(
    "Order",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id")),
    Column("a", Integer),
    Column("b", Integer),
    Column("status", String),
    Column("total", Integer, nullable=False),
    Column("doc", JSON),
    schema="shop",
)
lines = Table(
    "lines",
    metadata,
    Column("x", Integer),
    Column("y", Integer),
    ForeignKeyConstraint(["x", "y"], ["users.id", "users.id"]),
)
PLAN = Plan("shop", metadata)
SAMPLES = tuple(0.001 + n / 1e6 for n in range(100))
SIZES = (TableSize("shop.Order", 50_000, 700), TableSize("users", 500, 5), TableSize("lines", 90_000, 900))
SERVER = Server("PostgreSQL", "18.0", 2)


def measured(name="q", *plans, per_second=0.0, rows=3.0, kind="read"):
    return Measured(name, kind, per_second, SAMPLES, rows, plans)


def uses(index, relation="shop.Order"):
    return Explained((PlanNode("Index Scan", relation, index, 3, 1),))


def reads(read, kept, condition="(status = 'x')", table="shop.Order"):
    return Explained((PlanNode("Seq Scan", table),), (Scan(table, read, kept, condition),))


def gathered(*facts, dialect="postgresql", **more):
    return Gathered(dialect, SIZES, measured=facts, server=SERVER, **more)


USED = (uses("ix_used"),)


def scan_of(where, *, per_second=0.0, read=50_000.0, kept=10.0, indexes=(), statement=None, dialect="postgresql"):
    plan = PLAN.ask("q", select(orders).where(where) if statement is None else statement, per_second=per_second)
    report = judge(plan, gathered(measured("q", reads(read, kept)), indexes=indexes, dialect=dialect))
    return [f for f in report.evidence if getattr(f, "rule", "") == "query-scans-table"], report


def verdicts(*indexes, by=USED, **more):
    report = judge(PLAN.ask("q", select(users)), gathered(measured("q", *by), indexes=indexes, **more))
    return {v.place.index: v for v in report.evidence if isinstance(v, IndexVerdict)}, report


def test_each_kind_of_index_gets_its_verdict():
    found, report = verdicts(
        Seen("shop.Order", "pk", ("id",), True, "order_pkey", 9),
        Seen("shop.Order", "ix_used", ("a",), size=8),
        Seen("shop.Order", "ix_fk", ("user_id", "a"), size=7),
        Seen("shop.Order", "ix_idle", ("b",), size=6),
        Seen("users", "ix_small", ("id",)),
        Seen("lines", "ix_pair", ("y", "x")),
        Seen("lines", "ix_half", ("y",)),
        Seen("lines", "ix_partial", ("x", "y"), partial=True),
        Seen("lines", "uq", ("x",), unique=True),
    )
    assert {name: verdict.verdict for name, verdict in found.items()} == {
        "pk": "guards a constraint",
        "ix_used": "used",
        "ix_fk": "serves a foreign key",
        "ix_idle": "not used by any named query here",
        "ix_small": "too few rows to judge",
        "ix_pair": "serves a foreign key",
        "ix_half": "not used by any named query here",
        "ix_partial": "not used by any named query here",
        "uq": "guards a constraint",
    }
    assert found["ix_used"].used_by == ("q",)
    notes = {f.place.index: f for f in report.evidence if getattr(f, "rule", "") == "index-unused-here"}
    assert set(notes) == {"ix_idle", "ix_half", "ix_partial"}
    assert notes["ix_idle"].message == "the 1 measured query did not use it on 50,000 rows"
    assert report.actions == ()
    assert report.ok


def test_an_index_of_the_same_name_in_another_table_is_not_taken_for_used():
    found, _ = verdicts(Seen("lines", "ix_used", ("x",)))
    assert found["ix_used"].verdict == "not used by any named query here"


def test_an_index_used_under_an_alias_on_sqlite_is_used():
    found, _ = verdicts(Seen("lines", "ix_used", ("x",)), by=(uses("ix_used", "l_1"),), dialect="sqlite")
    assert found["ix_used"].used_by == ("q",)


def test_without_plans_nothing_is_called_unused():
    found, report = verdicts(Seen("lines", "ix", ("x",)), by=(), dialect="mysql", plans_covered=False)
    assert found["ix"].verdict == "not judged: plans are not covered"
    assert "plans are not covered on mysql" in report.verdict
    assert any("not covered" in block.text for block in report.blocks if isinstance(block, blocks.Text))


def test_a_selective_scan_of_a_large_table_is_a_warning_with_an_index_to_try():
    (finding,), report = scan_of((orders.c.status == bindparam("s")) & (orders.c.total > bindparam("t")))
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "reads 50,000 rows and keeps 10; an index on (status, total) is a candidate, not yet measured"
    )
    assert finding.mend == 'CREATE INDEX CONCURRENTLY "ix_Order_status_total" ON shop."Order" (status, total);'
    assert report.actions == (finding,)
    assert report.ok
    assert report.verdict == "1 of 1 queries measured on 140,500 rows in 3 tables; 1 query reads a large table whole."


@pytest.mark.parametrize(
    ("where", "columns"),
    [
        (orders.c.a.in_(bindparam("s", expanding=True)), "a"),
        (orders.c.total.between(bindparam("s"), bindparam("t")) & (orders.c.b == 1), "b, total"),
        (bindparam("s") == orders.c.a, "a"),
        (orders.alias("o").c.a == bindparam("s"), "a"),
        ((orders.c.a > bindparam("s")) & (orders.c.a == 1), "a"),
    ],
)
def test_the_candidate_has_equality_columns_first(where, columns):
    (finding,), _ = scan_of(where)
    assert f"({columns})" in finding.mend


@pytest.mark.parametrize(
    "where",
    [
        func.lower(orders.c.status) == bindparam("s"),
        orders.c.doc == bindparam("s"),
        orders.c.a != bindparam("s"),
        orders.c.a == orders.c.b,
    ],
)
def test_where_no_simple_index_would_serve_none_is_suggested(where):
    (finding,), _ = scan_of(where)
    assert finding.mend == ""
    assert finding.severity is Severity.WARNING


def test_updates_and_deletes_are_judged_too():
    for statement in (delete(orders), update(orders).values(a=1)):
        (finding,), _ = scan_of(None, statement=statement.where(orders.c.a == bindparam("s")))
        assert "(a)" in finding.mend


def test_a_scan_that_an_existing_index_did_not_spare_suggests_no_second_one():
    (finding,), _ = scan_of(orders.c.a == bindparam("s"), indexes=[Seen("shop.Order", "ix_a", ("a", "b"))])
    assert finding.mend == ""
    assert "the index ix_a begins with these columns and was not chosen" in finding.message


@pytest.mark.parametrize(
    ("how", "severity"),
    [
        ({"kept": 40_000.0}, Severity.NOTE),
        ({"per_second": 1 / 3600}, Severity.NOTE),
        ({"per_second": 5.0}, Severity.WARNING),
        ({"read": None, "kept": None}, Severity.WARNING),
    ],
)
def test_scans_that_are_meant_are_notes(how, severity):
    (finding,), _ = scan_of(orders.c.a == bindparam("s"), **how)
    assert finding.severity is severity


def test_a_scan_that_may_stop_early_is_not_held_against_a_query():
    found, report = scan_of(None, statement=select(orders).limit(10), read=None, kept=None, dialect="sqlite")
    assert [f.severity for f in found] == [Severity.NOTE]
    assert found[0].message == "may read up to all 50,000 rows to return 3"
    assert report.verdict.endswith("in 3 tables; 1 query may read a large table whole.")
    assert scan_of(None, statement=select(orders).limit(10), read=10.0, kept=10.0)[0] == []


FEW = select(orders).where(orders.c.a == bindparam("s")).limit(10)


@pytest.mark.parametrize(
    ("share", "kept", "severity", "message", "headline"),
    [
        (1.0, 3, "warning", "reads all 50,000 rows to return 3; an index on (a)", "1 query reads a large table whole"),
        (0.5, 1, "warning", "is expected to read 25,000 of 50,000 rows to return 3; an index on (a)",
         "1 query is expected to read most of a large table"),
        (1.0, 40_000, "note", "reads all 50,000 rows to return 3",
         "1 query reads a large table whole, but seldom, or to use much of it"),
        (0.9, 9_000, "note", "is expected to read 45,000 of 50,000 rows to return 3",
         "1 query may read a large table whole"),
        (0.49, 1, None, "", "none reads a large table whole"),
    ],
)  # fmt: skip
def test_a_scan_that_a_limit_ends_is_judged_by_how_far_it_is_expected_to_go(share, kept, severity, message, headline):
    explained = Explained((PlanNode("SCAN", "Order"),), (Scan("Order", None, kept, share=share),))
    report = judge(PLAN.ask("q", FEW, per_second=5), gathered(measured("q", explained), dialect="sqlite"))
    found = [f for f in report.evidence if getattr(f, "rule", "") == "query-scans-table"]
    assert [f.severity for f in found] == ([Severity(severity)] if severity else [])
    assert all(f.message.startswith(message) for f in found)
    assert report.verdict == f"1 of 1 queries measured on 140,500 rows in 3 tables; {headline}."


@pytest.mark.parametrize("how", [{"kept": 40_000.0}, {"per_second": 1 / 3600}])
def test_the_headline_names_scans_that_are_meant(how):
    _, report = scan_of(orders.c.a == bindparam("s"), **how)
    assert report.actions == ()
    assert report.verdict.endswith("; 1 query reads a large table whole, but seldom, or to use much of it.")


def test_the_headline_tells_scans_to_mend_from_those_that_are_meant():
    scan, wanted = reads(50_000.0, 10.0), reads(50_000.0, 50_000.0)
    plan = PLAN.ask("slow", FEW, per_second=5).ask("nightly", FEW, per_second=1e-5).ask("sum", select(orders))
    facts = gathered(measured("slow", scan), measured("nightly", scan), measured("sum", wanted))
    assert judge(plan, facts).verdict.endswith(
        "; 1 query reads a large table whole; 2 queries read a large table whole, but seldom, or to use much of it."
    )


def test_without_a_condition_all_that_sqlite_reads_is_wanted():
    for statement, severity in (
        (select(func.sum(orders.c.a)), Severity.NOTE),
        (select(func.sum(orders.c.a)).where(orders.c.doc.is_(None)), Severity.WARNING),
        (select(func.sum(select(orders.c.a).where(orders.c.b == 1).subquery().c.a)), Severity.WARNING),
    ):
        (finding,), _ = scan_of(None, statement=statement, read=None, kept=None, dialect="sqlite")
        assert finding.severity is severity


def test_small_tables_are_not_judged_and_are_named():
    plan = PLAN.ask("q", select(users))
    report = judge(plan, gathered(measured("q", reads(500.0, 1.0, table="users"))))
    assert not [f for f in report.evidence if getattr(f, "rule", "")]
    assert any("users (500)" in block.text for block in report.blocks if isinstance(block, blocks.Text))
    assert report.verdict.endswith("none reads a large table whole.")


def test_when_all_tables_are_small_the_verdict_says_so():
    facts = replace(gathered(measured("q", uses("pk"))), tables=(TableSize("users", 500, 5),))
    assert judge(PLAN.ask("q", select(users)), facts).verdict == (
        "1 of 1 queries measured on 500 rows in 1 table; too few rows to judge scans and indexes."
    )


def test_a_failing_query_fails_the_report_and_an_undrawable_one_does_not():
    plan = PLAN.ask("bad", select(users)).ask("odd", select(users))
    report = judge(
        plan,
        gathered(
            failed=(Failed("bad", "read", 1.0, 'column "x" does not exist'),),
            unmeasured=(NotMeasured("odd", "read", 2.0, "no value", "plan.ask(…)"),),
        ),
    )
    assert not report.ok
    assert report.verdict == "0 of 2 queries measured on 140,500 rows in 3 tables; 1 query fails."
    assert [(a.rule, a.message) for a in report.actions] == [
        ("query-fails", 'the server says: column "x" does not exist')
    ]
    by_name = report.frames["Queries"].set_index("query")
    assert by_name.loc["odd", "median"] is None
    assert by_name.loc["odd", "calls"] == 2.0


def test_a_plan_without_queries_lists_its_indexes_and_says_how_to_ask():
    report = judge(PLAN, gathered(indexes=[Seen("lines", "ix", ("x",), size=8192)]))
    assert report.ok
    assert report.verdict == "The plan asks no query, so nothing was timed; its 1 index is listed with its size."
    assert report.frames["Indexes"]["size"].tolist() == [8192]
    assert any("plan.ask(" in block.text for block in report.blocks if isinstance(block, blocks.Text))


def test_timings_carry_their_interval_and_the_busy_share():
    plan = PLAN.ask("q", select(users), per_second=100)
    report = judge(plan, gathered(measured("q", uses("a"), uses("b"), per_second=100.0)))
    (timing,) = (fact for fact in report.evidence if isinstance(fact, Timing))
    assert timing.low <= timing.median <= timing.high <= timing.p95
    assert timing.n == 100
    assert timing.indexes == ("a", "b")
    assert report.frames["Queries"].loc[0, "busy"] == pytest.approx(100 * timing.median)
    assert report == judge(plan, gathered(measured("q", uses("a"), uses("b"), per_second=100.0)))


def test_writes_say_that_the_commit_is_not_in_their_time():
    def said(kind):
        report = judge(PLAN.ask("q", select(users)), gathered(measured("q", kind=kind)))
        return any("not the COMMIT" in block.text for block in report.blocks if isinstance(block, blocks.Text))

    assert said("write")
    assert not said("read")


def test_long_index_names_fit_every_server():
    wide = Table("t" * 50, MetaData(), Column("c" * 30, Integer))
    plan = Plan("w", wide.metadata).ask("q", select(wide).where(wide.c["c" * 30] == bindparam("s")))
    facts = replace(
        gathered(measured("q", reads(20_000.0, 1.0, table=wide.name))), tables=(TableSize(wide.name, 20_000),)
    )
    (finding,) = judge(plan, facts).actions
    assert len(finding.mend.split()[3]) <= 63


def test_a_plan_is_written_as_indented_lines():
    nodes = (PlanNode("Limit", rows=5, loops=1), PlanNode("Index Scan", "t", "ix", 2.5, 4, 3, "Index Cond: (a = 1)", 1))
    assert tree(nodes) == (
        "Limit  5 rows\n  Index Scan on t using ix  2.5 rows (expected 3), 4 loops  [Index Cond: (a = 1)]"
    )


def test_the_schema_of_the_plan_is_left_alone():
    scan_of(orders.c.a == bindparam("s"))
    assert not [index for table in PLAN.tables for index in table.indexes]


def test_an_index_that_the_server_refuses_fails_the_report():
    finding = Finding("index-refused", Severity.ERROR, Place(table="users", index="words"), "the index cannot be made")
    report = judge(PLAN, gathered(refused=(finding,)))
    assert not report.ok
    assert report.verdict.endswith(" The server refuses 1 index of the plan.")
    assert report.actions[0] is finding
