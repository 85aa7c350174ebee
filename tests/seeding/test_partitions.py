"""Rows go through partitioned tables to partitions that take them, and triggers rest meanwhile."""

import pytest
from sqlalchemy import MetaData

from dbplan.diagram import dictionary, erd
from dbplan.linting import lint
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.sources import read

SQL = """
CREATE TABLE days (id bigint, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
CREATE TABLE kinds (kind text NOT NULL, n int) PARTITION BY LIST (kind);
CREATE TABLE kinds_a PARTITION OF kinds FOR VALUES IN ('a', 'b:c');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
CREATE TRIGGER refusing BEFORE INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE VIEW many AS SELECT count(*) AS days FROM days;
"""


@pytest.fixture(scope="module")
def plan():
    with sandbox(Plan("parts", MetaData()), create=False) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(SQL)
        yield read(stage.url)


def test_rows_are_such_as_a_partition_takes(plan):
    with sandbox(plan) as stage:
        assert seed(stage, rows=50).ok
        with stage.engine.connect() as connection:
            counts = (
                "SELECT (SELECT count(*) FROM days_1), (SELECT count(*) FROM days_2), (SELECT count(*) FROM kinds_a)"
            )
            first, second, kinds = connection.exec_driver_sql(counts).one()
            fires = connection.exec_driver_sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'refusing'").scalars()
            assert set(fires) == {"O"}
    assert (first + second, kinds) == (50, 50)
    assert min(first, second) > 0


def test_a_partition_is_drawn_told_and_judged_as_part_of_its_table(plan):
    assert [table.key for table in plan.entities] == ["days", "kinds", "many"]
    shown = str(erd(plan).verdict), dictionary(plan).verdict
    assert shown[0].startswith("3 tables")
    assert not any("days_1" in str(finding.place) for finding in lint(plan).evidence)
