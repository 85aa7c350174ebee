"""Any recipe at all is read, or refused in one line: no value of any key ends in a traceback."""

import datetime as dt

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbplan.errors import DbplanError
from dbplan.seeding.recipe.places import Layer
from dbplan.seeding.recipe.profiles import in_profile
from dbplan.seeding.recipe.vocabulary import CHILDREN, COLUMN, GROWTH, HISTORY, LEVEL, STATES, TABLE
from tests.seeding.shop import shop

PLAN = shop()
WORDS = st.sampled_from([
    "", "id", "status", "created_at", "paid_at", "customer_id", "customers.country", "customer_id.id", "events.status",
    "orders.id", "a.b.c", "open", "{row}", "{id}-{row:05}", "{", "word", "^[a-z]{3}$", "[", "3 days", "last 90 days",
    "count(events)", "total + 1", "status = 'open'", "1 +", "poisson", "pareto", "normal", "linear", "true", "7",
])  # fmt: skip
SCALARS = st.one_of(
    WORDS, st.integers(-3, 40), st.sampled_from([0.5, -1.0, float("nan"), float("inf")]), st.booleans(),
    st.dates(dt.date(2020, 1, 1)), st.datetimes(dt.datetime(2020, 1, 1)),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


def keys(schema, size=3):
    """Some keys of a schema, with anything under them."""
    return st.dictionaries(st.sampled_from(sorted(schema)), VALUES, max_size=size)


MACHINE = st.dictionaries(WORDS, st.dictionaries(WORDS, st.integers(1, 3), max_size=2), max_size=3)


def machines(key, schema):
    return st.tuples(keys(schema), MACHINE).map(lambda said: {key: {**said[0], "moves": said[1]}})


COLUMN_RULE = st.one_of(
    keys(COLUMN, 2), machines("states", STATES), machines("history", HISTORY), keys(LEVEL).map(lambda x: {"level": x})
)
COLUMNS = st.dictionaries(st.sampled_from([*PLAN.table("orders").columns.keys(), "nothing"]), COLUMN_RULE, max_size=3)
ORDERS = st.one_of(
    keys(TABLE), keys(CHILDREN).map(lambda said: {"children": said}), keys(GROWTH).map(lambda said: {"growth": said})
)


def read(data, profile):
    try:
        in_profile(PLAN, Layer("shop.toml", ""), data, profile)
    except DbplanError as error:
        assert "\n" not in str(error)


@given(COLUMNS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_rules_of_columns_are_read_or_refused(columns):
    read({"tables": {"orders": {"columns": columns}}}, None)


@given(ORDERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_rule_of_a_table_is_read_or_refused(orders):
    read({"tables": {"orders": orders}}, None)


@given(st.dictionaries(st.sampled_from(["tables", "rows", "time", "locale", "profiles", "random_state"]), VALUES))
@settings(max_examples=30, deadline=None)
def test_any_top_of_a_recipe_is_read_or_refused(data):
    read(data, None)
    read({"profiles": {"test": data}}, "test")
