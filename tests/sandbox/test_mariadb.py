"""MariaDB sandboxes: private, shared, cloned whole, dropped whatever happens, by name or by URL."""

import datetime as dt
import os
import signal
from decimal import Decimal
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa

from dbplan import read
from dbplan.columns import Digest, JsonDocument, Key, Money, UtcDateTime, new_id
from dbplan.domains import PLANS
from dbplan.errors import NotCovered, SandboxError
from dbplan.evidence import Severity
from dbplan.plan import Plan
from dbplan.sandbox import locks, mariadb, names, sandbox
from dbplan.sandbox.mariadb import databases, instance

needs_server = pytest.mark.ci


def rows(stage, query):
    with stage.engine.connect() as connection:
        return connection.exec_driver_sql(query.replace("%", "%%")).all()


def run(stage, *statements):
    with stage.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def keeper_pid(server):
    status = Path(f"/proc/{server.postmaster()}/stat").read_text()
    return int(status.rsplit(")", 1)[1].split()[1])


@pytest.fixture
def own_home(directory, monkeypatch):
    """A home of this test alone, whose server must be gone at the end."""
    monkeypatch.setenv("DBPLAN_HOME", str(directory / "home"))
    yield
    mariadb.stop()
    assert [one.processes() for one in instance.present() if one.processes()] == []


@pytest.fixture
def works(plan):
    def run():
        with sandbox(plan, on="mariadb") as stage:
            return rows(stage, "SELECT count(*) FROM users") == [(0,)]

    return run


@pytest.fixture
def hold_a_sandbox(python):
    def hold():
        child = python("""
            with sandbox(plan, on="mariadb") as stage:
                print(sa.make_url(stage.url).database, flush=True)
                sys.stdin.read()
        """)
        name = child.stdout.readline().strip()
        assert name, child.stderr.read()
        return child, name

    return hold


@needs_server
def test_a_plan_is_created_and_dropped(plan):
    with sandbox(plan, on="mariadb") as stage:
        name = sa.make_url(stage.url).database
        assert names.token_of(name)
        assert sorted(sa.inspect(stage.engine).get_table_names()) == ["orders", "users"]
        run(stage, "INSERT INTO users VALUES (1, 'ünï 🐘 100%')")
        assert rows(stage, "SELECT email FROM users") == [("ünï 🐘 100%",)]
        stage.analyze()
        assert name in mariadb.names()
    assert name not in mariadb.names()


@needs_server
def test_the_server_is_named_with_what_figures_depend_on(plan):
    with sandbox(plan, on="mariadb", create=False) as stage:
        assert stage.dialect == "mariadb"
        assert stage.server.product == "MariaDB"
        assert stage.server.version == instance.version()
        assert dict(stage.server.settings)["innodb_flush_log_at_trx_commit"] == "1"
        assert "STRICT_TRANS_TABLES" in dict(stage.server.settings)["sql_mode"]
        assert rows(stage, "SHOW TABLES") == []


@needs_server
def test_a_database_goes_though_a_transaction_is_open_in_it(plan):
    with sandbox(plan, on="mariadb") as stage:
        url = sa.make_url(stage.url)
        other = pymysql.connect(unix_socket=url.query["unix_socket"], user=url.username, database=url.database)
        with other.cursor() as cursor:
            cursor.execute("SELECT * FROM users")
    assert url.database not in mariadb.names()
    with pytest.raises(pymysql.OperationalError), other.cursor() as cursor:
        cursor.execute("SELECT 1")


def wild():
    metadata = sa.MetaData()
    sa.Table("parents", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))
    sa.Table(
        "children",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.ForeignKey("parents.id", ondelete="CASCADE")),
        sa.Column("twice", sa.Integer, sa.Computed("parent_id * 2")),
    )
    return Plan("wild", metadata)


WILD = (
    "INSERT INTO parents VALUES (1, 'a%s')",
    "INSERT INTO children (id, parent_id) VALUES (5, 1)",
    "CREATE SEQUENCE numbers START WITH 7",
    "DO nextval(numbers)",
    "CREATE TABLE counted (id BIGINT DEFAULT nextval(numbers) PRIMARY KEY, bytes BINARY(2) DEFAULT x'00ff')",
    "INSERT INTO counted VALUES ()",
    "CREATE VIEW named_last AS SELECT name FROM parents",
    "CREATE VIEW asked_first AS SELECT * FROM named_last",
    "CREATE FUNCTION plus(a INT, b INT) RETURNS INT DETERMINISTIC RETURN a + b",
    "CREATE TRIGGER shout BEFORE INSERT ON parents FOR EACH ROW SET new.name = upper(new.name)",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM children",
)


