"""Rules that read other cells: templates, parents' columns, laws of numbers, windows of time, keys of fixed rows."""

import datetime as dt
import re
from collections import Counter

import numpy as np
import pytest
from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Integer, MetaData, String, Table

from dbplan.errors import NotCovered, RecipeError
from dbplan.plan import Plan
from dbplan.seeding.recipe.reading import parse
from tests.seeding.shop import column, shop, sources


def orders(rules, tmp_path, rows=2000, extra=""):
    return sources(f"{extra}[tables.orders.columns]\n{rules}\n", tmp_path, rows)["orders"]


def test_a_template_counts_and_dates(tmp_path):
    source = orders('number = { template = "INV-{year}-{row:06}" }', tmp_path)
    years = [time.year for time in column(source, "created_at")]
    assert column(source, "number") == [f"INV-{year}-{n:06}" for n, year in enumerate(years, 1)]


def test_a_template_reads_the_row_in_its_case_and_the_parent(tmp_path):
    text = '[tables.customers.columns]\nlogin = { template = "{first_name!l}.{id}" }\n'
    rules = 'label = { template = "{customer_id.login!u}: {total:.1f}, {created_at:%d.%m.}" }'
    made = sources(f"{text}[tables.orders.columns]\n{rules}\n", tmp_path)
    people = made["customers"]
    names, ids = column(people, "first_name"), column(people, "id")
    logins = [f"{name.lower()}.{n}" for name, n in zip(names, ids, strict=True)]
    assert column(people, "login") == logins
    by_id = dict(zip(ids, logins, strict=True))
    read = (column(made["orders"], name) for name in ("label", "customer_id", "total", "created_at"))
    for label, customer, total, time in zip(*read, strict=True):
        assert label == f"{by_id[customer].upper()}: {total:.1f}, {time:%d.%m.}"


def test_a_template_with_a_null_in_it_is_null(tmp_path):
    source = orders('note = { null = 0.5, faker = "word" }\nlabel = { template = "{note}!" }', tmp_path)
    for note, label in zip(column(source, "note"), column(source, "label"), strict=True):
        assert label == (None if note is None else f"{note}!")


def test_a_template_by_rank_differs_within_its_parent(tmp_path):
    source = orders('label = { template = "{customer_id}/{rank}" }', tmp_path)
    labels = column(source, "label")
    assert len(set(labels)) == len(labels)


TEMPLATES = [
    ("number", "INV", "has no field such as {row:06}"),
    ("number", "{row", "cannot be read"),
    ("number", "{rows}", "no field 'rows'; did you mean 'row'?"),
    ("number", "{row!x}", "!x is not !l (small letters) or !u (capitals)"),
    ("number", "{total}", "number is unique, and the template may give two rows the same"),
    ("number", "{total}{row}", "put {row} first or last among its fields, with no digit beside it"),
    ("number", "{items}0{row}", "may give two rows the same"),
    ("total", "{row}", "template makes texts, and total is Numeric(precision=10, scale=2)"),
    ("label", "{customers.first_nam}", "no column 'first_nam'; did you mean 'first_name'?"),
    ("label", "{customer.id}", "no foreign key 'customer'; did you mean 'customers'?"),
]


@pytest.mark.parametrize(("name", "template", "message"), TEMPLATES)
def test_a_template_that_cannot_be_kept_is_refused(name, template, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.orders.columns]\n{name} = {{ template = '{template}' }}\n", shop(), "shop.toml")
    assert str(caught.value).startswith("shop.toml:2: ")
    assert message in str(caught.value)


def test_a_template_without_room_is_said_before_any_row(tmp_path):
    with pytest.raises(RecipeError, match=r"shop\.toml:2: .* has 31 characters, and number has room for 20"):
        orders('number = { template = "a-number-that-is-long-{row:09}" }', tmp_path)


def test_a_column_of_the_parent_and_of_the_row(tmp_path):
    text = """
[tables.orders.columns]
country = { parent = "customers.country" }
label = { same_as = "note", null = 0.25 }
[tables.payments.columns]
payer_id = { parent = "orders.customer_id" }
country = { parent = "order_id.country" }
"""
    made = sources(text, tmp_path)
    countries = dict(zip(column(made["customers"], "id"), column(made["customers"], "country"), strict=True))
    read = [column(made["orders"], name) for name in ("id", "customer_id", "country", "note", "label")]
    assert read[2] == [countries[customer] for customer in read[1]]
    assert all(label in (None, note) for note, label in zip(*read[3:], strict=True))
    assert read[4].count(None) > read[3].count(None)
    buyers = dict(zip(read[0], read[1], strict=True))
    paid = zip(*(column(made["payments"], name) for name in ("order_id", "payer_id", "country")), strict=True)
    for order, payer, country in paid:
        assert payer == buyers[order]
        assert country == countries[payer]


