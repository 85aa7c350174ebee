"""Recipes: every slip is named with its line and the nearest right key, before any row."""

import re

import pytest
from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Numeric, String, Table

from dbplan.domains.credits import PLAN
from dbplan.errors import RecipeError
from dbplan.plan import Plan
from dbplan.seeding.recipe.reading import parse, recipe_of
from dbplan.seeding.run import prepare


def library(recipe=None):
    metadata = MetaData()
    Table(
        "authors", metadata,
        Column("id", Integer, primary_key=True), Column("name", String(60), nullable=False),
        Column("country", String(40)), Column("balance", Numeric(10, 2)),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    Table(
        "books", metadata,
        Column("id", Integer, primary_key=True), Column("author_id", ForeignKey("authors.id"), nullable=False),
        Column("isbn", String(20), nullable=False, unique=True), Column("state", String(20), nullable=False),
        Column("stock_before", Integer), Column("stock_after", Integer), Column("moved", Integer),
        Column("price", Numeric(8, 2)), Column("sold_out_at", DateTime), Column("note", String(200)),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    return Plan(name="library", metadata=metadata, recipe=recipe)


def values(text, tmp_path, table, column, rows=300):
    path = tmp_path / "library.toml"
    path.write_text(text, "utf-8")
    made, _ = prepare(library(path), rows, 7)
    source = made.sources[table]
    cell = source.frame(source.order)[column]
    return [None if n else v for v, n in zip(cell.values.tolist(), cell.null.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[table.books]\nrows = 3\n", 1, "no key 'table'; did you mean 'tables'?"),
        ("[tables.book]\nrows = 3\n", 1, "no table 'book'; did you mean 'books'?"),
        ("\n[tables.books]\nrow = 3\n", 3, "no key 'row'; did you mean 'rows'?"),
        ("[tables.books]\nrows = 0\n", 2, "rows = 0 is not a whole number above 0"),
        ("[tables.books]\nrows = -3\n", 2, "rows = -3 is not a whole number above 0"),
        ("[tables.books.columns]\nprise = { value = 1 }\n", 2, "no column 'prise'; did you mean 'price'?"),
        ("[tables.books.columns.price]\nmni = 1\n", 2, "no key 'mni'; did you mean 'min'?"),
        ("[tables.books.columns]\nprice = { maxx = 1 }\n", 2, "no key 'maxx'; did you mean 'max'?"),
        ("[tables.books.columns.price]\nmin = 3\nmax = 1\n", 2, "min 3 is above max 1"),
        ("[tables.books.columns.state]\nvalues = ['a']\nweights = [1, 2]\n", 3, "2 weights for 1 values"),
        ("[tables.books.columns.state]\nnull = 1.5\n", 2, "null = 1.5 is not a share from 0 to 1"),
        ("[tables.books.columns.note]\nonly_when = 'stat = 1'\n", 2, "reads 'stat', which is no column here"),
        ("[tables.books.columns.note]\nexpression = 'a +'\n", 2, "is not SQL that can be read here"),
        ("[tables.books.columns.sold_out_at]\nafter = 'created'\n", 2, "no column 'created'; did you mean"),
        ("[tables.authors.columns.balance]\nlast = 'books.stock'\n", 2, "no column 'stock'; did you mean"),
        ("[tables.books]\nchildren = { shape = 'odd' }\n", 2, 'shape = \'odd\' is not "fixed", "even", "poisson", '),
        ("[time]\nstart = 2025-01-01\nend = 2024-01-01\n", 1, "start 2025-01-01 does not come before end"),
        ("tables = 3\n", 1, "tables = 3 is not a table of keys"),
        ("[tables.books\nrows = 3\n", 1, "not TOML"),
        ("[tables.books]\nrows = 3\nrows = 4\n", 3, "not TOML"),
    ],
)
def test_a_slip_is_named_with_its_line(text, line, message):
    with pytest.raises(RecipeError) as caught:
        parse(text, library(), "library.toml")
    said = str(caught.value)
    assert said.startswith(f"library.toml:{line}: "), said
    assert message in said
    assert "\n" not in said


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"gone\.toml.*is not there"):
        recipe_of(library(tmp_path / "gone.toml"))


def test_an_unknown_provider_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"library\.toml:2: no Faker provider 'nmae'; did you mean"):
        values('[tables.authors.columns.name]\nfaker = "nmae"\n', tmp_path, "authors", "name")


def test_values_keep_their_weights(tmp_path):
    states = values(
        '[tables.books.columns.state]\nvalues = ["in", "out"]\nweights = [9, 1]\n', tmp_path, "books", "state", 2000
    )
    assert 0.05 < states.count("out") / 2000 < 0.15


def test_a_bound_a_share_of_nulls_and_a_pattern_are_kept(tmp_path):
    prices = values("[tables.books.columns.price]\nmin = 5\nmax = 9.5\nnull = 0.5\n", tmp_path, "books", "price")
    assert all(5 <= p <= 9.5 for p in prices if p is not None)
    assert 0.4 < prices.count(None) / len(prices) < 0.6
    numbers = values('[tables.books.columns.isbn]\npattern = "^97[89]-[0-9]{9}$"\n', tmp_path, "books", "isbn")
    assert all(re.fullmatch(r"97[89]-\d{9}", n) for n in numbers)
    assert len(set(numbers)) == len(numbers)


def test_texts_are_joined_and_a_null_among_them_is_null(tmp_path):
    text = """[tables.books.columns]
state = { values = ["sold"] }
isbn = { pattern = "^[0-9]{10}$" }
note = { expression = "'https://books.example/' || isbn || CASE WHEN price < 500 THEN '?' || state END" }"""
    found = values(text, tmp_path, "books", "note")
    assert {re.fullmatch(r"https://books\.example/[0-9]{10}\?sold", note) is not None for note in found if note} == {
        True
    }
    assert 0 < found.count(None) < len(found)


def test_children_keep_their_least_and_most(tmp_path):
    path = tmp_path / "library.toml"
    path.write_text("[tables.books]\nper = 'author_id'\nchildren = { shape = 'skewed', min = 2, max = 9 }\n")
    made, _ = prepare(library(path), {"authors": 100, "books": 500}, 7)
    counts = made.sources["books"].fan.counts
    assert counts.min() >= 2
    assert counts.max() <= 9
    assert counts.sum() == 500


def test_a_chain_needs_a_parent(tmp_path):
    with pytest.raises(RecipeError, match=r"authors\.balance follows a parent's rows"):
        values("[tables.authors.columns.balance]\nlevel = { max = 90 }\n", tmp_path, "authors", "balance")


def test_the_credits_recipe_is_in_force():
    assert set(recipe_of(PLAN).tables) == {str(t.key) for t in PLAN.tables}