@needs_server
def test_a_clone_holds_everything_and_stands_alone():
    with sandbox(wild(), on="mariadb") as stage:
        run(stage, *WILD)
        with stage.clone() as clone:
            assert rows(clone, "SELECT * FROM asked_first, children") == [("a%s", 5, 1, 2)]
            assert rows(clone, "SELECT id, hex(bytes) FROM counted") == [(8, "00FF")]
            assert rows(clone, "SELECT plus(1, 2)") == [(3,)]
            run(clone, "INSERT INTO parents VALUES (2, 'b')", "INSERT INTO counted VALUES ()")
            assert rows(clone, "SELECT name FROM parents WHERE id = 2") == [("B",)]
            assert rows(clone, "SELECT max(id) > 8 FROM counted") == [(1,)]
            assert [name for name, *_ in rows(clone, "SELECT event_name FROM information_schema.events")] != []
            with pytest.raises(sa.exc.IntegrityError):
                run(clone, "INSERT INTO children (id, parent_id) VALUES (6, 99)")
            run(clone, "DELETE FROM parents")
            assert rows(clone, "SELECT * FROM children") == []
            database = sa.make_url(stage.url).database
            defaults = "SELECT column_default FROM information_schema.columns WHERE table_name = 'counted'"
            assert database not in str(rows(clone, f"{defaults} AND table_schema = database()"))
            assert database not in str(rows(clone, "SHOW CREATE VIEW asked_first"))
        assert rows(stage, "SELECT count(*) FROM parents") == [(1,)]
        assert rows(stage, "SELECT count(*) FROM counted") == [(1,)]


@needs_server
def test_a_killed_client_leaves_a_database_that_the_next_one_drops(own_home, works, hold_a_sandbox, until):
    child, name = hold_a_sandbox()
    assert works()
    assert name in mariadb.names()
    child.kill()
    child.wait()

    def swept():
        assert works()
        return mariadb.names() == []

    until(swept)


@needs_server
def test_an_idle_server_ends_by_itself_and_sweeps(own_home, monkeypatch, hold_a_sandbox, until):
    monkeypatch.setenv("DBPLAN_IDLE_SECONDS", "1")
    child, _ = hold_a_sandbox()
    server = instance.here()
    child.kill()
    child.wait()
    until(lambda: server.processes() == [] and locks.is_free(server.keeper_lock))
    monkeypatch.delenv("DBPLAN_IDLE_SECONDS")
    mariadb.connect().close()
    assert mariadb.names() == []


@needs_server
@pytest.mark.parametrize("victims", [["server"], ["keeper", "server"]])
def test_after_a_kill_the_next_run_works(own_home, victims, works, hold_a_sandbox, until):
    child, name = hold_a_sandbox()
    server = instance.here()
    pids = {"server": server.postmaster(), "keeper": keeper_pid(server)}
    for victim in victims:
        os.kill(pids[victim], signal.SIGKILL)
    until(lambda: all(not Path(f"/proc/{pids[victim]}/cwd").exists() for victim in victims))
    assert works()
    assert server.postmaster() not in (None, pids["server"])
    child.communicate("")
    assert works()
    assert name not in mariadb.names()


@needs_server
def test_what_is_not_ours_or_not_forsaken_stays():
    with mariadb.connect() as connection:
        alike = "dbplan_x_1_0123456789abcdef"
        forsaken = names.name_for("x", 1, "0123abcd")
        for name in (alike, forsaken):
            databases.rows(connection, f"CREATE DATABASE {name}")
        try:
            with databases.lease(mariadb.connect(), mariadb.connect) as lease, lease.database("x") as held:
                databases.sweep(connection)
                left = mariadb.names()
                assert {alike, held} <= set(left)
                assert forsaken not in left
            assert held not in mariadb.names()
        finally:
            databases.rows(connection, f"DROP DATABASE {alike}")


@pytest.fixture
def visitor():
    """The URL of the private server as any other MariaDB would be met, by a user with the given rights."""
    with mariadb.connect() as connection:
        made = []

        def make(name, *grants):
            databases.rows(connection, f"CREATE USER {name}@localhost IDENTIFIED BY 's3cret'")
            made.append(name)
            for grant in grants:
                databases.rows(connection, f"GRANT {grant} TO {name}@localhost")
            return f"mysql://{name}:s3cret@/?unix_socket={instance.here().socket}"

        yield make
        for name in made:
            databases.rows(connection, f"DROP USER {name}@localhost")