def test_weights_by_name(tmp_path):
    rules = "status = { weights = { open = 9, closed = 1 } }\nitems = { weights = { 1 = 3, 20 = 1 } }"
    source = orders(rules, tmp_path, extra="[tables.customers.columns]\nvip = { weights = { true = 1, false = 9 } }\n")
    assert column(source, "status").count("closed") / 2000 == pytest.approx(0.1, abs=0.02)
    assert column(source, "items").count(20) / 2000 == pytest.approx(0.25, abs=0.03)


def test_weights_by_name_in_a_case(tmp_path):
    rules = 'status = { cases = [{ when = "items > 0", weights = { open = 1, shut = 3 } }, { values = ["none"] }] }'
    assert set(column(orders(rules, tmp_path), "status")) <= {"open", "shut", "none"}


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_have_the_law_that_is_asked_for(tmp_path, seed):
    text = f"random_state = {seed}\n"
    rules = """
total = { distribution = "lognormal", mean = 50, sd = 40, min = 0, max = 100000 }
items = { distribution = "normal", mean = 20, sd = 4, min = 1, max = 40 }
place = { min = 1, max = 900 }
"""
    source = orders(rules, tmp_path, 40_000, text)
    totals, items = np.array(column(source, "total")), np.array(column(source, "items"))
    assert totals.mean() == pytest.approx(50, rel=0.02)
    assert np.log(totals[totals > 0]).std() == pytest.approx(np.sqrt(np.log(1 + 0.8**2)), rel=0.02)
    assert items.mean() == pytest.approx(20, rel=0.01)
    assert items.std() == pytest.approx(4, rel=0.02)
    assert (items.min() >= 1, items.max() <= 40) == (True, True)


def test_uniform_numbers_are_even(tmp_path):
    source = orders('total = { distribution = "uniform", min = 10, max = 20 }', tmp_path, 20_000)
    counts, _ = np.histogram(column(source, "total"), bins=10, range=(10, 20))
    assert counts / 2000 == pytest.approx([1.0] * 10, abs=0.1)


def test_ends_cut_a_law_and_do_not_pile_it_up(tmp_path):
    source = orders('items = { distribution = "normal", mean = 10, sd = 10, min = 0, max = 10 }', tmp_path, 20_000)
    share = np.bincount(column(source, "items"), minlength=11) / 20_000
    assert share[1:10] == pytest.approx(np.linspace(share[1], share[9], 9), abs=0.012)
    assert share[0] < share[1]


NULLS = [
    "label = { expression = \"'n' || items\", null = 0.4 }",
    'label = { value = "x", null = 0.4 }',
    'label = { cases = [{ values = ["x", "y"] }], null = 0.4 }',
    'label = { template = "n{row}", null = 0.4 }',
    'number = { pattern = "^[a-z]{12}$", null = 0.4 }',
    "number = { null = 0.4 }",
    "place = { null = 0.4 }",
    'country = { parent = "customers.country", null = 0.4 }',
    'paid_at = { after = "created_at", null = 0.4 }',
]


@pytest.mark.parametrize("rule", NULLS)
def test_a_share_of_nulls_holds_beside_any_rule(rule, tmp_path):
    name = rule.partition(" ")[0]
    cells = column(orders(rule, tmp_path), name)
    assert cells.count(None) / 2000 == pytest.approx(0.4, abs=0.05)


def test_keys_can_be_left_out(tmp_path):
    text = '[tables.payments]\nper = "referrer_id"\n[tables.payments.columns]\nreferrer_id = { null = 0.5 }\n'
    cells = column(sources(text, tmp_path)["payments"], "referrer_id")
    assert cells.count(None) / 2000 == pytest.approx(0.5, abs=0.05)
    text = '[tables.payments.columns]\nreferrer_id = { only_when = "country IS NULL" }\ncountry = { null = 0.5 }\n'
    source = sources(text, tmp_path)["payments"]
    both = zip(column(source, "referrer_id"), column(source, "country"), strict=True)
    assert all(referrer is None for referrer, country in both if country is not None)


