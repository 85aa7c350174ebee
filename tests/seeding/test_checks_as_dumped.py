"""CHECKs and uniques in the words in which PostgreSQL gives them back: each is held without a recipe."""

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Integer, MetaData, String, Table, Text

import dbplan
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.constraints.checks import facts

COLUMNS = {
    "either": "text CHECK (v = 'allow' OR v = 'deny')",
    "absent": "int CHECK (v IS NULL OR v > 4000000)",
    "large": "bigint CHECK (v BETWEEN 4294967290 AND 4294967295)",
    "negative": "int CHECK (v BETWEEN -9 AND -5)",
    "none_of": "text CHECK (v <> ALL (ARRAY['a', 'b']))",
    "sized": "bytea CHECK (octet_length(v) = 20)",
    "posix": "text CHECK (v ~ '^[[:upper:]]{2}[[:digit:]]{3}$')",
    "worded": "text CHECK (v ~ '[[:alnum:]_]')",
    "likes": "text CHECK (v LIKE ANY (ARRAY['a%', 'b%']))",
    "inside": "text[] CHECK (v <@ ARRAY['read', 'write'])",
    "several": "int[] CHECK (cardinality(v) BETWEEN 2 AND 4 AND array_position(v, NULL) IS NULL)",
    "lock": "char(1) CHECK (v = 'X')",
    "zip": r"text CHECK (v ~ '^\d{5}$' OR v ~ '^\d{5}-\d{4}$')",
    "host": r"text CHECK (v ~* '^[a-z]+\.example\.com$')",
    "ahead": "text CHECK (v ~ '^(?!admin)[a-z]{4,}$')",
    "start": "text CHECK (starts_with(v, 'http'))",
    "prefixed": r"text CHECK (v LIKE 'cus\_%')",
    "lasts": "interval CHECK (v > interval '1 hour' AND v < interval '1 mon 02:00:00')",
    "kind": "jsonb CHECK (v ? 'type' AND v ->> 'type' IN ('x', 'y') AND (v ->> 'age')::int > 3)",
    "roles": "text[] CHECK ('admin' = ANY (v) OR array_length(v, 1) IS NULL)",
    "base_path": r"text CHECK ('/' || v || '/' !~ '[\s?#]|(/\.{0,2}/)')",
    "share": "numeric CHECK (v * '-1'::integer BETWEEN -5 AND 0)",
}


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("dumped", MetaData()), on="postgresql") as stage:
        yield stage


def filled(stage, *statements, rows=80):
    """Make the tables of a schema anew, seed them as they are read, and return the report."""
    with stage.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"), ())
    report = seed(stage.engine, dbplan.read(stage.url), rows=rows)
    assert report.ok, report.verdict
    return report


def scalar(stage, query):
    with stage.engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar_one()


def test_checks_as_the_server_spells_them(stage):
    columns = (f"{name} {said.replace('(v', f'({name}').replace(' v ', f' {name} ')}" for name, said in COLUMNS.items())
    filled(stage, f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(columns)})")
    assert scalar(stage, "SELECT count(DISTINCT either) FROM t") == 2
    assert scalar(stage, "SELECT count(*) FROM t WHERE none_of IS NOT NULL") > 40


def test_domains_that_allow_nothing_and_ask_for_bytes(stage):
    filled(
        stage,
        "CREATE DOMAIN hash AS bytea CHECK (VALUE IS NULL OR octet_length(VALUE) = 20)",
        "CREATE DOMAIN uint AS bigint CHECK (VALUE IS NULL OR VALUE BETWEEN 0 AND 4294967295)",
        "CREATE DOMAIN few AS int NOT NULL CHECK (VALUE > 0) CHECK (VALUE < 50)",
        "CREATE TABLE t (id hash PRIMARY KEY, count uint NOT NULL, parts few)",
    )
    assert scalar(stage, "SELECT min(octet_length(id)) FROM t") == 20


def test_uniques_that_do_not_tell_case_apart(stage):
    filled(
        stage,
        "CREATE EXTENSION IF NOT EXISTS citext",
        "CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL CHECK (code ~ '^[A-Za-z]{2}$'), tag citext UNIQUE"
        " CHECK (tag ~ '^[a-zA-Z]{2}-$'))",
        "CREATE UNIQUE INDEX t_code ON t (lower(code))",
        rows=600,
    )


def test_rows_of_heirs_are_not_their_parents(stage):
    filled(
        stage,
        "CREATE TABLE notes (id int PRIMARY KEY, note text NOT NULL, kind int NOT NULL CHECK (kind > 0))",
        "CREATE TABLE invoices (id int PRIMARY KEY)",
        "CREATE TABLE invoice_notes (invoice_id int NOT NULL UNIQUE REFERENCES invoices, PRIMARY KEY (id))"
        " INHERITS (notes)",
    )
    assert scalar(stage, "SELECT count(*) FROM ONLY notes") == 80
    report = seed(stage.engine, dbplan.read(stage.url), rows=80)
    assert "nothing to do" in report.verdict


def test_keys_are_no_longer_than_what_refers_to_them(stage):
    filled(
        stage,
        "CREATE TABLE states (name varchar(255) PRIMARY KEY, description varchar(255))",
        "CREATE TABLE tasks (id int PRIMARY KEY, state varchar(8) NOT NULL REFERENCES states (name) UNIQUE)",
        "CREATE TABLE steps (id int PRIMARY KEY, state varchar(6) NOT NULL REFERENCES tasks (state))",
    )
    assert scalar(stage, "SELECT max(length(name)) FROM states") <= 6


def test_closing_a_circle_leaves_what_an_update_sets():
    m = MetaData()
    parent = Column("head_id", Integer)
    Table("teams", m, Column("id", Integer, primary_key=True), parent, Column("at", Text, onupdate="touched"))
    Table("people", m, Column("id", Integer, primary_key=True), Column("team_id", Integer))
    m.tables["teams"].append_constraint(ForeignKeyConstraint(["head_id"], ["people.id"], use_alter=True, name="head"))
    m.tables["people"].append_constraint(ForeignKeyConstraint(["team_id"], ["teams.id"]))
    plan = Plan("circle", m)
    with sandbox(plan, on="sqlite") as stage:
        assert seed(stage.engine, plan, rows=30).ok
        assert scalar(stage, "SELECT count(*) FROM teams WHERE at = 'touched'") == 0


def test_an_empty_default_tells_nothing():
    m = MetaData()
    Table("t", m, Column("id", Integer, primary_key=True), Column("title", String(40), server_default=""))
    with sandbox(Plan("empty_default", m), on="sqlite") as stage:
        assert seed(stage.engine, stage.plan, rows=30).ok
        assert scalar(stage, "SELECT count(*) FROM t WHERE length(title) > 3") > 20


def test_one_of_several_values_by_or():
    table = Table("t", MetaData(), Column("v", String), CheckConstraint("v = 'a' OR v IN ('b', 'c') OR v IS NULL"))
    assert facts(table).limits["v"].values == ["a", "b", "c"]
    open_ = Table("u", MetaData(), Column("v", String), CheckConstraint("v = 'a' OR v LIKE 'b%'"))
    assert facts(open_).limits["v"].values is None
