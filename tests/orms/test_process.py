"""A contestant's process answers in time, or it is killed and the reason told."""

import sys
import time
from pathlib import Path

import pytest

from dbplan.orms.process import Fault, Process

ECHO = "import sys, json\nfor line in sys.stdin:\n    ask = json.loads(line)\n"


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(body, **more):
        started.append(Process([sys.executable, "-c", ECHO + "".join(f"    {line}\n" for line in body)], **more))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def fault(process, do="check", within=20.0, **given):
    with pytest.raises(Fault) as found:
        process.ask(do, within, **given)
    return found.value


def test_it_answers_lines_longer_than_a_pipe_holds(start):
    process = start(["print(json.dumps({'got': ask['params']}), flush=True)"])
    params = ["é" * 1000] * 1000
    assert process.ask("check", 20, params=params) == {"got": params}
    assert process.ask("check", 20, params=[1]) == {"got": [1]}


def test_an_error_is_told_and_it_goes_on(start):
    error = "{'error': {'type': 'KeyError', 'message': 'postgresql://a:secret@b/c', 'where': 'x.py:1 f'}}"
    process = start([f"print(json.dumps({error} if ask['do'] == 'check' else {{'ok': True}}), flush=True)"])
    found = fault(process)
    assert (found.what, found.reason) == ("failed", "KeyError: postgresql://a:***@b/c (x.py:1 f)")
    assert process.ask("bind", 20) == {"ok": True}


def test_a_crash_says_how_it_ended_and_its_last_words(start):
    found = fault(start(["sys.stderr.write('no memory left\\n'); sys.exit(4)"]))
    assert (found.what, found.reason) == ("crashed", "ended with code 4; its last words: no memory left")


def test_a_signal_is_named(start):
    assert fault(start(["import os; os.kill(os.getpid(), 11)"])).reason == "ended by SIGSEGV"


def test_rubbish_on_its_output_is_shown(start):
    found = fault(start(["print('Hello', flush=True)"]))
    assert (found.what, found.reason) == ("printed rubbish", 'it printed "Hello" where an answer is due')


def test_a_hang_is_killed_with_all_that_it_started(start):
    lines = ["import subprocess, time", "child = subprocess.Popen(['sleep', '300'])"]
    lines += ["sys.stderr.write(f'{child.pid}\\n'); sys.stderr.flush()", "time.sleep(300)"]
    process = start(lines)
    began = time.monotonic()
    found = fault(process, within=5.0)
    assert time.monotonic() - began < 15
    assert found.what == "hung"
    child = int(found.reason.rpartition(" ")[2])
    assert found.reason.startswith("no answer to check within 5 s; its last words: ")
    deadline = time.monotonic() + 5
    while (is_alive(child) or is_alive(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)
    assert not is_alive(process.pid)
    assert fault(process).reason == "it has ended already"


def test_one_that_does_not_read_is_a_hang_as_well(tmp_path):
    process = Process([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        assert fault(process, within=2.0, params=["x" * 1000] * 1000).what == "hung"
    finally:
        process.kill()


def test_it_sees_no_variable_that_leads_elsewhere(start, monkeypatch, tmp_path):
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")
    process = start(["import os; print(json.dumps({'env': sorted(os.environ), 'cwd': os.getcwd()}), flush=True)"],
                    environment={"OWN": "1"}, folder=tmp_path)  # fmt: skip
    answer = process.ask("open", 20)
    assert not {"PGHOST", "DATABASE_URL"} & set(answer["env"])
    assert "OWN" in answer["env"]
    assert tmp_path.samefile(answer["cwd"])


def test_its_memory_is_its_own_and_not_its_parents(start):
    process = start(["print(json.dumps({}), flush=True)"])
    process.ask("open", 20)
    assert 2**20 < process.memory() < 60 * 2**20
    process.close()
    assert process.memory() is None
    assert not process.lives


def test_a_contestant_finds_the_modules_of_the_plans_own_types_behind_its_own(monkeypatch, tmp_path, start):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    process = start(["import os", "print(json.dumps({'folders': os.environ['DBPLAN_MODULES'].split(os.pathsep)}))",
                     "sys.stdout.flush()"])  # fmt: skip
    assert process.ask("check", 20)["folders"][0] == str(tmp_path)
