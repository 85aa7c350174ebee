"""Periods: what begins ends later, by the names of the two columns alone."""

import datetime as dt

import numpy as np
import pytest
from sqlalchemy import CheckConstraint, Column, Date, DateTime, Integer, MetaData, String, Table, Time

from dbplan.plan import Plan
from dbplan.seeding.run import prepare


def rows(first, second, kind, recipe=None, *checks, table="seasons"):
    m = MetaData()
    Table(
        table, m, Column("id", Integer, primary_key=True), Column(second, kind, nullable=False),
        Column(first, kind, nullable=False), Column("name", String(20)), *checks,
    )  # fmt: skip
    source = prepare(Plan(name="p", metadata=m, recipe=recipe), 400, 7)[0].sources[table]
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
    assert all(end - begin <= dt.timedelta(days=361) for begin, end in found)
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


HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LENGTHS = [
    ("stays", "check_in", "check_out", Date(), DAY, 14 * DAY),
    ("stays", "check_in", "check_out", DateTime(), DAY, 14 * DAY),
    ("shifts", "starts_at", "ends_at", DateTime(), HOUR / 4, 8 * HOUR),
    ("meetings", "start", "end", DateTime(), HOUR / 4, 8 * HOUR),
    ("contracts", "start_date", "end_date", Date(), 30 * DAY, 360 * DAY),
    ("prices", "valid_from", "valid_to", DateTime(), 30 * DAY, 360 * DAY),
    ("staff", "hired_on", "left_on", Date(), 30 * DAY, 360 * DAY),
    ("shops", "opens_at", "closes_at", Time(), HOUR / 4, 8 * HOUR),
]  # fmt: skip


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize(("table", "first", "second", "kind", "least", "most"), LENGTHS)
def test_a_period_is_as_long_as_its_names_say(table, first, second, kind, least, most, checked):
    checks = [CheckConstraint(f"{second} > {first}", name="later")] if checked else []
    found, _ = rows(first, second, kind, None, *checks, table=table)
    assert all(least <= end - begin <= most for begin, end in found)
    assert len({end - begin for begin, end in found}) > 8


@pytest.mark.parametrize("length", ["<= interval '10 minutes'", ">= interval '40 days'"])
def test_a_check_on_the_length_goes_before_what_is_usual(length):
    check = CheckConstraint(f"ends_at - starts_at {length}", name="length")
    later = CheckConstraint("ends_at > starts_at", name="later")
    found, _ = rows("starts_at", "ends_at", DateTime(), None, check, later, table="shifts")
    ten, forty = dt.timedelta(minutes=10), 40 * DAY
    assert all(DAY * 0 < end - begin <= ten if "10" in length else end - begin >= forty for begin, end in found)


def booked(*more):
    m = MetaData()
    Table(
        "stays", m, Column("id", Integer, primary_key=True), Column("check_in", Date, nullable=False),
        Column("check_out", Date, nullable=False), Column("booked_at", DateTime, nullable=False),
        Column("cancelled_at", DateTime), Column("deleted_at", DateTime),
        Column("updated_at", DateTime, nullable=False), CheckConstraint("check_out > check_in", name="later"), *more,
    )  # fmt: skip
    source = prepare(Plan(name="p", metadata=m), 400, 7)[0].sources["stays"]
    return source.frame(source.order)


def test_what_is_booked_begins_within_weeks_and_ends_after_it_was_touched():
    frame = booked()
    made = frame["booked_at"].values
    ahead = frame["check_in"].values.astype("datetime64[us]") - made
    assert (ahead > np.timedelta64(0)).all()
    assert (ahead <= np.timedelta64(46, "D")).all()
    for name, base in (("cancelled_at", "booked_at"), ("deleted_at", "updated_at"), ("updated_at", "booked_at")):
        cells = frame[name]
        there = ~cells.null
        assert there.any()
        assert (cells.values[there] > frame[base].values[there]).all(), name
    assert frame["deleted_at"].null.mean() > 0.9


def test_a_check_that_puts_the_booking_last_is_held():
    frame = booked(CheckConstraint("booked_at > check_in", name="late"))
    assert (frame["booked_at"].values > frame["check_in"].values.astype("datetime64[us]")).all()
