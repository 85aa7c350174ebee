"""What a tool makes, and then the SQL for what it cannot say: the database is the plan's again, told by diff()."""

import enum
import json

import pytest
import sqlalchemy as sa
from exports.loop import typeorm_options
from exports.test_django import migrations
from node_tools import node, prisma

from dbplan import diff, export, read, sandbox
from dbplan.domains import PLANS
from dbplan.exports.duplicates import without_duplicates
from dbplan.plan import Plan
from dbplan.report.files import listings


class State(str, enum.Enum):  # noqa: UP042 - whose str() is not its value
    """A state whose server default is a member."""

    ready = "READY"
    done = "DONE"


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


def tangled():
    """Duplicates, keys to unique indexes, required circles, defaults that can be changed, names with underscores."""
    metadata = sa.MetaData()
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    nodes = sa.Table(
        "_nodes", metadata,
        sa.Column("id", big, primary_key=True), sa.Column("size", big, nullable=False),
        sa.Column("code", sa.String(20), nullable=False, index=True),
        sa.Column("root", sa.ForeignKey("_nodes.id"), nullable=False),
        sa.Column("state", sa.String(9), server_default=State.ready, nullable=False),
        sa.Column("mood", sa.Enum("happy", "sad", name="mood")),
        sa.Column("settings", sa.JSON, default={}, nullable=False),
        sa.Column("rules", sa.JSON, default={"a": [1]}, nullable=False),
        sa.Column("small", sa.Integer, sa.CheckConstraint("small < 10", name="ck_small")),
    )  # fmt: skip
    sa.Index("ix__nodes_code", nodes.c.code)
    sa.Index("uq_code", nodes.c.code, unique=True)
    sa.Index("ix_size", sa.func.abs(nodes.c.size).desc())
    sa.Index("ix_text", nodes.c.small, sa.text("size DESC"), sa.text("abs(small) nulls first"))
    sa.Index("ix_mood", nodes.c.small, postgresql_where=sa.text("mood = 'happy'::mood"))
    sa.Table(
        "leaves", metadata,
        sa.Column("id", big, primary_key=True), sa.Column("size", big, nullable=False),
        sa.Column("code", sa.ForeignKey("_nodes.code", name="fk_code"), nullable=False),
        sa.Column("n", sa.ForeignKey("_nodes.id"), nullable=False),
    )  # fmt: skip
    return Plan("tangled", metadata)


def plain():
    plan = tangled()
    made = next(index for index in plan.table("_nodes").indexes if index.name == "ix__nodes_code")
    plan.table("_nodes").indexes.discard(made)
    return plan


def files(plan, target):
    return {listing.file: listing.source for listing in listings(export(plan, target))}


def script_of(made):
    return next((text for name, text in made.items() if name.endswith(".beyond.sql")), "")


def test_an_index_of_a_name_that_is_taken_is_left_out_and_said():
    for target in ("ddl", "drizzle", "typeorm", "django", "models"):
        report = export(tangled(), target)
        said = [f for f in report.evidence if f.message == "another index has its name already: it is left out"]
        assert [(f.rule, str(f.place)) for f in said] == [(f"export-{target}", "_nodes (ix__nodes_code)")]
    assert without_duplicates(plain(), "ddl", "postgresql")[1] == ()
    assert without_duplicates(tangled(), "ddl", "mysql")[1] == ()


def test_tools_of_node_make_the_tangled_plan(tmp_path):
    plan = plain()
    drizzle, typeorm = files(plan, "drizzle"), files(plan, "typeorm")
    (tmp_path / "schema.ts").write_text(drizzle["schema.ts"])
    answer = json.loads(node("drizzle.mjs", "postgresql", tmp_path / "schema.ts"))[str(tmp_path / "schema.ts")]
    assert answer["ok"], answer["text"]
    with sandbox(plan, create=False) as stage:
        run(stage, answer["text"], script_of(drizzle))
        assert diff(plan, stage.url).evidence == ()
    (tmp_path / "entities.ts").write_text(typeorm["entities.ts"])
    with sandbox(plan, create=False) as stage:
        jobs = [{"file": str(tmp_path / "entities.ts"), "options": typeorm_options(stage)}]
        (tmp_path / "jobs.json").write_text(json.dumps(jobs))
        (answer,) = json.loads(node("typeorm.mjs", tmp_path / "jobs.json"))
        assert answer["ok"], answer["text"]
        run(stage, "DROP TABLE IF EXISTS typeorm_metadata", script_of(typeorm))
        assert diff(plan, stage.url).evidence == ()


def test_python_modules_make_the_tangled_plan(tmp_path):
    plan = plain()
    (tmp_path / "tangled_models.py").write_text(files(plan, "models")["models.py"])
    assert diff(plan, str(tmp_path / "tangled_models.py")).evidence == ()
    django = files(plan, "django")
    with sandbox(plan, create=False) as stage:
        said, sql = migrations(tmp_path, {"app": django["models.py"]})["app"].values()
        assert "no issues" in said
        run(stage, sql, script_of(django))
        assert {finding.rule for finding in diff(plan, stage.url).evidence} <= {"diff-column-order"}
