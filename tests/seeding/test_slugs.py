"""Slugs: spelled from the row's own title or name, different by construction where a unique wants it."""

import re
import string
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed
from dbplan.seeding.run import prepare
from dbplan.seeding.values.slugs import Slug, ranks, slug

WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TITLES = '["Mug", "mug!", "Mug 2", "Mug 2 3", "Desk Lamp", "Café Crème", "日本", "2024"]'


def plan(path=None, slug_check="slug = lower(slug)", rest=()):
    m = MetaData()
    Table(
        "stores", m,
        Column("id", Integer, primary_key=True), Column("name", String(100), nullable=False),
        Column("slug", String(100), CheckConstraint(slug_check), nullable=False, unique=True),
        Column("subdomain", String(63), unique=True), Column("custom_domain", String(253), unique=True), *rest,
    )  # fmt: skip
    Table(
        "products", m,
        Column("id", Integer, primary_key=True), Column("store_id", ForeignKey("stores.id"), nullable=False),
        Column("title", String(200)), Column("product_slug", String(20), nullable=False),
        Column("status", String(10), nullable=False), UniqueConstraint("store_id", "product_slug"),
    )  # fmt: skip
    Table(
        "categories", m,
        Column("id", Integer, primary_key=True), Column("name", String(40), nullable=False),
        Column("slug", String(40), nullable=False), Column("short_slug", String(12), nullable=False, unique=True),
    )  # fmt: skip
    return Plan("slugs", m, recipe=path)


def recipe(tmp_path, text):
    path = tmp_path / "slugs.toml"
    path.write_text(text)
    return path


def rows(subject, table, *columns, count=500):
    source = prepare(subject, count, 7)[0].sources[table]
    frame = source.frame(np.arange(source.rows))
    cells = [frame[name] for name in columns]
    lists = [[None if n else v for v, n in zip(c.values.tolist(), c.null.tolist(), strict=True)] for c in cells]
    return list(zip(*lists, strict=True))


def test_a_slug_is_spelled_from_the_rows_own_name():
    found = rows(plan(), "stores", "name", "slug", "subdomain", "custom_domain")
    assert len({word for _, word, *_ in found}) == 500
    for name, word, label, domain in found:
        assert WORD.fullmatch(word)
        assert re.sub(r"-\d+$", "", word) == slug(name)
        assert label in (word, None)
        assert domain in (f"{word}.example", None)
    firsts = {name for name, *_ in found}
    assert sum(word == slug(name) for name, word, *_ in found) == len(firsts)


@pytest.mark.parametrize("count", [400, 3000])
def test_slugs_differ_within_their_parent_and_fit_their_column(tmp_path, count):
    text = (
        f"[tables.products]\nper = 'store_id'\n[tables.products.columns]\ntitle = {{ values = {TITLES}, null = 0.1 }}\n"
    )
    found = rows(plan(recipe(tmp_path, text)), "products", "store_id", "title", "product_slug", count=count)
    assert max(Counter((store, word) for store, _, word in found).values()) == 1
    assert all(WORD.fullmatch(word) and len(word) <= 20 for *_, word in found)
    first = defaultdict(list)
    for store, title, word in found:
        first[store, title].append(word)
    assert {words[0] for (_, title), words in first.items() if title == "Café Crème"} == {"cafe-creme"}
    assert {words[0] for (_, title), words in first.items() if title == "Mug 2"} == {"mug-2-1"}
    assert all(words[0].startswith("untitled") for (_, title), words in first.items() if title in (None, "日本"))


def test_slugs_that_no_unique_tells_apart_have_no_number():
    assert all(word == slug(name)[:40].strip("-") for name, word in rows(plan(), "categories", "name", "slug"))


def test_a_column_without_room_and_one_with_a_rule_go_alone(tmp_path):
    found = rows(plan(), "categories", "name", "short_slug")
    assert not any(word == slug(name) for name, word in found)
    ruled = plan(recipe(tmp_path, '[tables.categories.columns]\nslug = { values = ["a-slug"] }\n'))
    assert {word for (word,) in rows(ruled, "categories", "slug")} == {"a-slug"}


