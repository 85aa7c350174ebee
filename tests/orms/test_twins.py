"""Twins: what the page says of each raw driver beside itself, from facts alone."""

from dataclasses import replace

import pytest

from dbplan.evidence import OrmTiming
from dbplan.orms.facts import Gathered, Taking
from dbplan.orms.scenarios import SCENARIOS
from dbplan.orms.twins import beside_itself, twin_table, twins

TAKERS = (
    Taking("psycopg", "psycopg", "Python", "psycopg"),
    Taking("psycopg again", "psycopg again", "Python", "psycopg", "psycopg"),
    Taking("pg again", "pg again", "Node", "pg", "pg"),
)
FACTS = Gathered(TAKERS, {}, {})


def told(*ratios, orm="psycopg again", width=0.02):
    return [
        OrmTiming(orm, scenario, "measured", ratio=ratio, ratio_low=ratio - width, ratio_high=ratio + width)
        for scenario, ratio in zip(SCENARIOS, ratios, strict=False)
    ]


def test_equal_processes_show_no_difference_and_one_over_all():
    (found,) = twins(FACTS, told(1.0, 1.01, 0.99, 1.01, 0.99))
    assert beside_itself(found) == (
        "**psycopg beside itself**, a second process of it: no difference in 5 of 5 scenarios, "
        "over all 1.00× (0.988–1.01×), furthest from 1 with 0.990× in Read by key."
    )


def test_one_process_for_all_scenarios_has_no_interval_over_them():
    (found,) = twins(replace(FACTS, quick=True), told(1.02, 1.03, 1.01))
    assert "over all 1.02×, furthest" in beside_itself(found)


def test_processes_that_differ_are_told_with_where_they_differ_most():
    (found,) = twins(FACTS, told(1.2, 1.25, 0.75, 1.01))
    assert "no difference in 1 of 4 scenarios" in beside_itself(found)
    assert beside_itself(found).endswith("furthest from 1 with 0.750× in Read by key.")


def test_a_driver_without_a_ratio_has_no_line():
    assert twins(FACTS, [OrmTiming("psycopg again", "upsert", "hung")]) == []
    both = twins(FACTS, [*told(1.0, 1.0), *told(1.1, 1.2, 1.3, orm="pg again")])
    assert [one.taker.twin_of for one in both] == ["psycopg", "pg"]


def test_the_table_holds_numbers():
    frame = twin_table(twins(FACTS, told(1.0, 1.01, 0.99))).frame.set_index("raw driver")
    row = frame.loc["psycopg again"]
    assert row[["scenarios", "no difference", "furthest from 1"]].tolist() == [3, 3, 0.99]
    assert row["over all low"] < row["over all"] < row["over all high"]
    assert row["over all"] == pytest.approx(1.0, abs=0.001)
