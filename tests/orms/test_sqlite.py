"""Every Python contestant that speaks to SQLite answers as sqlite3 does, and leaves the same rows behind."""

import json
import sqlite3
from uuid import UUID

import pytest
from orms.files import files
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table

from dbplan import read
from dbplan.orms import forms
from dbplan.orms.contestants import CONTESTANTS, NODE, SQLITE, contestants_on
from dbplan.orms.installing import Absent, installed
from dbplan.orms.referee import Entrant
from dbplan.orms.scenarios import SCENARIOS
from dbplan.plan import Plan

NAMES = sorted(
    name for name, one in CONTESTANTS.items() if SQLITE in one.dialects and one.table != NODE and name != "sqlite3"
)
SAID = {"tortoise": {"json_filter"}}
"""Scenarios that a contestant cannot say on SQLite, and how it says so."""


@pytest.fixture(scope="module", params=["store", "credits"])
def field(request, tmp_path_factory):
    with files(read(request.param), tmp_path_factory.mktemp("models"), rows=120) as opened:
        opened.truth = opened.answers("sqlite3", list(SCENARIOS))
        yield opened


def test_the_reference_reads_and_writes(field):
    assert not [answer for answer in field.truth.values() if "results" not in answer]
    assert all(answer["results"] for answer in field.truth.values())


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_the_references(field, name):
    absent = installed(contestants_on(SQLITE)[name])
    if isinstance(absent, Absent):
        pytest.skip(f"missing: {absent.missing}")
    answers = field.answers(name, list(SCENARIOS))
    said = {scenario for scenario, answer in answers.items() if "not_covered" in answer}
    wrong = {s: answer for s, answer in answers.items() if s not in said and answer != field.truth[s]}
    assert not wrong, json.dumps({s: [answer, field.truth[s]] for s, answer in wrong.items()})[:3000]
    assert said == SAID.get(name, set())
    assert stored(field, name) == due(name)


@pytest.mark.parametrize("name", ["django", "django-async", "sqlalchemy", "peewee", "tortoise", "piccolo", "pony"])
def test_moments_without_a_zone_are_taken_as_they_are(naive, name):
    assert naive.answers(name, [*naive.truth]) == naive.truth


@pytest.fixture(scope="module")
def naive(tmp_path_factory):
    metadata = MetaData()
    number = Column("id", Integer, primary_key=True)
    Table(
        "visits", metadata, number, Column("name", String(40), nullable=False), Column("made", DateTime, nullable=False)
    )
    with files(Plan("naive", metadata), tmp_path_factory.mktemp("models"), rows=120) as opened:
        opened.truth = opened.answers(
            "sqlite3", ["point_read", "filtered_list", "keyset_page", "insert_one", "update_one"]
        )
        assert any("made" in str(answer) for answer in opened.truth.values())
        yield opened


def stored(field, name):
    """The forms in which a contestant was seen to store values."""
    return {kind: set(found) for (orm, kind), found in field.referee.seen.items() if orm == name}


def due(name):
    """What its values should be taken for: alone for UUIDs, with its like for moments of whole seconds."""
    own = forms.DEFAULTS | contestants_on(SQLITE)[name].forms
    both = {"text", "text, 6 digits"}
    moments = both if own["timestamptz"] in both else {own["timestamptz"]}
    return {"uuid": {own["uuid"]}, "timestamptz": moments}


def test_values_stand_in_files_as_each_contestant_stores_them(field):
    contestants = contestants_on(SQLITE)
    table = field.derived.scenarios["point_read"].table
    found = {}
    for name in ("sqlite3", "tortoise"):
        with field.referee.clone(entrant(contestants[name])) as clone, sqlite3.connect(clone.name) as own:
            found[name] = own.execute(f'SELECT id, created_at FROM "{table}" ORDER BY 1').fetchall()
            assert own.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert own.execute("PRAGMA foreign_key_check").fetchall() == []
            assert own.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        own.close()
    assert [len(key) for key, _ in found["sqlite3"][:1] + found["tortoise"][:1]] == [32, 36]
    assert [(UUID(key), forms.found(at, "timestamptz")) for key, at in found["tortoise"]] == [
        (UUID(key), forms.found(at, "timestamptz")) for key, at in found["sqlite3"]
    ]


def test_what_was_written_is_put_back(field):
    scenario = field.derived.scenarios["insert_one"]
    with field.referee.clone(entrant(contestants_on(SQLITE)["tortoise"])) as clone:
        tables = field.referee.compared(scenario)
        before = field.referee.state(clone, tables)
        clone.connection.execute(
            f'DELETE FROM "{scenario.table}" WHERE rowid IN (SELECT max(rowid) FROM "{scenario.table}")'
        )
        assert field.referee.state(clone, tables) != before
        assert field.referee.renew([clone], scenario) == []
        assert field.referee.state(clone, tables) == before


def test_a_file_that_somebody_holds_is_not_put_back(field):
    scenario = field.derived.scenarios["insert_one"]
    with field.referee.clone(entrant(contestants_on(SQLITE)["sqlite3"])) as clone:
        clone.connection.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(clone.name, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert field.referee.renew([clone], scenario) == [clone]
        assert field.referee.restore(clone, scenario) == 0
        other.close()


def test_a_difference_is_told_in_words(field):
    scenario = field.derived.scenarios["update_one"]
    one = entrant(contestants_on(SQLITE)["sqlite3"])
    tables = field.referee.compared(scenario)
    with field.referee.clone(one) as ours, field.referee.clone(one) as theirs:
        ours.connection.execute(f'UPDATE "{scenario.table}" SET "{scenario.update}" = \'odd\' WHERE rowid = 1')
        found, due_state = field.referee.state(ours, tables), field.referee.state(theirs, tables)
        told = field.referee.difference(ours, theirs, tables, found, due_state)
        assert told.startswith(f"{scenario.table} holds (")
        assert "'odd'" in told
        assert " afterwards instead of (" in told
        ours.connection.execute(f'DELETE FROM "{scenario.table}" WHERE rowid = 1')
        found = field.referee.state(ours, tables)
        assert "rows afterwards instead of" in field.referee.difference(ours, theirs, tables, found, due_state)


def entrant(contestant):
    return Entrant(contestant, ("true",))