KEYS = [
    ('payer_id = { faker = "random_int" }', "faker says nothing of a foreign key (payer_id → customers)"),
    ("payer_id = { min = 3 }", "min says nothing of a foreign key"),
    ("payer_id = { value = 3 }", "value: 3 is of no fixed row of customers; which has none"),
    ('payer_id = { same_as = "order_id" }', "same_as = 'order_id' is no key of customers, to which payer_id leads"),
    ('country = { parent = "customers.country" }', "say which: payer_id.country or referrer_id.country"),
    ('country = { parent = "order_id.total" }', "parent = 'order_id.total' is Numeric(precision=10, scale=2)"),
    ('country = { parent = "order_id.note" }', "has up to 60 characters, and country has room for 2"),
]


@pytest.mark.parametrize(("rule", "message"), KEYS)
def test_what_says_nothing_of_a_key_is_refused(rule, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.payments.columns]\n{rule}\n", shop(), "shop.toml")
    assert str(caught.value).startswith("shop.toml:2: ")
    assert message in str(caught.value)


def test_generated_rows_may_be_children_of_fixed_ones(tmp_path):
    text = """
[[tables.customers.fixed]]
id = 1
first_name = "Test"
country = "KE"
login = "test"
vip = true
created_at = 2024-01-01
[[tables.customers.fixed]]
id = 2
first_name = "Other"
country = "PE"
login = "other"
vip = true
created_at = 2024-01-01
[tables.payments.columns]
payer_id = { weights = { 1 = 3, 2 = 1 } }
"""
    payers = column(sources(text, tmp_path)["payments"], "payer_id")
    assert payers.count(1) / 2000 == pytest.approx(0.75, abs=0.05)
    assert set(payers) == {1, 2}


def test_a_window_of_a_table_and_of_a_column(tmp_path):
    text = """
[time]
start = 2024-01-01
end = 2025-01-01
[tables.orders]
window = "last 90 days"
[tables.orders.columns]
paid_at = { window = { start = 2025-03-01, end = 2025-03-02 } }
"""
    source = sources(text, tmp_path)["orders"]
    assert min(column(source, "created_at")) >= dt.datetime(2024, 10, 3)
    assert max(column(source, "created_at")) <= dt.datetime(2025, 1, 1)
    paid = [time for time in column(source, "paid_at") if time is not None]
    assert dt.datetime(2025, 3, 1) <= min(paid) <= max(paid) <= dt.datetime(2025, 3, 2)


def test_times_are_ordered_and_a_stage_that_is_not_reached_ends_the_row(tmp_path):
    text = """
[tables.orders]
ordered = ["created_at", "paid_at", "shipped_at", "closed_at"]
[tables.orders.columns]
paid_at = { within = "2 days", null = 0.3 }
shipped_at = { null = 0.3 }
status = { value = "open" }
closed_at = { null = 0.2 }
"""
    source = sources(text, tmp_path)["orders"]
    rows = list(zip(*(column(source, n) for n in ("created_at", "paid_at", "shipped_at", "closed_at")), strict=True))
    for row in rows:
        there = [time for time in row if time is not None]
        assert there == sorted(there)
        assert row[: len(there)] == tuple(there)
    assert {sum(time is None for time in row) for row in rows} == {0, 1, 2, 3}
    assert all(paid - made <= dt.timedelta(days=2, seconds=1) for made, paid, _, _ in rows if paid)


CIRCLES = [
    (
        'note = { same_as = "label" }\nlabel = { template = "{note}" }',
        "orders.label follows from orders.note follows from orders.label (template, same_as), which never ends",
    ),
    (
        'paid_at = { after = "shipped_at" }\nshipped_at = { after = "paid_at" }',
        "orders.paid_at follows from orders.shipped_at follows from orders.paid_at (after)",
    ),
    ('items = { expression = "items + 1" }', "orders.items follows from orders.items (expression)"),
    (
        'place = { previous = "items" }\nitems = { expression = "place + 1" }',
        "(expression, previous), which never ends; a running value is drawn as a level",
    ),
]


@pytest.mark.parametrize(("rules", "message"), CIRCLES)
def test_rules_in_a_circle_are_named(rules, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.orders.columns]\n{rules}\n", shop(), "shop.toml")
    assert re.match(r"shop\.toml:[23]: ", str(caught.value))
    assert message in str(caught.value)


def test_a_circle_over_two_tables_is_named():
    text = '[tables.orders.columns]\ncountry = { last = "events.before" }\n'
    text += '[tables.events.columns]\nbefore = { parent = "orders.country" }\n'
    with pytest.raises(RecipeError, match=r"orders\.country follows from events\.before follows from orders\.country"):
        parse(text, shop())


