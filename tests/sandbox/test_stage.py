"""A sandbox holds the plan, can be copied, and leaves nothing behind; the same on every kind of server."""

import os
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql as pg

from dbplan.errors import ConnectionFailed, NotCovered, SandboxError, UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.sandbox import cluster, databases, names, postgresql, sandbox
from dbplan.sandbox.home import home


def table_names(stage):
    return sorted(sa.inspect(stage.engine).get_table_names())


def exists(stage):
    url = sa.make_url(stage.url)
    if stage.dialect == "sqlite":
        return Path(url.database).exists()
    return url.database in postgresql.status().databases


def test_it_holds_the_plans_tables_and_is_dropped_at_the_end(plan, on):
    with sandbox(plan, on) as stage:
        assert table_names(stage) == ["orders", "users"]
        assert exists(stage)
        assert stage.plan is plan
    assert not exists(stage)


def test_without_create_it_is_empty(plan, on):
    with sandbox(plan, on, create=False) as stage:
        assert table_names(stage) == []


def test_foreign_keys_are_enforced(plan, on):
    with sandbox(plan, on) as stage, stage.engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(plan.table("orders").insert(), {"id": 1, "user_id": 7})


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_it_is_dropped_after_an_exception_too_even_with_connections_open(plan, on, interruption):
    with pytest.raises(interruption), sandbox(plan, on) as stage, stage.clone() as copy:
        connection = copy.engine.connect()
        connection.execute(sa.text("SELECT 1"))
        raise interruption
    connection.invalidate()
    connection.close()
    assert not exists(stage)
    assert not exists(copy)


def test_a_clone_is_a_full_copy_and_neither_sees_the_others_changes(plan, on):
    users = plan.table("users")

    def emails(stage):
        with stage.engine.connect() as connection:
            return sorted(connection.scalars(sa.select(users.c.email)))

    with sandbox(plan, on) as stage:
        with stage.engine.begin() as connection:
            connection.execute(users.insert(), {"id": 1, "email": "a"})
        with stage.clone() as copy, copy.clone() as second:
            for target, email in ((stage, "original"), (copy, "copy")):
                with target.engine.begin() as connection:
                    connection.execute(users.insert(), {"id": 2, "email": email})
            assert [emails(s) for s in (stage, copy, second)] == [["a", "original"], ["a", "copy"], ["a"]]
        assert not exists(copy)
        assert exists(stage)


def test_a_large_database_is_cloned_whole(plan, monkeypatch):
    monkeypatch.setattr(databases, "_LARGE", 1)
    with sandbox(plan) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO users SELECT i, i::text FROM generate_series(1, 1000) i")
        with stage.clone() as copy, copy.engine.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(plan.table("users"))) == 1000


def test_a_clone_of_a_database_in_use_says_who_uses_it(plan):
    with sandbox(plan) as stage, psycopg.connect(stage.url.replace("+psycopg", ""), application_name="guest"):
        with pytest.raises(SandboxError, match=r"while sessions are open in it: guest \(idle"), stage.clone():
            pass
        assert len(postgresql.status().databases) >= 1


def test_two_sandboxes_stand_side_by_side(plan, on):
    with sandbox(plan, on) as one, sandbox(plan, on) as other:
        assert one.url != other.url
        assert exists(one)
        assert exists(other)


def test_the_server_is_described_with_what_figures_depend_on(plan):
    with sandbox(plan) as stage:
        settings = dict(stage.server.settings)
        assert (stage.server.product, stage.server.version.split(".")[0]) == ("PostgreSQL", "18")
        assert (settings["fsync"], settings["synchronous_commit"]) == ("on", "on")
        assert 1 <= stage.server.cores <= os.cpu_count()
    with sandbox(plan, "sqlite") as stage:
        assert dict(stage.server.settings)["foreign_keys"] == "1"


def test_a_stage_shows_neither_url_nor_time(plan, on):
    with sandbox(plan, on) as stage:
        assert repr(stage) == f"Stage(plan=Plan('Shop & Co', 2 tables, 0 queries), dialect='{on}')"


def test_analyze_gathers_statistics(plan):
    with sandbox(plan) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO users SELECT i, 'x' FROM generate_series(1, 500) i")
        stage.analyze()
        with stage.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = 'users'").scalar() == 500


def test_the_server_speaks_utc_and_english_sorts_by_code_point_and_counts_statements(plan):
    with sandbox(plan) as stage, stage.engine.connect() as connection:
        for name, value in {"timezone": "UTC", "lc_messages": "C", "server_encoding": "UTF8"}.items():
            assert connection.exec_driver_sql(f"SHOW {name}").scalar() == value
        letters = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(array['b', 'Z', 'a', 'é', 'B']) x"
        assert connection.exec_driver_sql(letters).scalar() == "BZabé"
        connection.exec_driver_sql("CREATE EXTENSION pg_stat_statements")
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_stat_statements").scalar() > 0


