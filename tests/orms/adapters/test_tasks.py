"""Twenty tasks on ten connections, on a server and on a file: no write is lost, and what fails leaves nothing."""

from contextlib import closing
from dataclasses import asdict

import pytest
from orms.arena import command

from dbplan import read, sandbox, seed
from dbplan.orms.calls import of_one_row
from dbplan.orms.contestants import contestants_on
from dbplan.orms.counting import Meter
from dbplan.orms.gathering import scenarios
from dbplan.orms.preparing import prepare
from dbplan.orms.process import Process
from dbplan.orms.referee import POOL, Entrant, Referee
from dbplan.orms.sqlite_referee import FileReferee

NAMES = ("sqlmodel-async", "peewee-async")
REFEREES = {"postgresql": Referee, "sqlite": FileReferee}
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture(scope="module", params=REFEREES)
def field(request):
    """A seeded plan's referee, with scenarios and parameters."""
    with sandbox(read("store"), on=request.param) as stage:
        seed(stage, rows=600)
        derived, drawn = scenarios(stage, 7)
        yield REFEREES[request.param](stage, Meter(None, "nobody counts"), derived.tables), derived, drawn


@pytest.fixture(params=NAMES)
def opened(field, request, tmp_path):
    """The process of a contestant on a database of its own."""
    referee, _, _ = field
    contestant = contestants_on(referee.stage.dialect)[request.param]
    prepare(contestant, referee.stage.plan, tmp_path)
    entrant = Entrant(contestant, tuple(command(contestant)), str(tmp_path))
    with referee.clone(entrant) as clone, closing(Process(entrant.command)) as process:
        process.ask("open", 60, study=referee.study(entrant, clone))
        yield clone, process


def sessions(referee, clone):
    """How many connections there are, where a server can tell."""
    return clone.connection.execute(SESSIONS).fetchone()[0] if referee.stage.dialect == "postgresql" else POOL


def test_no_write_is_lost(field, opened):
    (referee, derived, drawn), (clone, process) = field, opened
    scenario = derived.scenarios["transaction"]
    given = of_one_row(drawn.params["transaction"][:100])
    assert len(given) >= 40
    assert process.ask("bind", 30, scenario=asdict(scenario)) == {"ok": True}
    told = process.ask("load", 60, params=given, clients=20)
    assert (told["errors"], told["done"]) == ({}, len(given))
    assert referee.restore(clone, scenario) == len(given)
    assert 1 <= sessions(referee, clone) <= POOL


def test_a_transaction_that_fails_leaves_nothing_and_gives_its_connection_back(field, opened):
    (referee, derived, drawn), (clone, process) = field, opened
    scenario = derived.scenarios["transaction"]
    process.ask("bind", 30, scenario=asdict(scenario))
    first, *others = drawn.params["transaction"]
    second = next(one for one in others if one["value"] != first["value"])
    process.ask("check", 30, params=[first])
    tables = referee.compared(scenario)
    before = referee.state(clone, tables)
    there = {**second, "key": first["key"], "row": first["row"]}  # changes the row, and is then refused
    told = process.ask("load", 60, params=[there] * 60, clients=20)
    assert (told["done"], sum(told["errors"].values())) == (60, 60)
    assert all("UNIQUE" in error.upper() for error in told["errors"]), told["errors"]
    assert referee.state(clone, tables) == before
    assert sessions(referee, clone) <= POOL
    process.ask("check", 30, params=[{**second, "key": first["key"]}])
    assert referee.restore(clone, scenario) == 2


def test_reads_go_beside_each_other(field, opened):
    (referee, derived, drawn), (clone, process) = field, opened
    process.ask("bind", 30, scenario=asdict(derived.scenarios["nested_include"]))
    given = list(drawn.params["nested_include"])
    told = process.ask("load", 60, params=given * 4, clients=20)
    assert (told["errors"], told["done"]) == ({}, 4 * len(given))
    assert 1 < sessions(referee, clone) <= POOL
