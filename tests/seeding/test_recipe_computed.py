"""SQL of a recipe: dates are counted in days, and what cannot be computed names its file and line."""

import re

import pytest
from sqlalchemy import CheckConstraint, Column, Date, DateTime, Integer, MetaData, Numeric, Table, Text, Time, select

from dbplan.connection import new_engine
from dbplan.errors import RecipeError, Unsatisfiable
from dbplan.plan import Plan
from dbplan.seeding import explain, seed
from dbplan.seeding.run import prepare


def hotel(tmp_path, rule):
    metadata = MetaData()
    Table(
        "stay",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("check_in", Date, nullable=False),
        Column("check_out", Date, nullable=False),
        Column("nights", Integer, nullable=False),
        Column("price", Numeric(10, 2)),
        Column("due", Date),
        Column("at", Time, nullable=False),
        Column("made_at", DateTime, nullable=False),
        Column("note", Text, nullable=False),
        Column("weeks", Integer),
        CheckConstraint("check_out > check_in"),
        CheckConstraint("weeks = nights * 7", name="weekly"),
    )
    path = tmp_path / "hotel.toml"
    path.write_text(f"[tables.stay.columns]\n{rule}\n")
    return Plan("hotel", metadata, recipe=path)


def test_a_difference_of_dates_is_days(tmp_path):
    rules = """nights = { expression = "check_out - check_in" }
price = { expression = "(check_out - check_in) * 99.5" }
due = { expression = "check_in + 3" }"""
    plan, engine = hotel(tmp_path, rules), new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    plan.metadata.create_all(engine)
    assert seed(engine, plan, rows=200).ok
    with engine.connect() as connection:
        for row in connection.execute(select(plan.table("stay"))):
            days = (row.check_out - row.check_in).days
            assert (row.nights, float(row.price), (row.due - row.check_in).days) == (days, days * 99.5, 3)
    engine.dispose()


def test_a_check_counts_days_as_well(tmp_path):
    metadata = MetaData()
    days = [Column(name, Date, nullable=False) for name in ("a", "b")]
    few, same = CheckConstraint("b - a BETWEEN 1 AND 30"), CheckConstraint("n = b - a")
    Table("stay", metadata, Column("id", Integer, primary_key=True), *days, Column("n", Integer), few, same)
    made, _ = prepare(Plan("days", metadata), 300, 7)
    source = made.sources["stay"]
    frame = source.frame(source.order)
    found = [frame[name].values for name in ("a", "b", "n")]
    assert all(1 <= (b - a).days == n <= 30 for a, b, n in zip(*(v.tolist() for v in found), strict=True))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('nights = { expression = "made_at - check_in" }', "is a length of time; write EXTRACT"),
        ('nights = { expression = "check_out" }', "stay.nights is Integer.., and 'check_out' is a time"),
        ('due = { expression = "nights * 2" }', "stay.due is Date.., and 'nights . 2' is a number"),
        ('nights = { expression = "note" }', "stay.nights is Integer.., and 'note' is the text '.+'"),
        ('price = { expression = "at * check_in" }', "it reads at Time.., check_in Date.., which do not go together"),
        ('price = { only_when = "check_in * 2 > 3" }', "cannot be computed by 'check_in . 2 > 3': it reads check_in"),
        ('price = { expression = "foo(id)" }', r"the function foo\(\) cannot be computed here"),
    ],
)
def test_what_cannot_be_computed_names_the_line(tmp_path, rule, said):
    with pytest.raises(RecipeError, match=rf"hotel\.toml:2: .*{said}"):
        explain(hotel(tmp_path, rule), rows=20)


def test_a_rule_of_what_a_check_computes_names_the_line(tmp_path):
    with pytest.raises(Unsatisfiable, match=r'hotel\.toml:2: beside this rule, no row of stay .* CHECK "weekly"'):
        explain(hotel(tmp_path, "weeks = { value = 5 }\n"), rows=20)


def test_a_parent_that_is_none_lists_the_foreign_keys(tmp_path):
    with pytest.raises(RecipeError, match=r"hotel\.toml:2: stay has no foreign key 'chains'; there are: none"):
        explain(hotel(tmp_path, 'note = { parent = "chains.name" }'), rows=20)


@pytest.mark.parametrize(
    ("rule", "first", "last"),
    [
        ('value = "12:30:00"', "12:30:00", "12:30:00"),
        ("value = 12:30:00", "12:30:00", "12:30:00"),
        ('values = ["07:00", 08:15:00]', "07:00:00", "08:15:00"),
        ('min = "07:00", max = "10:00"', "07:00:00", "10:00:00"),
        ("min = 07:00:00, max = 07:00:05", "07:00:00", "07:00:05"),
        ('cases = [{ when = "nights > 5000", values = ["01:00"] }, { values = ["02:00"] }]', "01:00:00", "02:00:00"),
    ],
)
def test_times_of_day_are_texts_or_times(tmp_path, rule, first, last):
    plan, engine = hotel(tmp_path, f"at = {{ {rule} }}"), new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    plan.metadata.create_all(engine)
    assert seed(engine, plan, rows=300).ok
    with engine.connect() as connection:
        found = connection.execute(select(plan.table("stay").columns.at)).scalars().all()
    assert (str(min(found)), str(max(found))) == (first, last)
    engine.dispose()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('at = { value = "noon" }', "value: 'noon' is not a time of day such as 12:30:00 or \"12:30\""),
        ("at = { min = 5 }", "min = 5 is not a time of day"),
        ('nights = { min = "07:00" }', "min = '07:00' is not a number"),
        ("check_in = { max = 07:00:00 }", "max = 07:00:00 is not a time"),
    ],
)
def test_what_is_no_time_of_day_is_said(tmp_path, rule, said):
    with pytest.raises(RecipeError, match=f"hotel.toml:2: {said}"):
        explain(hotel(tmp_path, rule), rows=20)


def test_explain_shows_days_and_times_of_day_as_the_database_does(tmp_path):
    said = str(explain(hotel(tmp_path, 'at = { min = "07:00" }'), rows=20).blocks)
    assert re.search(r"'check_in', [^)]*'\d{4}-\d\d-\d\d'\)", said)
    assert re.search(r"'at', [^)]*'\d\d:\d\d:\d\d'\)", said)
    assert "durations" not in said
