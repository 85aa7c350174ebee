from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from dbplan.benchmarking import benchmark
from dbplan.domains import PLANS
from dbplan.errors import UsageError
from dbplan.evidence import Finding, Place, Server, Severity, Timing
from dbplan.migration import dry_run
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Section
from dbplan.review import ALTOGETHER, LARGEST, judge, review, volume
from dbplan.sources import read


def _metadata(tables: int = 1) -> MetaData:
    metadata = MetaData()
    for number in range(tables):
        Table(f"t{number}", metadata, Column("id", Integer, primary_key=True), Column("word", Text, nullable=False))
    return metadata


def _finding(severity: Severity) -> Finding:
    return Finding("rule", severity, Place("t0"), f"a {severity}")


@pytest.mark.parametrize(
    ("studies", "ok", "verdict"),
    [
        ([Report("Schema", "fine")], True, "Ready to build: every study passes and nothing needs mending."),
        (
            [Report("Schema", "hm", actions=(_finding(Severity.WARNING),))],
            True,
            "Sound, with 1 thing to mend first; every study passes.",
        ),
        (
            [Report("Schema", "no", ok=False), Report("Migrations", "no", ok=False)],
            False,
            "Not ready: 2 of 2 studies fail (Schema; Migrations).",
        ),
        ([Report("Schema", "no", ok=False)], False, "Not ready: 1 of 1 studies fails (Schema)."),
    ],
)
def test_the_page_opens_with_one_sentence(studies: list[Report], ok: bool, verdict: str):
    page = judge(Plan("p", _metadata()), Report("Diagram", ""), studies)
    assert (page.ok, page.verdict) == (ok, verdict)


def test_the_worst_comes_first_whatever_study_found_it():
    studies = [
        Report("a", "", actions=(_finding(Severity.NOTE), _finding(Severity.WARNING))),
        Report("b", "", actions=(_finding(Severity.ERROR),)),
    ]
    page = judge(Plan("p", _metadata()), Report("Diagram", ""), studies)
    assert [action.severity for action in page.actions] == ["error", "warning", "note"]


def test_where_it_was_measured_is_said_once():
    here, there = Server("PostgreSQL", "18", 2), Server("SQLite", "3", 2)
    studies = [Report("a", "", server=here), Report("b", "", server=here), Report("c", "", server=there)]
    page = judge(Plan("p", _metadata()), Report("Diagram", ""), studies)
    assert page.server == here
    assert [block.server for block in page.blocks if isinstance(block, Section)] == [None, None, there]


def test_what_the_source_could_not_give_is_listed():
    metadata = _metadata()
    metadata.info["not_covered"] = ("view v",)
    page = judge(Plan("p", metadata), Report("Diagram", ""), [])
    assert page.blocks[-1].title == "Not covered"
    assert "view v" in str(page)


def test_the_volume_follows_the_plan_and_stays_bounded():
    assert volume(Plan("p", _metadata(), rows={"t0": 70})) == 70
    assert volume(Plan("p", _metadata(), rows={"t0": 70_000_000})) == LARGEST
    assert volume(Plan("p", _metadata(400))) == ALTOGETHER // 400


def test_a_study_that_cannot_run_says_so_and_the_others_go_on(tmp_path: Path):
    metadata = _metadata()
    Table("odd", metadata, Column("id", Integer, primary_key=True), Column("tags", ARRAY(Text)))
    page = review(Plan("p", metadata), on="sqlite", rows=10)
    sections = {block.title: block for block in page.blocks if isinstance(block, Section)}
    assert not page.ok
    assert sections["Seed data"].verdict.startswith("Not run: ")
    assert "odd.tags" in sections["Seed data"].verdict
    assert [action.place.statement for action in page.actions if action.rule == "study-not-run"] == ["Seed data"]
    assert sections["Schema"].verdict
    assert sections["Dictionary"].ok


def test_a_fault_in_one_study_does_not_cost_the_others(monkeypatch: pytest.MonkeyPatch):
    def broken(_plan: Plan) -> Report:
        raise ZeroDivisionError("near postgresql://u:hunter2@h/db")

    monkeypatch.delenv("DBPLAN_TRACEBACK", raising=False)
    monkeypatch.setitem(review.__globals__, "lint", broken)
    page = review(Plan("p", _metadata()), on="sqlite", rows=10)
    sections = {block.title: block for block in page.blocks if isinstance(block, Section)}
    assert "ZeroDivisionError: near postgresql://u:***@h/db" in sections["Schema"].verdict
    assert sections["Seed data"].ok
    assert not page.ok


def test_a_review_measures_what_it_says(tmp_path: Path):
    metadata = _metadata()
    Table(
        "child", metadata, Column("id", Integer, primary_key=True), Column("t0_id", ForeignKey("t0.id"), nullable=False)
    )
    seen: list[float] = []
    page = review(Plan("p", metadata), on="sqlite", rows=40, progress=lambda fraction, _: seen.append(fraction))
    counts = {fact.table: fact.rows for fact in page.evidence if type(fact).__name__ == "RowCount"}
    assert counts == {"t0": 40, "child": 40}
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert page.server is not None
    assert page.server.product == "SQLite"


def test_no_rows_are_refused():
    with pytest.raises(UsageError, match="rows is 0"):
        review(Plan("p", _metadata()), rows=0)


ROWS = 2000
SECONDS = 0.3


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
@pytest.mark.parametrize("name", PLANS)
def test_every_worked_plan_passes_its_review_with_every_query_measured(
    name: str, on: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(review.__globals__, "benchmark", partial(benchmark, seconds=SECONDS))
    monkeypatch.setitem(review.__globals__, "dry_run", partial(dry_run, rows=ROWS))
    plan = read(name)
    page = review(plan, on=on, rows=ROWS)
    sections = {block.title: block for block in page.blocks if isinstance(block, Section)}
    assert [f"{block.title}: {block.verdict}" for block in sections.values() if not block.ok] == []
    assert [action.message for action in page.actions] == []
    assert page.ok
    measured = {fact.query: fact for fact in page.evidence if isinstance(fact, Timing)}
    assert measured.keys() == {query.name for query in plan.queries}
    assert all(fact.n > 0 for fact in measured.values())