@needs_server
def test_a_server_by_url_is_told_by_what_it_is(plan, visitor):
    url = visitor("maker", r"ALL ON `dbplan\_%`.*")
    with sandbox(plan, on=url) as stage:
        assert stage.dialect == "mariadb"
        assert stage.server.product == "MariaDB"
        assert "s3cret" not in repr(stage)
        run(stage, "INSERT INTO users VALUES (1, 'a')")
        with stage.clone() as clone:
            assert rows(clone, "SELECT * FROM users") == [(1, "a")]
    assert mariadb.names() == []


@needs_server
def test_a_user_who_may_create_nothing_is_told_the_mend(plan, visitor):
    refused = pytest.raises(SandboxError, match=r"let the user create databases: GRANT ALL ON `dbplan")
    with refused as caught, sandbox(plan, on=visitor("reader")):
        pass
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@needs_server
@pytest.mark.parametrize("name", PLANS)
def test_the_bundled_plans_are_created_and_what_is_not_the_same_is_said(name):
    plan = read(name)
    with sandbox(plan, on="mariadb") as stage:
        assert stage.plan is plan
        inspector = sa.inspect(stage.engine)
        assert set(inspector.get_table_names()) == {table.name for table in plan.tables}
        found = {index["name"] for table in plan.tables for index in inspector.get_indexes(table.name)}
    partial = {
        index.name: index.unique
        for table in plan.tables
        for index in table.indexes
        if index.dialect_options["postgresql"]["where"] is not None
    }
    said = {finding.place.index: finding for finding in stage.refused if finding.place.index}
    assert set(partial) <= set(said) | found  # one of the rows that are not NULL is the same there
    assert all(finding.rule == "translated" for finding in stage.refused)
    left_out = {name for name, finding in said.items() if finding.severity is Severity.WARNING}
    assert left_out == set(partial) - found


@needs_server
def test_types_that_plans_share_come_back_as_they_went():
    metadata = sa.MetaData()
    kinds = {"id": Key(), "at": UtcDateTime(), "price": Money(), "digest": Digest(), "document": JsonDocument}
    columns = [sa.Column(name, kind, primary_key=name == "id") for name, kind in kinds.items()]
    table = sa.Table("shared", metadata, *columns, sa.Column("made", UtcDateTime(), server_default=sa.func.now()))
    moment = dt.datetime(2026, 3, 1, 12, 30, 15, 123456, dt.timezone(dt.timedelta(hours=5)))
    row = {"id": new_id(), "at": moment, "price": Decimal("12.50"), "digest": "s3cret", "document": {"a": ["ü", None]}}
    with sandbox(Plan("shared", metadata), on="mariadb") as stage, stage.engine.begin() as connection:
        connection.execute(table.insert(), [row])
        found = connection.execute(table.select().where(table.c.id == row["id"], table.c.digest == "s3cret")).one()
        assert (found.id, found.at, found.price, found.document) == (row["id"], moment, row["price"], row["document"])
        assert found.at.tzinfo is dt.UTC
        assert abs(found.made - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


@needs_server
def test_what_was_read_from_mariadb_is_studied_elsewhere_in_other_words():
    with sandbox(wild(), on="mariadb") as stage:
        run(stage, "CREATE TRIGGER shout BEFORE INSERT ON parents FOR EACH ROW SET new.name = upper(new.name)")
        plan = read(stage.url)
    with sandbox(plan, on="sqlite") as there, there.clone() as clone:
        assert there.plan.metadata.info["dialect"] == "sqlite"
        assert clone.plan is there.plan
        assert clone.refused == there.refused
        assert any("triggers" in finding.message for finding in clone.refused)
        run(clone, "INSERT INTO parents VALUES (1, 'a')", "INSERT INTO children (id, parent_id) VALUES (2, 1)")
        assert rows(clone, "SELECT twice FROM children") == [(2,)]


@needs_server
def test_a_plan_in_several_schemas_is_refused():
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="other")
    with pytest.raises(NotCovered, match="lies in the schemas other"), sandbox(Plan("p", metadata), on="mariadb"):
        pass


# Without a server or its driver.


def test_a_machine_without_mariadb_is_told_the_package(plan, monkeypatch):
    instance.program.cache_clear()
    instance.version.cache_clear()
    monkeypatch.setattr(instance.shutil, "which", lambda *_, **__: None)
    refused = pytest.raises(SandboxError, match="apt-get install mariadb-server-core mariadb-client-core")
    with refused as caught, sandbox(plan, on="mariadb"):
        pass
    assert "\n" not in str(caught.value)


def test_a_missing_driver_is_said(plan, monkeypatch):
    monkeypatch.setattr(instance, "pymysql", None)
    for on in ("mariadb", "mysql://root@127.0.0.1:1/x"):
        with pytest.raises(NotCovered, match=r"pip install \"dbplan\[mysql\]\""), sandbox(plan, on=on):
            pass
