"""Probes on a real server: what ORMs are known to do is what comes out, and those without probes say so."""

import importlib
import inspect
import re

import pytest

from dbplan.errors import UnknownName
from dbplan.orms import installing
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.features import probe_features, probing
from dbplan.orms.features.judging import UNPROBED
from dbplan.orms.features.questions import FEATURES
from dbplan.orms.process import Process

PROBED = tuple(name for name, one in CONTESTANTS.items() if not (one.is_driver or one.is_node))
ON_NODE = ("prisma", "drizzle", "typeorm")


@pytest.mark.parametrize("name", ON_NODE)
def test_every_probe_on_node_asks_every_question(name):
    source = (installing.SOURCES / "features" / f"{name}.mjs").read_text("utf-8")
    assert set(re.findall(r"^export async function (\w+)\(", source, re.M)) == set(FEATURES)


@pytest.mark.parametrize("name", PROBED)
def test_every_probe_asks_every_question(name):
    module = importlib.import_module(f"dbplan.orms.features.python.{name.replace('-', '_')}")
    assert name in CONTESTANTS
    assert [feature for feature in FEATURES if not callable(getattr(module, feature, None))] == []
    assert all(len(inspect.signature(getattr(module, feature)).parameters) == 1 for feature in FEATURES)


@pytest.fixture(scope="module")
def answers():
    asked = ("enums", "decimals", "composite_keys", "upsert", "savepoints", "transactions", "cascades", "raw_sql")
    found = probe_features(("peewee", "pony"), features=(*asked, "soft_delete"))
    found += probe_features(("piccolo", "tortoise", "sqlalchemy-core"), features=("composite_keys", "soft_delete"))
    found += probe_features(
        ("django-async",), features=("transactions", "savepoints", "raw_sql", "streaming", "upsert")
    )
    found += probe_features(
        ("peewee-async", "sqlmodel-async"), features=("transactions", "savepoints", "streaming", "migrations")
    )
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
        ("pony", "soft_delete", "no", "queries see [1, 2]"),
        ("peewee", "soft_delete", "partly", "a select() of one's own"),
        ("piccolo", "soft_delete", "partly", "an objects() of one's own"),
        ("sqlalchemy-core", "soft_delete", "no", "queries see [1, 2]"),
        ("piccolo", "composite_keys", "no", "left 1 of 3 rows"),
        ("tortoise", "composite_keys", "no", "two primary keys"),
        ("django-async", "transactions", "partly", "1 ROLLBACK; a synchronous function by sync_to_async"),
        ("django-async", "savepoints", "partly", "a synchronous function by sync_to_async"),
        ("django-async", "raw_sql", "partly", "no asynchronous cursors"),
        ("django-async", "streaming", "yes", "FETCHes"),
        ("django-async", "upsert", "yes", "ON CONFLICT"),
        ("peewee-async", "transactions", "yes", "1 ROLLBACK"),
        ("peewee-async", "savepoints", "yes", "SAVEPOINT"),
        ("peewee-async", "streaming", "yes", "20000 rows of 1 kB"),
        ("peewee-async", "migrations", "partly", "MissingGreenletBridge"),
        ("sqlmodel-async", "transactions", "yes", "1 ROLLBACK"),
        ("sqlmodel-async", "savepoints", "yes", "SAVEPOINT"),
        ("sqlmodel-async", "streaming", "yes", "20000 rows of 1 kB"),
        ("sqlmodel-async", "migrations", "partly", "Alembic"),
    ],
)
def test_what_is_known_comes_out(answers, orm, feature, answer, evidence):
    found = answers[orm, feature]
    assert found.answer == answer, found
    assert evidence in found.evidence


@pytest.fixture(scope="module")
def answers_on_node():
    return {(one.orm, one.feature): one for one in probe_features(ON_NODE)}


@pytest.mark.parametrize(
    ("orm", "feature", "answer", "evidence"),
    [
        ("prisma", "enums", "yes", "refused by the ORM"),
        ("drizzle", "enums", "partly", "refused by the server"),
        ("prisma", "decimals", "yes", "Decimal 123456789012345.6789"),
        ("drizzle", "decimals", "yes", "string 123456789012345.6789"),
        ("prisma", "documents", "yes", "profile"),
        ("drizzle", "documents", "partly", "raw SQL"),
        ("prisma", "composite_keys", "yes", "by the relation"),
        ("drizzle", "composite_keys", "yes", "by the relation"),
        ("prisma", "upsert", "yes", "ON CONFLICT"),
        ("drizzle", "upsert", "yes", "on conflict"),
        ("prisma", "bulk_insert", "yes", "by 1 statement"),
        ("prisma", "streaming", "no", "no cursor"),
        ("drizzle", "streaming", "no", "no cursor"),
        ("prisma", "cascades", "yes", "1 DELETE, the rest by the database"),
        ("drizzle", "transactions", "yes", "1 ROLLBACK"),
        ("prisma", "savepoints", "yes", "SAVEPOINT"),
        ("drizzle", "savepoints", "yes", "savepoint"),
        ("prisma", "soft_delete", "partly", "extension"),
        ("drizzle", "soft_delete", "no", "queries see [1, 2]"),
        ("prisma", "migrations", "yes", "creates 4 tables"),
        ("drizzle", "migrations", "yes", "creates 4 tables; migrate() applied one"),
        ("prisma", "raw_sql", "yes", "with bound values"),
        ("prisma", "typed_results", "yes", "its decimal Decimal"),
        ("drizzle", "typed_results", "yes", "its decimal string"),
        ("typeorm", "enums", "partly", "refused by the server"),
        ("typeorm", "documents", "yes", "@>"),
        ("typeorm", "composite_keys", "yes", "by the relation"),
        ("typeorm", "upsert", "yes", "ON CONFLICT"),
        ("typeorm", "streaming", "yes", "20000 rows of 1 kB"),
        ("typeorm", "savepoints", "yes", "SAVEPOINT"),
        ("typeorm", "soft_delete", "yes", "DeleteDateColumn"),
        ("typeorm", "migrations", "yes", "creates 4 tables"),
        ("typeorm", "typed_results", "yes", "an object is Account, its decimal string"),
    ],
)
def test_what_is_known_comes_out_on_node(answers_on_node, orm, feature, answer, evidence):
    found = answers_on_node[orm, feature]
    assert found.answer == answer, found
    assert evidence in found.evidence


def test_without_probes_nothing_is_claimed(monkeypatch):
    monkeypatch.setattr(probing, "_has_probe", lambda _: False)
    assert {found.answer for found in probe_features(("pony",))} == {UNPROBED}


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


def test_a_runner_on_node_tells_what_is_not_probed_and_what_fails():
    process = Process(installing.command(CONTESTANTS["drizzle"]))
    try:
        assert process.ask("feature", 30, name="telepathy") == {"unprobed": ""}
        told = process.ask("feature", 30, name="decimals")  # nothing is open
        assert told["refused"]["type"] == "TypeError"
    finally:
        process.close()


def test_what_is_read_whole_is_no_stream_however_large_its_parent_is():
    ballast = b"x" * 500_000_000  # a child's own peak is told to begin with it
    (found,) = probe_features(("tortoise",), features=("streaming",))
    assert (found.answer, len(ballast)) == ("no", 500_000_000), found
