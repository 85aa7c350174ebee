"""The embedded server's life: one for all processes, gone when idle, by TCP only when asked."""

import socket
import stat
import time

import psycopg
import pytest

from dbplan.errors import SandboxError, UsageError
from dbplan.sandbox import cluster, locks, postgresql


def test_start_twice_stop_twice(own_home):
    first = postgresql.start()
    assert postgresql.start() == first == postgresql.url()
    assert postgresql.status().running
    assert postgresql.stop()
    assert not postgresql.stop()
    assert not postgresql.status().running
    with pytest.raises(SandboxError, match="dbplan db start"):
        postgresql.url()
    assert cluster.here().processes() == []


def test_two_processes_at_once_share_one_server(own_home, python):
    children = [python("with sandbox(plan) as s: print(postgresql.connect().execute('SELECT pg_postmaster_start_time()').fetchone()[0], flush=True); sys.stdin.read()") for _ in range(3)]  # noqa: E501  # fmt: skip
    starts = {child.stdout.readline() for child in children}
    assert len(starts) == 1
    assert starts != {""}
    for child in children:
        _, errors = child.communicate("")
        assert (child.returncode, errors) == (0, "")
    assert postgresql.status().databases == ()


def test_an_idle_server_ends_by_itself_and_a_used_one_does_not(own_home, monkeypatch, until):
    monkeypatch.setenv("DBPLAN_IDLE_SECONDS", "1")
    with postgresql.connect() as connection:
        time.sleep(2.5)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    until(lambda: cluster.here().processes() == [] and locks.is_free(cluster.here().keeper_lock), seconds=10)


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "inf", "nan"])
def test_an_idle_time_that_is_none_is_refused(own_home, monkeypatch, seconds):
    monkeypatch.setenv("DBPLAN_IDLE_SECONDS", seconds)
    with pytest.raises(UsageError, match=f'DBPLAN_IDLE_SECONDS is "{seconds}"'):
        postgresql.start()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_tcp_is_closed_unless_asked_and_asks_for_a_password(own_home):
    with postgresql.connect() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert "host=" in postgresql.url()
    port = free_port()
    url = postgresql.start(port)
    assert f"@127.0.0.1:{port}/postgres?passfile=" in url
    passfile = cluster.here().passfile
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
    password = passfile.read_text().strip().rsplit(":", 1)[1]
    assert password not in url
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        with pytest.raises(SandboxError, match="1 open sessions"):
            postgresql.start(free_port())
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user="dbplan", dbname="postgres", password="guess")
    postgresql.stop()
    postgresql.start()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_port_in_use_is_one_clear_line(own_home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SandboxError, match=r"does not start: .*; the server's log is") as caught:
            postgresql.start(taken.getsockname()[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", [0, 80, 70000])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(UsageError, match="1024 to 65535"):
        postgresql.start(port)


def test_environment_variables_of_libpq_do_not_lead_elsewhere(own_home, monkeypatch):
    for name, value in {"PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGDATA": "/nowhere", "PGDATABASE": "x"}.items():
        monkeypatch.setenv(name, value)
    assert postgresql.start()
    assert postgresql.status().running
