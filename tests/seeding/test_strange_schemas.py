"""Schemas put together at random, without a recipe: every constraint holds, or what cannot is said before any row."""

import re
from math import prod
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, NullPool, func, select
from strange_schemas import strange_schema

from dbplan.connection import new_engine
from dbplan.errors import NotCovered, SandboxError, Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sandbox.schema import create
from dbplan.seeding import seed

SCHEMAS = st.integers(0, 10**9).map(Random)
BOUNDED = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


def tried(engine, random, on):
    """Seed a schema; where that is refused, hold the reason against the schema and the still empty tables."""
    plan, rows = Plan("strange", strange_schema(random, on)), random.choice([1, 7, 30, 60])
    try:
        create(plan, engine)
    except SandboxError:  # the server itself refuses the schema
        return
    try:
        report = seed(engine, plan, rows=rows)
    except (NotCovered, Unsatisfiable) as error:
        is_justified(str(error), plan)
        is_empty(engine, plan)
    else:
        assert report.ok, report.verdict
        assert ", 0 violations" in report.verdict


def is_justified(said, plan):
    """Assert that an error names a table of the plan and a number, a CHECK or a circle, and that its sum is right."""
    assert "the database refused" not in said
    assert "report this schema" not in said
    assert any(table.name in said for table in plan.tables)
    assert re.search(r"\d|CHECK|circle|known for the type|copied", said)
    if "found no place" not in said and (found := re.search(r"is unique: (.*) for ([\d,]+) rows", said)):
        sizes = [int(size.replace(",", "")) for size in re.findall(r"has ([\d,]+) values", found[1])]
        assert prod(sizes) < int(found[2].replace(",", ""))


def is_empty(engine, plan):
    with engine.connect() as connection:
        assert [t.name for t in plan.tables if connection.scalar(select(func.count()).select_from(t))] == []


@settings(max_examples=14, **BOUNDED)
@given(random=SCHEMAS)
def test_strange_schemas_hold_on_sqlite(random, tmp_path_factory):
    engine = new_engine(f"sqlite:///{tmp_path_factory.mktemp('strange') / 'strange.db'}", poolclass=NullPool)
    tried(engine, random, "sqlite")
    engine.dispose()


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("strange", MetaData()), on="postgresql") as stage:
        yield stage


@settings(max_examples=8, **BOUNDED)
@given(random=SCHEMAS)
def test_strange_schemas_hold_on_postgresql(random, stage):
    with stage.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    tried(stage.engine, random, "postgresql")
