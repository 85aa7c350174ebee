"""Rules that do not fit the schema: a value that can never stand, or a rule that would be ignored, has its line."""

import re
from enum import StrEnum
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from dbplan.errors import RecipeError
from dbplan.plan import Plan
from dbplan.seeding import explain
from dbplan.seeding.loading.encode import objects
from dbplan.seeding.recipe.reading import parse
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.run import prepare
from dbplan.seeding.values.domains import as_array


class Kind(StrEnum):
    SHORT = "short"
    LONG = "long"


def lending(recipe=None):
    m = MetaData()
    Table("books", m, Column("barcode", String(20), primary_key=True), Column("title", String(80)))
    Table(
        "loans", m,
        Column("id", Integer, primary_key=True), Column("book", ForeignKey("books.barcode"), nullable=False),
        Column("before_id", ForeignKey("loans.id")), Column("status", String(20), nullable=False),
        Column("barcode", String(20)), Column("kind", Enum(Kind, native_enum=False), nullable=False),
        Column("fine", Numeric(6, 2)), Column("days", Integer), Column("note", String(20)),
        Column("opened", DateTime), Column("returned_at", DateTime), Column("read_at", DateTime),
        CheckConstraint("status IN ('open', 'returned', 'lost')", name="status_known"),
        CheckConstraint("fine > 0 AND fine <= 50 AND (status <> 'open' OR note IS NULL)", name="fair"),
        CheckConstraint("days IN (7, 14, 28)", name="weeks"), CheckConstraint("read_at IS NOT NULL", name="read"),
        CheckConstraint("opened >= '2020-01-01'", name="of_late"),
        CheckConstraint("status <> 'returned' OR returned_at IS NOT NULL", name="back"),
        CheckConstraint("status <> 'lost' OR returned_at IS NULL", name="gone"),
    )  # fmt: skip
    Table("shelves", m, Column("id", Integer, primary_key=True), Column("name", String(20)))
    return Plan(name="lending", metadata=m, recipe=recipe)


KNOWN = (
    "status: CHECK \"status_known\" (status IN ('open', 'returned', 'lost')) refuses it; allowed are 'open', 'returned'"
)
SLIPS = [
    (
        'status = { values = ["open", "stolen"], weights = [2, 1] }',
        f"values: 'stolen' can never stand in {KNOWN}",
    ),
    ('status = { value = "stolen" }', f"value: 'stolen' can never stand in {KNOWN}"),
    (
        'status = { cases = [{ when = "days = 7", values = ["open"] }, { values = ["torn"] }] }',
        f"cases: 'torn' can never stand in {KNOWN}",
    ),
    ('status = { previous = "status" }', "previous = 'status' is the column itself"),
    ('read_at = { after = "read_at" }', "after = 'read_at' is the column itself"),
    ('status = { previous = "note", first = "new" }', f"first: 'new' can never stand in {KNOWN}"),
    ('kind = { values = ["SHORT", "long"] }', "values: 'long' is not one of its values, which are SHORT, LONG"),
    ("fine = { value = 50.5 }", 'value: 50.5 can never stand in fine: CHECK "fair" (fine > 0 AND fine <= 50 AND'),
    ("fine = { value = 12.345 }", "value: 12.345 has more than 2 decimals"),
    ("fine = { min = 0 }", 'min = 0: CHECKs want fine above 0, see CHECK "fair"'),
    ("fine = { max = 50.01 }", 'max = 50.01: CHECKs want fine at most 50, see CHECK "fair"'),
    ("fine = { min = 2024-01-01 }", "min = 2024-01-01 is not a number"),
    ("fine = { min = 1.005 }", "min = 1.005 has more than 2 decimals"),
    ("days = { min = 7, max = 14 }", "min = 7: CHECKs allow days only 7, 14, 28; choose by values = […]"),
    ("days = { values = [7, 21] }", 'values: 21 can never stand in days: CHECK "weeks"'),
    ('note = { value = "more than there is room for" }', "has 27 characters, and the column has room for 20"),
    ("note = { min = 3 }", "min = 3: only numbers and times have a min, and note is String(length=20)"),
    ("opened = { min = 2019-12-31T12:00:00Z }", "min = 2019-12-31T12:00:00Z: CHECKs want opened at least 2020-01-01"),
    ("opened = { max = 3 }", "max = 3 is not a time"),
    ("opened = { values = [2019-01-01] }", "values: 2019-01-01 can never stand in opened"),
    ("status = { null = 0.5 }", "status is NOT NULL and takes no share of NULLs"),
    ("book = { null = 0.5 }", "book is NOT NULL and takes no share of NULLs"),
    ("read_at = { null = 0.5 }", 'read_at takes no share of NULLs: CHECK "read" (read_at IS NOT NULL) refuses them'),
    ("note = { null = 2024-01-01 }", "null = 2024-01-01 is not a share from 0 to 1"),
    ("note = { faker = 2024-01-01T08:00:00Z }", "faker = 2024-01-01T08:00:00Z is not a text"),
    ('note = { faker = "sentense" }', "no Faker provider 'sentense'; did you mean 'sentence'?"),
    ('note = { faker = "enum" }', "faker = 'enum' gives no words by itself"),
]


