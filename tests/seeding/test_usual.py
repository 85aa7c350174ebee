"""Usual values: what the name of a column alone says of few words, codes, prices and numbers."""

from collections import Counter

import pytest
from sqlalchemy import CHAR, Boolean, CheckConstraint, Column, Integer, MetaData, Numeric, String, Table, Time

from dbplan import read
from dbplan.plan import Plan
from dbplan.seeding.run import prepare


def cells(table, *columns):
    m = MetaData()
    Table(table, m, Column("id", Integer, primary_key=True), *columns)
    source = prepare(Plan("usual", m), 400, 7)[0].sources[table]
    frame = source.frame(source.order)
    return {c.name: frame[c.name].take(frame[c.name].null == 0).values.tolist() for c in columns}


def test_texts_hold_the_words_of_their_names():
    texts = ("method", "channel", "priority", "status", "currency", "language")
    found = cells(
        "payments", *(Column(name, String(20)) for name in texts), Column("nationality", CHAR(2)),
        Column("billing_country", CHAR(3)), Column("card_last4", CHAR(4)), Column("gender", CHAR(1)),
        Column("phone", String(30)),
    )  # fmt: skip
    assert set(found["method"]) == {"card", "cash", "transfer", "voucher"}
    assert Counter(found["method"])["card"] > Counter(found["method"])["voucher"]
    assert set(found["priority"]) == {"low", "normal", "high", "urgent"}
    assert {"web", "phone"} < set(found["channel"])
    assert {"EUR", "USD"} < set(found["currency"])
    assert {"en", "de"} < set(found["language"])
    assert all(len(code) == 2 and code.isupper() for code in found["nationality"])
    assert all(len(code) == 3 for code in found["billing_country"])
    assert all(len(pin) == 4 and pin.isdigit() for pin in found["card_last4"])
    assert set(found["gender"]) == {"F", "M", "X"}
    assert not any("x" in number for number in found["phone"])


def test_numbers_are_as_large_as_their_names_say():
    names = {"salary": (20_000, 120_000), "base_price": (5, 500), "latitude": (-85, 85)}
    whole = {"floor": (0, 30), "adults": (1, 6), "children": (0, 3), "failed_logins": (0, 5)}
    found = cells("things", *(Column(n, Numeric(10, 2)) for n in names), *(Column(n, Integer) for n in whole))
    for name, (low, high) in {**names, **whole}.items():
        assert low <= min(found[name]) < max(found[name]) <= high, name
    assert {round(price % 1, 2) for price in found["base_price"]} == {0.0, 0.5, 0.9, 0.99}
    assert min(found["latitude"]) < 0


def test_flags_and_times_of_day():
    found = cells("things", Column("is_active", Boolean), Column("is_deleted", Boolean), Column("opens_at", Time))
    assert sum(found["is_active"]) > 0.8 * len(found["is_active"]) > 0.7 * 400
    assert sum(found["is_deleted"]) < 0.1 * 400
    assert all(int(time.total_seconds()) % 900 == 0 for time in found["opens_at"])


def test_lists_of_prisma_are_never_null(tmp_path):
    file = tmp_path / "schema.prisma"
    file.write_text(
        'datasource db {\n  provider = "postgresql"\n}\n'
        "model Note {\n  id Int @id\n  tags String[]\n  body String?\n  ranks Int[]\n}\n"
    )
    source = prepare(read(file), 400, 7)[0].sources["Note"]
    frame = source.frame(source.order)
    assert {name: bool(frame[name].null.any()) for name in ("tags", "ranks", "body")} == {
        "tags": False,
        "ranks": False,
        "body": True,
    }


def test_few_names_carry_numbers_where_they_must_differ():
    names = cells("categories", Column("name", String(40), unique=True, nullable=False))["name"]
    assert len(set(names)) == 400
    assert {name.split()[0] for name in names} == {
        "Home", "Garden", "Books", "Clothing", "Electronics", "Sports", "Toys", "Food", "Beauty", "Office"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("check", "kept"),
    [
        ("status IN ('open', 'shut')", {"open", "shut"}),
        ("status ~ '^[0-9]{3}$'", None),
        ("status <> 'active'", {"pending", "completed", "inactive", "cancelled"}),
    ],
)
def test_checks_go_before_usual_words(check, kept):
    found = set(cells("things", Column("status", String(12), CheckConstraint(check)))["status"])
    assert found == kept if kept else all(len(word) == 3 and word.isdigit() for word in found)
