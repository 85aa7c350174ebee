"""Django's asynchronous interface: calls run beside each other on threads, and nothing is lost or left behind."""

from contextlib import closing
from dataclasses import asdict
from time import monotonic, sleep

import pytest
from orms import arena as arenas
from orms.arena import arena, command, state
from orms.files import files
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, select, text

from dbplan import read
from dbplan.orms.adapters.django_async import DETOUR
from dbplan.orms.calls import of_one_row
from dbplan.orms.contestants import CONTESTANTS, contestants_on
from dbplan.orms.process import Process
from dbplan.orms.referee import Entrant
from dbplan.plan import Plan

NAME = "django-async"
ONE = CONTESTANTS[NAME]
SESSIONS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")


@pytest.fixture(scope="module", autouse=True)
def many():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(arenas.CALLS, "transaction", 60)
        yield


@pytest.fixture(scope="module")
def field(many, tmp_path_factory):
    with arena(read("store"), tmp_path_factory.mktemp("models"), rows=400) as opened:
        yield opened


@pytest.fixture
def process(field):
    with field.stage.clone() as copy, closing(Process(command(ONE))) as found:
        found.ask("open", 60, study=field.study(copy, ONE))
        yield copy, found
        copy.engine.dispose()


def sessions(stage):
    with stage.engine.connect() as connection:
        return connection.scalar(SESSIONS)


def test_no_write_of_twenty_tasks_is_lost_and_no_connection_is_left(field, process):
    copy, found = process
    scenario = field.derived.scenarios["transaction"]
    target = copy.plan.metadata.tables[scenario.insert.table]
    with copy.engine.connect() as connection:
        before = len(connection.execute(select(target)).all())
    given = of_one_row(field.params["transaction"])
    assert len(given) == 60
    assert found.ask("bind", 30, scenario=asdict(scenario)) == {"ok": True, "note": DETOUR}
    told = found.ask("load", 60, params=given, clients=20)
    with copy.engine.connect() as connection:
        written = len(connection.execute(select(target)).all()) - before
    assert (told["errors"], told["done"], written) == ({}, len(given), len(given))
    assert 1 <= sessions(copy) <= 10
    found.close()
    until = monotonic() + 5
    while sessions(copy) and monotonic() < until:
        sleep(0.05)  # the server takes its time to see that they have gone
    assert sessions(copy) == 0


def test_twenty_tasks_read_beside_each_other_on_ten_connections_whatever_fails(field, process):
    copy, found = process
    found.ask("bind", 30, scenario=asdict(field.derived.scenarios["point_read"]))
    given = list(field.params["point_read"])
    told = found.ask("load", 60, params=given * 50, clients=20)
    assert (told["errors"], told["done"]) == ({}, 50 * len(given))
    assert 1 < sessions(copy) <= 10
    scenario = field.derived.scenarios["insert_one"]
    found.ask("bind", 30, scenario=asdict(scenario))
    before, row = state(copy, scenario), field.params["insert_one"][0]
    told = found.ask("load", 60, params=[row] * 60, clients=20)
    assert sum(told["errors"].values()) == 59, "one is inserted, and those that are refused give their connections back"
    assert state(copy, scenario) != before


def test_what_is_deleted_by_one_method_needs_no_detour(field, process):
    _, found = process
    scenario = asdict(field.derived.scenarios["delete_cascade"])
    by_database = [{**link, "by_database": True, "children": None} for link in scenario["cascade"]]
    by_hand = [{**link, "by_database": False} for link in by_database]
    assert found.ask("bind", 30, scenario={**scenario, "cascade": by_database}) == {"ok": True}
    assert found.ask("bind", 30, scenario={**scenario, "cascade": by_hand}) == {"ok": True, "note": DETOUR}


def test_what_goes_before_a_row_goes_in_one_transaction(tmp_path):
    metadata = MetaData()
    Table("crew", metadata, Column("id", Integer, primary_key=True), Column("name", String(20)))
    Table("oar", metadata, Column("id", Integer, primary_key=True), Column("crew", ForeignKey("crew.id")))
    with arena(Plan("boats", metadata), tmp_path, rows=40) as opened:
        truth = opened.answers("psycopg", ["delete_cascade"])
        assert "results" in truth["delete_cascade"]
        assert opened.answers(NAME, ["delete_cascade"]) == truth


def test_twenty_tasks_write_to_one_file_and_none_is_lost(tmp_path):
    contestant = contestants_on("sqlite")[NAME]
    with files(read("store"), tmp_path, rows=400) as opened:
        scenario = opened.derived.scenarios["transaction"]
        entrant = Entrant(contestant, tuple(command(contestant)), str(opened.models(contestant)))
        with opened.referee.clone(entrant) as clone, closing(Process(entrant.command)) as process:
            process.ask("open", 60, study=opened.referee.study(entrant, clone))
            process.ask("bind", 30, scenario=asdict(scenario))
            given = of_one_row(opened.params["transaction"])
            told = process.ask("load", 60, params=given, clients=20)
            assert (told["errors"], told["done"]) == ({}, len(given))
            assert opened.referee.restore(clone, scenario) == len(given)
            alone = clone.connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            assert alone == ("delete",), "a file that somebody else has open stays in WAL mode"
