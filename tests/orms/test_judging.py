"""Judging is pure: recorded facts in, a report out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from dbplan.evidence import (
    Finding,
    OrmLoad,
    OrmStart,
    OrmStatements,
    OrmTiming,
    OrmViolation,
    Place,
    Server,
    Severity,
)
from dbplan.orms.facts import Absent, Gathered, Outcome, Taking
from dbplan.orms.judging import is_different, judge, timings, verdict
from dbplan.orms.scenarios import SCENARIOS, Scenario
from dbplan.orms.scoring import CRITERIA
from dbplan.report.blocks import Section, Table, walk
from dbplan.report.cells import show
from dbplan.report.html import page

RNG = np.random.default_rng(11)
NAMES = [name for name in SCENARIOS if name != "json_filter"]
TAKERS = (
    Taking("psycopg", "psycopg", "Python", "psycopg"),
    Taking("psycopg again", "psycopg", "Python", "psycopg", "psycopg"),
    Taking("sqlalchemy", "SQLAlchemy ORM", "Python", "psycopg"),
    Taking("django", "Django", "Python", "psycopg"),
    Taking("pg", "pg", "Node", "pg"),
    Taking("prisma", "Prisma", "Node", "pg"),
)
SPEED = {"psycopg": 1.0, "psycopg again": 1.0, "sqlalchemy": 3.0, "django": 2.0, "pg": 1.1, "prisma": 5.0}


def rounds(speed):
    return tuple(tuple(int(1e6 * speed * (1 + e)) for e in RNG.exponential(0.2, 30)) for _ in range(20))


def outcome(orm, scenario):
    if (orm, scenario) == ("django", "upsert"):
        return Outcome(orm, scenario, "wrong rows", "call[0].name is 1 instead of 2")
    if (orm, scenario) == ("prisma", "aggregate"):
        return Outcome(orm, scenario, "not covered", "it has no GROUP BY")
    return Outcome(orm, scenario, rounds=rounds(SPEED[orm]), memory=50_000_000)


@pytest.fixture(scope="module")
def facts():
    orms = [taker.orm for taker in TAKERS]
    slope = [OrmStatements(orm, "nested_include", size, 0, 0, size) for orm in ("django",) for size in (1, 10, 100)]
    return Gathered(
        entrants=TAKERS,
        scenarios={name: Scenario(name, "users", ("id",)) for name in NAMES},
        missing={"json_filter": "no table has a JSON column"},
        outcomes=tuple(outcome(orm, name) for name in NAMES for orm in orms),
        statements=(*(OrmStatements(orm, name, 1, 2, 1) for orm in orms for name in NAMES), *slope),
        starts=tuple(OrmStart(t.orm, t.title, t.table, n=1, imported=0.5, whole=1.0, memory=40_000_000)
                     for t in TAKERS if not t.twin_of),
        loads=(OrmLoad("prisma", "transaction", "one row", 20, 2.0, 300, lost=3, errors=("4 × P2034: deadlock",)),),
        violations=(OrmViolation("prisma", True, "PrismaClientKnownRequestError", "P2002", "", ("email",), "U\nx"),),
        absent=(Absent("pony", "Pony", "Python", "not installed", "missing: pony", "pip install pony"),),
        notes=("delete_cascade: 3 calls instead of 300",),
        server=Server("PostgreSQL", "18.6", 2),
        warm=12,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(facts):
    return judge("credits", facts)


def test_the_verdict_names_the_nearest_of_each_language(facts):
    one_each = verdict("credits", facts, timings(facts))
    assert one_each.startswith("3 ORMs on 13 scenarios of credits; Python: SQLAlchemy ORM is nearest")
    assert "Node: Prisma is nearest to pg, 4." in one_each
    assert one_each.endswith("; 1 cell has no time, for the rows were wrong or it failed.")


def test_the_page_opens_with_the_decision(report):
    assert report.title == "ORMs: credits"
    assert report.verdict == (
        "A Python team: Django; a team that may take either: Django; "
        "features, load, safety, errors and footprint not weighed. "
        "3 ORMs on 13 scenarios of credits; 1 cell has no time, for the rows were wrong or it failed."
    )
    parts = [block.title for block in report.blocks if isinstance(block, Section)]
    assert parts[0] == "Which to take"
    assert parts[1:3] == ["Python", "Node"]
    first = report.blocks[0].blocks
    assert [part.title for part in first] == ["A Python team", "A team that may take either", "Criteria"]
    assert [part.title for part in first[0].blocks] == ["Decision", "Evidence", "Consequences"]


def test_a_comparison_does_not_pass_but_may_fail(report):
    assert report.ok
    assert not re.search("passes|fails", page(report).partition("<main")[2].partition("What failed")[0])
    assert "fails" in str(judge("credits", Gathered((), {}, {})))


def test_no_table_hides_another_of_the_same_caption(report):
    tables = [block for block in walk(report.blocks) if isinstance(block, Table)]
    assert len(report.frames) == len(tables)
    assert all(block.caption for block in tables)
    marks = report.frames["A Python team: marks from 0 to 1"]
    assert list(marks.columns[:4]) == ["ORM", "Score", "Score low", "Score high"]
    assert (marks["Score low"] <= marks["Score"]).all()


def test_ratios_are_to_the_raw_driver_of_the_same_table(facts):
    found = {(one.orm, one.scenario): one for one in timings(facts)}
    one = found["prisma", "point_read"]
    assert one.baseline == "pg"
    assert one.ratio == pytest.approx(5 / 1.1, rel=0.1)
    assert one.ratio_low < one.ratio < one.ratio_high
    assert is_different(one)
    assert one.n == 600
    assert 1e-3 < one.low <= one.median <= one.high < one.p95 < one.p99 < 0.05
    assert found["psycopg", "point_read"].ratio is None
    assert found["django", "upsert"].median is None


def test_a_second_process_of_a_raw_driver_shows_no_difference(facts):
    twins = [one for one in timings(facts) if one.orm == "psycopg again"]
    assert sum(not is_different(one) for one in twins) >= len(twins) - 1


def test_processes_that_lie_apart_widen_every_interval(facts):
    factors = dict(zip(NAMES, np.exp(np.random.default_rng(8).normal(0, 0.3, len(NAMES))), strict=True))
    shifted = replace(facts, outcomes=tuple(
        replace(one, rounds=tuple(tuple(int(ns * factors[one.scenario]) for ns in r) for r in one.rounds))
        if one.orm == "psycopg again" else one
        for one in facts.outcomes
    ))  # fmt: skip
    before = {(one.orm, one.scenario): one for one in timings(facts)}
    after = {(one.orm, one.scenario): one for one in timings(shifted)}
    place = ("sqlalchemy", "point_read")
    assert after[place].ratio == before[place].ratio
    assert after[place].ratio_high - after[place].ratio_low > 3 * (before[place].ratio_high - before[place].ratio_low)
    twins = [one for one in after.values() if one.orm == "psycopg again"]
    assert sum(not is_different(one) for one in twins) >= len(twins) - 2


def test_a_restless_machine_is_told_first(facts, report):
    assert not [finding for finding in report.actions if finding.rule == "orm-restless"]
    disturbed = replace(facts, outcomes=tuple(
        replace(one, rounds=tuple(tuple(4 * ns for ns in each) for each in one.rounds))
        if one.orm == "psycopg again" and one.scenario in ("point_read", "upsert", "aggregate") else one
        for one in facts.outcomes
    ))  # fmt: skip
    first = judge("credits", disturbed).actions[0]
    assert first.rule == "orm-restless"
    assert first.message.startswith("two processes of psycopg differ in 3 of 13 scenarios (Read by key 4.0")
    assert first.message.endswith("there ratios of Python are not to be believed")


def test_each_language_has_a_row_a_scenario(report):
    frame = report.frames["Python: median and ratio"].set_index("scenario")
    takers = ["psycopg", "SQLAlchemy ORM", "Django"]
    assert list(frame.columns) == [f"{taker}{end}" for taker in takers for end in ("", " low", " high")]
    assert len(frame) == 13
    assert frame.sort_values("Django").index[-1] == "Upsert"
    assert frame["Django"].isna().sum() == 1
    assert frame.loc["Read by key", "Django"] == pytest.approx(2, rel=0.06)
    assert (frame["Django low"].dropna() > 1).all()
    whole = report.frames["Node: every figure"].set_index(["scenario", "contestant"])
    assert whole.loc[("Aggregate", "Prisma"), "outcome"] == "not covered"
    assert whole["ratio"].dtype == float
    assert ">not covered</td>" in page(report)
    assert ">wrong rows</td>" in page(report)


def test_statements_that_grow_show_their_slope(report):
    frame = report.frames["Python: statements for N parents with their children"].set_index("contestant")
    assert frame.loc["Django", ["N = 1", "N = 10", "N = 100", "a parent more"]].tolist() == [1, 10, 100, 1]
    counts = report.frames["Python: statements of one call"].iloc[0]
    assert counts[["psycopg", "psycopg control"]].tolist() == [1, 2]
    assert "1 + 2" in str(report)


def test_what_begins_no_transaction_is_as_wide_as_what_does(facts):
    none = replace(
        facts, statements=(OrmStatements("pg", "upsert", 3, 0, 1), OrmStatements("pg", "update_one", 3, 2, 1))
    )
    frame = next(
        b for b in walk(judge("credits", none).blocks) if getattr(b, "caption", "") == "Node: statements of one call"
    )
    assert {len(show(cell, "count")) for row in frame.rows for cell in row[1:2] if cell is not None} == {len("3 + 2")}


def test_loads_stand_by_what_they_bore(facts):
    slow, fast = (
        OrmLoad(orm, "upsert", "closed loop", 20, 2.0, done) for orm, done in (("prisma", 10), ("django", 90))
    )
    late, soon = (
        OrmLoad(orm, "upsert", "open loop", 20, 2.0, 9, 5.0, p95=p) for orm, p in (("pg", None), ("django", 0.1))
    )
    frames = judge("credits", replace(facts, loads=(slow, fast, late, soon))).frames
    closed, open_ = (next(f for name, f in frames.items() if name.startswith(kind)) for kind in ("Closed", "Open"))
    assert closed[["contestant", "throughput"]].values.tolist() == [["Django", 45], ["Prisma", 5]]
    assert open_["contestant"].tolist() == ["Django", "pg"]


def test_what_the_server_refused_is_not_covered(facts):
    refused = Finding(
        "index-refused", Severity.ERROR, Place("users", index="ix_a"), "the index cannot be created", "mend"
    )
    rows = judge("credits", replace(facts, refused=(refused,))).frames["Not covered"].set_index("what")
    assert rows.loc["users (ix_a)"].tolist() == ["the index cannot be created", "mend"]


def test_what_is_not_covered_is_listed_with_why(report):
    rows = report.frames["Not covered"].set_index("what")["why"]
    assert rows["Pony"] == "not installed: missing: pony"
    assert rows["Filter by a key of a JSON column"] == "no table has a JSON column"
    assert rows["scenarios"] == "delete_cascade: 3 calls instead of 300"
    assert "features" not in rows


def test_why_a_cell_holds_no_time_stands_beside_it(report):
    frames = report.frames
    row = frames["Node: what has no time, and what was helped"].iloc[0]
    assert row.tolist() == ["Prisma", "Aggregate", "not covered", "it has no GROUP BY"]
    row = frames["Python: what has no time, and what was helped"].iloc[0]
    assert row.tolist() == ["Django", "Upsert", "wrong rows", "call[0].name is 1 instead of 2"]


def test_who_gets_nothing_done_under_load_is_in_the_headline(facts):
    hung = OrmLoad("prisma", "transaction", "one row", 20, 0.0, 0, errors=("hung: no answer within 30 s",))
    refused = OrmLoad("django", "point_read", "closed loop", 20, 2.0, 9, refused=9, errors=("9 × locked",))
    fine = OrmLoad("pg", "transaction", "one row", 20, 2.0, 300, refused=4, errors=("4 × deadlock",))
    told = judge("credits", replace(facts, loads=(hung, refused, fine)))
    assert told.verdict.endswith("; under load no call came through of Prisma, Django.")
    said = {finding.message for finding in told.actions if finding.rule == "orm-stuck"}
    assert said == {
        "Prisma: no call of 20 clients came through (one row): hung: no answer within 30 s",
        "Django: no call of 20 clients came through (closed loop): 9 × locked",
    }


def test_what_a_quick_run_leaves_out_and_where_raw_sql_stood_in_are_told(facts):
    helped = [replace(one, note="raw SQL: it has no upsert") if (one.orm, one.scenario) == ("prisma", "upsert") else one
              for one in facts.outcomes]  # fmt: skip
    told = judge("credits", replace(facts, quick=True, outcomes=tuple(helped)))
    rows = told.frames["Not covered"].set_index("what")
    assert rows.loc["features", "mend"] == "the same command without --quick"
    row = told.frames["Node: what has no time, and what was helped"].set_index("outcome").loc["with help"]
    assert row.tolist() == ["Prisma", "Upsert", "raw SQL: it has no upsert"]


@pytest.mark.parametrize("one_core", [True, False])
def test_that_client_and_session_keep_to_one_core_is_said_where_they_do(facts, one_core):
    assert (
        "client and session keep to one core" in page(judge("credits", replace(facts, one_core=one_core)))
    ) == one_core


def test_each_scenario_names_its_tables_with_their_rows(facts):
    of = judge("credits", replace(facts, rows={"users": 12_000})).frames["What each scenario asks of"]
    assert of.set_index("scenario").loc["Upsert", "of"] == "users (12,000 rows)"


def test_lost_writes_and_wrong_rows_are_findings(report):
    said = {finding.rule: finding.message for finding in report.actions}
    assert said == {
        "orm-wrong-rows": "Django: wrong rows: call[0].name is 1 instead of 2",
        "orm-lost-write": "Prisma: 3 writes of 20 clients reported as done and not there",
    }


def test_a_write_that_was_reported_as_failed_and_is_there_is_no_negative_loss(facts):
    told = judge("credits", replace(facts, loads=(replace(facts.loads[0], lost=-1),)))
    assert "Prisma: 1 write of 20 clients reported as failed and there all the same" in [
        f.message for f in told.actions
    ]


def test_who_fails_at_the_start_is_in_the_headline_and_among_what_failed(facts):
    gone = Absent("tortoise", "Tortoise", "Python, asynchronous", "failed", "ModuleNotFoundError: No module named 'x'")
    told = judge("credits", replace(facts, absent=(*facts.absent, gone)))
    assert "; 1 contestant failed at the start" in told.verdict
    said = [finding.message for finding in told.actions if finding.rule == "orm-absent"]
    assert said == ["Tortoise takes no part: failed: ModuleNotFoundError: No module named 'x'"]


def test_what_no_weight_is_left_for_is_said(facts):
    told = judge("credits", facts, dict.fromkeys(CRITERIA, 0) | {"features": 1})
    assert "nothing could be weighed; a team that may take either: nothing could be weighed; features" in told.verdict
    assert "so that none is taken" in page(told)


def test_the_plot_says_in_words_what_it_shows(report, tmp_path):
    text = report.save(tmp_path / "x.html").read_text()
    assert "Dot plots of ratios to the raw driver in 13 scenarios: SQLAlchemy ORM from" in text
    assert report.save(tmp_path / "x.png").stat().st_size > 10_000


def test_nobody_measured_fails_in_words():
    nothing = judge("credits", Gathered((), {}, {"point_read": "no table holds two rows"}))
    assert not nothing.ok
    assert nothing.verdict == "No contestant could be measured on credits."
    assert nothing.frames["Not covered"].iloc[0]["why"] == "no table holds two rows"


def test_timings_are_evidence(report):
    found = [fact for fact in report.evidence if isinstance(fact, OrmTiming)]
    assert len(found) == len(TAKERS) * len(NAMES)


def test_what_figures_hold_beside_those_of_others_is_said(facts, report):
    assert "each call starts a thread" not in page(report)
    one = Taking("django-async", "Django async", "Python, asynchronous", "asyncpg", "", "each call starts a thread.")
    added = tuple(replace(outcome("django", name), orm=one.orm) for name in NAMES)
    told = judge("credits", replace(facts, entrants=(*TAKERS, one), outcomes=(*facts.outcomes, *added)))
    assert "Django async: each call starts a thread." in page(told)
    assert "3 ORMs on" in told.verdict, "one that has an asynchronous interface as well is one"
