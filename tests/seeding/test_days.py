"""Whole days: what comes after a date is on a later one, and a rule that no CHECK allows is said."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Integer, MetaData, Table, select

from dbplan.columns import UtcDateTime
from dbplan.errors import RecipeError
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
    with pytest.raises(RecipeError, match=r'hotel\.toml:2: min = 50: CHECKs want guests at most 40, see CHECK "few"'):
        explain(_plan(recipe))


NAMED_TIMES = """
[tables.visits.columns]
booked = { values = [2025-01-01, 2025-02-01T12:00:00+02:00], weights = [1, 1] }
came = { after = "booked", within = "2 days" }
opened = { value = 2024-06-01T08:00:00Z }
day = { values = [2025-03-01, 2025-03-02] }
paid = { cases = [{ when = "booked > '2025-01-15'", values = [2025-04-01T00:00:00] }, { values = [2025-05-01] }] }
"""


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_times_named_by_a_recipe_are_those_of_the_rows(tmp_path: Path, on: str):
    metadata = MetaData()
    times = [Column(name, UtcDateTime(), nullable=False) for name in ("booked", "came", "opened", "paid")]
    visits = Table("visits", metadata, Column("id", BigInteger, primary_key=True), *times, Column("day", Date))
    recipe = tmp_path / "hotel.toml"
    recipe.write_text(NAMED_TIMES)
    with sandbox(Plan("hotel", metadata, recipe=recipe), on=on) as stage:
        seed(stage, rows=300)
        with stage.engine.connect() as connection:
            rows = connection.execute(select(visits)).all()
    january, february = dt.datetime(2025, 1, 1, tzinfo=dt.UTC), dt.datetime(2025, 2, 1, 10, tzinfo=dt.UTC)
    assert {row.booked for row in rows} == {january, february}
    assert all(dt.timedelta(0) < row.came - row.booked <= dt.timedelta(days=2) for row in rows)
    assert {row.opened for row in rows} == {dt.datetime(2024, 6, 1, 8, tzinfo=dt.UTC)}
    assert {row.day for row in rows} <= {dt.date(2025, 3, 1), dt.date(2025, 3, 2), None}
    assert {(row.booked, row.paid) for row in rows} == {
        (january, dt.datetime(2025, 5, 1, tzinfo=dt.UTC)),
        (february, dt.datetime(2025, 4, 1, tzinfo=dt.UTC)),
    }
