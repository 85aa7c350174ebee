import logging
import os
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from dbplan.connection import connect, dispose, engine, new_engine, transaction
from dbplan.errors import ConnectionFailed, NotCovered


@pytest.fixture
def url(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/x.db"
    yield url
    dispose(url)


def test_one_engine_per_url(url: str):
    assert engine(url) is engine(url)
    dispose(url)
    made = engine(url)
    assert made is engine(url.replace("sqlite:///", "file:"))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_its_own(url: str):
    with connect(url):
        pass
    mine = id(engine(url))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with connect(url):
            os.write(writer, str(id(engine(url))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    theirs = os.read(reader, 100)
    os.close(reader)
    assert theirs.isdigit()
    assert int(theirs) != mine


def test_a_transaction_is_kept_whole_or_not_at_all(url: str):
    with transaction(url) as session:
        session.execute(text("CREATE TABLE t (id integer PRIMARY KEY)"))
    with pytest.raises(RuntimeError), transaction(url) as session:
        session.execute(text("INSERT INTO t VALUES (1)"))
        raise RuntimeError
    with connect(url) as connection:
        assert connection.scalar(text("SELECT count(*) FROM t")) == 0


def test_sqlite_holds_foreign_keys(url: str):
    with transaction(url) as session:
        session.execute(text("CREATE TABLE a (id integer PRIMARY KEY)"))
        session.execute(text("CREATE TABLE b (a integer REFERENCES a)"))
    with pytest.raises(IntegrityError), transaction(url) as session:
        session.execute(text("INSERT INTO b VALUES (1)"))


def test_autocommit_keeps_what_it_did(url: str):
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE TABLE kept (id integer)"))
    with connect(url) as connection:
        assert connection.scalar(text("SELECT count(*) FROM kept")) == 0


def test_an_unreachable_server_is_one_masked_line():
    with pytest.raises(ConnectionFailed) as caught, connect("postgresql://u:hunter2@127.0.0.1:1/db"):
        pass
    assert "hunter2" not in str(caught.value)
    assert "Connection refused" in str(caught.value)
    assert "\n" not in str(caught.value)
    dispose()


def test_a_missing_driver_is_named():
    with pytest.raises(NotCovered, match="oracle"):
        new_engine("oracle://u@h/db")


def test_statements_are_logged_without_their_values(url: str, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, "dbplan.sql"), connect(url) as connection:
        connection.execute(text("SELECT :token"), {"token": "hunter2"})
    assert any("SELECT ?" in record.message for record in caplog.records)
    assert "hunter2" not in caplog.text


def test_an_error_shows_the_statement_and_no_values(url: str):
    with transaction(url) as session:
        session.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, secret TEXT NOT NULL)"))
    statement, values = text("INSERT INTO t (id, secret) VALUES (:id, :secret)"), {"id": 1, "secret": "hidden"}
    with transaction(url) as session:
        session.execute(statement, values)
    with pytest.raises(IntegrityError, match="INSERT INTO t") as refused, transaction(url) as session:
        session.execute(statement, values)
    assert "hidden" not in str(refused.value).replace("hidden due to hide_parameters", "")


def test_slow_statements_are_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DBPLAN_SLOW_QUERY", "0.000001")
    url = f"sqlite:///{tmp_path}/slow.db"
    with caplog.at_level(logging.WARNING, "dbplan.sql"), connect(url) as connection:
        connection.execute(text("SELECT 1"))
    assert "slow query" in caplog.text
    dispose(url)
