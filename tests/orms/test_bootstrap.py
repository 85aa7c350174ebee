"""Intervals: they hold what they should as often as they should."""

import numpy as np
import pytest

from dbplan.orms.bootstrap import Interval, alike, mean, overall, quantiles, ratio


def rounds(rng, scale=1.0, number=20, size=10):
    """Latencies with a long tail, whose rounds differ as a busy machine makes them."""
    mood = np.exp(rng.normal(0, 0.2, number))
    return [list(1e6 * scale * m * (1 + rng.exponential(0.3, size))) for m in mood], mood


def paired(rng, scale, number=20, size=10):
    first, mood = rounds(rng, 1.0, number, size)
    second = [list(1e6 * scale * m * (1 + rng.exponential(0.3, size))) for m in mood]
    return second, first


@pytest.mark.parametrize(("scale", "number"), [(1.0, 20), (1.0, 8), (3.0, 20)])
def test_the_interval_of_a_ratio_holds_the_truth(scale, number):
    rng = np.random.default_rng(5)
    held = sum(ratio(*paired(rng, scale, number)).holds(scale) for _ in range(400))
    assert held / 400 >= 0.95


def test_a_difference_of_a_quarter_is_seen():
    rng = np.random.default_rng(5)
    seen = sum(not ratio(*paired(rng, 1.25, size=20)).holds(1) for _ in range(100))
    assert seen >= 95


def test_what_two_processes_of_the_same_lie_apart_widens_the_interval():
    pair = paired(np.random.default_rng(5), 1.0)
    narrow, wide = ratio(*pair), ratio(*pair, between=0.5)
    assert wide.value == narrow.value
    assert wide.high / wide.low > 3 * narrow.high / narrow.low


def test_a_ratio_of_the_same_samples_is_one():
    (same, _) = rounds(np.random.default_rng(1))
    assert ratio(same, same) == Interval(1, 1, 1)


def test_rounds_of_one_slow_moment_do_not_move_the_ratio():
    second, first = paired(np.random.default_rng(3), 2.0)
    second[4] = [1e9] * 10
    assert ratio(second, first).value == pytest.approx(2.0, rel=0.1)


def test_quantiles_are_those_of_all_samples_and_wait_for_enough_of_them():
    few, _ = rounds(np.random.default_rng(2), number=5, size=4)
    middle, p95, p99 = quantiles(few)
    assert middle.value == np.median(np.concatenate(few))
    assert middle.low <= middle.value <= middle.high
    assert (p95, p99) == (None, None)
    many, _ = rounds(np.random.default_rng(2), number=20, size=30)
    middle, p95, p99 = quantiles(many)
    every = np.concatenate(many)
    assert [middle.value, p95.value, p99.value] == [np.quantile(every, q) for q in (0.5, 0.95, 0.99)]
    assert middle.high < p95.low
    assert p95.value <= p99.value
    assert p95.low < p95.value < p95.high


def test_the_interval_of_a_median_knows_that_calls_of_one_round_are_alike():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(200):
        found, _ = rounds(rng, number=15, size=20)
        held += quantiles(found)[0].holds(1e6 * (1 + 0.3 * np.log(2)))
    assert held / 200 >= 0.85


def test_the_mean_of_ratios_is_the_geometric_one():
    assert overall([2.0, 0.5]) == pytest.approx(1.0)


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    found = [mean(np.exp(rng.normal(0.1, 0.05, 14)).tolist()) for _ in range(400)]
    held = sum(one.holds(np.exp(0.1)) for one in found)
    assert 0.92 <= held / 400 <= 0.98
    assert all(one.low < one.value < one.high for one in found)


def test_two_ratios_have_a_mean_and_no_interval():
    found = mean([2.0, 0.5])
    assert found.value == pytest.approx(1.0)
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("each", [2, 3])
def test_two_values_of_each_are_enough_where_groups_vary_alike(each):
    rng = np.random.default_rng(5)
    truth = np.exp(rng.normal(0, 1, 19))
    held, wide = [], []
    for _ in range(100):
        found = alike([list(one * np.exp(rng.normal(0, 0.05, each))) for one in truth])
        held += [one.holds(value) for one, value in zip(found, truth, strict=True)]
        wide += [one.high / one.low for one in found]
    assert np.mean(held) >= 0.95
    assert np.mean(wide) < 1.23, "Student's interval of two values alone would be wider by far"


def test_one_value_of_each_tells_nothing_and_an_empty_group_has_none():
    assert alike([[1.0], [2.0]]) == [None, None]
    one, none = alike([[1.0, 1.1], []])
    assert one.holds(1.05)
    assert none is None