# Ugly plans.


def test_several_schemas_reserved_words_mixed_case_and_cycles(plan):
    metadata = sa.MetaData()
    one, other = ("Order Lines", "select"), ("Fünf", "Ledger v2")
    for (name, schema), (target, target_schema) in ((one, other), (other, one)):
        sa.Table(
            name,
            metadata,
            sa.Column("from", sa.Integer, primary_key=True),
            sa.Column("kind", sa.Enum("a", "b", name="Kind", schema="types")),
            sa.Column(
                "peer",
                sa.ForeignKey(f"{target_schema}.{target}.from", use_alter=True, name=f"fk {name}"),
            ),
            schema=schema,
        )
    with sandbox(Plan('weird "name"; --', metadata)) as stage:
        found = sa.inspect(stage.engine)
        assert found.get_table_names("select") == ["Order Lines"]
        assert found.get_foreign_keys("Fünf", schema="Ledger v2")[0]["referred_table"] == "Order Lines"


def test_a_plan_without_a_speakable_name_and_three_hundred_tables(on):
    metadata = sa.MetaData()
    for number in range(300):
        sa.Table(f"t{number}", metadata, sa.Column("x", sa.Integer))
    with sandbox(Plan("…", metadata), on) as stage, stage.clone() as copy:
        assert len(table_names(copy)) == 300


def test_schemas_are_refused_on_sqlite():
    metadata = sa.MetaData(schema="app")
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    with pytest.raises(NotCovered, match=r"schemas app; SQLite has none"), sandbox(Plan("p", metadata), "sqlite"):
        pass


@pytest.mark.parametrize(("kind", "on", "said"), [
    (pg.ARRAY(sa.Integer), "sqlite", r't\.c is ARRAY, which SQLite does not have; run it on PostgreSQL'),
    (pg.TSVECTOR(), "sqlite", r"t\.c is TSVECTOR, which SQLite"),
    (mysql.TINYINT(), "postgresql", r"t\.c is TINYINT, which PostgreSQL does not have"),
])  # fmt: skip
def test_a_type_that_the_server_does_not_have_is_named_with_its_column(kind, on, said):
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("c", kind))
    with pytest.raises(NotCovered, match=said), sandbox(Plan("p", metadata), on):
        pass


def test_all_that_sqlite_does_not_have_is_named_at_once():
    metadata = sa.MetaData()
    columns = [sa.Column(f"c{number}", pg.INET()) for number in range(10)]
    sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("tags", pg.ARRAY(sa.Text)))
    sa.Table("b", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns, schema="app")
    with pytest.raises(NotCovered) as refused, sandbox(Plan("p", metadata), "sqlite"):
        pass
    first = ", ".join(f"app.b.c{number} is INET" for number in range(9))
    assert str(refused.value) == (
        f'plan "p": a.tags is ARRAY, {first} and 1 more, which SQLite does not have; '
        "it lies in the schemas app; SQLite has none; run it on PostgreSQL"
    )


class Sealed(sa.TypeDecorator):
    impl = pg.BYTEA
    cache_ok = True


@pytest.mark.parametrize("kind", [pg.BYTEA(), Sealed()])
def test_bytes_of_postgresql_are_a_blob_on_sqlite(kind):
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    table = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("salt", kind))
    with sandbox(Plan("p", metadata), "sqlite") as stage, stage.engine.begin() as connection:
        connection.execute(table.insert(), {"id": 1, "salt": b"\x00\xff"})
        assert connection.execute(sa.select(table.c.salt)).scalar_one() == b"\x00\xff"
        assert str(sa.inspect(connection).get_columns("t")[1]["type"]) == "BLOB"