@pytest.mark.parametrize(
    ("check", "wanted"),
    [("slug ~ '^[a-z0-9-]{3,40}$'", True), ("slug LIKE 'shop-%'", False), ("slug ~ '^[a-z]+$'", False)],
)
def test_a_check_that_slugs_break_is_held_by_other_texts(check, wanted):
    condition = re.search(r"~ '(.*)'", check) or re.compile("(shop-.*)").search("shop-.*")
    found = rows(plan(slug_check=check), "stores", "name", "slug")
    assert len({word for _, word in found}) == 500
    assert all(re.fullmatch(condition[1], word) for _, word in found)
    assert any(word == slug(name) for name, word in found) == wanted


def test_a_text_that_follows_its_slug_is_left_to_do_so(tmp_path):
    text = "[tables.stores.columns]\nname = { expression = \"'The ' || slug\" }\n"
    assert all(name == f"The {word}" for name, word in rows(plan(recipe(tmp_path, text)), "stores", "name", "slug"))
    tied = plan(rest=(CheckConstraint("slug <> name"),))
    assert len({word for (word,) in rows(tied, "stores", "slug")}) == 500


def test_a_rule_says_how_often_and_when_there_is_one(tmp_path):
    text = "[tables.stores.columns]\nsubdomain = { null = 0.6 }\ncustom_domain = { only_when = \"slug LIKE 'b%'\" }\n"
    found = rows(plan(recipe(tmp_path, text)), "stores", "slug", "subdomain", "custom_domain")
    assert 0.5 < sum(label is None for _, label, _ in found) / 500 < 0.7
    assert all((domain is not None) == word.startswith("b") for word, _, domain in found)


def test_a_fixed_slug_is_no_others(tmp_path):
    text = '[tables.stores.columns]\nname = { values = ["Mug"] }\n' + "".join(
        f'[[tables.stores.fixed]]\nname = "Fixed"\nslug = "{word}"\n' for word in ("mug", "mug-3", f"mug-{10**20}")
    )
    found = [word for (word,) in rows(plan(recipe(tmp_path, text)), "stores", "slug", count=5)]
    assert found == ["mug-2", "mug-4", "mug-5", "mug-6", "mug-7"]


def test_a_smaller_run_is_the_start_of_a_larger_one():
    few, many = (rows(plan(), "stores", "name", "slug", count=count) for count in (100, 400))
    assert many[:100] == few


def test_any_part_of_a_table_has_the_slugs_of_the_whole():
    source = prepare(plan(), 2000, 7)[0].sources["products"]
    other = prepare(plan(), 2000, 7)[0].sources["products"]
    whole = source.frame(np.arange(2000))["product_slug"].values.tolist()
    for at in ([7], [1999, 3], [600, 601, 602]):
        assert other.frame(np.array(at))["product_slug"].values.tolist() == [whole[row] for row in at]


@given(st.lists(st.text(alphabet="ab 1-2é!", max_size=6), max_size=60))
def test_numbers_tell_any_texts_apart(texts):
    domain = Slug("title", "", 40, 0, True, False)
    bases = [domain.base(text) for text in texts]
    marks = np.array([sum(ord(c) << (8 * i % 60) for i, c in enumerate(base)) for base in bases], dtype=np.uint64)
    numbers = (ranks(marks) + 1).tolist()
    written = [domain.written(base, number) for base, number in zip(bases, numbers, strict=True)]
    assert len(set(written)) == len(texts)
    assert [domain.read(word) for word in written] == list(zip(bases, numbers, strict=True))


@given(st.text(max_size=40))
def test_a_slug_is_words_of_ascii_between_dashes(text):
    assert WORD.fullmatch(slug(text)) or not slug(text)
    assert slug(slug(text)) == slug(text)
    if set(text) <= set(string.ascii_letters + string.digits + " "):
        assert slug(text).split("-") == text.lower().split() or not text.strip()


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_the_servers_agree(on):
    with sandbox(plan(), on) as stage:
        assert seed(stage, rows=800).ok


def test_explain_says_so():
    said = str(explain(plan()).blocks)
    assert "slug of name, each once" in said
    assert "slug of title, each once within its parent" in said
