import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from dbplan.plan import Plan
from dbplan.sandbox import cluster, postgresql, sandbox


@pytest.fixture
def plan():
    metadata = sa.MetaData()
    users = sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.Text))
    sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.ForeignKey(users.c.id), nullable=False),
    )
    return Plan("Shop & Co", metadata)


@pytest.fixture(params=["postgresql", "sqlite"])
def on(request):
    return request.param


@pytest.fixture
def directory():
    """A short path that every account may pass, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="dbplan-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def initialised():
    """A home with a fresh data directory, for others to copy."""
    directory = Path(tempfile.mkdtemp(prefix="dbplan-test-"))
    directory.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBPLAN_HOME", str(directory / "home"))
        cluster.here().prepare()
    yield directory / "home"
    shutil.rmtree(directory)


@pytest.fixture
def empty_home(directory, monkeypatch):
    """A home of this test alone, not there yet, whose server must be gone at the end."""
    home = directory / "home"
    monkeypatch.setenv("DBPLAN_HOME", str(home))
    yield home
    postgresql.stop()
    assert cluster.here().processes() == []


@pytest.fixture
def own_home(empty_home, initialised):
    """A home of this test alone whose data directory is made already."""
    subprocess.run(["cp", "-a", initialised, empty_home], check=True)
    return empty_home


@pytest.fixture
def works(plan):
    """Run a sandbox from beginning to end."""

    def run():
        with sandbox(plan) as stage, stage.engine.connect() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM users").scalar() == 0

    return run


@pytest.fixture
def until():
    """Wait for something to come to pass."""

    def wait(condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.02)

    return wait


@pytest.fixture
def hold_a_sandbox(python):
    """Start a process that holds a sandbox until its input ends; give it and the name of its database."""

    def hold():
        child = python("""
            with sandbox(plan) as stage:
                print(sa.make_url(stage.url).database, flush=True)
                sys.stdin.read()
        """)
        name = child.stdout.readline().strip()
        assert name, child.stderr.read()
        return child, name

    return hold


@pytest.fixture
def python():
    """Start a Python that runs the given lines; all are killed at the end."""
    running = []

    def run(lines, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PRELUDE) + textwrap.dedent(lines)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


PRELUDE = """
import sys, sqlalchemy as sa
from dbplan.plan import Plan
from dbplan.sandbox import sandbox, postgresql
plan = Plan("child", sa.MetaData())
"""
