"""Decimals: a sum that a CHECK compares holds where a server computes in doubles, and is written to the scale."""

from decimal import Decimal

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Numeric, Table, select

from dbplan.columns import Money
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed

RECIPE = """
[tables.bills.columns]
total = { expression = "net + tax" }
third = { expression = "net / 3" }
"""


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
@pytest.mark.parametrize("kind", [Numeric(10, 2), Money()], ids=["plain", "own"])
@pytest.mark.parametrize("ruled", [True, False])
def test_a_sum_holds_and_has_the_columns_decimals(on, kind, ruled, tmp_path):
    m = MetaData()
    t = Table(
        "bills", m,
        Column("id", Integer, primary_key=True), Column("net", kind, nullable=False),
        Column("tax", kind, nullable=False), Column("total", kind, nullable=False),
        Column("third", Numeric(10, 2), nullable=False),
        CheckConstraint("total = net + tax", name="adds_up"), CheckConstraint("net > 0 AND tax >= 0", name="positive"),
    )  # fmt: skip
    path = tmp_path / "bills.toml"
    path.write_text(RECIPE if ruled else "")
    with sandbox(Plan("bills", m, recipe=path), on) as stage:
        assert seed(stage, rows=500).ok
        with stage.engine.connect() as connection:
            rows = connection.execute(select(t)).all()
    assert all(row.total == row.net + row.tax for row in rows)
    if ruled:
        assert all(abs(row.third - row.net / 3) <= Decimal("0.005") for row in rows)