def test_a_table_that_cannot_be_created_is_named_in_one_line(on):
    metadata = sa.MetaData()
    sa.Table("fine", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("good", metadata, sa.Column("id", sa.Integer, server_default=sa.text("no_such_function(")))
    with pytest.raises(SandboxError, match=r'^plan "p" cannot be created: CREATE TABLE good: .*; mend the model$'):  # noqa: SIM117
        with sandbox(Plan("p", metadata), on):
            pass


def test_sqlite_names_the_columns_whose_defaults_it_cannot_read():
    metadata, text = sa.MetaData(), sa.text
    sa.Table("t", metadata, sa.Column("a", sa.Integer, server_default="1"), sa.Column("x", sa.Text))
    defaults = {"n": "0 ", "b": "'{}'::json", "c": "ARRAY[]::text[]"}
    columns = [sa.Column(name, sa.Text, server_default=text(default)) for name, default in defaults.items()]
    sa.Table("order", metadata, sa.Column("at", sa.DateTime, server_default=sa.func.now()), *columns)
    said = r"CREATE TABLE \"order\": .* \(order\.b has the default '\{\}'::json, order\.c has .*, which SQLite"
    with pytest.raises(SandboxError, match=said), sandbox(Plan("p", metadata), "sqlite"):
        pass


def test_a_foreign_key_that_leads_nowhere_is_one_line():
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("x", sa.ForeignKey("nowhere.id")))
    with pytest.raises(SandboxError, match=r"t\.x.*nowhere") as caught, sandbox(Plan("p", metadata)):
        pass
    assert "\n" not in str(caught.value)


def test_extensions_that_the_plan_evidently_needs_are_created():
    metadata = sa.MetaData()
    table = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer),
        sa.Column("name", pg.CITEXT),
        sa.Column("tags", pg.ARRAY(pg.CITEXT)),
        sa.Column("extra", pg.HSTORE),
        sa.Column("span", pg.TSTZRANGE),
        pg.ExcludeConstraint(("id", "="), ("span", "&&"), name="no_overlap"),
    )
    sa.Index("ix_t_name", table.c.name, postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"})
    with sandbox(Plan("p", metadata)) as stage, stage.engine.connect() as connection:
        found = set(connection.exec_driver_sql("SELECT extname FROM pg_extension").scalars())
    assert found >= {"citext", "hstore", "btree_gist", "pg_trgm"}


# Words for `on`.


@pytest.mark.parametrize(("on", "error", "said"), [
    ("postgres", UnknownName, 'no server "postgres"'),
    ("mysql", NotCovered, 'take "mariadb"'),
    ("mysql://root:secret@127.0.0.1:1/x", ConnectionFailed, r"root:\*\*\*@127\.0\.0\.1:1/x"),
    ("sqlite:///dev.db", UsageError, 'write on="sqlite"'),
    ("mssql+pyodbc://sa:secret@h/x", NotCovered, "SQL Server: dbplan does not connect to it"),
    ("postgresql://u:s3cret@127.0.0.1:1/x", ConnectionFailed, r"u:\*\*\*@127\.0\.0\.1:1/x"),
])  # fmt: skip
def test_an_on_that_leads_nowhere_is_refused_in_one_line(plan, on, error, said):
    with pytest.raises(error, match=said) as caught, sandbox(plan, on):
        pass
    assert "cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


# A server by URL: the embedded one, met as any other would be.


@pytest.fixture
def role():
    """A login role of the shared server; gives its name."""
    name = f"guest_{os.getpid()}"
    with postgresql.connect() as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        yield name
        connection.execute(f"DROP ROLE {name}")


def guest_url(role):
    return f"postgresql://{role}:s3cret@/postgres?host={cluster.here().sockets}"


def test_a_url_of_a_server_that_may_create_databases(plan, role):
    with postgresql.connect() as connection:
        connection.execute(f"ALTER ROLE {role} CREATEDB")
    with sandbox(plan, guest_url(role)) as stage, stage.clone() as copy:
        assert table_names(copy) == ["orders", "users"]
        assert stage.url.startswith(f"postgresql+psycopg://{role}:s3cret@/dbplan_shop_co_1_")
        assert "s3cret" not in repr(stage)
    assert not exists(stage)


def test_a_role_that_may_not_create_databases_is_told_so(plan, role):
    with pytest.raises(SandboxError, match=rf'role "{role}" may not create databases .*CREATEDB') as caught:  # noqa: SIM117
        with sandbox(plan, guest_url(role)):
            pass
    assert "s3cret" not in str(caught.value)


def test_a_lost_session_does_not_leave_the_database_behind(plan):
    with sandbox(plan) as stage, postgresql.connect() as connection:
        others = "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE locktype = 'advisory' AND objid = %s"
        token = names.token_of(sa.make_url(stage.url).database)
        assert connection.execute(others, [int(token, 16)]).fetchall() == [(True,)]
    assert not exists(stage)


def test_what_others_left_in_the_home_of_sqlite_is_removed(plan):
    with sandbox(plan, "sqlite"):
        forsaken = home() / "sqlite" / f"forsaken{os.getpid()}"
        forsaken.mkdir()
        (forsaken / "x.db").touch()
        with sandbox(plan, "sqlite") as second:
            assert exists(second)
    assert not forsaken.exists()