SLIPS = [
    ('status = { values = ["a"], pattern = "b" }', "pattern beside values: one of them decides; leave out the other"),
    ('note = { faker = "word", within = "2 days" }', "within says nothing beside faker; it goes with after"),
    ("note = { weights = { a = 1 }, values = ['a'] }", "weights by name name the values as well; leave out values"),
    ("status = { weights = { a = -1 } }", "is not weights by name, such as { open = 9, closed = 1 }"),
    ("items = { weights = { some = 1 } }", "weights: 'some' is no value of items"),
    ('total = { distribution = "normal" }', '"normal" wants mean = … and sd = …'),
    ('total = { distribution = "normal", mean = 3, sd = 1, min = 4 }', "mean = 3 does not lie between min and max"),
    ('note = { distribution = "uniform" }', "distribution is of numbers, and note is String(length=60)"),
    ('paid_at = { window = "last week" }', 'is not a window such as "last 90 days"'),
    ('paid_at = { window = "last 3 fortnights" }', "'3 fortnights' is no length of time"),
    ('paid_at = { after = "created_at", within = "soon" }', "within = 'soon' is no length of time such as"),
    ('note = { same_as = "items" }', "same_as = 'items' is Integer(), and note is String(length=60)"),
]


@pytest.mark.parametrize(("rule", "message"), SLIPS, ids=range(len(SLIPS)))
def test_a_slip_has_its_line(rule, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.orders.columns]\n\n{rule}\n", shop(), "shop.toml")
    assert str(caught.value).startswith("shop.toml:3: ")
    assert message in str(caught.value)


def test_growth_and_windows_need_a_time():
    for said in ('window = "last 3 days"', 'growth = { hours = { "8-18" = 1 } }'):
        with pytest.raises(RecipeError, match=r"shop\.toml:2: .*no column of payments says when a row came to be"):
            parse(f"[tables.payments]\n{said}\n", shop(), "shop.toml")


def test_conditions_and_expressions_read_the_parent_and_count_the_children(tmp_path):
    text = """
[tables.orders]
children = { shape = "poisson", none = 0.25 }
[tables.orders.columns]
total = { expression = "customer_id.id * 10 + count(payments)" }
note = { value = "far", only_when = "customers.country = 'JP'" }
items = { expression = "count(payments)" }
label = { cases = [{ when = "count(payments) = 0", values = ["unpaid"] }, { values = ["paid"] }] }
[tables.customers.columns]
vip = { expression = "count(orders) > 2" }
[tables.payments]
per = "order_id"
"""
    made = sources(text, tmp_path)
    orders, customers = made["orders"], made["customers"]
    paid = Counter(column(made["payments"], "order_id"))
    countries = dict(zip(column(customers, "id"), column(customers, "country"), strict=True))
    names = ("id", "customer_id", "total", "note", "items", "label")
    for order, customer, total, note, items, label in zip(*(column(orders, name) for name in names), strict=True):
        assert items == paid[order]
        assert total == customer * 10 + items
        assert note == ("far" if countries[customer] == "JP" else None)
        assert label == ("paid" if items else "unpaid")
    bought = Counter(column(orders, "customer_id"))
    assert sum(customer not in bought for customer in countries) == 500
    vips = zip(column(customers, "id"), column(customers, "vip"), strict=True)
    assert all(vip == (bought[customer] > 2) for customer, vip in vips)


FAR = [
    ('note = { expression = "customer_id.notes" }', "reads 'customer_id.notes', which is no column here"),
    ('note = { expression = "customer_id.note" }', "reads 'customer_id.note', which is no column here"),
    ('items = { expression = "count(paymints)" }', "reads 'count(paymints)', which is no column here"),
    ('country = { expression = "customer_id.first_name", parent = "customers.country" }', "one of them decides"),
]


@pytest.mark.parametrize(("rule", "message"), FAR)
def test_what_is_not_in_reach_is_refused(rule, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.orders.columns]\n{rule}\n", shop(), "shop.toml")
    assert str(caught.value).startswith("shop.toml:2: ")
    assert message in str(caught.value)


def test_children_that_are_counted_along_another_key_are_refused(tmp_path):
    text = '[tables.payments]\nper = "payer_id"\n[tables.orders.columns]\nitems = { expression = "count(payments)" }\n'
    with pytest.raises(RecipeError, match=r"counts payments, which is not led by orders; say per = … there"):
        sources(text, tmp_path)


