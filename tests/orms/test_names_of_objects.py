"""Columns that are called as every object of a language calls something: read and written right, or said not to be."""

import json

import pytest
from orms.files import files
from sqlalchemy import Column, Enum, ForeignKey, Integer, MetaData, Numeric, Table, Text

from dbplan.orms.contestants import CONTESTANTS, SQLITE
from dbplan.plan import Plan

ASKED = ("insert_one", "filtered_list", "nested_include", "update_one")
WORDS = (
    "constructor", "hasOwnProperty", "toString", "valueOf", "isPrototypeOf", "then", "select", "class", "metadata",
    "registry", "query", "objects", "pk", "Text", "TextField", "Column", "list", "dict", "set", "using_db", "_meta",
    "__init__", "__module__", "__slots__", "__table__", "kwargs", "args", "session", "Mapped", "Note", "None",
)  # fmt: skip
LOST = {
    "self": ("piccolo",), "_data": ("piccolo",), "cls": ("tortoise",), "__dict__": ("peewee", "peewee-async"),
    "__proto__": ("libsql", "prisma"),
}  # fmt: skip
"""By word: contestants that make no objects of rows with a column called so."""
EVERY = [name for name, one in CONTESTANTS.items() if SQLITE in one.dialects and name != "sqlite3"]
TRIED = [("all", name) for name in EVERY] + [(word, name) for word, names in LOST.items() for name in names]


def _plan(words):
    metadata = MetaData()
    Table("section", metadata, Column("id", Integer, primary_key=True), Column("title", Text, nullable=False))
    Table(
        "note", metadata, Column("id", Integer, primary_key=True),
        Column("section", ForeignKey("section.id", ondelete="CASCADE"), nullable=False),
        Column("state", Enum("a", "b", name="state"), nullable=False), Column("num", Numeric(10, 2), nullable=False),
        *(Column(word, Text) for word in words),
    )  # fmt: skip
    return Plan("names", metadata)


@pytest.fixture(scope="module")
def field(request, tmp_path_factory):
    words = (request.param,) if request.param in LOST else WORDS
    with files(_plan(words), tmp_path_factory.mktemp("models"), rows=30) as opened:
        opened.word = request.param
        opened.truth = opened.answers("sqlite3", ASKED)
        yield opened


@pytest.mark.parametrize(("field", "name"), TRIED, indirect=["field"])
def test_answers_are_the_references_or_said_not_to_be(field, name):
    answers = field.answers(name, ASKED)
    said = {s for s, answer in answers.items() if field.word in LOST and answer.get("not_covered")}
    wrong = {s: answer for s, answer in answers.items() if s not in said and answer != field.truth[s]}
    assert not wrong, json.dumps({s: [answer, field.truth[s]] for s, answer in wrong.items()})[:3000]
    assert ("filtered_list" in said) == (field.word in LOST)
