"""Ranking: places, ties, and who has none."""

from dataclasses import replace

import numpy as np
import pytest

from dbplan.orms.facts import Gathered, Outcome, Taking
from dbplan.orms.ranking import FEWEST, rank_table, ranks
from dbplan.orms.scenarios import SCENARIOS, Scenario

NAMES = list(SCENARIOS)
SPEED = {"psycopg": 1.0, "peewee": 2.0, "pony": 2.01, "django": 3.0, "sqlmodel": 3.15}
TAKERS = (
    *(Taking(orm, orm.title(), "Python", "psycopg") for orm in SPEED),
    Taking("psycopg again", "psycopg", "Python", "psycopg", "psycopg"),
)


def outcome(orm, scenario, noise):
    """Return twenty rounds, each of which the machine slows or not, for all alike."""
    chance, host = np.random.default_rng([len(orm), *map(ord, scenario), *map(ord, orm)]), np.random.default_rng(7)
    slow = host.lognormal(0.0, 0.5, 20)
    times = 1e6 * SPEED[orm.removesuffix(" again")] * slow[:, None] * chance.lognormal(0.0, noise, (20, 5))
    return Outcome(orm, scenario, rounds=tuple(tuple(map(int, each)) for each in times))


def gathered(noise=0.2, quick=False):
    return Gathered(
        entrants=TAKERS,
        scenarios={name: Scenario(name, "users", ("id",)) for name in NAMES},
        missing={},
        outcomes=tuple(outcome(taker.orm, name, noise) for name in NAMES for taker in TAKERS),
        quick=quick,
    )


def without(facts, orm, names):
    kept = (one for one in facts.outcomes if one.orm != orm or one.scenario not in names)
    return replace(facts, outcomes=tuple(kept))


def by_name(facts):
    return {one.orm: one for one in ranks(facts)}


def test_places_go_by_what_is_told_apart_and_ties_share_one():
    found = by_name(gathered())
    assert list(found) == ["peewee", "pony", "django", "sqlmodel"]
    assert [one.place for one in found.values()] == [1, 1, 3, 4]
    assert found["peewee"].level_with == ("pony",)
    assert found["pony"].level_with == ("peewee",)
    assert found["django"].level_with == ()
    assert found["django"].ratio_low <= 3.0 <= found["django"].ratio_high


def test_what_the_raw_driver_varies_hides_no_difference():
    """Ratios to a driver that jumps have wide intervals, which meet; the two themselves differ all the same."""
    facts = gathered()
    jumps = np.random.default_rng(3).lognormal(0.0, 0.6, (len(NAMES), 20))
    outcomes = [
        replace(
            one,
            rounds=tuple(
                tuple(int(ns * jump) for ns in each)
                for each, jump in zip(one.rounds, jumps[NAMES.index(one.scenario)], strict=True)
            ),
        )
        if one.orm == "psycopg"
        else one
        for one in facts.outcomes
        if one.orm != "psycopg again"
    ]
    found = by_name(replace(facts, entrants=TAKERS[:-1], outcomes=tuple(outcomes)))
    assert found["django"].ratio_high > found["sqlmodel"].ratio_low
    assert "sqlmodel" not in found["django"].level_with
    assert found["sqlmodel"].place == 4


def test_all_are_ranked_by_the_scenarios_that_they_share():
    found = by_name(without(gathered(), "peewee", NAMES[:2]))
    assert {one.scenarios for one in found.values()} == {len(NAMES) - 2}
    assert found["peewee"].place == 1


def test_who_has_far_fewer_scenarios_has_no_place_and_takes_none_away():
    few = int(len(NAMES) * (1 - FEWEST)) + 1
    found = by_name(without(gathered(), "peewee", NAMES[:few]))
    assert (found["peewee"].place, found["peewee"].scenarios) == (None, len(NAMES) - few)
    assert {one.scenarios for one in found.values() if one.place} == {len(NAMES)}
    assert list(found)[-1] == "peewee"


def test_processes_that_run_all_scenarios_tell_less():
    own, shared = by_name(gathered()), by_name(gathered(quick=True))
    assert own["django"].ratio == pytest.approx(shared["django"].ratio)
    assert shared["django"].ratio_low < own["django"].ratio_low


def test_nothing_measured_is_no_rank():
    assert list(ranks(replace(gathered(), outcomes=()))) == []


def test_the_table_names_place_ratio_and_ties():
    table = rank_table(list(ranks(gathered())), TAKERS, "Python")
    assert table.caption == "Python: over all scenarios"
    assert list(table.frame.columns[:2]) == ["place", "contestant"]
    assert [row[4] for row in table.rows] == ["Pony", "Peewee", "none", "none"]
