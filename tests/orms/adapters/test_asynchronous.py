"""Asynchronous ORMs on odd tables: they answer as psycopg does, or say why not; their errors name the constraint."""

from dataclasses import asdict

import pytest
from orms.arena import arena, command
from orms.nasty import METADATA
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table

from dbplan.errors import NotCovered
from dbplan.orms.adapters import tortoise
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.process import Process
from dbplan.orms.scenarios import Scenario
from dbplan.plan import Plan

ASKED = ("bulk_insert", "list_to_one", "nested_include", "deep_include", "upsert", "transaction", "json_filter")
SAID = {
    "tortoise": {"deep_include": "no relations of several columns"},
    "piccolo": {},
    "peewee-async": {"deep_include": "a ForeignKeyField is of one column"},
    "django-async": dict.fromkeys(
        ("list_to_one", "nested_include", "deep_include"), "lose it out of a CompositePrimaryKey"
    ),
}


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    with arena(Plan("nasty", METADATA), tmp_path_factory.mktemp("models"), rows=80) as opened:
        opened.truth = opened.answers("psycopg", ASKED)
        yield opened


@pytest.mark.parametrize("name", SAID)
def test_answers_are_psycopgs_or_say_why_there_are_none(field, name):
    answers = field.answers(name, ASKED)
    said = {scenario: answer["not_covered"] for scenario, answer in answers.items() if "not_covered" in answer}
    assert {s: a for s, a in answers.items() if s not in said} == {s: field.truth[s] for s in answers if s not in said}
    assert said.keys() == SAID[name].keys()
    assert all(words in said[scenario] for scenario, words in SAID[name].items())


@pytest.mark.parametrize("name", SAID)
def test_an_error_tells_which_constraint_was_violated(field, name):
    scenario = field.derived.scenarios["insert_one"]
    with field.stage.clone() as copy:
        process = Process(command(CONTESTANTS[name]))
        try:
            process.ask("open", 60, study=field.study(copy, CONTESTANTS[name]))
            assert process.ask("bind", 30, scenario=asdict(scenario)) == {"ok": True}
            given = field.params["insert_one"][:1]
            process.ask("check", 30, params=given)
            told = process.ask("violate", 30, params=given)
        finally:
            process.close()
    assert (told["raised"], told["code"]) == (True, "23505")
    assert told["constraint"]


@pytest.mark.parametrize("path", ["a__b", "0", "not"])
def test_a_key_that_tortoise_reads_as_a_lookup_is_not_covered(path):
    with pytest.raises(NotCovered, match=path):
        tortoise._check_path(Scenario("json_filter", "t", (), path=path))


def test_bytes_that_peewee_wraps_for_another_driver_are_not_covered(tmp_path):
    metadata = MetaData()
    Table(
        "file", metadata, Column("id", Integer, primary_key=True), Column("name", String(20), nullable=False),
        Column("content", LargeBinary, nullable=False),
    )  # fmt: skip
    asked = ("point_read", "update_one", "insert_one", "bulk_insert", "upsert")
    with arena(Plan("files", metadata), tmp_path, rows=30) as opened:
        truth, found = (opened.answers(name, asked) for name in ("psycopg", "peewee-async"))
    said = {scenario: answer.pop("not_covered") for scenario, answer in found.items() if "not_covered" in answer}
    assert set(said) == {"insert_one", "bulk_insert", "upsert"}
    assert set(said.values()) == {"Peewee wraps the bytes of file.content for psycopg, and asyncpg refuses them"}
    assert [found[name] for name in asked[:2]] == [truth[name] for name in asked[:2]]
