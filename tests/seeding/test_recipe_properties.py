"""What holds of any recipe: cells follow from names and rows alone, templates tell rows apart, walks are allowed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Column, ForeignKey, MetaData, Table, UniqueConstraint

from dbplan.plan import Plan
from dbplan.seeding.recipe.vocabulary import COLUMN, TABLE
from dbplan.seeding.rows.histories import machine, path
from dbplan.seeding.rows.stream import key
from dbplan.seeding.rows.templates import pieces, tells_apart
from dbplan.seeding.run import prepare
from tests.seeding.shop import shop

RECIPE = """
[tables.customers]
growth = { shape = "linear", per_month = 0.1, hours = { "8-18" = 1 } }

[tables.customers.columns]
vip = { weights = { true = 1, false = 3 }, null = 0.0 }
login = { template = "{first_name!l}-{row}" }

[tables.orders]
per = "customer_id"
children = { shape = "pareto", none = 0.2 }

[tables.orders.columns]
country = { parent = "customer_id.country", null = 0.2 }
number = { template = "{year}-{row:05}" }
total = { distribution = "lognormal", mean = 60, sd = 30, min = 1, max = 900 }
items = { expression = "count(payments) + 1" }
label = { same_as = "note" }

[tables.orders.columns.status.states]
start = "open"
moves = { open = { open = 1, paid = 4 }, paid = { closed = 1 } }
times = { paid = "paid_at", closed = "closed_at" }

[tables.events]
children = { shape = "poisson", mean = 2 }

[tables.events.columns]
before = { previous = "status" }
status.history = { start = "a", moves = { a = { b = 1 }, b = { a = 2, c = 1 }, c = { a = 1 } } }

[tables.payments]
per = "order_id"

[tables.payments.columns]
payer_id = { parent = "order_id.customer_id" }
country = { pick = "customers.country" }
"""


def mirrored(recipe):
    """The same shop, its tables and columns in the opposite order."""
    m = MetaData()
    for table in reversed(shop().tables):
        checks = [CheckConstraint(c.sqltext.text, name=c.name) for c in table.constraints if hasattr(c, "sqltext")]
        uniques = [c.columns.keys() for c in table.constraints if isinstance(c, UniqueConstraint)]
        wide = [UniqueConstraint(*names) for names in uniques if len(names) > 1]
        Table(table.name, m, *map(again, reversed(list(table.columns))), *checks, *wide)
    return Plan(name="shop", metadata=m, recipe=recipe)


def again(column):
    keys = [ForeignKey(key.target_fullname) for key in column.foreign_keys]
    said = {name: getattr(column, name) for name in ("nullable", "primary_key", "unique")}
    return Column(column.name, column.type, *keys, **said)


def cells(plan, rows=600):
    made, _ = prepare(plan, rows, 7)
    found = {}
    for name, source in made.sources.items():
        frame = source.frame(np.arange(source.rows))
        for column in source.makers:
            values = frame[column].values.tolist()
            found[name, column] = [None if n else v for v, n in zip(values, frame[column].null.tolist(), strict=True)]
    return found


def test_cells_do_not_know_the_order_of_columns_and_tables(tmp_path):
    recipe = tmp_path / "shop.toml"
    recipe.write_text(RECIPE, "utf-8")
    one, other = cells(shop(recipe)), cells(mirrored(recipe))
    ruled = {("orders", name) for name in ("country", "number", "total", "items", "label", "status", "paid_at")}
    ruled |= {("events", "status"), ("events", "before"), ("payments", "payer_id"), ("payments", "country")}
    ruled |= {("customers", name) for name in ("login", "vip", "created_at")}
    assert [place for place in sorted(ruled) if one[place] != other[place]] == []


@pytest.mark.parametrize("table", ["customers", "orders", "events", "payments"])
def test_some_rows_alone_are_those_of_all(table, tmp_path):
    recipe = tmp_path / "shop.toml"
    recipe.write_text(RECIPE, "utf-8")
    source = prepare(shop(recipe), 600, 7)[0].sources[table]
    some = np.array([source.rows - 1, 0, source.rows // 3])
    whole, part = source.frame(np.arange(source.rows)), source.frame(some)
    for column in source.makers:
        null = part[column].null
        assert null.tolist() == whole[column].null[some].tolist()
        assert part[column].values[~null].tolist() == whole[column].values[some][~null].tolist(), column


PIECES = st.lists(
    st.sampled_from(["{row}", "{row:03}", "{a}", "{b!l}", "-", "0", "x", "1x", "x2"]), min_size=1, max_size=6
)


@given(PIECES, st.data())
@settings(max_examples=80, deadline=None)
def test_a_template_that_tells_rows_apart_does(parts, data):
    text = "".join(parts)
    if "{" not in text:
        return
    found = pieces(text)
    if not tells_apart(found, lambda _: ""):
        return
    words = st.text("01x-", max_size=3)
    seen = {}
    for row in (1, 2, 10, 11, 101, 111, 1000, 1111):
        for _ in range(3):
            spelled = text.replace("!l", "").format(row=row, a=data.draw(words), b=data.draw(words))
            assert seen.setdefault(spelled, row) == row


STATES = st.sampled_from("abcd")
MOVES = st.dictionaries(STATES, st.dictionaries(STATES, st.integers(1, 5), min_size=1, max_size=4), min_size=1)


@given(MOVES, st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_walk_makes_allowed_moves_and_rests_where_one_may(moves, seed):
    made = machine(moves)
    if made.trapped():
        return
    steps = np.stack(path(made, 0, key(seed, "t", "c"), np.arange(200, dtype=np.int64)))
    for walk in steps.T.tolist():
        there = [made.states[at] for at in walk if at >= 0]
        assert all(to in moves[at] for at, to in pairwise(there))
        end = there[-1]
        assert end in moves.get(end, {}) or not set(moves.get(end, {})) - {end} or len(there) > 30


def test_the_vocabulary_has_no_two_words_for_one_thing():
    assert not {name for name in COLUMN if name in TABLE} - {"window"}
