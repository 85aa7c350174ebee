"""Several connections at once: tables that wait for others and for themselves, too few connections, refusals."""

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, create_engine, func, select, text

from dbplan.errors import Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import filling, seed
from dbplan.seeding.loading import chunked, streams
from dbplan.sources.catalog import LEDGER

ROWS = {"employee": 2_000, "badge": 2_000}


def staff():
    """Return employees with managers among them, and badges that wait for them."""
    metadata = MetaData()
    Table(
        "employee", metadata, Column("id", Integer, primary_key=True), Column("name", String(40), nullable=False),
        Column("manager_id", ForeignKey("employee.id")),
    )  # fmt: skip
    Table("badge", metadata, Column("id", ForeignKey("employee.id"), primary_key=True), Column("hue", String(9)))
    return Plan("staff", metadata)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(filling, "LARGE", 100)
    monkeypatch.setattr(chunked, "TASK", 50)


@pytest.fixture
def stage():
    with sandbox(staff()) as opened:
        yield opened


def counted(stage):
    with stage.engine.connect() as connection:
        tables = stage.plan.metadata.tables
        return {name: connection.scalar(select(func.count()).select_from(tables[name])) for name in ROWS}


def test_rows_that_refer_to_their_own_table_come_after_those(stage, small, monkeypatch):
    opened, real = [], streams.several
    monkeypatch.setattr(streams, "several", lambda *given: opened.append(given[-1]) or real(*given))
    assert seed(stage, rows=ROWS).ok
    assert counted(stage) == ROWS
    assert opened[0] > 1


def test_a_pool_that_gives_one_connection_is_enough(stage, small):
    engine = create_engine(stage.engine.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    assert seed(engine, stage.plan, rows=ROWS, fast=True).ok
    engine.dispose()
    assert counted(stage) == ROWS


def test_a_refusal_is_told_as_it_was_and_the_rest_goes_on_later(stage, small):
    with stage.engine.begin() as connection:
        connection.execute(text("ALTER TABLE badge ADD CONSTRAINT few CHECK (id < 1000)"))
    with pytest.raises(Unsatisfiable, match='violates check constraint "few"'):
        seed(stage, rows=ROWS)
    with stage.engine.begin() as connection:
        assert (
            connection.scalar(text(f"SELECT count(*) FROM {LEDGER} WHERE name = 'employee'")) == ROWS["employee"] / 50
        )
        connection.execute(text("ALTER TABLE badge DROP CONSTRAINT few"))
    assert seed(stage, rows=ROWS).ok
    assert counted(stage) == ROWS
