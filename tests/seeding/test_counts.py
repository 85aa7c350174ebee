"""How many rows each table gets of one number: its share, what the recipe asks for at least, and what is said of it."""

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

from dbplan import read
from dbplan.errors import RecipeError, Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.recipe.reading import parse
from dbplan.seeding.run import prepare

PLANNED = {"owners": 1_000, "pets": 2_000, "visits": 2_500, "vets": 50, "moves": 100_000}


def clinic(text, tmp_path):
    m = MetaData()
    Table("visits", m, Column("id", Integer, primary_key=True), Column("pet", ForeignKey("pets.id"), nullable=False))
    Table("pets", m, Column("id", Integer, primary_key=True), Column("owner", ForeignKey("owners.id"), nullable=False))
    for name in ("owners", "vets", "moves"):
        Table(name, m, Column("id", Integer, primary_key=True))
    path = tmp_path / "clinic.toml"
    path.write_text(text, "utf-8")
    return Plan(name="clinic", metadata=m, rows=PLANNED, recipe=path)


def rows(text, tmp_path, asked):
    made, notes = prepare(clinic(text, tmp_path), asked, 7)
    return {name: source.rows for name, source in made.sources.items()}, notes


MINIMA = "[tables.pets]\nchildren = { min = 3 }\n[tables.visits]\nchildren = { min = 2 }\n"


def test_a_share_too_small_for_the_children_of_each_parent_is_raised_and_said(tmp_path):
    found, notes = rows("[tables.owners]\nmin_rows = 4\n" + MINIMA, tmp_path, 50)
    assert found == {"owners": 4, "pets": 12, "visits": 24, "vets": 1, "moves": 50}
    assert notes == (
        "pets got 12 rows, more than its share: 3 children at least for each of the 4 rows of owners.",
        "visits got 24 rows, more than its share: 2 children at least for each of the 12 rows of pets.",
    )
    with sandbox(clinic("[tables.owners]\nmin_rows = 4\n" + MINIMA, tmp_path), "sqlite") as stage:
        assert seed(stage, rows=50).ok


def test_a_share_too_large_for_the_children_of_each_parent_is_lowered_and_said(tmp_path):
    found, notes = rows('[tables.pets]\nchildren = { max = 1, shape = "even" }\n', tmp_path, 10_000)
    assert (found["owners"], found["pets"], found["visits"]) == (100, 100, 250)
    assert notes == ("pets got 100 rows, not its share: 1 children at most for each of the 100 rows of owners.",)


@pytest.mark.parametrize("asked", [1, 7, 60, 500, 1_900])
def test_the_plan_store_has_rows_for_any_number(asked):
    assert prepare(read("store"), asked, 7)[0].sources["pages"].rows >= 1


def test_a_share_that_is_enough_stays(tmp_path):
    found, notes = rows("[tables.visits]\nchildren = { min = 1 }\n", tmp_path, 10_000)
    assert (found["pets"], found["visits"], notes) == (200, 250, ())


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (MINIMA, {"owners": 4, "pets": 2}),
        ("[tables.owners]\nrows = 4\n[tables.pets]\nrows = 2\nchildren = { min = 3 }\n", None),
    ],
    ids=["asked for", "in the recipe"],
)
def test_a_count_given_for_the_table_itself_is_not_raised(text, asked, tmp_path):
    with pytest.raises(Unsatisfiable, match="4 parents with 3 children at least need 12 rows, not 2"):
        rows(text, tmp_path, asked)


def test_children_of_fixed_rows_count_as_well(tmp_path):
    text = "[tables.owners]\nrows = 0\nfixed = [{ id = 1 }, { id = 2 }]\n" + MINIMA
    assert rows(text, tmp_path, 50)[0] == {"owners": 2, "pets": 6, "visits": 12, "vets": 1, "moves": 50}


def test_few_rows_leave_a_table_its_least(tmp_path):
    text = "[tables.vets]\nmin_rows = 12\n"
    assert rows(text, tmp_path, 50)[0] == {"owners": 1, "pets": 1, "visits": 1, "vets": 12, "moves": 50}
    assert rows(text, tmp_path, 100_000)[0]["vets"] == 50


def test_rows_asked_for_go_before_the_least(tmp_path):
    text = "[tables.vets]\nmin_rows = 12\n"
    assert rows(text, tmp_path, {"vets": 3})[0]["vets"] == 3
    assert rows(text.replace("min", "rows = 5\nmin"), tmp_path, None)[0]["vets"] == 5


@pytest.mark.parametrize("least", ["0", "-1", "1.5", "true", '"3"'])
def test_a_least_that_is_no_count_is_refused(least, tmp_path):
    with pytest.raises(RecipeError, match=r"r\.toml:2: min_rows = .* is not a whole number above 0"):
        parse(f"[tables.vets]\nmin_rows = {least}\n", clinic("", tmp_path), "r.toml")
