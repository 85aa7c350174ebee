"""A whole quick run on SQLite, by the command."""

import sqlite3
import sys
from dataclasses import replace

import pytest

from dbplan import cli
from dbplan.cli import comparing
from dbplan.evidence import OrmFeature, OrmLoad, OrmStatements, OrmTiming, OrmViolation
from dbplan.orms import run
from dbplan.orms.scenarios import SCENARIOS

LITTLE = replace(run.QUICK, rounds=5, seconds=0.3, warm=6, checks=2, load=0.2)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Where the report is written."""
    return tmp_path_factory.mktemp("report") / "orms.md"


@pytest.fixture(scope="module")
def whole(home, page):
    """The report of a run."""
    words = ["compare-orms", "credits", "--on", "sqlite", "--quick", "--rows", "600", "--orms", "tortoise,pony,psycopg"]
    shown, show = [], comparing.show
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBPLAN_HOME", str(home))
        patch.setattr(run, "QUICK", LITTLE)
        patch.setattr(sys, "argv", ["dbplan", *words, "-o", str(page)])
        patch.setattr(
            comparing, "show", lambda report, *more, **options: shown.append(report) or show(report, *more, **options)
        )
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert int(left.value.code or 0) == 0
    return shown[0]


def facts(whole, kind):
    return [fact for fact in whole.evidence if isinstance(fact, kind)]


def test_every_cell_is_measured_or_says_why(whole):
    found = {(one.orm, one.scenario): (one.outcome, one.reason) for one in facts(whole, OrmTiming)}
    takers = {"sqlite3", "sqlite3 again", "aiosqlite", "aiosqlite again", "tortoise", "pony"}
    assert {orm for orm, _ in found} == takers
    assert len(found) == len(takers) * (len(SCENARIOS) - 1)
    assert {cell: told for cell, told in found.items() if told[0] != "measured"} == {
        ("tortoise", "json_filter"): ("not covered", "Tortoise has no filter by a key of a document on SQLite")
    }
    assert all(one.baseline in ("sqlite3", "aiosqlite") for one in facts(whole, OrmTiming) if one.ratio)


def test_nothing_is_said_of_statements_that_nobody_counted(whole, page):
    assert facts(whole, OrmStatements) == []
    assert facts(whole, OrmFeature) == []
    text = page.read_text()
    assert "Statements were not counted: SQLite runs inside the contestant's process" in text
    assert "foreign_keys = ON, synchronous = FULL and a busy timeout of 5 s" in text
    assert "not for SQLite: a driver of PostgreSQL" in text


def test_twenty_writers_lose_nothing(whole):
    rows = [one for one in facts(whole, OrmLoad) if one.kind == "one row"]
    assert {one.orm for one in rows} == {"sqlite3", "aiosqlite", "tortoise", "pony"}
    assert [one.lost for one in rows] == [0] * 4
    assert all(one.done > one.refused for one in rows)
    assert all(one.errors for one in rows if one.refused)


def test_errors_tell_sqlites_own_code(whole):
    told = {one.orm: one.code for one in facts(whole, OrmViolation)}
    assert told["sqlite3"] == told["pony"]
    assert told["sqlite3"] in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


def test_the_server_is_told_as_contestants_find_it(whole, page):
    assert f"Measured on SQLite {sqlite3.sqlite_version}" in page.read_text()
    assert "journal_mode wal" in page.read_text()


def test_no_file_stays_behind(whole, home):
    assert [path.name for path in (home / "sqlite").rglob("*")] == ["lock"]


def test_who_does_not_speak_to_sqlite_is_no_fault(whole):
    rows = whole.frames["Not covered"].set_index("what")
    assert rows.loc["psycopg", "why"] == "not for SQLite: a driver of PostgreSQL"
    assert whole.ok


def test_how_each_stores_values_is_told(whole):
    rows = whole.frames["How values are stored"].set_index("contestant")
    assert (rows.loc["sqlite3", "uuid"], rows.loc["Tortoise", "uuid"]) == ("32 characters", "36 characters")
