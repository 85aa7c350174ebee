"""Executors: the same bytes and rows whatever performs the tasks; ends of workers are said, nothing stays behind."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from dbplan import read
from dbplan.encryption import EncryptionError
from dbplan.errors import ConnectionFailed, NotCovered, UnknownName, Unsatisfiable, UsageError, WorkerLost
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed, seed_files
from dbplan.seeding.loading import workers as opened
from dbplan.seeding.loading.blueprint import blueprint, fingerprint, key_name
from dbplan.seeding.loading.executors import scattered
from dbplan.seeding.loading.files import layout
from dbplan.seeding.loading.sending import pickled
from dbplan.seeding.loading.tasks import tasks
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


def test_all_executors_write_the_same_bytes(small, pool, cluster, tmp_path):
    plan = read("credits")
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
    with sandbox(plan) as stage:
        for options in ({}, {"executor": pool}, {"dask": cluster}):
            seed(stage, rows=ROWS, truncate=True, **options)
            found.append(digests(stage.engine, plan))
    assert found[0] == found[1] == found[2]


MODULE = """
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
"""


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


@pytest.mark.parametrize("name", ["store", "wallet"])
def test_a_blueprint_builds_the_same_world_elsewhere(name, pool):
    there, _ = prepare(read(name), 60, 7)
    data = pickled(blueprint(there), name)
    assert pool.submit(_fingerprint, data).result() == fingerprint(there)


def test_another_random_state_makes_another_world(made):
    assert fingerprint(prepare(read("credits"), 60, 8)[0]) != fingerprint(made)


def _unsatisfiable(_made, _target, task):
    if task.start >= 20:
        raise Unsatisfiable("no value is left")


def _unknown(_made, _target, _task):
    raise UnknownName("table", "usr", ["users"])


def _broken(_made, _target, _task):
    return {}["nothing"]


def _killed(_made, _target, _task):
    os.kill(os.getpid(), signal.SIGKILL)


def _key(_made, _target, _task):
    return key_name()


@pytest.fixture(scope="module")
def made():
    return prepare(read("credits"), 60, 7)[0]


def scattering(made, executor, perform, waits=None, size=20):
    work = tasks(made, ["users", "transactions"], size)
    return list(scattered(executor, perform, blueprint(made), None, work, waits))


def test_an_error_of_a_worker_comes_home_with_its_table_and_rows(made, pool):
    with pytest.raises(Unsatisfiable, match=r"no value is left \(rows \d1 to \d+ of transactions\)"):
        scattering(made, pool, _unsatisfiable)
    with pytest.raises(
        UsageError, match=r'no table "usr"; tables are: users; did you mean .* \(rows \d+ to \d+ of \w+\)'
    ):
        scattering(made, pool, _unknown)
    with pytest.raises(RuntimeError, match=r"KeyError: 'nothing' \(rows \d+ to \d+ of \w+\)") as caught:
        scattering(made, pool, _broken)
    assert "_broken" in caught.value.__notes__[0]
    assert scattering(made, pool, _key), "the workers are still there"


def test_a_killed_worker_is_said_and_so_is_what_to_do(made):
    with opened.processes(1) as own, pytest.raises(WorkerLost, match="a worker is gone.*run the same command again"):
        scattering(made, own, _killed)


def _killed_once(_made, target, task):
    if task.start == 0 and not Path(target).exists():
        Path(target).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return task.rows


def test_dask_gives_the_work_of_a_killed_worker_to_another(made, cluster, tmp_path):
    work = tasks(made, ["transactions"], 20)
    with opened.cluster(cluster) as executor:
        done = list(scattered(executor, _killed_once, blueprint(made), str(tmp_path / "once"), work))
    assert (tmp_path / "once").exists()
    assert sorted(task.start for task, _ in done) == [task.start for task in work]


def test_a_worker_with_another_key_seals_nothing(made, pool):
    other = replace(blueprint(made), key="0" * 8)
    with pytest.raises(EncryptionError, match="seals secrets with key .*, the run with key 00000000; set DBPLAN_"):
        list(scattered(pool, _key, other, None, tasks(made, ["users"], 9)))


def _noted(_made, target, task):
    for event in ("begins", "ends"):
        with Path(target).open("a") as out:
            out.write(f"{event} {task.table}\n")
        time.sleep(0.005)


def test_tasks_of_a_table_begin_when_those_it_waits_for_are_done(made, pool, tmp_path):
    work = tasks(made, ["transactions", "users"], 5)
    waits = {"transactions": {"users", "transactions"}, "users": {"nobody"}}
    done = list(scattered(pool, _noted, blueprint(made), str(tmp_path / "events"), work, waits))
    events = (tmp_path / "events").read_text().splitlines()
    assert len(done) == len(work) == len(events) / 2
    assert sorted(task.start for task, _ in done if task.table == "transactions") == list(range(0, 50, 5))
    assert events.index("begins transactions") == 2 * sum(task.table == "users" for task in work)


@pytest.mark.parametrize(
    ("options", "fault", "said"),
    [
        ({"workers": 0}, UsageError, "0 workers; it takes 1 or more"),
        ({"workers": 2, "dask": "tcp://127.0.0.1:1"}, UsageError, "workers and dask are several ways"),
        ({"dask": "nowhere"}, ConnectionFailed, "no Dask scheduler answers at nowhere"),
        ({"dask": "tcp://127.0.0.1:1"}, ConnectionFailed, "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ],
)
def test_workers_that_cannot_be_had(options, fault, said, tmp_path, monkeypatch):
    monkeypatch.setattr(opened, "PATIENCE", 1)
    with pytest.raises(fault, match=said):
        seed_files(tmp_path, read("credits"), format="csv", rows=9, **options)
    assert not any(tmp_path.iterdir())


def test_dask_that_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NotCovered, match=r'pip install "dbplan\[distributed\]"'):
        seed_files(tmp_path, read("credits"), format="csv", rows=9, dask="tcp://127.0.0.1:1")


def test_a_plan_that_cannot_be_sent_says_so(pool, tmp_path):
    metadata = sa.MetaData()
    lock = threading.Lock()
    column = sa.Column("id", sa.Integer, primary_key=True, info={"lock": lock})
    plan = Plan(name="locked", metadata=sa.Table("one", metadata, column).metadata)
    with pytest.raises(
        NotCovered, match='plan "locked" cannot be sent to workers: cannot pickle.*; run it without them'
    ):
        seed_files(tmp_path, plan, format="csv", rows=9, executor=pool)


MARK = "DBPLAN_TEST_MARK"


def processes_of(mark):
    """Return the processes that have a mark in their environment, but for those that are over."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            marked = f"{MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0")
            over = (place / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        found += [int(place.name)] if marked and not over else []
    return found


def until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


SCRIPT = """
    import signal
    import sys
    import time
    from dbplan import read
    from dbplan.seeding import seed_files
    from dbplan.seeding.loading import executors
    from dbplan.seeding.loading.files import layout

    def slowly(done, total, path):
        time.sleep(0.1)

    if __name__ == "__main__":
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
        layout.PART, executors.AHEAD = 75, 4
        seed_files(sys.argv[1], read("credits"), format="jsonl", rows=3_000, workers=2, progress=slowly)
"""


def started(tmp_path, folder, mark):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(folder)]
    return subprocess.Popen(command, env=os.environ | {MARK: mark}, start_new_session=True, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of the run that is ended, written at one go."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "PART", 75)
        seed_files(folder, read("credits"), format="jsonl", rows=3_000)
        return contents(folder)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_an_ended_run_leaves_no_process_and_goes_on_where_it_was(ending, whole, tmp_path, monkeypatch):
    folder, mark = tmp_path / "files", f"{os.getpid()}-{ending}"
    running = started(tmp_path, folder, mark)
    assert until(lambda: len(list(folder.rglob("*.jsonl"))) > 8)
    os.killpg(running.pid, ending) if ending == signal.SIGINT else running.kill()
    running.communicate()
    assert until(lambda: not processes_of(mark)), "workers go with their parent"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jsonl")}
    assert 8 < len(before) < len(whole) - 1, "it was ended half-way"
    monkeypatch.setattr(layout, "PART", 75)
    seed_files(folder, read("credits"), format="jsonl", rows=3_000)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert contents(folder) == whole
