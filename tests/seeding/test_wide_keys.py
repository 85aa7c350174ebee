"""Wide keys: another parent is another one for every column that refers to it."""

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)

from dbplan.errors import Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed


def transfers(tmp_path, per):
    m = MetaData()
    Table("people", m, Column("id", Integer, primary_key=True))
    Table(
        "wallets", m,
        Column("id", Integer, primary_key=True), Column("currency", String(3), primary_key=True),
        CheckConstraint("currency IN ('EUR', 'USD', 'JPY', 'CHF', 'GBP', 'SEK')"),
    )  # fmt: skip
    Table(
        "transfers", m,
        Column("id", Integer, primary_key=True), Column("person_id", ForeignKey("people.id"), nullable=False),
        Column("source_id", Integer, nullable=False), Column("target_id", Integer, nullable=False),
        Column("currency", String(3), nullable=False),
        ForeignKeyConstraint(["source_id", "currency"], ["wallets.id", "wallets.currency"]),
        ForeignKeyConstraint(["target_id", "currency"], ["wallets.id", "wallets.currency"]),
        CheckConstraint("source_id <> target_id", name="differ"),
    )  # fmt: skip
    path = tmp_path / "transfers.toml"
    path.write_text(f"[tables.transfers]\nper = '{per}'\n")
    return Plan("transfers", m, recipe=path)


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_key_drawn_again_is_drawn_again_whole(tmp_path, on):
    with sandbox(transfers(tmp_path, "person_id"), on) as stage:
        assert seed(stage, rows={"people": 5, "wallets": 15, "transfers": 400}).ok


def test_a_parent_that_has_no_other_of_its_kind_is_said_before_the_first_row(tmp_path):
    with (
        sandbox(transfers(tmp_path, "source_id"), "sqlite") as stage,
        pytest.raises(Unsatisfiable, match='no row of transfers was found that holds CHECK "differ"'),
    ):
        seed(stage, rows={"people": 5, "wallets": 8, "transfers": 400})


def evaluators(match):
    m = MetaData()
    Table("languages", m, Column("name", String(20), primary_key=True))
    Table(
        "boxes", m,
        Column("id", Integer, primary_key=True), Column("language", ForeignKey("languages.name"), nullable=False),
        UniqueConstraint("language", "id"),
    )  # fmt: skip
    Table(
        "evaluators", m,
        Column("id", Integer, primary_key=True), Column("box_id", Integer),
        Column("language", ForeignKey("languages.name"), nullable=False),
        ForeignKeyConstraint(["box_id", "language"], ["boxes.id", "boxes.language"], match=match),
    )  # fmt: skip
    return Plan("evaluators", m)


@pytest.mark.parametrize("match", [None, "FULL"])
@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_key_that_is_null_in_part_leaves_the_rest_not_null(on, match):
    with sandbox(evaluators(match), on) as stage:
        assert seed(stage, rows=80).ok
        with stage.engine.connect() as connection:
            boxes = stage.plan.table("evaluators").c.box_id
            nulls = connection.scalar(select(func.count()).where(boxes.is_(None)))
    assert (nulls > 0) == (match is None)


def test_numbers_put_in_order_stay_within_their_types():
    m = MetaData()
    Table(
        "t", m,
        Column("id", Integer, primary_key=True), Column("low", Float), Column("share", Numeric(4, 4), nullable=False),
        CheckConstraint("low < share"),
    )  # fmt: skip
    with sandbox(Plan("shares", m)) as stage:
        assert seed(stage, rows=60).ok
