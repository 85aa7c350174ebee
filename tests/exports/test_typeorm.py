"""Plans as TypeORM entities: what TypeORM makes of them is the plan, but for what it has no words for."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import empty_database, run, taken, typeorm_options, unexplained
from exports.strangers import stranger
from node_tools import node
from sqlalchemy.dialects import mysql, sqlite

from dbplan.ddl.documents import JsonText
from dbplan.domains import PLANS
from dbplan.errors import NotCovered
from dbplan.evidence import Severity
from dbplan.exports.beyond import needed_first, script
from dbplan.exports.typeorm import write
from dbplan.exports.typeorm.kinds import SUPPORTED
from dbplan.plan import Plan
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.typeorm.ts"
NAMES = (*PLANS, "stranger")
OWN = ["typeorm_metadata"]
"""The table in which TypeORM keeps the text of views and generated columns."""


def plan(name):
    return stranger() if name == "stranger" else read(name)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What was written, what TypeORM made of it, and what it would change in a second run."""
    folder = tmp_path_factory.mktemp("typeorm")
    written = {name: write(plan(name), "postgresql") for name in NAMES}
    with ExitStack() as stack:
        first = {n: [f.mend for f in written[n].lost if needed_first(f)] for n in NAMES}
        stages = {n: stack.enter_context(empty_database(*first[n])) for n in NAMES}
        jobs = []
        for name, stage in stages.items():
            path = folder / f"{name}.ts"
            path.write_text(written[name].files["entities.ts"], "utf-8")
            jobs.append({"file": str(path), "options": typeorm_options(stage)})
        (folder / "jobs.json").write_text(json.dumps(jobs), "utf-8")
        answers = json.loads(node("typeorm.mjs", folder / "jobs.json"))
        assert all(answer["ok"] for answer in answers), answers
        for name, stage in stages.items():
            run(stage, script(f for f in written[name].lost if not needed_first(f)))
        catalogs = {name: taken(stage, ignore=OWN) for name, stage in stages.items()}
    return written, catalogs, dict(zip(NAMES, (answer["again"] for answer in answers), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_what_typeorm_makes_is_the_plan(made, name):
    written, catalogs, _ = made
    assert unexplained(plan(name), catalogs[name], written[name].lost) == ([], [])


@pytest.mark.parametrize("name", PLANS)
def test_typeorm_finds_nothing_to_change_in_what_it_has_made(made, name):
    assert made[2][name] == []


def test_of_the_bundled_plans_the_order_of_indexes_alone_is_lost(made):
    said = {finding.message for name in PLANS for finding in made[0][name].lost}
    assert said == {"TypeORM has no order in indexes: its columns all ascend"}


def test_a_table_without_a_key_is_left_out_and_said():
    m = sa.MetaData()
    sa.Table("log", m, sa.Column("line", sa.Text))
    written = write(Plan("log", m), "postgresql")
    assert "// The table log has no primary key" in written.files["entities.ts"]
    assert [str(finding.place) for finding in written.lost] == ["log"]


@pytest.mark.parametrize(("name", "schema"), [("a.b", None), ("b", "a.a")])
def test_a_dot_in_a_name_is_a_warning(name, schema):
    m = sa.MetaData()
    sa.Table(name, m, sa.Column("id", sa.Integer, primary_key=True), schema=schema)
    warned = [finding for finding in write(Plan("dots", m), "postgresql").lost if finding.severity is Severity.WARNING]
    assert [finding.message.split(":")[0] for finding in warned] == [
        "TypeORM takes a dot in a name for that after a schema"
    ]


def test_a_server_that_typeorm_does_not_know():
    with pytest.raises(NotCovered, match="TypeORM is not written for mongodb"):
        write(read("credits"), "mongodb")


@pytest.mark.parametrize("server", sorted(SUPPORTED))
def test_each_type_is_one_that_the_driver_knows(server):
    from dataclasses import replace

    from dbplan.ddl import translated

    found = read("wallet")
    if server != "postgresql":
        found = replace(found, metadata=translated(found.metadata, server).metadata, queries=())
    written = write(found, server).files["entities.ts"]
    types = {line.split('type: "')[1].split('"')[0] for line in written.splitlines() if 'type: "' in line}
    assert types <= SUPPORTED[server]


def test_the_file_is_as_it_was_agreed(made):
    written = made[0]["credits"].files["entities.ts"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")


def test_set_null_of_some_columns_is_set_null_and_told():
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    parent = sa.ForeignKey("node.id", ondelete="SET NULL (parent)", name="node_parent")
    sa.Table("node", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("parent", sa.Integer, parent))
    written = write(Plan("p", metadata), "postgresql")
    assert 'onDelete: "SET NULL"' in written.files["entities.ts"]
    assert "ON DELETE SET NULL (parent) sets all columns of the key here" in [f.message for f in written.lost]


CLIENT = """
datasource db {
  provider = "postgresql"
}
model T {
  id String   @id @default(uuid(7)) @db.Uuid
  s  String   @default(uuid())
  c  String   @default(cuid())
  at DateTime @updatedAt
}
"""


def test_what_the_client_fills_in_is_a_method_or_told(tmp_path):
    (tmp_path / "schema.prisma").write_text(CLIENT)
    written = write(read(str(tmp_path / "schema.prisma")), "postgresql")
    text = written.files["entities.ts"]
    assert "this.id ??= uuidv7();\n    this.s ??= crypto.randomUUID();\n    this.at = new Date();" in text
    assert "@BeforeUpdate()\n  touch(): void {\n    this.at = new Date();" in text
    assert "function uuidv7()" in text
    assert [(f.place.column, "cuid()" in f.message) for f in written.lost] == [("c", True)]


def test_a_table_without_a_key_is_a_warning_with_the_sql_that_makes_it():
    metadata = sa.MetaData(info={"dialect": "mysql"})
    sa.Table("pairs", metadata, sa.Column("a", sa.Integer), sa.Index("both", "a", mysql_length={"a": 3}))
    kept = sa.Column("mood", mysql.ENUM("glad", "sad"))
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), kept)
    written = write(Plan("p", metadata), "mysql")
    (lost,) = written.lost
    assert (lost.severity, str(lost.place)) == (Severity.WARNING, "pairs")
    assert "CREATE TABLE pairs" in lost.mend
    assert "CREATE INDEX `both` ON pairs (a(3));" in lost.mend
    assert "export enum TMood {" in written.files["entities.ts"]


def test_an_enum_of_two_schemas_is_made_once():
    metadata = sa.MetaData()
    kind = sa.Enum("a", "b", name="kind", metadata=metadata)
    for schema in (None, "app"):
        sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("k", kind), schema=schema)
    lost = write(Plan("kinds", metadata), "postgresql").lost
    assert [one.message for one in lost if one.place.column == "k"] == [
        "its enum is app.kind: TypeORM has enums in the schema of their table"
    ]
    assert not any("CREATE TYPE" in one.mend for one in lost)


def test_a_document_that_sqlite_holds_as_text_is_not_bytes():
    metadata = sa.MetaData(info={"dialect": "sqlite"})
    columns = (sa.Column("d", JsonText), sa.Column("b", sqlite.JSONB))
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    written = write(Plan("p", metadata), "sqlite")
    assert '@Column({ type: "json", nullable: true })\n  d!: unknown' in written.files["entities.ts"]
    assert '@Column({ type: "jsonb", nullable: true })\n  b!: unknown' in written.files["entities.ts"]
    assert [f.message for f in written.lost if f.place.column == "d"] == [
        "jsonb is written as json, for of TypeORM's jsonb SQLite makes bytes"
    ]
