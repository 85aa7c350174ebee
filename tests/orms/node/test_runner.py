"""The process of a contestant on Node: answers are data, and nothing else stands on its output."""

import shutil
import time
from pathlib import Path

import pytest

from dbplan.orms.installing import SOURCES, node_program
from dbplan.orms.process import Fault, Process

COLUMNS = {"id": {"kind": "int"}, "name": {"kind": "text"}, "wait": {"kind": "int"}}
STUDY = {
    "name": "made", "dialect": "postgresql", "models": "/nowhere", "pool": 2,
    "url": {"host": "h", "port": 1, "user": "u", "password": None, "database": "d"},
    "tables": {"t": {"name": "t", "schema": None, "key": ["id"], "columns": COLUMNS}},
}  # fmt: skip
UPDATE = {"update": "wait", "columns": ["id", "name"]}


def scenario(name, **more):
    return {"name": name, "table": "t", "columns": ["id", "name"], "cascade": [], "insert": None, **more}


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Return the runner beside an adapter without a database."""
    folder = tmp_path_factory.mktemp("runner")
    for file in SOURCES.glob("*.mjs"):
        shutil.copy(file, folder)
    (folder / "adapters").mkdir()
    shutil.copy(Path(__file__).parent / "fake.mjs", folder / "adapters")
    return folder / "runner.mjs"


@pytest.fixture
def process(script):
    started = Process([str(node_program().program), str(script), "fake"])
    yield started
    started.close()


@pytest.fixture
def opened(process):
    process.ask("open", 20, study=STUDY)
    return process


def test_open_says_versions_times_and_memory(process):
    told = process.ask("open", 20, study=STUDY)
    assert (told["version"], told["driver"]) == ("1.0", "none")
    assert told["import_ms"] > 0
    assert told["open_ms"] >= 0
    assert told["first_ms"] >= 0
    assert 10_000 < told["rss_kb"] < 1_000_000


def test_models_are_prepared_without_a_connection(process):
    assert process.ask("prepare", 20, study={"models": "/nowhere"}) == {"ok": True}


def test_what_adapters_print_is_not_in_the_way(opened):
    opened.ask("bind", 5, scenario=scenario("point_read"))
    results = opened.ask("check", 5, params=[{"key": {"id": str(2**60)}}, {"key": {"id": 404}}])["results"]
    assert results == [{"id": str(2**60), "name": "x"}, None]


def test_a_note_of_the_binding_is_told(opened):
    assert opened.ask("bind", 5, scenario=scenario("json_filter", filter="name")) == {"ok": True, "note": "raw SQL"}
    assert opened.ask("check", 5, params=[{"value": "plain text"}])["results"] == [[{"id": 1, "name": "plain text"}]]


def test_what_cannot_be_expressed_is_said(opened):
    assert opened.ask("bind", 5, scenario=scenario("upsert")) == {"not_covered": "it has no upsert"}
    assert opened.ask("bind", 5, scenario=scenario("aggregate")) == {"not_covered": "fake has nothing for aggregate"}


def test_errors_are_data_and_the_process_goes_on(opened):
    opened.ask("bind", 5, scenario=scenario("point_read"))
    with pytest.raises(Fault, match=r"Error: unlucky; because: 13 was asked for \(fake\.mjs:\d+ .*point_read\)"):
        opened.ask("check", 5, params=[{"key": {"id": 13}}])
    assert len(opened.ask("time", 5, params=[{"key": {"id": 1}}] * 3)["ns"]) == 3


def test_a_password_is_not_shown(process):
    study = STUDY | {"url": STUDY["url"] | {"password": "wrong"}}
    with pytest.raises(Fault, match=r"password \*\*\* is refused"):
        process.ask("open", 20, study=study)


def test_times_are_those_of_each_call(opened):
    opened.ask("bind", 5, scenario=scenario("update_one", **UPDATE))
    short, long = opened.ask("time", 5, params=[{"key": {"id": 1}, "value": wait} for wait in (1, 60)])["ns"]
    assert short < 40e6 < long


def test_clients_work_side_by_side(opened):
    opened.ask("bind", 5, scenario=scenario("update_one", **UPDATE))
    params = [{"key": {"id": 1}, "value": 100}] * 20
    told = opened.ask("load", 10, params=params, clients=20)
    assert told["done"] == len(told["ns"]) == 20
    assert told["seconds"] < 1.0
    assert told["errors"] == {}
    assert "late" not in told


def test_errors_under_load_are_counted(opened):
    opened.ask("bind", 5, scenario=scenario("point_read"))
    told = opened.ask("load", 10, params=[{"key": {"id": 13}}, {"key": {"id": 1}}] * 5, clients=2)
    assert told["errors"] == {"Error: unlucky; because: 13 was asked for": 5}
    assert told["done"] == 10


def test_an_open_loop_counts_from_when_calls_were_due(opened):
    """One client, 50 ms a call, 100 calls a second: the calls come late, and their waiting counts."""
    opened.ask("bind", 5, scenario=scenario("update_one", **UPDATE))
    told = opened.ask("load", 10, params=[{"key": {"id": 1}, "value": 50}], clients=1, seconds=0.5, rate=100)
    assert told["ns"] == sorted(told["ns"])
    assert told["ns"][-1] > 200e6
    assert told["late"] >= told["done"] - 2
    assert told["done"] + told["skipped"] == 50


def test_a_violation_is_told_through_its_causes(opened):
    opened.ask("bind", 5, scenario=scenario("insert_one"))
    told = opened.ask("violate", 5, params=[{"row": {"id": 1}}])
    assert told == {
        "raised": True, "type": "Error", "message": "duplicate key; because: violates",
        "code": "23505", "constraint": "pk", "columns": None,
    }  # fmt: skip
    assert opened.ask("violate", 5, params=[{"row": {"id": 0}}]) == {"raised": False}


def test_it_ends_when_its_input_does(script):
    process = Process([str(node_program().program), str(script), "fake"])
    assert process.ask("close", 20) == {"ok": True}
    time.sleep(0.5)
    with pytest.raises(Fault, match="crashed: ended with code 0"):
        process.ask("close", 5)
    process.kill()


def test_an_unknown_adapter_is_an_error(script):
    process = Process([str(node_program().program), str(script), "none"])
    with pytest.raises(Fault, match="Cannot find module"):
        process.ask("open", 20, study=STUDY)
    process.close()
