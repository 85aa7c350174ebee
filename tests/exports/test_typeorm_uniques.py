"""Unique keys through TypeORM: on relations to one, named by nobody or anyhow, and two that are one in its words."""

import json

import pytest
import sqlalchemy as sa
from exports.loop import empty_database, taken, typeorm_options, unexplained
from node_tools import node

from dbplan.exports.typeorm import write
from dbplan.plan import Plan


def uniques():
    """Return a plan whose tables have unique foreign keys of all sorts."""
    m = sa.MetaData(info={"dialect": "postgresql"})
    sa.Table("parent", m, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("pair", m, *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in "ab"))
    _child(m, "named", lambda c: sa.UniqueConstraint(c, name="uq_named_to"))
    _child(m, "nameless", lambda c: sa.UniqueConstraint(c))
    _child(m, "indexed", lambda c: sa.Index("ix_indexed_to", c, unique=True))
    _child(m, "late", lambda c: sa.UniqueConstraint(c, name="uq_late_to", deferrable=True, initially="DEFERRED"))
    _child(m, "hashed", lambda c: sa.UniqueConstraint(c, name="REL_de1b2d51e7d8e1e3a5d4c5b6f7"))
    _child(m, "nulls", lambda c: sa.UniqueConstraint(c, name="uq_nulls", postgresql_nulls_not_distinct=True))
    for name, first, second in (("twice", "uq_twice_to", None), ("again", None, "uq_again_to")):
        table = _child(m, name, lambda c, name=first: sa.UniqueConstraint(c, name=name))
        table.append_constraint(sa.UniqueConstraint("to", name=second, postgresql_nulls_not_distinct=True))
    sa.Table(
        "wide", m, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.Integer), sa.Column("b", sa.Integer),
        sa.Column("to", sa.ForeignKey("parent.id")),
        sa.ForeignKeyConstraint(["a", "b"], ["pair.a", "pair.b"]), sa.UniqueConstraint("a", "b", name="uq_wide"),
        sa.UniqueConstraint("to", "a", name="uq_wide_more"), sa.UniqueConstraint("b", "a", postgresql_include=["to"]),
        sa.UniqueConstraint("id", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    return Plan("uniques", m)


def _child(m, name, unique):
    key = sa.Column("to", sa.Integer, sa.ForeignKey("parent.id"))
    table = sa.Table(name, m, sa.Column("id", sa.Integer, primary_key=True), key)
    made = unique(key)
    if isinstance(made, sa.UniqueConstraint):
        table.append_constraint(made)
    return table


@pytest.fixture(scope="module")
def written():
    return write(uniques(), "postgresql")


def test_each_is_made_once_by_its_own_name(written, tmp_path):
    (tmp_path / "entities.ts").write_text(written.files["entities.ts"], "utf-8")
    with empty_database() as stage:
        job = {"file": str(tmp_path / "entities.ts"), "options": typeorm_options(stage)}
        (tmp_path / "jobs.json").write_text(json.dumps([job]), "utf-8")
        (answer,) = json.loads(node("typeorm.mjs", tmp_path / "jobs.json"))
        assert answer["ok"], answer["text"]
        made = taken(stage)
    assert unexplained(uniques(), made, written.lost) == ([], [])
    assert answer["again"] == []


def test_a_key_that_is_another_again_in_words_of_typeorm_is_left_out_and_told(written):
    assert {one.place.constraint: one.message for one in written.lost if "again" in one.message} == {
        "twice_to_key": "it is uq_twice_to again without NULLS NOT DISTINCT: it is left out",
        "uq_again_to": "it is again_to_key again without NULLS NOT DISTINCT: it is left out",
        "wide_id_key": "it is wide_pkey again without NULLS NOT DISTINCT: it is left out",
    }
