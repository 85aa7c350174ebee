"""Probes on a real server: what ORMs are known to do is what comes out, and those without probes say so."""

import importlib
import inspect

import pytest

from dbplan.errors import UnknownName
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.features import probe_features, probing
from dbplan.orms.features.judging import UNPROBED
from dbplan.orms.features.questions import FEATURES

PROBED = tuple(name for name, one in CONTESTANTS.items() if not (one.is_driver or one.is_node))


@pytest.mark.parametrize("name", PROBED)
def test_every_probe_asks_every_question(name):
    module = importlib.import_module(f"dbplan.orms.features.python.{name.replace('-', '_')}")
    assert name in CONTESTANTS
    assert [feature for feature in FEATURES if not callable(getattr(module, feature, None))] == []
    assert all(len(inspect.signature(getattr(module, feature)).parameters) == 1 for feature in FEATURES)


@pytest.fixture(scope="module")
def answers():
    asked = ("enums", "decimals", "composite_keys", "upsert", "savepoints", "transactions", "cascades", "raw_sql")
    found = probe_features(("peewee", "pony", "prisma"), features=asked)
    return {(one.orm, one.feature): one for one in found}


@pytest.mark.parametrize(
    ("orm", "feature", "answer", "evidence"),
    [
        ("peewee", "upsert", "yes", "ON CONFLICT"),
        ("pony", "upsert", "partly", "read FOR UPDATE"),
        ("peewee", "savepoints", "yes", "SAVEPOINT"),
        ("pony", "savepoints", "no", ""),
        ("pony", "composite_keys", "yes", "by the relation"),
        ("peewee", "composite_keys", "partly", "no relation"),
        ("pony", "enums", "partly", "refused by the server"),
        ("peewee", "decimals", "yes", "Decimal 123456789012345.6789"),
        ("pony", "transactions", "yes", "ROLLBACK"),
        ("peewee", "cascades", "yes", "1 DELETE, the rest by the database"),
        ("pony", "cascades", "yes", "DELETEs"),
        ("pony", "raw_sql", "yes", "with bound values"),
    ],
)
def test_what_is_known_comes_out(answers, orm, feature, answer, evidence):
    found = answers[orm, feature]
    assert found.answer == answer, found
    assert evidence in found.evidence


def test_without_probes_nothing_is_claimed(answers):
    assert {found.answer for (orm, _), found in answers.items() if orm == "prisma"} == {UNPROBED}


def test_a_process_that_dies_claims_nothing(monkeypatch):
    monkeypatch.setattr(probing, "_command", lambda _: ["false"])
    (found,) = probe_features(("pony",), features=("upsert",))
    assert found.answer == UNPROBED
    assert "crashed" in found.evidence


def test_unknown_names_are_refused():
    with pytest.raises(UnknownName, match="hibernate"):
        probe_features(("hibernate",))
    with pytest.raises(UnknownName, match="telepathy"):
        probe_features(("pony",), features=("telepathy",))
