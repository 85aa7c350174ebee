"""Every contestant that is installed answers every scenario as psycopg does, and leaves the same rows behind."""

import json

import pytest
from orms.arena import arena

from dbplan import read
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.scenarios import SCENARIOS

SAID = {("wallet", "django"): {"deep_include"}}
"""By plan and contestant: scenarios that it cannot say, and how it says so."""


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    with arena(read("store"), tmp_path_factory.mktemp("models")) as opened:
        opened.truth = opened.answers("psycopg", list(SCENARIOS))
        yield opened


@pytest.mark.parametrize(
    "name", sorted(name for name, one in CONTESTANTS.items() if one.dialect == "postgresql" and name != "psycopg")
)
def test_answers_are_the_references(field, name):
    answers = field.answers(name, list(SCENARIOS))
    said = {scenario: answer["not_covered"] for scenario, answer in answers.items() if "not_covered" in answer}
    wrong = {s: answer for s, answer in answers.items() if s not in said and answer != field.truth[s]}
    assert not wrong, json.dumps({s: [answer, field.truth[s]] for s, answer in wrong.items()})[:3000]
    assert not said, "every one of them can say what the plan store asks"
