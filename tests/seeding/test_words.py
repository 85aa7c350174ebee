"""Words: what a column's name, its table and its CHECKs say goes before letters of a pattern."""

import re

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, Text

from dbplan.columns import EMAIL
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.run import prepare
from dbplan.seeding.values.words import PRODUCTS, pool, weights


def plan():
    m = MetaData()
    Table(
        "users", m,
        Column("id", Integer, primary_key=True), Column("name", String(100), nullable=False),
        Column("username", String(40), CheckConstraint("username ~ '^[a-z0-9.]+$'"), nullable=False, unique=True),
    )  # fmt: skip
    Table(
        "accounts", m,
        Column("id", Integer, primary_key=True),
        Column("email", String(254), CheckConstraint(EMAIL), nullable=False, unique=True),
    )  # fmt: skip
    Table(
        "stores", m,
        Column("id", Integer, primary_key=True), Column("name", String(100), nullable=False),
        Column("slug", String(80), CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'"), nullable=False, unique=True),
    )  # fmt: skip
    Table(
        "shop_products", m,
        Column("id", Integer, primary_key=True), Column("title", Text, nullable=False),
        Column("sku", String(20), CheckConstraint("sku LIKE 'SKU-____'"), nullable=False),
        Column("code", Text, CheckConstraint("code ~ '^[A-Z]{3}-[0-9]{4}$'"), unique=True, nullable=False),
        Column("title_key", String(40), CheckConstraint("title_key ~ '^[a-z]+$'"), nullable=False, unique=True),
    )  # fmt: skip
    return Plan("words", m)


def values(rows=2000):
    made, _ = prepare(plan(), rows, 7)
    return {
        f"{name}.{column}": source.frame(source.order)[column].values.tolist()
        for name, source in made.sources.items()
        for column in source.makers
    }


def test_names_are_those_of_what_the_table_holds():
    found = values()
    firsts, lasts = (set(weights(f"{part}_name")) for part in ("first", "last"))
    assert all(name.split()[0] in firsts and name.split()[-1] in lasts for name in found["users.name"])
    assert set(found["stores.name"]) <= set(pool("company"))
    assert all(
        word in PRODUCTS[place] for title in found["shop_products.title"] for place, word in enumerate(title.split())
    )


@pytest.mark.parametrize("rows", [50, 20_000])
def test_an_address_that_a_check_shapes_is_still_one(rows):
    found = values(rows)["accounts.email"]
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d*@example\.(com|net|org)", word) for word in found)
    assert len(set(found)) == rows


def test_words_that_a_check_refuses_give_way_to_its_pattern():
    found = values()
    assert all(re.fullmatch(r"SKU-.{4}", word) for word in found["shop_products.sku"])
    assert all(re.fullmatch(r"[A-Z]{3}-\d{4}", word) for word in found["shop_products.code"])
    assert all(re.fullmatch("[a-z]+", word) for word in found["shop_products.title_key"])


def test_unique_slugs_and_names_stay_what_their_check_wants():
    found = values()
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*(-\d+)?", word) for word in found["stores.slug"])
    assert {re.sub(r"\.\d+$", "", word) for word in found["users.username"]} <= set(pool("user_name"))


def test_the_server_agrees():
    with sandbox(plan(), "postgresql") as stage:
        assert seed(stage, rows=3000).ok
