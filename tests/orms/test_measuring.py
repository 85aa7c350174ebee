"""Measuring: how many rounds a scenario is played, and which calls of a batch are timed."""

from dataclasses import dataclass, field

import pytest

from dbplan.orms.calls import Calls
from dbplan.orms.measuring import ROUSING, _rounds, _rousing, _run_batch
from dbplan.orms.run import FULL, QUICK


@dataclass
class Costly:
    """A player, as far as what a call of it costs."""

    cost: float


@pytest.mark.parametrize(
    ("effort", "cost", "due"),
    [(FULL, 0.002, 20), (FULL, 0.32, 14), (FULL, 3.0, 10), (QUICK, 0.002, 8), (QUICK, 1.0, 5)],
)
def test_long_calls_take_fewer_rounds_and_half_at_least(effort, cost, due):
    players = [Costly(cost), Costly(cost)]
    assert _rounds(players, 1, effort) == due
    assert _rounds([Costly(cost / 4), Costly(cost / 4)], 4, effort) == due


@pytest.mark.parametrize(
    ("scenario", "params", "cost", "due"),
    [
        ("point_read", 1, 0.001, ROUSING),
        ("point_read", 100, 0.05, 0),
        ("upsert", 2, 0.001, 0),
        ("upsert", 400, 0.001, ROUSING),
        ("bulk_insert", 1, 0.001, 0),
        ("bulk_insert", 5, 0.001, ROUSING),
    ],
)
def test_a_batch_begins_with_a_call_that_is_not_timed_where_calls_are_short_and_many(scenario, params, cost, due):
    assert _rousing([Costly(cost), Costly(cost)], Calls(scenario, [{}] * params)) == due


@dataclass
class Sleeper:
    """A player whose first call after a rest takes ten times as long."""

    cost: float = 0.001
    clone: None = None
    rounds: list[tuple[int, ...]] = field(default_factory=list)

    def ask(self, _do, _within, params):
        return {"ns": [10_000_000, *[1_000_000] * (len(params) - 1)]}


class Keeper:
    """A referee that has nothing to take out."""

    def restore(self, _clone, _scenario):
        return 0


@pytest.mark.parametrize(("rousing", "due"), [(1, (1_000_000,) * 3), (0, (10_000_000, *(1_000_000,) * 3))])
def test_what_rouses_a_process_is_not_among_the_times(rousing, due):
    player = Sleeper()
    _run_batch(player, Keeper(), None, [{}] * (rousing + len(due)), rousing, 1.0)
    assert player.rounds == [due]
