"""Columns that are called as results call rows, as models call methods, or as languages call other things."""

import json

import pytest
from orms.arena import arena
from sqlalchemy import Boolean, Column, Enum, ForeignKey, Integer, MetaData, Numeric, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from dbplan.orms.contestants import CONTESTANTS
from dbplan.plan import Plan

METADATA = MetaData()
WORDS = (
    "objects", "then", "query", "delete", "class", "pk", "registry", "model_config", "json", "dict",
    "copy", "value_type", "default", "all", "import", "startTime",
)  # fmt: skip
Table(
    "section", METADATA, Column("children", Integer, primary_key=True), Column("parent", Text),
    Column("title", Text, nullable=False),
)  # fmt: skip
Table(
    "page", METADATA, Column("id", Integer, primary_key=True), Column("parent", ForeignKey("section.children")),
    Column("children", Integer, nullable=False), Column("group", String(10), nullable=False),
    Column("count", Integer, nullable=False), Column("sum", Numeric(10, 2)),
    Column("total", Enum("a", "b", "c d", name="total kind"), nullable=False),
)  # fmt: skip
Table(
    "note", METADATA, Column("id", Integer, primary_key=True),
    Column("page", ForeignKey("page.id", ondelete="CASCADE"), nullable=False), Column("parent", Text),
    Column("children", Text), Column("count", Integer), Column("save", Boolean, nullable=False),
    Column("metadata", JSONB), *(Column(word, Text) for word in WORDS),
)  # fmt: skip
ASKED = ("list_to_one", "nested_include", "aggregate", "insert_one")


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    with arena(Plan("clashes", METADATA), tmp_path_factory.mktemp("models"), rows=60) as opened:
        opened.truth = opened.answers_at_once("psycopg", ASKED)
        yield opened


def test_what_results_call_otherwise_is_left_out_visibly(field):
    scenarios = field.derived.scenarios
    assert (scenarios["list_to_one"].table, "parent" in scenarios["list_to_one"].columns) == ("page", False)
    assert (scenarios["nested_include"].table, "children" in scenarios["nested_include"].columns) == ("page", False)
    assert scenarios["aggregate"].group == "total"
    assert set(field.derived.left_out) == {
        "page.parent in list_to_one, whose results call other rows so",
        "page.children in nested_include, whose results call other rows so",
    }
    assert field.derived.missing["deep_include"].startswith("no three tables")


@pytest.mark.parametrize("name", [n for n in CONTESTANTS if CONTESTANTS[n].dialect == "postgresql" and n != "psycopg"])
def test_answers_are_the_references(field, name):
    answers = field.answers_at_once(name, ASKED)
    wrong = {s: answer for s, answer in answers.items() if answer != field.truth[s]}
    assert not wrong, json.dumps({s: [answer, field.truth[s]] for s, answer in wrong.items()})[:3000]
