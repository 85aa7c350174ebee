"""MariaDB: what LOAD DATA writes is what INSERT writes, and what it would only warn of is an error."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from dbplan import read, sandbox
from dbplan.connection import new_engine
from dbplan.encryption import rehearsal
from dbplan.errors import Unsatisfiable
from dbplan.plan import Plan
from dbplan.report.text import text
from dbplan.seeding import seed
from dbplan.seeding.loading import mariadb

pytestmark = pytest.mark.ci
ROWS = 300


def odd():
    metadata = sa.MetaData()
    kinds = {
        "text": sa.Text, "letters": sa.String(3), "number": sa.Integer, "large": sa.BigInteger,
        "unsigned": mysql.BIGINT(unsigned=True), "tiny": mysql.TINYINT, "real": sa.Float, "double": sa.Double,
        "price": sa.Numeric(10, 2), "long": mysql.DECIMAL(30, 10), "truth": sa.Boolean, "day": sa.Date,
        "clock": sa.Time, "clock 6": mysql.TIME(fsp=6), "moment": sa.DateTime, "moment 6": mysql.DATETIME(fsp=6),
        "stamp": mysql.TIMESTAMP(fsp=3), "year": mysql.YEAR, "length": sa.Interval, "key": sa.Uuid,
        "key text": sa.Uuid(as_uuid=False), "word": sa.Enum("a", "b'\\\té"), "flags": mysql.SET("x", "y"),
        "document": sa.JSON, "bytes": sa.LargeBinary, "short bytes": mysql.VARBINARY(20), "fixed": sa.BINARY(16),
        "bit": mysql.BIT(1), "bits": mysql.BIT(5), "all bits": mysql.BIT(64), "email": sa.String(80),
    }  # fmt: skip
    for name, null in (("odd things", False), ("odd %s `things`", True)):
        sa.Table(
            name, metadata, sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(f"a {key}", kind, nullable=null) for key, kind in kinds.items()),
        )  # fmt: skip
    return Plan("odd", metadata)


def rows(engine, query):
    with engine.connect() as connection:
        return connection.exec_driver_sql(query).all()


def stored(stage):
    with rehearsal(), stage.engine.connect() as connection:
        reads = {table.name: sa.select(table).order_by(*table.primary_key.columns) for table in stage.plan.tables}
        return {name: connection.execute(read).all() for name, read in reads.items()}


@pytest.fixture
def loaded(monkeypatch):
    """How many rows each LOAD DATA has written."""
    counts = []
    real = mariadb._load

    def counted(connection, encoded):
        real(connection, encoded)
        counts.append(encoded.rows)

    monkeypatch.setattr(mariadb, "_load", counted)
    return counts


@pytest.mark.parametrize("name", ["credits", "odd"])
def test_load_data_holds_what_insert_would(name, monkeypatch, loaded):
    plan = odd() if name == "odd" else read(name)
    with sandbox(plan, on="mariadb") as stage:
        seed(stage, rows=ROWS)
        quick = stored(stage)
        assert loaded
        monkeypatch.setattr(mariadb, "FEW", 10**9)
        del loaded[:]
        seed(stage, rows=ROWS, truncate=True)
        assert not loaded
        assert stored(stage) == quick


def people(*more):
    metadata = sa.MetaData()
    sa.Table(
        "person", metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(80), nullable=False), *more,
    )  # fmt: skip
    return Plan("people", metadata)


@pytest.mark.parametrize(
    "change",
    [
        "ADD CHECK (email NOT LIKE '%%e%%')",
        "MODIFY email varchar(9) NOT NULL",
        "MODIFY id tinyint NOT NULL",
        "ADD UNIQUE (email(1))",
        "MODIFY email int NOT NULL",
    ],
)
def test_what_load_data_would_only_warn_of_is_refused(change):
    with sandbox(people(), on="mariadb") as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE person {change}")
        with pytest.raises(Unsatisfiable, match="nothing was kept"):
            seed(stage, rows=ROWS)
        assert rows(stage.engine, "SELECT count(*) FROM person") == [(0,)]


def test_a_server_that_forbids_it_gets_inserts_and_the_report_says_so(loaded):
    with sandbox(people(), on="mariadb") as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql("SET GLOBAL local_infile = 0")
        try:
            report = seed(stage, rows=ROWS)
        finally:
            with stage.engine.begin() as connection:
                connection.exec_driver_sql("SET GLOBAL local_infile = 1")
        assert rows(stage.engine, "SELECT count(*) FROM person") == [(ROWS,)]
    assert not loaded
    said = " ".join(text(report).split())
    assert "Rows went by INSERT, not by LOAD DATA, which is quicker: the server forbids it" in said


def test_no_file_is_ever_read_and_the_pool_gets_no_such_connection(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("1\tsecret\n")
    with sandbox(people(), on="mariadb") as stage, stage.engine.connect() as connection:
        mariadb.opened(connection)
        asked = f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE person"
        connection.exec_driver_sql(asked)
        driver = connection.connection.dbapi_connection
        driver.handed = memoryview(b"1\tours\n")
        connection.exec_driver_sql(asked)
        assert connection.exec_driver_sql("SELECT * FROM person").all() == []
        connection.rollback()
        connection.close()
        with stage.engine.connect() as other, pytest.raises((sa.exc.DBAPIError, RuntimeError)):
            other.exec_driver_sql(asked)


def test_settings_of_a_session_do_not_matter(loaded):
    plan = people(sa.Column("created_at", sa.TIMESTAMP, nullable=False), sa.Column("bio", sa.Text, nullable=False))
    found = []
    for mode in ("", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"):
        with sandbox(plan, on="mariadb") as stage:
            engine = new_engine(stage.url, connect_args={"sql_mode": mode, "init_command": "SET time_zone = '+05:00'"})
            seed(engine, plan, rows=ROWS)
            found.append(rows(engine, "SELECT id, email, bio, unix_timestamp(created_at) FROM person ORDER BY id"))
            engine.dispose()
    assert found[0] == found[1]
    assert loaded == [ROWS, ROWS]
