"""What a tool makes, and then the SQL for what it cannot say: the database is the plan's again, told by diff()."""

import pytest
import sqlalchemy as sa
from node_tools import prisma

from dbplan import diff, export, read, sandbox
from dbplan.domains import PLANS
from dbplan.plan import Plan
from dbplan.report.files import listings


def run(stage, *scripts):
    with stage.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for script in scripts:
            connection.exec_driver_sql(script.replace("%", "%%"))


@pytest.mark.parametrize("name", PLANS)
def test_a_prisma_schema_and_the_sql_beyond_it_make_the_plan(name, tmp_path):
    assert_prisma_and_beyond_make(read(name), tmp_path)


def assert_prisma_and_beyond_make(plan, tmp_path):
    report = export(plan, "prisma")
    schema, beyond = listings(report)
    (tmp_path / schema.file).write_text(schema.source)
    made = prisma("ddl", tmp_path / schema.file)
    with sandbox(plan, create=False) as stage:
        run(stage, made, beyond.source)
        assert diff(plan, stage.url).evidence == ()


def odd():
    """Constraints that Prisma makes otherwise or not at all: without names, with keys on them, with options."""
    metadata = sa.MetaData()
    sa.Table(
        "people", metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.Text, unique=True), sa.Column("a", sa.Integer), sa.Column("b", sa.Integer),
        sa.UniqueConstraint("a", "b", name="uq_ab"),
        sa.UniqueConstraint("b", postgresql_nulls_not_distinct=True),
        sa.UniqueConstraint("a", name="Uq A", postgresql_include=["b"]),
        sa.UniqueConstraint("b", "id", deferrable=True, initially="DEFERRED"),
        sa.CheckConstraint("a > 0"), sa.CheckConstraint("a < b"), sa.CheckConstraint("b <> a"),
        schema="app",
    )  # fmt: skip
    pets = sa.Table(
        "pets", metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.ForeignKey("app.people.code")),
        sa.Column("a", sa.ForeignKey("app.people.a", name="fk_a", ondelete="CASCADE")), sa.Column("b", sa.Integer),
        sa.ForeignKeyConstraint(["a", "b"], ["app.people.a", "app.people.b"]),
    )  # fmt: skip
    sa.Index("fk_a", pets.c.a)
    return Plan("odd", metadata)


def test_constraints_take_the_place_of_what_prisma_makes_in_their_names(tmp_path):
    assert_prisma_and_beyond_make(odd(), tmp_path)
    with sandbox(odd()) as stage:
        assert_prisma_and_beyond_make(read(stage.url), tmp_path)


def test_what_must_be_there_first_has_a_script_of_its_own(tmp_path):
    (tmp_path / "shop_models.py").write_text(
        "from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table\n"
        "from sqlalchemy.dialects.postgresql import CITEXT\n\nmetadata = MetaData()\n"
        "Table('people', metadata, Column('id', Integer, primary_key=True), Column('email', CITEXT),\n"
        "      CheckConstraint(\"email <> ''\", name='told'), schema='shop', comment='Who buys')\n"
    )
    files = {code.file: code.source for code in listings(export(read(tmp_path / "shop_models.py"), "typeorm"))}
    assert list(files)[1:] == ["entities.before.sql"]
    assert 'CREATE EXTENSION IF NOT EXISTS "citext";' in files["entities.before.sql"]
    assert 'CREATE SCHEMA IF NOT EXISTS "shop";' in files["entities.before.sql"]