@pytest.mark.parametrize(("rule", "message"), SLIPS, ids=range(len(SLIPS)))
def test_what_a_column_refuses_is_said_when_the_recipe_is_read(rule, message):
    with pytest.raises(RecipeError) as caught:
        parse(f"[tables.loans.columns]\n\n{rule}\n", lending(), "seeds/lending.toml")
    said = str(caught.value)
    assert said.startswith("seeds/lending.toml:3: ")
    assert message in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('\nlocale = "de_DEE"\n', 2, "no locale of Faker 'de_DEE'; did you mean 'de_DE'?"),
        ("[time]\n\n[tables.loan.columns]\n", 3, "no table 'loan'; did you mean 'loans'?"),
        ("[time]\n\n[[tables.loan.fixed]]\nid = 1\n", 3, "no table 'loan'; did you mean 'loans'?"),
        ('[tables.loans]\nper = "barcode"\n', 2, "per = 'barcode' is no foreign key to another table"),
        ('[tables.loans]\nper = "barcode"\n', 2, "there are: book"),
        ('[tables.loans]\nper = "before_id"\n', 2, "per = 'before_id' is no foreign key to another table"),
        ('[tables.shelves]\nper = "name"\n', 2, "there are: none"),
        ("[tables.shelves]\nchildren = { min = 2 }\n", 2, "children of which parent? say per = … with a foreign key"),
        (
            "[tables.shelves]\nrows = 0\nfixed = [{ id = 1 }]\n\n[tables.shelves.columns]\nname = { null = 0.5 }\n",
            5,
            "columns: rows = 0 leaves no generated row for it",
        ),
        ("[tables.shelves]\nrows = 0\nmin_rows = 3\nfixed = [{ id = 1 }]\n", 3, "min_rows: rows = 0 leaves no"),
    ],
)
def test_a_rule_that_would_be_ignored_is_named(text, line, message):
    with pytest.raises(RecipeError) as caught:
        parse(text, lending(), "lending.toml")
    assert str(caught.value).startswith(f"lending.toml:{line}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("locale", ["de_DE", "de-DE", "de"])
def test_a_locale_may_be_short(locale):
    assert parse(f'locale = "{locale}"\n', lending()).locale == locale


def made(text, tmp_path, rows=3000):
    path = tmp_path / "lending.toml"
    path.write_text(text, "utf-8")
    return prepare(lending(path), rows, 7)[0]


def test_weights_stay_where_other_columns_have_to_give_way(tmp_path):
    text = '[tables.loans.columns]\nstatus = { values = ["open", "returned", "lost"], weights = [2, 7, 1] }\n'
    text += "returned_at = { null = 0.6 }\nnote = { null = 0.5 }\n"
    source = made(text, tmp_path).sources["loans"]
    statuses = source.frame(source.order)["status"].values.tolist()
    shares = [round(statuses.count(status) / 3000, 2) for status in ("open", "returned", "lost")]
    assert shares == pytest.approx([0.2, 0.7, 0.1], abs=0.025)


def test_numbers_of_a_list_are_not_moved_to_hold_an_order(tmp_path):
    m = MetaData()
    Table(
        "bids", m, Column("id", Integer, primary_key=True), Column("low", Integer, nullable=False),
        Column("high", Integer, nullable=False), CheckConstraint("low < high", name="ordered"),
    )  # fmt: skip
    path = tmp_path / "bids.toml"
    path.write_text("[tables.bids.columns]\nlow = { values = [10, 500, 900] }\nhigh = { min = 1, max = 1000 }\n")
    source = prepare(Plan(name="bids", metadata=m, recipe=path), 500, 7)[0].sources["bids"]
    frame = source.frame(source.order)
    assert set(frame["low"].values.tolist()) == {10, 500, 900}
    assert (frame["low"].values < frame["high"].values).all()


@pytest.mark.parametrize(
    ("rule", "keys"),
    [
        ('{ values = ["open"], only_when = "days = 7" }', "values, only_when"),
        ('{ cases = [{ when = "days = 7", values = ["open"] }] }', "cases"),
        ("{ expression = \"CASE WHEN days = 7 THEN 'open' END\" }", "expression"),
    ],
)
def test_nulls_that_a_rule_leaves_in_a_column_that_takes_none_have_its_line(rule, keys, tmp_path):
    with pytest.raises(RecipeError, match=rf"lending\.toml:3: status is NOT NULL, and its rule \({keys}\) leaves"):
        made(f"[tables.loans.columns]\nid = {{ min = 1 }}\nstatus = {rule}\n", tmp_path)


def test_a_recipe_has_its_path_from_here(tmp_path, monkeypatch):
    (tmp_path / "seeds").mkdir()
    path = tmp_path / "seeds" / "lending.toml"
    path.write_text("locale = 3\n")
    monkeypatch.chdir(tmp_path)
    for given in (path, path.relative_to(tmp_path)):
        with pytest.raises(RecipeError, match=r"^seeds/lending\.toml:1: locale = 3 is not a text$"):
            explain(lending(given))
    monkeypatch.chdir(tmp_path / "seeds")
    monkeypatch.chdir("/")
    with pytest.raises(RecipeError, match=f"^{re.escape(str(path.relative_to('/')))}:1: "):
        explain(lending(path))


def test_a_row_that_cannot_be_found_shows_its_times_plain(tmp_path):
    m = MetaData()
    Table(
        "t", m, Column("id", Integer, primary_key=True), Column("a", DateTime, nullable=False),
        Column("n", Integer, nullable=False), CheckConstraint("a = '2031-01-01' OR n > 5", name="odd"),
        UniqueConstraint("n"),
    )  # fmt: skip
    path = tmp_path / "t.toml"
    path.write_text("[tables.t.columns]\na = { values = [2025-02-01] }\nn = { min = 0, max = 5 }\n")
    with pytest.raises(Exception, match="odd") as caught:
        explain(Plan(name="t", metadata=m, recipe=path), rows=3)
    assert "2025-02-01 00:00:00" in str(caught.value)
    assert "datetime" not in str(caught.value)


def test_a_value_under_a_null_may_be_anything():
    cells = Cells(as_array([None, "01941f00000070008000000000000001"]), np.array([True, False]))
    assert objects(cells, Uuid()) == [None, UUID("01941f00-0000-7000-8000-000000000001")]
