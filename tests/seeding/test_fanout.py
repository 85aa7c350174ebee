"""Fan-outs: 100,000 parents have their children as the law says, each law against its theory."""

from math import exp, factorial

import numpy as np
import pytest

from dbplan.errors import RecipeError, Unsatisfiable
from dbplan.seeding.constraints.counts import counts
from dbplan.seeding.recipe.reading import parse
from dbplan.seeding.rows.fanout import Shape, fan, shape_of
from dbplan.seeding.rows.stream import key
from dbplan.seeding.run import prepare
from tests.seeding.test_recipe import library

PARENTS = 100_000
STREAM = key(7, "books", "fan-out")


def children(total, **shape):
    return fan(STREAM, PARENTS, total, shape=Shape(**shape), label="books (author_id → authors)").counts


def shares(found, upto):
    return np.bincount(found, minlength=upto)[:upto] / PARENTS


def test_poisson_counts_have_the_law_of_poisson():
    found = children(300_000, name="poisson")
    law = [exp(-3) * 3**k / factorial(k) for k in range(12)]
    assert shares(found, 12) == pytest.approx(law, abs=5e-5)
    assert found.sum() == 300_000


def test_poisson_counts_between_ends_have_the_rest_of_the_law():
    found = children(250_000, name="poisson", least=1, most=6)
    assert (found.min(), found.max(), found.sum()) == (1, 6, 250_000)
    share = shares(found, 7)[1:]
    # the ratio of neighbours is mean / k, whatever the ends cut off
    means = share[1:] / share[:-1] * np.arange(2, 7)
    assert means == pytest.approx([means[0]] * 5, rel=0.01)


@pytest.mark.parametrize("alpha", [1.1, 2.0])
def test_pareto_counts_have_a_tail_of_that_exponent(alpha):
    found = children(400_000, name="pareto", alpha=alpha, least=1, most=5_000)
    assert (found.min(), found.sum()) == (1, 400_000)
    above = np.array([(found >= k).mean() for k in (8, 16, 32)])
    # P(count ≥ k) goes with k^-alpha, less what lies beyond the most
    law = np.array([float(k) ** -alpha for k in (8, 16, 32)]) - 5_001.0**-alpha
    assert above[:-1] / above[1:] == pytest.approx(law[:-1] / law[1:], rel=0.01)


def test_zipf_shares_go_by_rank():
    found = np.sort(children(1_000_000, name="zipf", s=0.8))[::-1]
    weights = np.arange(1, PARENTS + 1) ** -0.8
    assert np.abs(found[:1000] - 1_000_000 * weights[:1000] / weights.sum()).max() <= 1
    assert found.sum() == 1_000_000


def test_the_parents_with_most_children_are_scattered():
    found = children(1_000_000, name="zipf")
    first = np.argsort(found)[::-1][:1000]
    assert 0.4 < (first < PARENTS // 2).mean() < 0.6


def test_fixed_counts_are_all_the_same():
    assert set(children(300_000, name="fixed", mean=3).tolist()) == {3}
    assert set(children(250_000, name="fixed").tolist()) == {2, 3}


@pytest.mark.parametrize("name", ["fixed", "even", "poisson", "pareto", "zipf", "skewed"])
@pytest.mark.parametrize(("parents", "total", "least", "most"), [(1, 1, 0, None), (7, 20, 2, 3), (50, 100, 2, 2)])
def test_any_shape_has_its_ends_and_its_sum(name, parents, total, least, most):
    found = fan(STREAM, parents, total, shape=Shape(name, least=least, most=most), label="l").counts
    assert found.sum() == total
    assert found.min() >= least
    assert most is None or found.max() <= most


@pytest.mark.parametrize("name", ["fixed", "even", "poisson", "pareto", "zipf", "skewed"])
def test_a_few_parents_may_have_very_many(name):
    found = fan(STREAM, 20, 50_000_000, shape=Shape(name, least=3), label="l").counts
    assert found.sum() == 50_000_000
    assert found.min() >= 3
    if name == "poisson":
        assert found.std() == pytest.approx(2_500_000**0.5, rel=0.3)


@pytest.mark.parametrize("name", ["fixed", "even", "poisson", "pareto", "zipf", "skewed"])
def test_a_share_of_the_parents_has_none(name):
    shape = shape_of({"shape": name, "none": 0.2, "mean": 4.0} | ({"alpha": 2.0} if name == "pareto" else {}))
    found = fan(STREAM, PARENTS, shape.rows(PARENTS), shape=shape, label="l").counts
    assert (found == 0).mean() == 0.2
    assert found.sum() == 320_000
    assert 0.19 < (found[: PARENTS // 2] == 0).mean() < 0.21


def test_fixed_counts_and_other_rows_do_not_go_together():
    with pytest.raises(Unsatisfiable, match=r"100,000 parents with 3 children each have 300,000, not 5; leave out"):
        children(5, name="fixed", mean=3)


def test_rows_follow_from_the_parents_down_the_line():
    text = '[tables.authors]\nrows = 50\n[tables.books]\nchildren = { shape = "poisson", mean = 2.5 }\n'
    plan = library()
    recipe = parse(text, plan)
    assert counts(plan, recipe, None, None).rows == {"authors": 50, "books": 125}
    assert counts(plan, recipe, 80, None).rows == {"authors": 80, "books": 200}
    assert counts(plan, recipe, {"authors": 10}, None).rows["books"] == 25
    assert counts(plan, recipe, {"authors": 10, "books": 70}, None).rows["books"] == 70


def test_rows_that_are_given_are_shaped_to_their_sum(tmp_path):
    path = tmp_path / "library.toml"
    path.write_text(
        '[tables.books]\nrows = 900\nchildren = { shape = "poisson", mean = 2.5 }\n[tables.authors]\nrows = 90\n'
    )
    made, _ = prepare(library(path), None, 7)
    found = made.sources["books"].fan.counts
    assert found.sum() == 900
    assert found.var() == pytest.approx(10, rel=0.3)


SLIPS = [
    ('{ shape = "even", alpha = 2 }', 'alpha is of shape = "pareto"; here it would be ignored'),
    ('{ shape = "pareto", s = 2 }', 's is of shape = "zipf"'),
    ('{ shape = "poisson", mean = 2, min = 3 }', "mean = 2 does not lie between min = 3 and max"),
    ('{ shape = "poisson", mean = 9, max = 3 }', "mean = 9 does not lie between min = 0 and max = 3"),
    ("{ min = 4, max = 3 }", "min 4 is above max 3"),
    ('{ shape = "poison" }', '\'poison\' is not "fixed", "even", "poisson", "pareto", "zipf" or "skewed"'),
    ("{ mean = 0 }", "mean = 0 is not a number above 0"),
]


@pytest.mark.parametrize(("said", "message"), SLIPS, ids=range(len(SLIPS)))
def test_what_does_not_go_together_is_said(said, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.books]\n\nchildren = {said}\n", library(), "library.toml")
    assert str(caught.value).startswith("library.toml:3: ")
    assert message in str(caught.value)
