"""States that agree with their times and follow from each other, and times that grow denser."""

import datetime as dt
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from dbplan.errors import RecipeError, Unsatisfiable
from dbplan.seeding.recipe.reading import parse
from dbplan.seeding.rows.growth import Pace
from dbplan.seeding.rows.histories import machine
from dbplan.seeding.values.infer import Span
from tests.seeding.shop import column, shop, sources

STATES = """
[tables.orders.columns.status.states]
start = "open"
within = "10 days"
times = { paid = "paid_at", shipped = "shipped_at", cancelled = "closed_at", returned = "closed_at" }

[tables.orders.columns.status.states.moves]
open = { open = 1, paid = 8, cancelled = 1 }
paid = { shipped = 3, cancelled = 1 }
shipped = { shipped = 9, returned = 1 }
"""
NAMES = ("status", "created_at", "paid_at", "shipped_at", "closed_at")


def test_a_state_agrees_with_its_times(tmp_path):
    source = sources(STATES, tmp_path, 20_000)["orders"]
    for status, made, paid, shipped, closed in zip(*(column(source, name) for name in NAMES), strict=True):
        assert (paid is not None) or status in ("open", "cancelled")
        assert (shipped is not None) == (status in ("shipped", "returned"))
        assert (closed is not None) == (status in ("cancelled", "returned"))
        there = [time for time in (made, paid, shipped, closed) if time is not None]
        assert there == sorted(there)
        assert len(set(there)) == len(there)
        assert there[-1] - made <= dt.timedelta(days=10, seconds=1)


def test_states_have_the_shares_that_follow_from_their_moves(tmp_path):
    found = Counter(column(sources(STATES, tmp_path, 40_000)["orders"], "status"))
    shares = {"open": 0.1, "cancelled": 0.1 + 0.8 / 4, "shipped": 0.8 * 0.75 * 0.9, "returned": 0.8 * 0.75 * 0.1}
    assert {name: count / 40_000 for name, count in found.items()} == pytest.approx(shares, abs=0.01)


def test_any_rows_alone_are_those_of_all(tmp_path):
    source = sources(STATES, tmp_path)["orders"]
    some = np.array([1999, 3, 700])
    for name in NAMES:
        whole, part = source.frame(np.arange(2000))[name], source.frame(some)[name]
        assert part.null.tolist() == whole.null[some].tolist()
        shown = [v for v, none in zip(part.values.tolist(), part.null, strict=True) if not none]
        assert shown == [v for v, none in zip(whole.values[some].tolist(), part.null, strict=True) if not none]


HISTORY = """
[tables.events]
per = "order_id"
children = { shape = "poisson", mean = 2, max = 4 }

[tables.events.columns]
before = { previous = "status" }

[tables.events.columns.status.history]
start = "open"
moves = { open = { paid = 8, cancelled = 1 }, paid = { shipped = 9, cancelled = 1 }, shipped = { returned = 1 } }

[tables.orders.columns]
status = { last = "events.status", empty = "open" }
paid_at = { expression = "created_at" }
"""
MOVES = {("open", "paid"), ("open", "cancelled"), ("paid", "shipped"), ("paid", "cancelled"), ("shipped", "returned")}


def test_successive_rows_make_allowed_moves_and_end_in_the_parents_state(tmp_path):
    made = sources(HISTORY, tmp_path)
    events, ends = made["events"], {}
    read = sorted(zip(*(column(events, n) for n in ("order_id", "created_at", "before", "status")), strict=True))
    for order, _, before, status in read:
        assert before == ends.get(order)
        assert (status == "open") if before is None else ((before, status) in MOVES)
        ends[order] = status
    assert len({status for _, _, _, status in read}) == 5
    by_id = zip(column(made["orders"], "id"), column(made["orders"], "status"), strict=True)
    assert all(status == ends.get(order, "open") for order, status in by_id)


def test_a_history_that_goes_round_never_ends(tmp_path):
    text = '[tables.events]\nchildren = { shape = "fixed", mean = 40 }\n[tables.events.columns.status.history]\n'
    text += 'from = "on"\nmoves = { on = { off = 1 }, off = { on = 5, gone = 5 }, gone = { on = 1 } }\n'
    events = sources(text, tmp_path, {"orders": 50})["events"]
    assert events.rows == 2000
    found = events.frame(np.arange(2000))["status"].values.tolist()
    for start in range(0, 2000, 40):
        row = ["on", *found[start : start + 40]]
        assert set(pairwise(row)) <= {("on", "off"), ("off", "on"), ("off", "gone"), ("gone", "on")}


def test_more_rows_than_moves_are_refused_with_the_mend(tmp_path):
    text = HISTORY.replace("mean = 2, max = 4", "mean = 3, min = 2, max = 7")
    with pytest.raises(Unsatisfiable, match=r"come to an end after 4 rows at most, .* say children = \{ max = 4 \}"):
        sources(text, tmp_path)


