"""`--explain` says what decides each column, and writes it as a recipe that yields the same rows."""

import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
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
    Text,
    UniqueConstraint,
    Uuid,
)

from dbplan.plan import Plan
from dbplan.report.text import text
from dbplan.seeding import explain
from dbplan.seeding.recipe import toml
from dbplan.seeding.run import prepare
from dbplan.sources import read

PLANS = ("clone_jobs", "credits", "store", "transcription", "wallet")
RECIPE = """
[tables.visit]
per = "person_id"
children = { shape = "even" }

[tables.visit.columns]
kind = { values = ["walk", "ride"], weights = [3, 1] }
note = { null = 0.5 }
"""


@pytest.fixture
def plan(tmp_path):
    metadata = MetaData()
    Table(
        "person", metadata,
        Column("id", Integer, primary_key=True), Column("key", Uuid, unique=True),
        Column("email", String(60), unique=True),
        Column("state", Enum("new", "old", name="states")), Column("age", Integer), Column("thing", Text),
        Column("size", Numeric(6, 2)), Column("ok", Boolean), Column("code", String(8)),
        Column("filled", Integer, server_default="3"), Column("created_at", DateTime, nullable=False),
        CheckConstraint("size BETWEEN 2 AND 8", name="handy"), CheckConstraint("code ~ '^[A-Z]{3}$'", name="three"),
    )  # fmt: skip
    Table(
        "visit", metadata,
        Column("id", Integer, primary_key=True), Column("person_id", ForeignKey("person.id"), nullable=False),
        Column("number", Integer, nullable=False), Column("kind", String(9)), Column("note", Text),
        Column("created_at", DateTime, nullable=False), UniqueConstraint("person_id", "number"),
    )  # fmt: skip
    path = tmp_path / "people.toml"
    path.write_text(RECIPE, "utf-8")
    return Plan("people", metadata, recipe=path)


def reasons(report, table):
    frame = report.frames[f"Columns of {table}"]
    return dict(zip(frame["column"], frame["why"], strict=True))


def cells(plan, rows=None):
    made, _ = prepare(plan, rows, None)
    return {
        (name, place, column): [None if n else v for v, n in zip(cell.values.tolist(), cell.null, strict=True)]
        for name, source in made.sources.items()
        for place, part in enumerate(source.parts)
        for at in (range(part.rows) if part.given else [slice(None)])
        for frame in [part.frame(part.order[at : at + 1] if part.given else part.order)]
        for column in (part.given[at].cells if part.given else part.makers)
        for cell in [frame[column]]
    }  # fmt: skip


def test_every_column_has_its_reason(plan):
    report = explain(plan, rows=40)
    assert reasons(report, "person") == {
        "id": "key",
        "key": "unique",
        "email": "name, unique",
        "state": "type",
        "age": "name",
        "thing": "type",
        "size": "CHECK handy",
        "ok": "type",
        "code": "CHECK three",
        "filled": "type",
        "created_at": "name",
    }
    assert reasons(report, "visit") == {
        "id": "key",
        "person_id": "foreign key",
        "number": "unique with person_id",
        "kind": "line 7",
        "note": "line 8",
        "created_at": "name",
    }


def test_tables_stand_in_the_order_of_loading_with_what_they_get(plan):
    report = explain(plan, rows=40)
    order = report.frames["In this order; sizes without indexes"]
    assert list(order["table"]) == ["person", "visit"]
    assert list(order["rows"]) == [40, 40]
    assert list(order["per"]) == ["", "person_id → person"]
    assert list(order["children"]) == ["", "1 each"]
    assert all(2_000 < size < 12_000 for size in order["about"])
    said = str(report)
    assert 'counted along person_id → person, { shape = "even" } (line 4)' in " ".join(said.split())
    assert "random state 7" in said


def test_shares_of_null_and_first_values_are_those_that_would_be_written(plan):
    frame = explain(plan, rows=200).frames["Columns of visit"].set_index("column")
    made, _ = prepare(plan, 200, None)
    note = made.sources["visit"].frame(made.sources["visit"].order)["note"]
    assert frame.loc["note", "NULL"] == note.null.mean()
    assert 0.3 < frame.loc["note", "NULL"] < 0.7
    assert frame.loc["kind", "such as"] in {"walk", "ride"}
    assert frame.loc["kind", "values"] == "values = walk, ride, weights = 3, 1"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_is_read_in_few_columns(plan, width):
    said = text(explain(plan, rows=40), width=width, folded=False)
    assert max(map(len, said.splitlines())) <= width
    assert "# person" not in said  # the file is folded


@pytest.mark.parametrize("name", PLANS)
def test_the_file_yields_the_same_rows(name, tmp_path):
    plan, path = read(name), tmp_path / "again.toml"
    explain(plan, rows=40).save(path)
    assert cells(replace(plan, recipe=path)) == cells(plan, 40)


def test_a_schema_without_a_recipe_gets_one_to_begin_with(plan, tmp_path):
    bare, path = replace(plan, recipe=None), tmp_path / "people.toml"
    explain(bare, rows=30, random_state=5).save(path)
    written = path.read_text("utf-8")
    assert re.search(r"^# email: .+, each once \(name, unique\)$", written, re.MULTILINE)
    assert '# per = "person_id"' in written
    assert tomllib.loads(written)["tables"]["visit"]["rows"] == 30
    assert tomllib.loads(written)["random_state"] == 5
    made, _ = prepare(bare, 30, 5)
    again, _ = prepare(replace(plan, recipe=path), None, None)
    for source in made.sources.values():
        other = again.sources[str(source.table.key)]
        for column in source.makers:
            ours, theirs = source.frame(source.order)[column], other.frame(other.order)[column]
            assert ours.null.tolist() == theirs.null.tolist()
            assert [str(v) for v in ours.values] == [str(v) for v in theirs.values]


def test_the_report_is_json_too(plan, tmp_path):
    path = tmp_path / "explained.json"
    explain(plan).save(path)
    assert json.loads(path.read_text())["title"] == "Seed recipe of people"


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.dates(date(1, 1, 1))
    | st.datetimes(datetime(1, 1, 1), timezones=st.none() | st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.text(st.characters(exclude_categories=["Cs"])), VALUES)
def test_toml_is_read_back_as_it_was(key, value):
    document = f"{toml.header('tables', key)}\n{toml.key(key)} = {toml.value(value)}\n"
    assert tomllib.loads(document) == {"tables": {key: {key: value}}}
