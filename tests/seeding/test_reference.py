"""The reference of recipes: every example in it runs, in every profile, and every key is told."""

import re
import tomllib
from pathlib import Path

import pytest

from dbplan.errors import DbplanError
from dbplan.seeding import explain
from dbplan.seeding.recipe import vocabulary
from dbplan.seeding.recipe.reading import recipe_of
from dbplan.seeding.run import prepare
from tests.seeding.library import library

DOCS = Path(__file__).parents[2] / "docs" / "seeding.md"
SCHEMAS = ("CHILDREN", "GROWTH", "LEVEL", "STATES", "HISTORY", "CASE", "COLUMN", "TABLE", "PROFILE", "TOP", "TIME")


def examples():
    return re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", examples(), ids=range(len(examples())))
def test_the_examples_run(text, tmp_path):
    path = tmp_path / "library.toml"
    path.write_text(text, "utf-8")
    assert explain(library(path), rows=100).ok
    for profile in ("dev", "test", *tomllib.loads(text).get("profiles", ())):
        assert recipe_of(library(path), profile).profile == profile
        assert explain(library(path), rows=100, profile=profile).ok


def test_a_profile_gives_the_rows_that_the_reference_says(tmp_path):
    path = tmp_path / "library.toml"
    path.write_text(next(text for text in examples() if "[profiles.load]" in text), "utf-8")
    sizes = {}
    for profile in ("dev", "test", "demo"):
        made, _ = prepare(library(path), None, None, profile)
        sizes[profile] = {name: made.sources[name].total for name in ("authors", "books")}
    assert sizes == {
        "dev": {"authors": 51, "books": 400},
        "test": {"authors": 1, "books": 0},
        "demo": {"authors": 13, "books": 96},
    }


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_key_is_told(schema):
    text = DOCS.read_text("utf-8")
    keys = getattr(vocabulary, schema)
    assert [key for key in keys if f"`{key}`" not in text and not re.search(rf"\b{key} = |[\[.]{key}\b", text)] == []


SLIPS = [
    ("[tables.authors.columns]\ncontry = { value = 'Peru' }\n", None),
    ("[tables.books.columns]\nstate = { values = ['a'], pattern = 'b' }\n", None),
    ("[tables.books.columns]\nnote = { same_as = 'language' }\nlanguage = { expression = 'note' }\n", None),
    ("[tables.authors]\nchildren = { min = 2 }\n", None),
    ("", "laod"),
]


def test_the_errors_are_those_that_the_reference_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = []
    for text, profile in SLIPS:
        Path("library.toml").write_text(text, "utf-8")
        with pytest.raises(DbplanError) as caught:
            recipe_of(library(Path("library.toml")), profile)
        said.append(str(caught.value))
    assert said == re.search(r"```text\n(.*?)\n```", DOCS.read_text("utf-8"), re.DOTALL)[1].split("\n")
