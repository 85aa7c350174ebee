"""Django and Peewee on odd tables: they answer as psycopg does, or say why not; their errors name the constraint."""

import re
from dataclasses import asdict

import pytest
from orms.arena import arena, command
from orms.nasty import METADATA
from sqlalchemy import Column, Integer

from dbplan import export
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.process import Process
from dbplan.orms.scenarios import Scenario, TableFacts
from dbplan.plan import Plan, copy_metadata

ASKED = ("list_to_one", "deep_include", "upsert", "transaction")
SAID = {
    "django": dict.fromkeys(("list_to_one", "deep_include"), "lose it out of a CompositePrimaryKey"),
    "peewee": {"deep_include": "a ForeignKeyField is of one column"},
}


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    with arena(Plan("nasty", METADATA), tmp_path_factory.mktemp("models"), rows=80) as opened:
        opened.truth = opened.answers("psycopg", ASKED)
        yield opened


@pytest.fixture
def opened(field):
    """Give a function that opens a contestant on the field's own database, and binds a scenario."""
    running = []

    def open_(name, scenario, study=None):
        process = Process(command(CONTESTANTS[name]))
        running.append(process)
        process.ask("open", 60, study=study or field.study(field.stage, CONTESTANTS[name]))
        return process, process.ask("bind", 30, scenario=asdict(scenario))

    yield open_
    for process in running:
        process.close()


@pytest.mark.parametrize("name", SAID)
def test_answers_are_psycopgs_or_say_why_there_are_none(field, name):
    answers = field.answers(name, ASKED)
    said = {scenario: answer["not_covered"] for scenario, answer in answers.items() if "not_covered" in answer}
    assert {s: a for s, a in answers.items() if s not in said} == {s: field.truth[s] for s in answers if s not in said}
    assert said.keys() == SAID[name].keys()
    assert all(words in said[scenario] for scenario, words in SAID[name].items())


@pytest.mark.parametrize("name", SAID)
def test_twenty_clients_share_ten_connections(field, opened, name):
    scenario = field.derived.scenarios["keyset_page"]
    process, bound = opened(name, scenario)
    assert bound == {"ok": True}
    told = process.ask("load", 60, params=list(field.params["keyset_page"]) * 30, clients=20)
    assert (told["done"], told["errors"]) == (30 * len(field.params["keyset_page"]), {})


@pytest.mark.parametrize("name", SAID)
def test_an_error_tells_which_constraint_was_violated(field, opened, name):
    with field.stage.clone() as copy:
        process, bound = opened(name, field.derived.scenarios["insert_one"], field.study(copy, CONTESTANTS[name]))
        assert bound == {"ok": True}
        given = field.params["insert_one"][:1]
        process.ask("check", 30, params=given)
        told = process.ask("violate", 30, params=given)
        process.close()
    assert (told["raised"], told["type"], told["code"]) == (True, "IntegrityError", "23505")
    assert told["constraint"]


@pytest.mark.parametrize("name", SAID)
def test_names_that_it_writes_wrongly_are_not_covered(field, opened, tmp_path, name):
    metadata = copy_metadata(METADATA)
    metadata.tables["log"].append_column(Column("50%", Integer, primary_key=True))
    export(Plan("odd", metadata), CONTESTANTS[name].export).save(tmp_path / "models.py")
    kinds = {"50%": {"kind": "int", "nullable": False, "made": False}}
    study = field.study(field.stage, CONTESTANTS[name])
    study |= {"models": str(tmp_path), "tables": {"log": asdict(TableFacts("log", None, ("50%",), kinds))}}
    _, bound = opened(name, Scenario("point_read", "log", ("50%",)), study)
    assert re.search("takes no percent sign|does not take a name", bound["not_covered"])
