"""An index that the server refuses is a finding of the stage; the rest of the plan is there."""

import pytest
import sqlalchemy as sa

from dbplan.errors import SandboxError
from dbplan.evidence import Severity
from dbplan.plan import Plan
from dbplan.sandbox import sandbox


def flows():
    m = sa.MetaData()
    sa.Table(
        "flow", m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(30), index=True),
        sa.Column("tag", sa.String(30), unique=True),
        sa.Index("ix_flow_name", "name"),
        sa.Index("empty"),
        sa.Index("later", "tag", "name", postgresql_concurrently=True),
        sa.Index("words", "name", postgresql_using="gin").ddl_if(dialect="postgresql"),
        sa.Index("texts", sa.text("no_such_function(name)")).ddl_if(dialect="mysql"),
    )  # fmt: skip
    return Plan("flows", m)


def refused(stage):
    return {finding.place.index: finding.message for finding in stage.refused}


def test_postgresql_says_why_and_the_other_indexes_are_there():
    with sandbox(flows()) as stage, stage.clone() as copy:
        assert set(refused(stage)) == {"empty", "ix_flow_name", "words"}
        assert "names no column" in refused(stage)["empty"]
        assert 'relation "ix_flow_name" already exists' in refused(stage)["ix_flow_name"]
        assert "operator class" in refused(stage)["words"]
        assert {index["name"] for index in sa.inspect(copy.engine).get_indexes("flow")} >= {"ix_flow_name", "later"}
        assert copy.refused == stage.refused
        assert all(finding.severity is Severity.ERROR for finding in stage.refused)


def test_an_index_meant_for_another_server_is_none_on_sqlite():
    with sandbox(flows(), "sqlite") as stage:
        assert set(refused(stage)) == {"empty", "ix_flow_name"}
        assert {index["name"] for index in sa.inspect(stage.engine).get_indexes("flow")} == {"ix_flow_name", "later"}


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_a_sound_plan_has_none_and_a_unique_index_is_no_choice(on):
    m = sa.MetaData()
    table = sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", sa.Integer, index=True))
    with sandbox(Plan("t", m), on) as stage:
        assert stage.refused == ()
    sa.Index("guard", sa.text("no_such_function(x)"), unique=True, _table=table)
    with pytest.raises(SandboxError, match="guard"), sandbox(Plan("t", m), on):
        pass
