"""Measuring: how many rounds a scenario is played."""

from dataclasses import dataclass

import pytest

from dbplan.orms.measuring import _rounds
from dbplan.orms.run import FULL, QUICK


@dataclass
class Costly:
    """A player, as far as what a call of it costs."""

    cost: float


@pytest.mark.parametrize(
    ("effort", "cost", "due"),
    [(FULL, 0.002, 20), (FULL, 0.4, 12), (FULL, 3.0, 10), (QUICK, 0.002, 8), (QUICK, 1.0, 5)],
)
def test_long_calls_take_fewer_rounds_and_half_at_least(effort, cost, due):
    players = [Costly(cost), Costly(cost)]
    assert _rounds(players, 1, effort) == due
    assert _rounds([Costly(cost / 4), Costly(cost / 4)], 4, effort) == due
