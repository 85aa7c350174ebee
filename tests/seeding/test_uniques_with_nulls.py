"""Uniques whose columns may be NULL: as often as the recipe asks, and what is there is there once."""

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    select,
)
from uuid_utils.compat import uuid7

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed


def payments(recipe):
    metadata = MetaData()
    Table("banks", metadata, Column("id", Integer, primary_key=True))
    Table(
        "purses", metadata,
        Column("id", Uuid, primary_key=True, default=uuid7),
        Column("owner_id", Integer, nullable=False), Column("bank_id", ForeignKey("banks.id")),
        Column("currency", String(3), nullable=False),
        UniqueConstraint("bank_id", "currency"), UniqueConstraint("currency", "id"),
    )  # fmt: skip
    Table(
        "payments", metadata,
        Column("id", Uuid, primary_key=True, default=uuid7),
        Column("created_at", DateTime, nullable=False), Column("finished_at", DateTime),
        Column("kind", String(10), nullable=False), Column("reference", String(40), unique=True),
        Column("source_id", Uuid, nullable=False), Column("target_id", Uuid, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("undoes_id", ForeignKey("payments.id"), unique=True),
        *(
            ForeignKeyConstraint([side, "currency"], ["purses.id", "purses.currency"])
            for side in ("source_id", "target_id")
        ),
        CheckConstraint("source_id <> target_id", name="two"),
        CheckConstraint("finished_at >= created_at", name="later"),
        CheckConstraint("kind = 'card' OR finished_at IS NOT NULL", name="waits"),
        CheckConstraint("(kind = 'refund') = (undoes_id IS NOT NULL)", name="undoes"),
    )  # fmt: skip
    Table(
        "receipts", metadata,
        Column("id", Integer, primary_key=True), Column("payment_id", ForeignKey("payments.id"), unique=True),
    )  # fmt: skip
    return Plan("payments", metadata, recipe=recipe)


RECIPE = """
[tables.banks]
rows = 3
[tables.purses]
rows = 40
[tables.purses.columns]
bank_id = { null = 1 }
currency = { values = ["EUR", "USD", "JPY"] }
[tables.payments]
rows = 800
per = "source_id"
[tables.payments.columns]
undoes_id = { null = 0.9 }
reference = { pattern = "^[0-9a-f]{20}$", only_when = "kind = 'card'" }
finished_at = { after = "created_at", within = "1 hour", only_when = "kind <> 'card'" }
[tables.payments.columns.kind]
cases = [{ when = "undoes_id IS NOT NULL", values = ["refund"] }, { values = ["card", "cash"] }]
[tables.receipts]
rows = 400
[tables.receipts.columns]
payment_id = { null = 0.5 }
"""


@pytest.fixture(scope="module", params=("postgresql", "sqlite"))
def seeded(request, tmp_path_factory):
    recipe = tmp_path_factory.mktemp("recipe") / "payments.toml"
    recipe.write_text(RECIPE, "utf-8")
    with sandbox(payments(recipe), on=request.param) as stage:
        assert seed(stage).ok
        with stage.engine.connect() as connection:
            yield {t.name: connection.execute(select(t)).mappings().all() for t in stage.plan.tables}


def share(rows, column):
    return sum(row[column] is None for row in rows) / len(rows)


def test_a_column_that_is_never_there_holds_its_unique(seeded):
    assert share(seeded["purses"], "bank_id") == 1
    assert len(seeded["purses"]) == 40


def test_a_unique_reference_is_null_as_often_as_asked(seeded):
    for table, column, asked in (("payments", "undoes_id", 0.9), ("receipts", "payment_id", 0.5)):
        assert abs(share(seeded[table], column) - asked) < 0.06
        there = [row[column] for row in seeded[table] if row[column] is not None]
        assert len(set(there)) == len(there)


def test_a_row_of_its_own_table_comes_before(seeded):
    ids = {row["id"]: row for row in seeded["payments"]}
    undone = [(row, ids[row["undoes_id"]]) for row in seeded["payments"] if row["undoes_id"]]
    assert undone
    assert all(row["id"] != other["id"] for row, other in undone)


def test_a_unique_text_is_there_only_when_its_condition_holds(seeded):
    assert {row["kind"] for row in seeded["payments"] if row["reference"]} == {"card"}
    assert share([row for row in seeded["payments"] if row["kind"] == "card"], "reference") < 0.3


def test_two_references_that_share_a_column_agree_and_differ_where_a_check_asks(seeded):
    currency = {row["id"]: row["currency"] for row in seeded["purses"]}
    for row in seeded["payments"]:
        assert row["source_id"] != row["target_id"]
        assert currency[row["source_id"]] == currency[row["target_id"]] == row["currency"]
