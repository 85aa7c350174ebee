"""Statements: the meter tells what the server's own log tells, exactly."""

import re
import time
from contextlib import closing
from dataclasses import asdict

import pytest
from orms.library import PLAN
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

from dbplan.orms.calls import Calls
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.counting import counted, is_control, meter
from dbplan.orms.gathering import scenarios
from dbplan.orms.installing import Absent, command, installed
from dbplan.orms.preparing import prepare
from dbplan.orms.process import Process
from dbplan.orms.referee import Entrant, Referee
from dbplan.plan import Plan
from dbplan.sandbox import cluster, sandbox
from dbplan.seeding import seed

ENTRY = re.compile(r"^\d{4}-\S+ \S+ UTC \[(\d+)\] LOG:  (statement|execute [^:]*): (.*)$")
LINE = re.compile(r"^\d{4}-\S+ \S+ UTC \[")


@pytest.fixture(scope="module")
def arena():
    with sandbox(PLAN) as stage, meter("postgresql") as counts:
        seed(stage, rows=400)
        derived, drawn = scenarios(stage, 7)
        yield Referee(stage, counts, derived.tables), derived, drawn


def logged(start, pids):
    """The statements of some backends in the server's log from an offset on, control and others apart."""
    found = []
    with cluster.here().log.open("rb") as file:
        file.seek(start)
        for line in file.read().decode().splitlines():
            entry = ENTRY.match(line)
            if entry:
                found.append([int(entry[1]), entry[2], entry[3]])
            elif found and not LINE.match(line):
                found[-1][2] += f"\n{line}"
    texts = [part for pid, how, text in found if pid in pids for part in _parts(how, text) if part.strip()]
    return sum(not is_control(text) for text in texts), sum(is_control(text) for text in texts)


def _parts(how, text):
    return text.split(";") if how == "statement" else [text]


@pytest.mark.parametrize("name", [name for name, one in CONTESTANTS.items() if "postgresql" in one.dialects])
def test_the_count_equals_the_servers_own_log(arena, name, tmp_path):
    referee, derived, drawn = arena
    contestant = CONTESTANTS[name]
    if isinstance(installed(contestant), Absent):
        pytest.skip(f"{name} is not installed")
    prepare(contestant, PLAN, tmp_path)
    entrant = Entrant(contestant, tuple(command(contestant)), str(tmp_path))
    with referee.clone(entrant) as clone:
        clone.connection.execute(f"ALTER DATABASE \"{clone.name}\" SET log_statement = 'all'")
        with closing(Process(entrant.command)) as process:
            process.ask("open", 60, study=referee.study(entrant, clone))
            for scenario, facts in derived.scenarios.items():
                calls = Calls(scenario, drawn.params[scenario])
                if "not_covered" in process.ask("bind", 30, scenario=asdict(facts)):
                    continue
                process.ask("check", 30, params=calls.take(2))
                _compare(referee, clone, process, scenario, calls.take(1))
                referee.restore(clone, facts)


def _compare(referee, clone, process, scenario, params):
    own = clone.connection.info.backend_pid
    time.sleep(0.02)
    start = cluster.here().log.stat().st_size
    referee.meter.reset(clone.name)
    process.ask("check", 30, params=params)
    found = referee.meter.read(clone.name)
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    pids = {pid for (pid,) in clone.connection.execute(query)} - {own}
    counts, until = (found.statements, found.control), time.monotonic() + 1
    while (told := logged(start, pids)) != counts and time.monotonic() < until:
        time.sleep(0.01)  # the server has not written all of it yet
    assert counts == told, (scenario, found.texts)
    assert found.statements >= 1


def test_keys_that_are_checked_at_commit_are_no_statements_of_the_client():
    metadata = MetaData()
    Table("up", metadata, Column("id", Integer, primary_key=True))
    key = ForeignKey("up.id", deferrable=True, initially="DEFERRED", ondelete="NO ACTION")
    Table("down", metadata, Column("id", Integer, primary_key=True), Column("up", Integer, key, nullable=False))
    with sandbox(Plan("deferred", metadata)) as stage, meter("postgresql") as counts:
        database = stage.engine.url.database
        counts.reset(database)
        with stage.engine.connect() as connection:
            for statement in (
                "INSERT INTO up VALUES (1), (2)",
                "INSERT INTO down VALUES (1, 1)",
                "DELETE FROM up WHERE id = 2",
            ):
                connection.exec_driver_sql(statement)
                connection.commit()
        found = counts.read(database)
        stage.engine.dispose()
    sent = [text for text in found.texts if re.search("INTO|DELETE|ONLY", text)]
    assert len(sent) == 3, sent


@pytest.mark.parametrize(
    ("statement", "control"),
    [
        ("BEGIN", True),
        ("/* pool */ begin;", True),
        ("-- x\nSET statement_timeout = 3", True),
        ("ROLLBACK TO SAVEPOINT a", True),
        ("SELECT pg_advisory_unlock_all()", True),
        ("SELECT 1", False),
        ("UPDATE t SET a = 1", False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", False),
        ("(SELECT 1)", False),
        ("COMMITTEE", False),
    ],
)
def test_what_steers_is_told_from_what_works(statement, control):
    assert is_control(statement) == control


def test_transactions_are_those_that_end():
    found = counted([("BEGIN", 2), ("COMMIT", 1), ("ROLLBACK", 1), ("ROLLBACK TO a", 3), ("SELECT  $1", 4)])
    assert (found.statements, found.control, found.transactions) == (4, 7, 2)
    assert found.texts[0] == "4 × SELECT $1"


def test_a_transaction_that_began_has_ended():
    found = counted([("begin", 2), ("SELECT $1", 3), ("commit", 1)])
    assert (found.statements, found.control, found.transactions) == (3, 4, 2)
    assert found.texts[-1] == "1 × COMMIT /* prepared */"
