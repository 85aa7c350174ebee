"""The documented JSON: what docs/evidence.md says, and what is written."""

import json
import math
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from dbplan import evidence
from dbplan.evidence import Fact, PlanNode
from dbplan.report.blocks import Section, table
from dbplan.report.record import plain, record

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")
WORDS = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Severity": '"error", "warning" or "note"',
    "Place": "[Place](#place)",
    "tuple[str, ...]": "array of strings",
    "tuple[tuple[str, str], ...]": "array of [name, value]",
    "tuple[tuple[str, float], ...]": "array of [value, share]",
    "tuple[tuple[int, int], ...]": "array of [children, parents]",
    "tuple[tuple[str, int], ...]": "array of [start, rows]",
    "tuple[tuple[str, float, str], ...]": "array of [name, value, text]",
    "tuple[PlanNode, ...]": "array of [PlanNode](#plannode)",
    "tuple[Difference, ...]": "array of [Difference](#difference)",
}


def documented(title):
    """The (key, type) rows of the first table under a heading of docs/evidence.md."""
    found = re.search(rf"^##+ {re.escape(title)}$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/evidence.md has no heading {title}"
    return re.findall(r"^\| `(\w+)` \| (.+?) \|", found[1], re.MULTILINE)


def in_words(annotation):
    name, _, null = annotation.partition(" | ")
    return WORDS[name] + (" or null" if null == "None" else "")


@pytest.mark.parametrize("fact", get_args(Fact), ids=lambda fact: fact.__name__)
def test_every_fact_is_documented_field_by_field(fact):
    assert get_type_hints(fact)
    assert documented(fact.__name__) == [(f.name, in_words(f.type)) for f in fields(fact)]


def test_a_place_is_documented_field_by_field():
    assert documented("Place") == [(f.name, "string") for f in fields(evidence.Place)]


def test_the_keys_of_report_section_and_table_are_documented(sample):
    whole = record(sample)
    assert [key for key, _ in documented("The report")] == list(whole)
    assert [key for key, _ in documented("A section")] == list(whole["sections"][0])
    assert [key for key, _ in documented("A table")] == list(whole["sections"][0]["tables"][0])


def test_the_example_of_the_page_is_such_a_record():
    example = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    assert list(example) == [key for key, _ in documented("The report")]
    assert set(example["evidence"][0]) == {"fact", *(key for key, _ in documented("Finding"))}


def test_a_record_is_json_that_comes_back(sample):
    whole = record(sample)
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert len(whole["evidence"]) == len(sample.evidence)
    assert [section["title"] for section in whole["sections"]] == ["Lint", "Benchmark", "Migrations", "Drift"]
    assert whole["sections"][1]["sections"][0]["tables"][0]["fields"][2] == {
        "title": "size",
        "kind": "bytes",
        "unit": "B",
    }


def test_a_plan_node_keeps_what_the_server_calls_it(sample):
    assert record(replace(sample, evidence=(PlanNode("Seq Scan", "users"),)))["evidence"][0] == {
        "fact": "PlanNode",
        "kind": "Seq Scan",
        "relation": "users",
        "index": "",
        "rows": None,
        "loops": None,
        "estimated_rows": None,
        "detail": "",
        "depth": 0,
    }


def test_what_was_not_measured_is_null_and_never_zero(sample):
    numbers = table({"a": "seconds", "b": "count"}, [(math.nan, None), (math.inf, 0)])
    written = record(replace(sample, blocks=(Section("x", blocks=(numbers,)),)))
    assert written["sections"][0]["tables"][0]["rows"] == [[None, None], [None, 0]]


def test_values_that_json_lacks_become_words():
    import numpy

    assert plain((Decimal("1.50"), datetime(2026, 1, 2, tzinfo=UTC), numpy.int64(3), numpy.float64("nan"), {2, 1})) == [
        "1.50",
        "2026-01-02 00:00:00+00:00",
        3,
        None,
        [1, 2],
    ]
