"""Pinning: where threads run while calls are timed, and afterwards."""

import errno
import os
import sys
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import psycopg
import pytest

from dbplan import read, sandbox
from dbplan.orms import referee as referee_module
from dbplan.orms.counting import meter
from dbplan.orms.pinning import is_called, one_core
from dbplan.orms.referee import Entrant, Referee

THREADS = """
import os, sys, threading
stop = threading.Event()
for _ in range(2):
    threading.Thread(target=stop.wait).start()
print("there", flush=True)
sys.stdin.read()
stop.set()
"""


@pytest.fixture
def process():
    with Popen([sys.executable, "-c", THREADS], stdin=PIPE, stdout=PIPE) as found:
        assert found.stdout.readline() == b"there\n"
        yield found.pid
        found.stdin.close()


def cores(process):
    return [os.sched_getaffinity(int(thread.name)) for thread in Path(f"/proc/{process}/task").iterdir()]


def test_all_threads_are_on_one_core_and_go_back(process):
    before = cores(process)
    with one_core([process]) as pinned:
        assert pinned
        assert len(before) == 3
        assert cores(process) == [{max(os.sched_getaffinity(0))}] * 3
    assert cores(process) == before


def test_a_process_that_is_gone_is_nobodys_trouble(process):
    with Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with one_core([gone.pid, process]) as pinned:
        assert pinned
    assert set(map(frozenset, cores(process))) == {frozenset(os.sched_getaffinity(0))}


@pytest.mark.parametrize("error", [PermissionError(), OSError(errno.EINVAL, "kept to other cores")])
def test_nobody_is_pinned_where_one_of_them_may_not_be(process, monkeypatch, error):
    before, pin, asked = cores(process), os.sched_setaffinity, []

    def refuse(thread, cores):
        asked.append(thread)
        if len(asked) == 2:
            raise error
        pin(thread, cores)

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with one_core([process]) as pinned:
        assert not pinned
        assert cores(process) == before


def test_systems_that_pin_nothing_go_on(process, monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity")
    with one_core([process]) as pinned:
        assert not pinned


def test_sessions_are_those_of_the_contestants_own_database_and_unknown_of_another_machine(monkeypatch):
    with sandbox(read("wallet")) as stage, meter("postgresql") as counts:
        referee = Referee(stage, counts, {})
        with referee.clone(Entrant(None, ())) as clone, referee.clone(Entrant(None, ())) as other:
            assert referee.sessions(clone) == []
            info = clone.connection.info
            with closing(psycopg.connect(info.dsn, password=info.password or None)) as session:
                assert referee.sessions(clone) == [session.info.backend_pid]
                assert referee.sessions(other) == []
                assert not is_called(os.getpid(), clone.name)
                monkeypatch.setattr(referee_module, "is_called", lambda _process, _name: False)
                assert referee.sessions(clone) is None
                assert referee.sessions(other) == []
            referee.drop([clone, other])
