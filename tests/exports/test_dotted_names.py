"""Tables and columns with a dot in their names, which a dotted foreign key cannot tell from the dot between them."""

import pytest
import sqlalchemy as sa
from exports.python_modules import loaded
from exports.test_models import again, ddl, text_of
from exports.test_sqlmodel import fresh, made_of  # noqa: F401 - a fixture

import dbplan
from dbplan.comparison import differences
from dbplan.exports import TARGETS
from dbplan.plan import Plan
from dbplan.sandbox import sandbox


def dotted():
    metadata = sa.MetaData()
    parent = sa.Table(
        "x.y", metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("a.b", sa.Integer, unique=True), schema="old shop",
    )  # fmt: skip
    pair = sa.Table(
        "p.q", metadata,
        sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Integer, primary_key=True),
    )  # fmt: skip
    sa.Table(
        "child", metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("y", sa.ForeignKey(parent.c.id, ondelete="CASCADE")),
        sa.Column("w", sa.ForeignKey(parent.c["a.b"])), sa.Column("a", sa.Integer), sa.Column("b", sa.Integer),
        sa.ForeignKeyConstraint(["a", "b"], [pair.c.a, pair.c.b]),
    )  # fmt: skip
    return Plan("dotted", metadata)


def test_models_lead_to_the_same_tables():
    plan = dotted()
    assert ddl(again(text_of(plan))) == ddl(plan)
    with loaded(text_of(plan)) as module:
        keys = module.Base.metadata.tables["child"].foreign_keys
        found = {(key.parent.name, key.column.table.name, key.column.name) for key in keys}
    assert found == {("y", "x.y", "id"), ("w", "x.y", "a.b"), ("a", "p.q", "a"), ("b", "p.q", "b")}


def test_sqlmodel_makes_the_same_tables(fresh):  # noqa: F811 - the fixture
    from exports.loop import taken

    plan = dotted()
    with sandbox(plan) as stage:
        expected = taken(stage)
    assert differences(expected, made_of(fresh, plan)) == ()


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_written(target):
    assert "x.y" in str(dbplan.export(dotted(), target))


def test_the_schema_is_linted_and_drawn():
    assert "p.q" in str(dbplan.lint(dotted()))
    assert "p.q" in str(dbplan.erd(dotted()))