def matches(recipe=None):
    m = MetaData()
    Table("teams", m, Column("id", Integer, primary_key=True), Column("town", String(20), nullable=False))
    Table(
        "games", m, Column("id", Integer, primary_key=True),
        Column("home_id", ForeignKey("teams.id")), Column("guest_id", ForeignKey("teams.id")),
        Column("town", String(20)), Column("other", String(20)), Column("title", String(60)),
        CheckConstraint("home_id <> guest_id", name="two"),
        CheckConstraint("guest_id % 3 <> home_id % 3", name="apart"),
    )  # fmt: skip
    return Plan(name="matches", metadata=m, recipe=recipe)


def test_a_parent_that_is_picked_again_for_a_check_is_the_one_that_is_read(tmp_path):
    text = """
[tables.teams]
rows = 9
[tables.teams.columns]
town = { template = "town {row}" }
[tables.games]
rows = 3000
[tables.games.columns]
town = { parent = "home_id.town" }
other = { expression = "guest_id.town" }
title = { template = "{home_id.town} : {guest_id.town}" }
"""
    made = sources(text, tmp_path, None, plan=matches)
    towns = dict(zip(column(made["teams"], "id"), column(made["teams"], "town"), strict=True))
    names = ("home_id", "guest_id", "town", "other", "title")
    for home, guest, town, other, title in zip(*(column(made["games"], name) for name in names), strict=True):
        assert (town, other) == (towns.get(home), towns.get(guest))
        assert title == (None if None in (town, other) else f"{town} : {other}")


def log(recipe=None):
    m = MetaData()
    Table("jobs", m, Column("id", Integer, primary_key=True), Column("created_at", DateTime, nullable=False))
    Table("users", m, Column("key", Integer, primary_key=True), Column("name", String(40), nullable=False))
    Table(
        "audit", m, Column("id", Integer, primary_key=True), Column("kind", String(10), nullable=False),
        Column("subject", Integer), Column("who", String(60)), Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    return Plan(name="log", metadata=m, recipe=recipe)


PICKS = """
[tables.jobs]
rows = 50
[tables.users.columns]
key = { min = 1000 }
[tables.audit.columns]
kind = { weights = { job = 2, user = 1 } }
who = { pick = "users.name" }
[tables.audit.columns.subject]
cases = [{ when = "kind = 'job'", pick = "jobs.id" }, { pick = "users.key" }]
"""


def test_keys_without_a_foreign_key_are_those_of_rows_that_are_there(tmp_path):
    made = sources(PICKS, tmp_path, {"audit": 2000}, plan=log)
    jobs = dict(zip(column(made["jobs"], "id"), column(made["jobs"], "created_at"), strict=True))
    users, names = set(column(made["users"], "key")), set(column(made["users"], "name"))
    read = (column(made["audit"], name) for name in ("kind", "subject", "who", "created_at"))
    for kind, subject, who, time in zip(*read, strict=True):
        assert who in names
        if kind == "user":
            assert subject in users
        elif subject is None:
            assert time < min(jobs.values())
        else:
            assert jobs[subject] <= time


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('{ pick = "job.id" }', "no table 'job'; did you mean 'jobs'?"),
        ('{ pick = "jobs.idd" }', "no column 'idd'; did you mean 'id'?"),
        ('{ pick = "users.name" }', "pick = 'users.name' is String(length=40), and subject is Integer()"),
        ('{ cases = [{ pick = "users.name" }] }', "cases = 'users.name' is String(length=40)"),
        ('{ cases = [{ when = "kind = 1" }] }', "a case needs values, or what to pick"),
    ],
)
def test_a_slip_in_what_is_picked_is_named(rule, message):
    with pytest.raises(RecipeError, match=re.escape(message)):
        parse(f"[tables.audit.columns]\nsubject = {rule}\n", log())


def test_a_circle_through_checks_is_refused_in_words(tmp_path):
    def crossed(recipe):
        m = MetaData()
        columns = (Column(name, Integer, nullable=False) for name in "abcd")
        checks = (CheckConstraint("a < b", name="x"), CheckConstraint("c < d", name="y"))
        Table("t", m, Column("id", Integer, primary_key=True), *columns, *checks)
        return Plan(name="crossed", metadata=m, recipe=recipe)

    text = '[tables.t.columns]\nc = { expression = "a + 1" }\nb = { expression = "d + 1" }\n'
    with pytest.raises(NotCovered, match="follow from each other in a circle.* never ends: t.a, t.b, t.d, t.c;"):
        sources(text, tmp_path, plan=crossed)
