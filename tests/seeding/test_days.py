"""Whole days: what comes after a date is on a later one, and a rule that no CHECK allows is said."""

from pathlib import Path

import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Integer, MetaData, Table

from dbplan.errors import Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed


def _plan(recipe: Path | None = None) -> Plan:
    metadata = MetaData()
    Table(
        "stay",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("start", Date, nullable=False),
        Column("stop", Date),
        Column("guests", Integer, CheckConstraint("guests BETWEEN 1 AND 40", name="few"), nullable=False),
        CheckConstraint("stop > start", name="in_order"),
    )
    return Plan("hotel", metadata, recipe=recipe)


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
@pytest.mark.parametrize("rule", [None, 'stop = { after = "start", within = "900 days" }'])
def test_a_day_after_another_is_later(tmp_path: Path, on: str, rule: str | None):
    recipe = tmp_path / "hotel.toml"
    recipe.write_text(f"[tables.stay.columns]\n{rule}\n" if rule else "")
    with sandbox(_plan(recipe), on=on) as stage:
        assert seed(stage, rows=5000).ok  # the server itself refuses a row that breaks the CHECK


def test_a_rule_outside_the_check_names_both(tmp_path: Path):
    recipe = tmp_path / "hotel.toml"
    recipe.write_text("[tables.stay.columns]\nguests = { min = 50, max = 60 }\n")
    with pytest.raises(Unsatisfiable, match=r'CHECK "few" of stay .* that .*hotel\.toml gives guests'):
        explain(_plan(recipe))
