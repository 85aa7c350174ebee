"""Periods: what begins ends later, by the names of the two columns alone."""

import datetime as dt

import pytest
from sqlalchemy import CheckConstraint, Column, Date, DateTime, Integer, MetaData, String, Table

from dbplan.plan import Plan
from dbplan.seeding.run import prepare


def rows(first, second, kind, recipe=None, *checks):
    m = MetaData()
    Table(
        "seasons", m, Column("id", Integer, primary_key=True), Column(second, kind, nullable=False),
        Column(first, kind, nullable=False), Column("name", String(20)), *checks,
    )  # fmt: skip
    source = prepare(Plan(name="p", metadata=m, recipe=recipe), 400, 7)[0].sources["seasons"]
    frame = source.frame(source.order)
    return list(zip(frame[first].values.tolist(), frame[second].values.tolist(), strict=True)), source.why[second]


PAIRS = [
    ("starts", "ends"), ("startsAt", "endsAt"), ("valid_from", "valid_to"), ("start_date", "end_date"),
    ("opened_on", "closed_on"), ("check_in", "check_out"), ("Period_Begin", "Period_End"),
]  # fmt: skip


@pytest.mark.parametrize("kind", [Date(), DateTime()], ids=["dates", "times"])
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_what_begins_ends_later(first, second, kind):
    found, why = rows(first, second, kind)
    assert all(begin < end for begin, end in found)
    assert all(end - begin <= dt.timedelta(days=91) for begin, end in found)
    assert why == f"after {first}, which it ends"


def test_a_rule_for_the_end_decides_it(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("[tables.seasons.columns]\nends = { value = 2024-01-01 }\n")
    found, _ = rows("starts", "ends", Date(), path)
    assert {end for _, end in found} == {dt.datetime(2024, 1, 1)}


def test_a_beginning_that_follows_its_end_is_no_circle(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[tables.seasons.columns]\nstarts = { expression = "ends" }\n')
    found, _ = rows("starts", "ends", DateTime(), path)
    assert all(begin == end for begin, end in found)


def test_a_check_that_compares_them_is_held_as_ever():
    found, why = rows("starts", "ends", DateTime(), None, CheckConstraint("starts > ends", name="backwards"))
    assert all(begin > end for begin, end in found)
    assert "which it ends" not in why
