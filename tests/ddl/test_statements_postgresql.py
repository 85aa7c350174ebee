"""A PostgreSQL database, read and written, makes the same database; and people can read what is written."""

from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData

from dbplan.comparison import differences
from dbplan.ddl import statements
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

RICH = Path(__file__).parent / "rich"
EMPTY = Plan("empty", MetaData())


def run(stage, sql):
    with psycopg.connect(stage.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(sql)
    stage.engine.dispose()


def script(plan):
    return "".join(f"{statement.sql};\n" for statement in statements(plan, "postgresql"))


def catalog(stage):
    with stage.engine.connect() as connection:
        return snapshot(connection)


def read_and_written(sql):
    """Return the plan of a database made by `sql`, how one made of the plan differs, and what that is read as."""
    with sandbox(EMPTY, create=False) as there, sandbox(EMPTY, create=False) as made:
        run(there, sql)
        plan = read(there.url)
        run(made, script(plan))
        return plan, differences(catalog(there), catalog(made)), read(made.url)


@pytest.fixture(scope="module")
def rich():
    return read_and_written((RICH / "schema.sql").read_text())


def test_nothing_of_a_rich_database_is_lost(rich):
    plan, found, again = rich
    assert found == ()
    assert plan.metadata.info["not_covered"] == ()
    assert script(again) == script(plan)


def test_what_is_written_is_fit_to_be_read(rich):
    assert script(rich[0]) == (RICH / "statements.sql").read_text()


def test_a_default_schema_that_is_not_public_stays_the_default_one():
    sql = """CREATE SCHEMA app; CREATE TABLE app.t (id serial PRIMARY KEY); CREATE TYPE app.mood AS ENUM ('a');
        CREATE TABLE public.t (id int PRIMARY KEY, up int REFERENCES app.t, m app.mood);
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$"""
    with sandbox(EMPTY, create=False) as there:
        run(there, sql)
        plan = read(there.url)
        assert plan.metadata.info["default_schema"] == "app"
        assert list(plan.metadata.tables) == ["t", "public.t"]
        with sandbox(plan) as made:
            assert differences(catalog(there), catalog(made)) == ()
            assert script(read(made.url)) == script(plan)


def test_what_only_another_server_has_is_a_finding_and_the_rest_is_there():
    metadata = MetaData(info={"dialect": "postgresql", "extensions": ("no_such_extension",)})
    metadata.info["routines"] = ("CREATE FUNCTION f() RETURNS int LANGUAGE no_such_language AS 'x'",)
    with sandbox(Plan("odd", metadata)) as stage:
        said = {finding.rule: finding.message for finding in stage.refused}
    assert said.keys() == {"extension-refused", "routine-refused"}
    assert 'language "no_such_language" does not exist' in said["routine-refused"]


NAMES = st.sampled_from(["a", "Order", "select", "ä ö", 'q"q', "per%cent", "a:b", "x.y", "z" * 60])
TYPES = {
    "int": ["5", "-1"],
    "bigint": ["nextval('shared')"],
    "varchar(20)": ["'it''s'", "':x %s'"],
    'text COLLATE "C"': ["('a' || 'b')"],
    "numeric(10,2)": ["1.50"],
    "timestamptz": ["now()", "CURRENT_TIMESTAMP"],
    "date": ["'2020-01-01'"],
    "mood": ["'sad'"],
    "mood[]": ["'{sad}'"],
    "positive": ["7"],
    "jsonb": ["'{\"a\": [1]}'"],
    "int4range": ["'[1,5)'"],
    "boolean": ["true", "(NOT false)"],
    "pair": ["ROW(1, 'x')"],
}
TYPED = "CREATE TYPE mood AS ENUM ('sad', 'it''s'); CREATE DOMAIN positive AS int CHECK (VALUE > 0) CHECK (VALUE < 99);"
SHARED = "CREATE TYPE pair AS (a int, b text); CREATE SEQUENCE shared START 3; CREATE SCHEMA other;"
INDEXES = ["", "UNIQUE", "brin", "hash", "desc", "where", "include", "expression"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@st.composite
def table(draw, name, parents, last):
    columns = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    kinds = [draw(st.sampled_from(sorted(TYPES))) for _ in columns]
    lines = [
        "id bigint " + draw(st.sampled_from(["PRIMARY KEY", "GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "UNIQUE"]))
    ]
    for column, kind in zip(columns, kinds, strict=True):
        default = draw(st.sampled_from([None, *TYPES[kind]]))
        lines.append(f"{quoted(column)} {kind}" + (f" DEFAULT {default}" if default else ""))
        lines[-1] += draw(st.sampled_from(["", " NOT NULL"]))
    for parent in draw(st.lists(st.sampled_from(parents), max_size=2)) if parents else []:
        action = draw(st.sampled_from(["", " ON DELETE CASCADE", " ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED"]))
        lines.append(f"FOREIGN KEY (id) REFERENCES {parent} (id){action}")
    first = quoted(columns[0])
    lines += draw(
        st.lists(
            st.sampled_from([f"CHECK ({first} IS NOT NULL)", f"CHECK (id > 0 AND {first} IS NULL) NO INHERIT"]),
            max_size=2,
        )
    )
    made = f"CREATE {draw(st.sampled_from(['', 'UNLOGGED ' if last else '']))}TABLE {name} ({', '.join(lines)});"
    return made + "".join(draw(st.lists(index(name, first, kinds[0]), max_size=3)))


@st.composite
def index(draw, table, column, kind):
    how = draw(st.sampled_from(INDEXES))
    plain = "id" if kind in ("pair", "jsonb", "int4range", "mood[]") else column
    return {
        "": f"CREATE INDEX ON {table} ({plain});",
        "UNIQUE": f"CREATE UNIQUE INDEX ON {table} ({plain}, id) NULLS NOT DISTINCT;",
        "brin": f"CREATE INDEX ON {table} USING brin (id) WITH (pages_per_range = 4);",
        "hash": f"CREATE INDEX ON {table} USING hash (id);",
        "desc": f"CREATE INDEX ON {table} (id DESC NULLS LAST, {plain} NULLS FIRST);",
        "where": f"CREATE INDEX ON {table} (id) WHERE {column} IS NOT NULL AND id <> 5;",
        "include": f"CREATE INDEX ON {table} (id) INCLUDE ({column});",
        "expression": f"CREATE INDEX ON {table} ((id + 1), ({column} IS NULL));",
    }[how]


@st.composite
def databases(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    places = [f"{draw(st.sampled_from(['', 'other.']))}{quoted(name)}" for name in names]
    tables = [draw(table(place, places[:number], len(places) == 1)) for number, place in enumerate(places)]
    return TYPED + SHARED + "".join(tables)


@settings(max_examples=8, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(databases())
def test_any_database_is_the_same_once_it_is_read_and_written(sql):
    plan, found, again = read_and_written(sql)
    assert found == ()
    assert script(again) == script(plan)
