"""After every kill and every fault the next run works, and nothing stays for good."""

import os
import signal
from pathlib import Path

import pytest

from dbplan.errors import SandboxError
from dbplan.sandbox import cluster, locks, postgresql


def keeper_pid():
    """The parent of the server."""
    status = Path(f"/proc/{cluster.here().postmaster()}/stat").read_text()
    return int(status.rsplit(")", 1)[1].split()[1])


def test_a_killed_client_leaves_a_database_that_the_next_one_drops(own_home, works, hold_a_sandbox, until):
    child, name = hold_a_sandbox()
    assert works()
    assert name in postgresql.status().databases
    child.kill()
    child.wait()

    def swept():
        assert works()
        return postgresql.status().databases == ()

    until(swept)


def test_a_terminated_client_is_swept_by_the_idle_server(own_home, monkeypatch, hold_a_sandbox, until):
    monkeypatch.setenv("DBPLAN_IDLE_SECONDS", "1")
    child, _ = hold_a_sandbox()
    child.terminate()
    child.wait()
    until(lambda: not postgresql.status().running)
    monkeypatch.delenv("DBPLAN_IDLE_SECONDS")
    postgresql.start()
    assert postgresql.status().databases == ()


def test_interrupted_clients_clean_up_after_themselves(own_home, hold_a_sandbox):
    child, _ = hold_a_sandbox()
    child.send_signal(signal.SIGINT)
    child.communicate()
    assert postgresql.status().databases == ()


@pytest.mark.parametrize("victims", [["server"], ["keeper"], ["server", "keeper"], ["keeper", "server"]])
def test_after_a_kill_the_next_run_works(own_home, victims, works, hold_a_sandbox, until):
    child, name = hold_a_sandbox()
    pids = {"server": cluster.here().postmaster(), "keeper": keeper_pid()}
    for victim in victims:
        os.kill(pids[victim], signal.SIGKILL)
    until(lambda: all(not Path(f"/proc/{pids[victim]}/cwd").exists() for victim in victims))
    assert works()
    assert cluster.here().postmaster() not in (None, pids["server"])
    child.communicate("")
    assert works()
    assert name not in postgresql.status().databases


def test_a_killed_keeper_takes_its_server_along(own_home, until):
    postgresql.start()
    os.kill(keeper_pid(), signal.SIGKILL)
    until(lambda: cluster.here().processes() == [])


def test_a_server_whose_keeper_died_gets_a_new_one(own_home, monkeypatch, works):
    # As where the kernel does not tell a child of its parent's death: the server lives on.
    here = cluster.here()
    here.prepare()
    with here.log.open("wb") as log:
        monkeypatch.setattr(cluster, "die_with_parent", lambda: None)
        orphan = here.launch(log)
    assert works()
    assert here.postmaster() == orphan.pid
    assert not locks.is_free(here.keeper_lock)
    assert postgresql.stop()
    assert orphan.wait() == 0


def test_a_lock_file_of_a_process_that_is_no_server_does_not_block(own_home, works):
    postgresql.start()
    postgresql.stop()
    pid_file = cluster.here().data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{cluster.here().data}\n1\n5432\n\n\n")
    assert works()


def test_a_broken_data_directory_is_one_clear_line_with_its_log(own_home, works):
    postgresql.start()
    postgresql.stop()
    (cluster.here().data / "global" / "pg_control").unlink()
    with pytest.raises(SandboxError, match=r"pg_control.*server\.log"):
        works()


def test_a_failing_initdb_is_one_clear_line_and_is_tried_again(empty_home, monkeypatch, works):
    def broken(_):
        return Path("/bin/false")

    with monkeypatch.context() as patch:
        patch.setattr(cluster, "server_program", broken)
        with pytest.raises(SandboxError, match="initdb failed"):
            works()
    assert [path for path in cluster.here().root.iterdir() if path.is_dir() and path.name != "run"] == []
    assert works()


@pytest.mark.parametrize(("log", "reason"), [
    ("", "it said nothing"),
    ("LOG:  a\nFATAL:  the database system is starting up\nFATAL:  b\nFATAL:  c\n", "FATAL:  b"),
    ("PANIC:  No space left on device\nPANIC:  b", "PANIC:  No space left on device; free some space there"),
    ("initdb: error: no user 1234\nmore", "initdb: error: no user 1234"),
    ("one\n\ntwo\n", "two"),
])  # fmt: skip
def test_the_telling_line_of_a_log_is_found(log, reason):
    assert cluster.reason(log) == reason
