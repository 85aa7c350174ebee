"""Wide keys: another parent is another one for every column that refers to it."""

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, String, Table

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
