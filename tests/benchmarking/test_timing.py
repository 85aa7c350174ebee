from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.benchmarking.timing import FEWEST, MOST, Stopwatch, median_interval, schedule


def recorded(number, n=120):
    """Latencies as they come: skewed, with a tail."""
    return np.random.Generator(np.random.Philox(number)).lognormal(mean=-8, sigma=0.5, size=n)


def test_the_same_query_twice_shows_no_difference_in_95_of_100_runs():
    def differ(run):
        (low, high), (low_b, high_b) = (median_interval(recorded(1000 * half + run), run) for half in (1, 2))
        return high < low_b or high_b < low

    assert sum(differ(run) for run in range(200)) <= 10


def test_a_query_half_as_slow_again_is_told_apart():
    _, high = median_interval(recorded(1))
    slower, _ = median_interval(recorded(2) * 1.5)
    assert high < slower


def test_the_interval_holds_the_true_median_in_about_95_of_100_runs():
    truth = np.exp(-8)
    held = sum(low <= truth <= high for low, high in (median_interval(recorded(run, 60), run) for run in range(400)))
    assert 0.92 <= held / 400 <= 0.985


def test_the_interval_is_the_same_for_the_same_state():
    samples = recorded(1)
    assert median_interval(samples, 3) == median_interval(samples, 3)
    assert median_interval(samples, 3) != median_interval(samples, 4)


@given(st.lists(st.floats(1e-6, 10, allow_nan=False), min_size=1, max_size=50))
def test_the_interval_lies_within_the_samples_and_around_the_median(samples):
    low, high = median_interval(samples)
    assert min(samples) <= low <= high <= max(samples)
    assert low <= np.median(samples) * (1 + 1e-12)
    assert high >= np.median(samples) * (1 - 1e-12)


@given(st.dictionaries(st.text(max_size=5), st.floats(0, 100), max_size=8), st.floats(0.01, 20))
def test_every_query_gets_its_share_and_never_too_few(costs, seconds):
    order = schedule(costs, seconds, 7)
    assert set(order) == set(costs)
    for name, cost in costs.items():
        times = order.count(name)
        assert FEWEST <= times <= MOST
        assert times == FEWEST or times * cost <= seconds / len(costs) * 1.000001


def test_queries_are_mixed_not_run_one_after_the_other():
    order = schedule({"a": 0.01, "b": 0.01}, 2, 7)
    changes = sum(one != other for one, other in pairwise(order))
    assert 60 < changes < 140  # 199 neighbours, half of them differ by chance
    assert order == schedule({"a": 0.01, "b": 0.01}, 2, 7)
    assert order != schedule({"a": 0.01, "b": 0.01}, 2, 8)


def test_a_stopwatch_counts_only_what_it_is_given():
    ticks = iter([0, 1_500_000, 10_000_000]).__next__
    watch = Stopwatch(ticks)
    assert watch.time(lambda: 3.0) == (pytest.approx(0.0015), 3.0)
    assert watch.now == pytest.approx(0.01)