SLIPS = [
    ('states = { start = "a", moves = { a = { b = 1 }, b = { a = 1 } } }', "moves from a, b go round for ever"),
    ('states = { start = "a", moves = { a = { b = 1 }, b = { a = 1 } } }', "let one of them rest: a = { a = 1, … }"),
    ('states = { start = "c", moves = { aa = { bb = 1 } } }', "no state 'c'; there are: aa, bb"),
    ("states = { moves = { a = { b = 1 } } }", "states wants moves = { … } and one of start"),
    ('history = { start = "a", from = "b", moves = { a = { b = 1 } } }', "one of start or from"),
    ('history = { from = "b", moves = { a = { b = 1 } } }', "no move leads from b, so that there is no first row"),
    (
        'states = { start = "a", moves = { a = { b = 1 } }, times = { bb = "paid_at" } }',
        "no state 'bb'; did you mean 'b'",
    ),
    ('states = { start = "a", moves = { a = { b = 1 } }, within = "1 day" }', "say times = { … } as well"),
    ('states = { start = "a", moves = { a = 3 } }', "is not moves such as { open = { open = 1, closed = 4 } }"),
    ('history = { start = "a", moves = { a = { b = 1 } } }\nnull = 0.5', "null would tear the chain of history"),
]


@pytest.mark.parametrize(("rule", "message"), SLIPS, ids=range(len(SLIPS)))
def test_a_slip_in_a_machine_is_named(rule, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.orders.columns.status]\n{rule}\n", shop(), "shop.toml")
    assert str(caught.value).startswith("shop.toml:")
    assert message in str(caught.value)


def test_a_time_of_a_state_has_no_second_rule():
    text = STATES + '[tables.orders.columns]\npaid_at = { after = "created_at" }\n'
    with pytest.raises(RecipeError, match=r"times: paid_at has a rule of its own; leave out one of the two"):
        parse(text, shop())


def test_the_longest_way_is_known():
    chain = machine({"a": {"b": 1}, "b": {"c": 1, "d": 1}, "c": {"d": 1}})
    assert chain.longest(0) == 3
    assert machine({"a": {"b": 1}, "b": {"a": 1}}).longest(0) is None


WORK = '[tables.orders.growth]\nweekdays = { mon = 1, tue = 1, wed = 1, thu = 1, fri = 1 }\nhours = { "9-17" = 1 }\n'


@pytest.mark.parametrize("table", ["orders", "customers"])
def test_rows_come_in_working_hours(table, tmp_path):
    times = column(sources(WORK.replace("orders", table), tmp_path)[table], "created_at")
    assert {time.weekday() for time in times} == set(range(5))
    assert {time.hour for time in times} == set(range(9, 17))
    assert times == sorted(times)


@pytest.mark.parametrize(("shape", "rate"), [("exponential", 0.1), ("linear", 0.2), ("exponential", -0.05)])
def test_rows_grow_in_number(shape, rate, tmp_path):
    text = f'[tables.customers.growth]\nshape = "{shape}"\nper_month = {rate}\n'
    times = column(sources(text, tmp_path, 20_000)["customers"], "created_at")
    months = np.array([(time - dt.datetime(2024, 1, 1)) / dt.timedelta(days=365.25 / 12) for time in times])
    counts, _ = np.histogram(months, bins=24, range=(0, 24))
    middle = np.arange(24) + 0.5
    law = 1 + rate * middle if shape == "linear" else (1 + rate) ** middle
    assert counts / counts.sum() == pytest.approx(law / law.sum(), rel=0.08)


def test_children_of_growing_tables_come_after_their_parents(tmp_path):
    made = sources(WORK + WORK.replace("orders", "customers"), tmp_path)
    born = dict(zip(column(made["customers"], "id"), column(made["customers"], "created_at"), strict=True))
    orders = made["orders"]
    for customer, time in zip(column(orders, "customer_id"), column(orders, "created_at"), strict=True):
        assert time >= born[customer]


def test_a_window_without_work_is_spread_evenly():
    span = Span(np.datetime64("2024-01-01", "us"), np.datetime64("2024-02-01", "us"))
    pace = Pace(span, {"hours": {"9-10": 1}})
    start, end = np.array(["2024-01-01T20:00"], dtype="datetime64[us]"), np.datetime64("2024-01-01T22:00", "us")
    assert pace.between(start, end, np.array([0.5]))[0] == np.datetime64("2024-01-01T21:00", "us")


GROWTHS = [
    ('{ shape = "linear" }', "growth has a shape and its part per_month"),
    ('{ hours = { "8" = 1 } }', "is not weights by hours such as"),
    ('{ hours = { "18-8" = 1 } }', "is not weights by hours such as"),
    ("{ weekdays = { monday = 1 } }", "is not weights by days, which are mon, tue, wed, thu, fri, sat, sun"),
    ("{ per_month = -2, shape = 'linear' }", "per_month is above -1"),
]


@pytest.mark.parametrize(("said", "message"), GROWTHS)
def test_a_slip_in_growth_is_named(said, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.orders]\ngrowth = {said}\n", shop(), "shop.toml")
    assert str(caught.value).startswith("shop.toml:2: ")
    assert message in str(caught.value)


def test_no_row_comes_before_the_fixed_row_that_its_rule_names(tmp_path):
    text = """
[[tables.customers.fixed]]
id = 1
first_name = "Late"
country = "KE"
login = "late"
vip = true
created_at = 2025-11-01
[tables.orders]
per = "customer_id"
[tables.orders.columns]
customer_id = { value = 1 }
"""
    with pytest.raises(RecipeError, match=r"per = 'customer_id' is no foreign key to another table along which rows"):
        sources(text, tmp_path)
    times = column(sources(text.replace('per = "customer_id"\n', ""), tmp_path)["orders"], "created_at")
    assert dt.datetime(2025, 11, 1) <= min(times) <= max(times) <= dt.datetime(2026, 1, 1)
