"""The judging half, on recorded facts: no database."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData

from dbplan import Plan
from dbplan.evidence import Difference, Place, Server, Severity, Step
from dbplan.migration.facts import BEFORE, SINCE, Loss, Rehearsal, Rehearsed
from dbplan.migration.history import Revision
from dbplan.migration.judgement import judge
from dbplan.migration.rules import RULES

SERVER = Server("PostgreSQL", "18.6", 2)
PLAN = Plan("shop", MetaData())


def revision(name="0001", *, one_way=""):
    return Revision(name, "Do it", (), Path(f"{name}.py"), upgrades=True, downgrades=True, one_way=one_way)


def step(direction, on=BEFORE, error=""):
    return Step(Place(revision="0001", statement=on), direction, 0.01, 5, 5, error=error)


def faithful(**changes):
    steps = (step("up"), step("down"), step("up"), step("down", SINCE), step("up", SINCE))
    return Rehearsed(**{"revision": revision(), "steps": steps, "restored": (), "repeated": ()} | changes)


GONE = Difference(Place("t", index="ix"), "index", "CREATE INDEX ix ON t (a)", "")
FOUND = {
    "multiple-heads": Rehearsal(SERVER, ("a", "b"), drift=()),
    "migration-fails-on-data": Rehearsal(SERVER, ("a",), (Rehearsed(revision(), (step("up", error="no"),)),), drift=()),
    "upgrade-loses-data": Rehearsal(SERVER, ("a",), (faithful(losses=(Loss(Place("t"), "up", 1, 5),)),), drift=()),
    "downgrade-loses-data": Rehearsal(
        SERVER, ("a",), (faithful(losses=(Loss(Place("t", "c"), "down", 1, 5),)),), drift=()
    ),
    "downgrade-schema-differs": Rehearsal(SERVER, ("a",), (faithful(restored=(GONE,)),), drift=()),
    "downgrade-missing": Rehearsal(SERVER, ("a",), (faithful(no_way_back="its downgrade is empty"),), drift=()),
    "upgrade-not-repeatable": Rehearsal(SERVER, ("a",), (faithful(repeated=(GONE,)),), drift=()),
    "model-drift": Rehearsal(SERVER, ("a",), (faithful(),), drift=(GONE,)),
    "downgrade-fails-on-new-rows": Rehearsal(
        SERVER, ("a",), (faithful(steps=(step("up"), step("down", SINCE, "too long"))),), drift=()
    ),
    "downgrade-loses-new-data": Rehearsal(
        SERVER, ("a",), (faithful(losses=(Loss(Place("t", "c"), "down", 1, 5, since=True),)),), drift=()
    ),
    "nulls-filled": Rehearsal(
        SERVER, ("a",), (faithful(losses=(Loss(Place("t", "c"), "up", 1, 5, filled=True),)),), drift=()
    ),
    "one-way": Rehearsal(
        SERVER, ("a",), (faithful(revision=revision(one_way="it is"), no_way_back="empty", restored=(GONE,)),), drift=()
    ),
    "column-order": Rehearsal(
        SERVER, ("a",), (faithful(),), drift=(Difference(Place("t"), "column order", "a, b", "b, a"),)
    ),
}


def test_every_rule_has_its_case():
    assert set(FOUND) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_finds_its_fault_and_no_other(rule):
    for other, rehearsal in FOUND.items():
        findings = list(rule.findings(rehearsal))
        assert bool(findings) == (other == rule.id)
    report = judge(PLAN, FOUND[rule.id])
    assert report.ok == (rule.severity is not Severity.ERROR)
    assert (rule.id in {action.rule for action in report.actions}) == (rule.severity is not Severity.NOTE)
    assert rule.condition
    assert rule.mend in next(f for f in report.evidence if getattr(f, "rule", "") == rule.id).why


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_in_the_guide(rule):
    guide = Path(__file__).parents[2] / "docs" / "migrations.md"
    assert f"| `{rule.id}` | {rule.severity} | {rule.condition} |" in guide.read_text("utf-8")


def test_a_faithful_rehearsal_reads_as_one():
    report = judge(PLAN, Rehearsal(SERVER, ("0001",), (faithful(),), drift=()))
    assert report.verdict == "1 of 1 revision rehearsed up, down and up; schema restored; models and migrations agree"
    assert report.ok
    assert len(report.frame) == 5
    assert report.frame["schema"].tolist() == ["unchanged"] * 5


def test_a_long_definition_is_cut_in_the_message_and_whole_in_the_evidence():
    long = Difference(Place("f()"), "function definition", "x" * 900, "")
    report = judge(PLAN, Rehearsal(SERVER, ("0001",), (faithful(),), drift=(long,)))
    assert len(report.actions[0].message) < 300
    assert long in report.evidence
