"""Every rule finds its bad example and not its good one, and what it says about PostgreSQL is so on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import MetaData
from sqlalchemy.exc import CompileError, DBAPIError, IdentifierError, NoReferencedTableError
from sqlalchemy.schema import AddConstraint, CreateTable

from dbplan.evidence import Severity
from dbplan.linting import RULES, lint
from dbplan.linting.ddl import is_ddl
from dbplan.linting.fixes import script
from dbplan.linting.pages import EXAMPLES, example
from dbplan.linting.schema import Schema
from dbplan.linting.study import findings
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

IDS = [rule.id for rule in RULES]
REFUSED = [
    *("fk-target-missing", "fk-type-mismatch", "fk-target-not-unique", "idx-no-opclass", "idx-on-virtual"),
    *("enum-unnamed", "name-collision", "name-too-long"),
]
"""The errors that `create_all` on PostgreSQL fails with. The other errors fail or corrupt later."""


def found(plan: Plan, rule: str):
    return [finding for finding in findings(Schema(plan)) if finding.rule == rule]


def bad(rule: str) -> Plan:
    return example(EXAMPLES / rule / "bad.py")


@pytest.fixture(scope="module")
def server() -> Iterator[object]:
    with sandbox(Plan("empty", MetaData()), create=False) as stage, stage.engine.connect() as connection:
        yield connection


@pytest.fixture
def connection(server):
    """A connection whose work is undone, so that each example starts from nothing."""
    transaction = server.begin()
    yield server
    transaction.rollback()


def test_every_rule_has_its_own_id_and_sentences():
    assert len(set(IDS)) == len(IDS) >= 12
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", rule.id)
        assert all(text.strip().endswith((".", "…).", ")")) for text in (rule.condition, rule.why, rule.mend)), rule.id
        assert rule.source


@pytest.mark.parametrize("rule", IDS)
def test_bad_example_is_found(rule):
    assert found(bad(rule), rule)


@pytest.mark.parametrize("rule", IDS)
def test_bad_example_is_bad_in_this_way_alone(rule):
    others = {f.rule for f in findings(Schema(bad(rule))) if f.severity is not Severity.NOTE} - {rule}
    assert not others


@pytest.mark.parametrize("rule", IDS)
def test_good_example_is_clean(rule):
    report = lint(example(EXAMPLES / rule / "good.py"))
    assert not [f.key for f in report.evidence if f.rule == rule or f.severity is not Severity.NOTE]
    assert report.ok


@pytest.mark.parametrize("rule", IDS)
def test_good_example_can_be_made(rule, connection):
    connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    example(EXAMPLES / rule / "good.py").metadata.create_all(connection)


@pytest.mark.parametrize("rule", REFUSED)
def test_what_is_called_refused_is_refused(rule, connection):
    with pytest.raises((DBAPIError, CompileError, IdentifierError, NoReferencedTableError)):
        bad(rule).metadata.create_all(connection)


@pytest.mark.parametrize("rule", [rule for rule in IDS if rule not in (*REFUSED, "type-unknown")])
def test_what_is_not_called_refused_can_be_made(rule, connection):
    bad(rule).metadata.create_all(connection)


def create_without_faults(plan: Plan, connection) -> None:
    """Make the tables alone where the whole cannot be made: the mend is for what is there."""
    for table in plan.tables:
        connection.execute(CreateTable(table, include_foreign_key_constraints=[]))


def run(sql: str, connection) -> None:
    """Run a script inside the transaction of the test."""
    statements = sql.replace("BEGIN;", "").replace("COMMIT;", "")
    connection.connection.driver_connection.execute(statements)  # as it is: no % is a placeholder


def mended(plan: Plan, rule: str, connection) -> Plan:
    """Run the rule's mends on a real server and return the plan that the server then holds."""
    if rule in REFUSED:
        create_without_faults(plan, connection)
    else:
        plan.metadata.create_all(connection)
    run(script(found(plan, rule)), connection)
    if rule in REFUSED:
        keys = [item for table in plan.tables for item in table.foreign_key_constraints]
        for key in keys:
            connection.execute(AddConstraint(key, isolate_from_table=False))
    held = MetaData()
    held.reflect(connection)
    rows = {name: count for name, count in plan.rows.items() if name in held.tables}
    return Plan("mended", held, rows=rows)


MENDS = {rule: [finding.mend for finding in found(bad(rule), rule)] for rule in IDS}
MENDED_BY_DDL = [rule for rule in IDS if MENDS[rule] and all(map(is_ddl, MENDS[rule]))]


@pytest.mark.parametrize("rule", MENDED_BY_DDL)
def test_the_mend_runs_and_mends(rule, connection):
    assert not found(mended(bad(rule), rule, connection), rule)


def test_most_mends_are_ddl():
    assert len(MENDED_BY_DDL) >= 30


@pytest.mark.parametrize("rule", [rule for rule in IDS if rule not in (*REFUSED, "type-unknown")])
def test_all_fixes_together_run(rule, connection):
    plan = bad(rule)
    plan.metadata.create_all(connection)
    run(script(findings(Schema(plan))), connection)


def test_every_example_folder_with_models_belongs_to_a_rule():
    folders = {path.parent.name for path in EXAMPLES.glob("*/good.py")}
    assert set(IDS) <= folders
