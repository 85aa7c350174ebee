"""Fixed rows: written as they stand, before the generated ones, which keep clear of them."""

import datetime as dt
import uuid
from decimal import Decimal
from enum import StrEnum

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    func,
    select,
    text,
)

from dbplan.columns import Digest, Encrypted, JsonDocument, Money, UtcDateTime, new_id, now, sealed, words
from dbplan.connection import new_engine
from dbplan.encryption import VARIABLE, new_key, rehearsal, unseal
from dbplan.errors import RecipeError, Unsatisfiable, UsageError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed
from dbplan.seeding.recipe.reading import parse
from dbplan.seeding.run import prepare


class Role(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


def shop(tmp_path=None, recipe="", rows=None):
    """Return a plan of a few tables that a recipe can write rows of."""
    m = MetaData()
    Table(
        "currencies", m,
        Column("code", String(3), primary_key=True), Column("name", String(40), nullable=False, unique=True),
        Column("digits", SmallInteger, CheckConstraint("digits BETWEEN 0 AND 4", name="few"), server_default="2"),
    )  # fmt: skip
    Table(
        "users", m,
        Column("id", Uuid, primary_key=True, default=new_id), Column("email", String(60), nullable=False, unique=True),
        Column("role", words(Role), nullable=False, server_default="member"),
        Column("boss_id", ForeignKey("users.id")),
        Column("settings", JsonDocument, nullable=False, server_default=text("'{}'")),
        Column("created_at", UtcDateTime, nullable=False, server_default=func.now()),
    )  # fmt: skip
    Table(
        "orders", m,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("user_id", ForeignKey("users.id"), nullable=False),
        Column("currency", ForeignKey("currencies.code"), nullable=False),
        Column("amount", Money, CheckConstraint("amount > 0", name="paid"), nullable=False),
        Column("paid", Boolean, nullable=False, default=False),
        Column("due", Date), Column("twice", Numeric(12, 2), Computed("amount * 2")),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    path = None
    if tmp_path is not None:
        path = tmp_path / "shop.toml"
        path.write_text(recipe, "utf-8")
    return Plan(name="shop", metadata=m, recipe=path, rows=rows or {"users": 20, "orders": 100, "currencies": 3})


LOOKUP = """
[tables.currencies]
rows = 0
fixed = [
  { code = "EUR", name = "Euro" },
  { code = "JPY", name = "Yen", digits = 0 },
]
"""
PEOPLE = """
[[tables.users.fixed]]  # written after the row that it refers to
email = "Second@example.org"
boss_id = "0190a000-0000-7000-8000-000000000001"
created_at = 2025-06-01T12:00:00+02:00

[[tables.users.fixed]]
id = "0190a000-0000-7000-8000-000000000001"
email = "test@example.org"
role = "admin"
settings = { theme = "dark", sizes = [1, 2] }

[[tables.orders.fixed]]
id = 70
user_id = "0190a000-0000-7000-8000-000000000001"
currency = "JPY"
amount = 1200.5
due = 2025-01-31
created_at = 2025-01-01 10:00:00
"""
BOSS = uuid.UUID("0190a000-0000-7000-8000-000000000001")


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_rows_stand_as_they_were_written(tmp_path, on):
    plan = shop(tmp_path, LOOKUP + PEOPLE)
    with sandbox(plan, on) as stage:
        report = seed(stage)
        with stage.engine.connect() as connection:
            users = connection.execute(select(plan.table("users"))).all()
            orders = connection.execute(select(plan.table("orders")).order_by("id")).all()
            currencies = connection.execute(select(plan.table("currencies")).order_by("code")).all()
    assert report.verdict == "125 rows in 3 tables, 5 of them fixed, 0 violations"
    boss = next(user for user in users if user.id == BOSS)
    assert boss[1:] == ("test@example.org", Role.ADMIN, None, {"theme": "dark", "sizes": [1, 2]}, START)
    second = next(user for user in users if user.email == "Second@example.org")
    assert second[2:] == (Role.MEMBER, BOSS, {}, dt.datetime(2025, 6, 1, 10, tzinfo=dt.UTC))
    assert second.id.version == 7
    first = orders[0]
    assert first[:6] == (70, BOSS, "JPY", Decimal("1200.50"), False, dt.date(2025, 1, 31))
    assert [order.id for order in orders] == [70, *range(71, 171)]
    assert {order.currency for order in orders} == {"EUR", "JPY"}
    assert [tuple(row) for row in currencies] == [("EUR", "Euro", 2), ("JPY", "Yen", 0)]
    assert {order.user_id for order in orders[1:]} <= {user.id for user in users} - {boss.id, second.id}


START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def cells(plan, rows=None):
    made, _ = prepare(plan, rows, 7)
    return {
        (name, column): [None if n else v for v, n in zip(cell.values.tolist(), cell.null.tolist(), strict=True)]
        for name, source in made.sources.items()
        for frame in [source.frame(source.order)]
        for column in source.makers
        for cell in [frame[column]]
    }


def test_the_cells_of_generated_rows_stay_as_they_were(tmp_path):
    before = cells(shop(tmp_path, LOOKUP))
    after = cells(shop(tmp_path, LOOKUP + PEOPLE))
    numbers = after.pop(("orders", "id"))
    assert numbers == [number + 70 for number in before.pop(("orders", "id"))]
    assert after == before


def test_rows_count_the_generated_ones(tmp_path):
    plan = shop(tmp_path, LOOKUP + PEOPLE)
    counts = {name: source.rows for name, source in prepare(plan, 50, 7)[0].sources.items()}
    assert counts == {"currencies": 2, "users": 10, "orders": 50}
    counts = {
        name: source.total
        for name, source in prepare(plan, {"users": 0, "currencies": 4, "orders": 100}, 7)[0].sources.items()
    }
    assert counts == {"currencies": 6, "users": 2, "orders": 100 + 1}


def test_less_than_one_row_is_refused_where_none_is_fixed(tmp_path):
    with pytest.raises(UsageError, match='rows = 0 for "orders"'):
        prepare(shop(tmp_path, LOOKUP), {"orders": 0}, 7)


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_value_that_is_fixed_is_generated_elsewhere(tmp_path, on):
    free = cells(shop(tmp_path, LOOKUP))["users", "email"]
    taken = "".join(f"[[tables.users.fixed]]\nemail = '{free[at].upper()}'\n" for at in (3, 7))
    plan = shop(tmp_path, LOOKUP + taken)
    moved = cells(plan)["users", "email"]
    assert [at for at, (a, b) in enumerate(zip(free, moved, strict=True)) if a != b] == [3, 7]
    assert len(set(moved)) == len(moved)
    with sandbox(plan, on) as stage:
        assert seed(stage).ok


def small(tmp_path, recipe):
    m = MetaData()
    Table("flag", m, Column("word", String(1), CheckConstraint("word IN ('a', 'b', 'c')"), primary_key=True))
    path = tmp_path / "small.toml"
    path.write_text(recipe, "utf-8")
    return Plan(name="small", metadata=m, recipe=path)


def test_a_small_domain_leaves_room_for_its_fixed_values(tmp_path):
    plan = small(tmp_path, '[[tables.flag.fixed]]\nword = "b"\n')
    assert sorted(cells(plan, {"flag": 2})["flag", "word"]) == ["a", "c"]
    with pytest.raises(Unsatisfiable, match=r"flag\.word is unique and has 3 values .*, 1 of them in fixed rows"):
        prepare(plan, {"flag": 3}, 7)


def test_a_pair_that_is_generated_as_well_is_said_before_the_first_row(tmp_path):
    m = MetaData()
    Table("a", m, Column("id", Integer, primary_key=True))
    Table(
        "b", m,
        Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id"), nullable=False),
        Column("place", Integer, nullable=False), UniqueConstraint("a_id", "place"),
    )  # fmt: skip
    path = tmp_path / "pairs.toml"
    path.write_text(
        "[tables.a]\nrows = 0\nfixed = [{ id = 1 }]\n[[tables.b.fixed]]\na_id = 1\nplace = 3\n[tables.b]\nrows = 9\n"
    )
    with pytest.raises(Unsatisfiable, match=r"b: a_id = 1, place = 3 is in the fixed row at \S*pairs.toml:4 and in a"):
        explain(Plan(name="pairs", metadata=m, recipe=path))


SLIPS = [
    (
        'email = "a@b.c"\nrole = "amdin"',
        3,
        "role = 'amdin' is not one of its values, which are admin, member; did you m",
    ),
    ('email = "a@b.c"\nboss = 3', 3, "no column 'boss'; did you mean 'boss_id'?"),
    ("email = 3", 2, "email = 3 is not a text"),
    (f'email = "{"x" * 61}"', 2, "has 61 characters, and the column has room for 60"),
    ('id = "1"\nemail = "a@b.c"', 2, "id = '1' is not a UUID such as"),
    ('role = "admin"', 1, "no value for email, which may not be NULL and has no default"),
    ('email = "a@b.c"\ncreated_at = "today"', 3, "created_at = 'today' is not a time such as 2025-01-31T12:00:00Z"),
    ('email = "a@b.c"\nsettings = { at = 2025-01-01 }', 3, "cannot be JSON"),
    ('email = "a@b.c"\n[[tables.users.fixed]]\nemail = "a@b.c"', 4, "email = 'a@b.c' stands in the row of r.toml:1 al"),
    (
        'email = "a@b.c"\nboss_id = "0190a000-0000-7000-8000-000000000009"',
        3,
        "leads to no fixed row of users, whose fixed rows have: id = '",
    ),
]


@pytest.mark.parametrize(("body", "line", "message"), SLIPS, ids=range(len(SLIPS)))
def test_a_slip_is_named_with_its_line(body, line, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[[tables.users.fixed]]\n{body}\n", shop(), "r.toml")
    said = str(caught.value)
    assert said.startswith(f"r.toml:{line}: "), said
    assert message in said


ORDER = 'user_id = "0190a000-0000-7000-8000-000000000001"\ncreated_at = 2025-01-01\n'
ORDERS = [
    (ORDER + 'currency = "EUR"\namount = 1.234', "amount = 1.234 has more than 2 decimals"),
    (ORDER + 'currency = "EUR"\namount = "1.234"', "amount = '1.234' has more than 2 decimals"),
    (ORDER + 'currency = "EUR"\namount = true', "amount = true is not a number"),
    (ORDER + 'currency = "EUR"\namount = 123456789', "has more than 8 digits before the point"),
    (ORDER + 'currency = "EUR"\namount = 0', 'CHECK "paid" (amount > 0) fails: amount = 0.0'),
    (ORDER + 'currency = "EUR"\namount = 1\npaid = 1', "paid = 1 is not true or false"),
    (ORDER + 'currency = "EUR"\namount = 1\ntwice = 2', "twice is computed by the database; leave it out"),
    (ORDER + 'currency = "EUR"\namount = 1\nid = 1.5', "id = 1.5 is not a whole number"),
    (ORDER + 'currency = "EUR"\namount = 1\ndue = 2025-01-01T10:00:00', "is not a date such as 2025-01-31"),
    (ORDER + 'currency = "GBP"\namount = 1', "currency = 'GBP' leads to no fixed row of currencies, whose fixed rows"),
]


@pytest.mark.parametrize(("body", "message"), ORDERS, ids=range(len(ORDERS)))
def test_a_slip_of_an_order_is_named(body, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"{LOOKUP}{PEOPLE}\n[[tables.orders.fixed]]\n{body}\n", shop(), "r.toml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("[tables.users]\nrows = 0\n", "r.toml:2: rows = 0 is not a whole number above 0; 0 is for a table whose rows"),
        ("[tables.users]\nfixed = 3\n", "r.toml:2: fixed = 3 is not a list of rows, each under [[tables.users.fixed]]"),
        ("[tables.users]\nfixed = []\n", "r.toml:2: fixed = [] is not a list of rows"),
        (
            "[[tables.users.fixed]]\nemail = 'a@b.c'\n\n[[tables.users.fixed]]\nemail = 'b@b.c'\n"
            "[tables.users.fixed.setings]\nx = 1\n",
            "r.toml:6: no column 'setings'; did you mean 'settings'?",
        ),
    ],
)
def test_a_slip_of_the_table_is_named(recipe, message):
    with pytest.raises(RecipeError) as caught:
        parse(recipe, shop(), "r.toml")
    assert str(caught.value).startswith(message)


def test_rows_that_refer_to_each_other_in_a_circle_are_refused():
    one, two = (f"0190a000-0000-7000-8000-00000000000{n}" for n in (1, 2))
    rows = "".join(
        f'[[tables.users.fixed]]\nid = "{a}"\nemail = "{a}"\nboss_id = "{b}"\n' for a, b in ((one, two), (two, one))
    )
    with pytest.raises(RecipeError, match=r"r\.toml:1: this row and others of the table refer to each other"):
        parse(rows, shop(), "r.toml")


def everything():
    m = MetaData()
    Table(
        "t", m,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("version", Uuid, server_default=text("uuidv7()")), Column("clock", Time), Column("took", Interval),
        Column("raw", LargeBinary), Column("doc", JSON), Column("exact", Numeric(30, 18)),
        Column("secret", Encrypted("t.secret"), CheckConstraint(sealed("secret"), name="sealed")),
        Column("token", Digest), Column("at", UtcDateTime, default=now), Column("note", Text, server_default="none"),
        Column("shown", Boolean, server_default=text("true")), Column("share", Numeric(5, 2), server_default="12.5"),
        Column("length", Integer, server_default=text("length('four')")),
        CheckConstraint("length(token) = 64", name="digest"),
    )  # fmt: skip
    return m


TYPES = """
[[tables.t.fixed]]
clock = 12:30:00
took = "36 hours"
raw = "bytes"
doc = ["a", 1, { b = true }]
exact = "123456789012.000000000000000001"
secret = "in clear"
token = "abc"

[[tables.t.fixed]]
id = 10
length = 7

[tables.t]
rows = 3
"""


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_values_go_through_the_types_and_left_out_columns_hold_their_defaults(tmp_path, on):
    m = everything()
    if on == "sqlite":
        m.tables["t"].c.version.server_default = None
        m.tables["t"].c.version.default = None
        m.tables["t"].c.id.type = Integer()
    path = tmp_path / "t.toml"
    path.write_text(TYPES, "utf-8")
    plan = Plan(name="t", metadata=m, recipe=path)
    with sandbox(plan, on) as stage, rehearsal():
        assert seed(stage).ok
        with stage.engine.connect() as connection:
            opened = unseal(connection.exec_driver_sql("SELECT secret FROM t WHERE id = 11").scalar(), "t.secret")
            first, second, *others = connection.execute(select(m.tables["t"]).order_by("id")).all()
            if on == "postgresql":
                following = connection.execute(text("SELECT nextval(pg_get_serial_sequence('t', 'id'))")).scalar()
    assert (second.id, first.id, [row.id for row in others]) == (11, 10, [12, 13, 14])
    assert (second.clock, second.took, second.raw) == (dt.time(12, 30), dt.timedelta(hours=36), b"bytes")
    assert second.doc == ["a", 1, {"b": True}]
    assert second.secret == "in clear" == opened
    assert second.token == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (second.at, second.note, second.shown, second.share, second.length) == (
        START,
        "none",
        True,
        Decimal("12.5"),
        4,
    )
    assert first.length == 7
    if on == "postgresql":
        assert second.exact == Decimal("123456789012.000000000000000001")
        assert second.version.version == 7
        assert following == 15


def test_the_servers_refusal_names_the_row(tmp_path):
    m = MetaData()
    t = Table("t", m, Column("id", Integer, primary_key=True), Column("user", Integer), Column("gone", Boolean))
    Index("one_living", t.c.user, unique=True, sqlite_where=t.c.gone.is_(False))
    path = tmp_path / "t.toml"
    row = "[[tables.t.fixed]]\nuser = 1\ngone = {}\n"
    path.write_text("[tables.t]\nrows = 0\n" + row.format("true") + row.format("true"))
    plan = Plan(name="t", metadata=m, recipe=path)
    with sandbox(plan, "sqlite") as stage:
        assert seed(stage).verdict == "2 rows in 1 table, all fixed, 0 violations"
    path.write_text("[tables.t]\nrows = 0\n" + row.format("false") + row.format("false"))
    with (
        sandbox(plan, "sqlite") as stage,
        pytest.raises(Unsatisfiable, match=r"refused the fixed row at \S*t\.toml:6, and nothing was kept: UNIQUE"),
    ):
        seed(stage)


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_circle_of_tables_is_closed_for_fixed_rows_as_well(tmp_path, on):
    m = MetaData()
    Table(
        "a", m, Column("id", Integer, primary_key=True), Column("b_id", ForeignKey("b.id", use_alter=True, name="ab"))
    )
    Table("b", m, Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id"), nullable=False))
    path = tmp_path / "t.toml"
    path.write_text("[[tables.a.fixed]]\nid = 5\nb_id = 9\n[[tables.b.fixed]]\nid = 9\na_id = 5\n")
    with sandbox(Plan(name="t", metadata=m, recipe=path), on) as stage:
        assert seed(stage, rows=10).ok
        with stage.engine.connect() as connection:
            assert connection.execute(text("SELECT b_id FROM a WHERE id = 5")).scalar() == 9


def test_postgresql_and_sqlite_hold_the_same_rows(tmp_path):
    plan = shop(tmp_path, LOOKUP + PEOPLE)
    held = []
    for on in ("sqlite", "postgresql"):
        with sandbox(plan, on) as stage:
            seed(stage)
            with stage.engine.connect() as connection:
                held.append([connection.execute(select(t).order_by(*t.primary_key.columns)).all() for t in plan.tables])
    assert held[0] == held[1]


def test_a_composite_key_may_lead_to_fixed_parents(tmp_path):
    m = MetaData()
    Table("p", m, Column("region", String(2), primary_key=True), Column("no", Integer, primary_key=True))
    Table(
        "c", m,
        Column("id", Integer, primary_key=True), Column("region", String(2)), Column("no", Integer),
        ForeignKeyConstraint(["region", "no"], ["p.region", "p.no"]),
    )  # fmt: skip
    path = tmp_path / "t.toml"
    path.write_text('[tables.p]\nrows = 0\nfixed = [{ region = "eu", no = 1 }, { region = "us", no = 1 }]\n')
    with sandbox(Plan(name="t", metadata=m, recipe=path), "sqlite") as stage:
        assert seed(stage, rows=40).ok
        with stage.engine.connect() as connection:
            found = set(connection.execute(text("SELECT DISTINCT region, no FROM c")).all())
    assert found - {(None, None)} == {("eu", 1), ("us", 1)}


def test_explain_tells_the_fixed_rows(tmp_path):
    said = str(explain(shop(tmp_path, LOOKUP + PEOPLE), rows=50).blocks)
    assert "2 rows, all fixed" in said
    assert "12 rows, 2 of them fixed" in said


def test_secrets_need_no_key_and_take_the_one_that_is_set(tmp_path, monkeypatch):
    path = tmp_path / "t.toml"
    path.write_text(TYPES, "utf-8")
    m = everything()
    m.tables["t"].c.version.server_default = m.tables["t"].c.version.default = None
    m.tables["t"].c.id.type = Integer()
    plan = Plan(name="t", metadata=m, recipe=path)
    for key in (None, new_key()):
        monkeypatch.delenv(VARIABLE, raising=False)
        if key:
            monkeypatch.setenv(VARIABLE, key)
        engine = new_engine("sqlite://")
        m.create_all(engine)
        assert seed(engine, plan).ok
        with engine.connect() as connection:
            kept = connection.exec_driver_sql("SELECT secret FROM t WHERE id = 11").scalar()
        engine.dispose()
        with rehearsal():
            assert unseal(kept, "t.secret") == "in clear"
