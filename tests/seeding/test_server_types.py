"""Columns of types that only PostgreSQL has a word for: each gets values that the server reads."""

import pytest
from sqlalchemy import MetaData

import dbplan
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed

KINDS = (
    "name", '"char"', "xid", "xid8", "cid", "tid", "pg_lsn", "point", "line", "lseg", "box", "path", "polygon",
    "circle", "regclass", "regtype", "tsquery", "jsonpath", "pg_snapshot", "int4multirange", "datemultirange",
    "tstzmultirange", "refcursor", "int2vector", "point[]", "name[]", "word[]", "pair", "ltree", "cube",
)  # fmt: skip


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("kinds", MetaData()), on="postgresql") as stage, stage.engine.begin() as connection:
        connection.exec_driver_sql("CREATE DOMAIN word AS varchar(5) CHECK (VALUE ~ '^[[:lower:]]+$')")
        connection.exec_driver_sql("CREATE DOMAIN pair AS int[] CHECK (array_length(VALUE, 1) = 2)")
        connection.exec_driver_sql("CREATE EXTENSION ltree")
        connection.exec_driver_sql("CREATE EXTENSION cube")
        columns = ", ".join(f"v{n} {kind} NOT NULL, n{n} {kind}" for n, kind in enumerate(KINDS))
        connection.exec_driver_sql(f"CREATE TABLE kinds (id int PRIMARY KEY, {columns})")
        connection.commit()
        yield stage


def test_types_of_the_server_alone(stage):
    plan = dbplan.read(stage.url)
    assert seed(stage.engine, plan, rows=60).ok
    with stage.engine.connect() as connection:
        for place, kind in enumerate(KINDS):
            found = connection.exec_driver_sql(f"SELECT count(DISTINCT v{place}::text) FROM kinds").scalar_one()
            assert found > 1, kind
