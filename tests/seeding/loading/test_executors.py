"""Executors: the same bytes and rows whatever performs the tasks; ends of workers are said, and nothing stays behind."""

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

import pytest
import sqlalchemy as sa

from dbplan import read
from dbplan.domains import PLANS
from dbplan.encryption import EncryptionError
from dbplan.errors import ConnectionFailed, NotCovered, Unsatisfiable, UsageError, WorkerLost
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed, seed_files
from dbplan.seeding.loading import workers as opened
from dbplan.seeding.loading.blueprint import blueprint, fingerprint
from dbplan.seeding.loading.executors import scattered
from dbplan.seeding.loading.files import layout
from dbplan.seeding.loading.sending import pickled
from dbplan.seeding.loading.tasks import Task, tasks
from dbplan.seeding.run import prepare

ROWS = 300


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as made:
        yield made.scheduler_address


@pytest.fixture(scope="module")
def pool():
    with opened.processes(2) as made:
        yield made


@pytest.fixture
def small(monkeypatch):
    """Files of few rows, so that there are many."""
    monkeypatch.setattr(layout, "PART", 70)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", ["transcription", "credits"])
def test_all_executors_write_the_same_bytes(name, small, pool, cluster, tmp_path):
    plan = read(name)
    seed_files(tmp_path / "serial", plan, format="jsonl", rows=ROWS)
    with ThreadPoolExecutor(2) as threads:
        seed_files(tmp_path / "threads", plan, format="jsonl", rows=ROWS, executor=threads)
    seed_files(tmp_path / "processes", plan, format="jsonl", rows=ROWS, executor=pool)
    seed_files(tmp_path / "dask", plan, format="jsonl", rows=ROWS, dask=cluster)
    wanted = contents(tmp_path / "serial")
    assert len(wanted) > 8
    for other in ("threads", "processes", "dask"):
        assert contents(tmp_path / other) == wanted


@pytest.mark.parametrize("form", ["parquet", "csv", "sql"])
def test_every_format_is_the_same_from_processes(form, small, pool, tmp_path):
    plan = read("credits")
    seed_files(tmp_path / "serial", plan, format=form, rows=ROWS)
    seed_files(tmp_path / "processes", plan, format=form, rows=ROWS, executor=pool)
    assert contents(tmp_path / "serial") == contents(tmp_path / "processes")


def digests(engine, plan):
    with engine.connect() as connection:
        name = connection.dialect.identifier_preparer.format_table
        return {
            t.key: connection.exec_driver_sql(
                f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name(t)} t"
            ).scalar()
            for t in plan.tables
        }


def test_a_database_is_filled_with_the_same_rows(pool, cluster):
    plan, found = read("credits"), []
    for options in ({}, {"executor": pool}, {"dask": cluster}):
        with sandbox(plan) as stage:
            seed(stage, rows=ROWS, **options)
            found.append(digests(stage.engine, plan))
    assert found[0] == found[1] == found[2]


MODULE = '''
    import enum
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class Mood(enum.Enum):
        GOOD = "good"
        BAD = "bad"

    class Shout(sa.TypeDecorator):
        impl = sa.Text
        cache_ok = True
        suffix = "!"
        def process_bind_param(self, value, dialect):
            return None if value is None else value.upper() + self.suffix

    class Pet(Base):
        __tablename__ = "pet"
        id: Mapped[int] = mapped_column(primary_key=True)
        mood: Mapped[Mood] = mapped_column(sa.Enum(Mood, values_callable=lambda kind: [m.value for m in kind]))
        called: Mapped[str] = mapped_column(Shout, default=lambda: "nobody")
        tags: Mapped[dict] = mapped_column(sa.JSON, default=dict)
'''


def test_models_of_a_file_go_to_workers_that_cannot_import_it(cluster, pool, tmp_path, monkeypatch):
    (tmp_path / "secret").mkdir()
    path = tmp_path / "secret" / "pets_of_nobody_else.py"
    path.write_text(textwrap.dedent(MODULE))
    plan = read(str(path))
    path.unlink()
    seed_files(tmp_path / "serial", plan, format="csv", rows=20)
    for name, options in {"dask": {"dask": cluster}, "processes": {"executor": pool}}.items():
        seed_files(tmp_path / name, plan, format="csv", rows=20, **options)
        assert contents(tmp_path / name) == contents(tmp_path / "serial")
    assert "!" in (tmp_path / "serial" / "pet.csv").read_text()


def _fingerprint(data):
    return fingerprint(pickle.loads(data).world())


@pytest.mark.parametrize("name", PLANS)
def test_a_blueprint_builds_the_same_world_elsewhere(name, pool):
    made, _ = prepare(read(name), 60, 7)
    data = pickled(blueprint(made), name)
    assert pool.submit(_fingerprint, data).result() == fingerprint(made)
    assert fingerprint(prepare(read(name), 60, 8)[0]) != fingerprint(made)
