"""Profiles: one recipe at the scale of a desk, of a test and of a load."""

from importlib import import_module
from uuid import UUID

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from dbplan.domains import PLANS
from dbplan.domains.credits.models import Transaction, User
from dbplan.domains.credits.operations import charge
from dbplan.errors import RecipeError, UnknownName
from dbplan.seeding import explain, seed
from dbplan.seeding.recipe.reading import recipe_of
from dbplan.seeding.run import prepare
from tests.seeding.shop import column, shop

RECIPE = """
[tables.customers]
rows = 30

[[tables.customers.fixed]]
id = 1
first_name = "Tess"
country = "KE"
login = "tess"
vip = true
created_at = 2024-01-01

[tables.orders]
rows = 90
children = { shape = "poisson", min = 1 }

[tables.orders.columns]
status = { value = "open" }

[profiles.load]
rows = 5000

[profiles.load.tables.customers]
rows = 40

[profiles.load.tables.orders.columns]
status = { value = "shipped" }

[profiles.busy]
random_state = 3
time = { start = 2025-06-01 }

[profiles.busy.tables.orders]
rows = 800
children = { shape = "zipf" }
"""


def made(tmp_path, profile, text=RECIPE, rows=None, files=None):
    path = tmp_path / "shop.toml"
    path.write_text(text, "utf-8")
    for name, body in (files or {}).items():
        (tmp_path / name).write_text(body, "utf-8")
    return prepare(shop(path), rows, None, profile)[0]


def sizes(world):
    return {name: source.total for name, source in world.sources.items()}


def test_dev_is_what_no_profile_gives(tmp_path):
    plain, dev = made(tmp_path, None), made(tmp_path, "dev")
    assert sizes(plain) == sizes(dev) == {"customers": 31, "orders": 90, "events": 30, "payments": 30}
    for name, source in plain.sources.items():
        for one in source.makers:
            assert column(source, one) == column(dev.sources[name], one)


def test_load_has_its_rows_and_says_its_own(tmp_path):
    load = made(tmp_path, "load")
    assert sizes(load)["customers"] == 41
    assert max(sizes(load).values()) == 5000
    assert set(column(load.sources["orders"], "status")) == {"shipped"}
    assert set(column(made(tmp_path, None).sources["orders"], "status")) == {"open"}


def test_test_has_the_fixed_rows_alone(tmp_path):
    assert sizes(made(tmp_path, "test")) == {"customers": 1, "orders": 0, "events": 0, "payments": 0}


def test_without_fixed_rows_test_is_small_and_load_is_large(tmp_path):
    assert max(sizes(made(tmp_path, "test", "[tables.orders]\nrows = 90\n")).values()) == 10
    assert max(prepare(shop(), None, None, "test")[0].rows.values()) == 10
    assert recipe_of(shop(), "load").rows == 1_000_000


def test_rows_that_are_asked_for_count(tmp_path):
    assert max(sizes(made(tmp_path, "load", rows=200)).values()) <= 201
    asked = {"customers": 5, "orders": 8, "events": 1, "payments": 1}
    assert sizes(made(tmp_path, "test", rows=asked)) == {"customers": 6, "orders": 8, "events": 1, "payments": 1}


def test_a_profile_of_ones_own_has_its_time_and_chance(tmp_path):
    busy = made(tmp_path, "busy")
    assert busy.random_state == 3
    assert str(busy.span.start) == "2025-06-01T00:00:00.000000"
    assert busy.sources["orders"].rows == 800
    assert busy.sources["orders"].fan.counts.max() > 100


FILE = """
rows = 0

[[tables.orders.fixed]]
id = 7
customer_id = 1
number = "INV-7"
status = "shipped"
total = 12.50
items = 2
created_at = 2024-02-01
"""


def test_a_profile_in_a_file_of_its_own_adds_its_fixed_rows(tmp_path):
    world = made(tmp_path, "test", files={"shop.test.toml": FILE})
    assert sizes(world) == {"customers": 1, "orders": 1, "events": 0, "payments": 0}
    assert column(world.sources["orders"], "number") == ["INV-7"]


SLIPS = [
    (None, "[profiles.load]\nrow = 3\n", {}, r"shop\.toml:2: no key 'row'; did you mean 'rows'\?"),
    (None, "[profiles.load.tables.order]\nrows = 3\n", {}, r"shop\.toml:1: no table 'order'; did you mean 'orders'\?"),
    (
        "load", "[tables.orders]\nrows = 3\n\n[profiles.load.tables.orders]\nrowss = 3\n", {},
        r"shop\.toml:5: no key 'rowss'; did you mean 'rows'\?",
    ),
    (
        "load", "[tables.orders]\nrows = 3\n\n[profiles.load.tables.orders]\nrows = 4\nper = 'nobody_id'\n", {},
        r"shop\.toml:6: no column 'nobody_id'",
    ),
    ("test", RECIPE, {"shop.test.toml": FILE.replace("customer_id = 1", "customer_id = 2")}, r"shop\.test\.toml:6: "),
    ("test", RECIPE, {"shop.test.toml": "rowz = 0\n"}, r"shop\.test\.toml:1: no key 'rowz'; did you mean 'rows'\?"),
    ("test", RECIPE, {"shop.test.toml": "rows = \n"}, r"shop\.test\.toml:1: not TOML"),
    ("load", RECIPE, {"shop.load.toml": "rows = 9\n"}, r"the profile load stands in shop\.load\.toml as well"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "text", "files", "message"), SLIPS, ids=range(len(SLIPS)))
def test_a_slip_in_a_profile_has_its_line(profile, text, files, message, tmp_path):
    with pytest.raises(RecipeError, match=message):
        made(tmp_path, profile, text, files=files)


def test_a_profile_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(UnknownName, match=r'no profile "laod" in plan "shop"; profiles are: busy, dev, load, test'):
        made(tmp_path, "laod")


def seeded(name, tmp_path):
    plan = import_module(PLANS[name]).PLAN
    engine = create_engine(f"sqlite:///{tmp_path / name}.db")
    plan.metadata.create_all(engine)
    assert seed(engine, plan, profile="test").ok
    return plan, engine


@pytest.mark.parametrize("name", sorted(PLANS))
def test_every_plan_has_a_small_set_for_tests_that_loads(name, tmp_path):
    plan, engine = seeded(name, tmp_path)
    with engine.connect() as connection:
        counts = {str(t.key): connection.scalar(select(func.count()).select_from(t)) for t in plan.tables}
    assert counts["users"] >= 1
    assert 10 <= sum(counts.values()) <= 100
    assert explain(plan, profile="test").ok


def test_the_test_users_of_credits_are_what_their_comments_say(tmp_path):
    _, engine = seeded("credits", tmp_path)
    rich, poor = (UUID(f"0190a000-0000-7000-8000-00000000000{n}") for n in (1, 2))
    with Session(engine) as session:
        again = charge(session, rich, "generate-post", 20, key="test-charge")
        assert (again.replayed, again.balance_after) == (True, 480)
        assert charge(session, rich, "generate-post", 480, key="another").balance_after == 0
        assert (
            charge(session, poor, "generate-post", 1, key="a third").error == "insufficient credits: 1 wanted, 0 there"
        )
        ledger = select(Transaction.user_id, func.sum(Transaction.amount)).group_by(Transaction.user_id)
        kept = dict(session.execute(select(User.id, User.credits)).all())
        assert all(kept[user] == total for user, total in session.execute(ledger))
