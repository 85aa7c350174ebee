"""Plans as Drizzle schemas: what drizzle-kit makes of them is the plan, but for what it has no words for."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import empty_database, run, taken, unexplained
from exports.strangers import stranger
from node_tools import node
from sqlalchemy.dialects import mysql

from dbplan.comparison import differences
from dbplan.ddl import translated
from dbplan.domains import PLANS
from dbplan.errors import NotCovered
from dbplan.exports.drizzle import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.drizzle.ts"
NAMES = (*PLANS, "stranger")


def plan(name):
    return stranger() if name == "stranger" else read(name)


def ddl(folder, dialect, written):
    """Return the SQL that drizzle-kit makes of each schema, in one process."""
    paths = {name: folder / f"{name}.ts" for name in written}
    for name, path in paths.items():
        path.write_text(written[name].files["schema.ts"], "utf-8")
    answers = json.loads(node("drizzle.mjs", dialect, *paths.values()))
    found = {name: answers[str(path)] for name, path in paths.items()}
    assert all(answer["ok"] for answer in found.values()), found
    return {name: answer["text"] for name, answer in found.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    written = {name: write(plan(name), "postgresql") for name in NAMES}
    return written, ddl(tmp_path_factory.mktemp("drizzle"), "postgresql", written)


@pytest.mark.parametrize("name", NAMES)
def test_what_drizzle_makes_is_the_plan(made, name):
    written, sql = made
    lost = written[name].lost
    with empty_database(*(finding.mend for finding in lost)) as stage:
        run(stage, sql[name])
        assert unexplained(plan(name), taken(stage), lost) == ([], [])


def test_of_the_bundled_plans_comments_alone_are_lost(made):
    written, _ = made
    said = {finding.message for name in PLANS for finding in written[name].lost}
    assert said == {"its comment stands in the file alone"}


def test_the_command_says_the_same(made, tmp_path):
    written, sql = made
    (tmp_path / "node_modules").symlink_to(Path(__file__).parents[1] / "node" / "node_modules")
    (tmp_path / "schema.ts").write_text(written["credits"].files["schema.ts"], "utf-8")
    arguments = ("export", "--dialect", "postgresql", "--schema", tmp_path / "schema.ts")
    said = node("node_modules/drizzle-kit/bin.cjs", *arguments, cwd=tmp_path)
    assert said.strip() == sql["credits"].strip()


@pytest.mark.parametrize("dialect", ["mysql", "sqlite"])
def test_other_servers(tmp_path, dialect):
    plans = {name: read(name) for name in PLANS}
    plans = {n: replace(p, metadata=translated(p.metadata, dialect).metadata, queries=()) for n, p in plans.items()}
    sql = ddl(tmp_path, dialect, {name: write(p, dialect) for name, p in plans.items()})
    for name, p in plans.items():
        assert set(re.findall(r"CREATE TABLE `(\w+)`", sql[name])) == set(p.metadata.tables)
        checks = sum(isinstance(c, sa.CheckConstraint) for t in p.tables for c in t.constraints)
        assert len(re.findall(r"CHECK\(", sql[name])) == checks


def test_on_sqlite_the_types_are_those_of_the_values_that_are_held():
    told = write(replace(read("store"), queries=()), "sqlite").files["schema.ts"]
    assert "customType<{ data: boolean; driverData: number }>" in told
    assert "fromDriver: JSON.parse,\n  toDriver: JSON.stringify," in told
    assert re.search(r"customType<\{ data: number \}>\(\{\n  dataType: \(\) => \"numeric\(10, 2\)\"", told)


def test_on_sqlite_names_of_keys_alone_are_lost(tmp_path):
    plan = read("wallet")
    plan = replace(plan, metadata=translated(plan.metadata, "sqlite").metadata, queries=())
    written = write(plan, "sqlite")
    sql = ddl(tmp_path, "sqlite", {"wallet": written})["wallet"]
    with sandbox(plan, "sqlite") as stage:
        meant = taken(stage)
    with sandbox(Plan("tool", sa.MetaData()), "sqlite", create=False) as stage:
        with stage.engine.connect() as connection:
            connection.connection.driver_connection.executescript(sql)
        made = taken(stage)
    found = differences(made, meant)
    gone = {difference.place for difference in found if difference.right}
    assert gone == {finding.place for finding in written.lost}
    assert {difference.what for difference in found} == {"constraint", "index"}


def test_types_of_mysql(tmp_path):
    m = sa.MetaData()
    sa.Table(
        "things", m,
        sa.Column("id", mysql.BIGINT(unsigned=True), primary_key=True, autoincrement=True),
        sa.Column("kind", mysql.ENUM("a", "it's"), nullable=False, server_default="a"),
        sa.Column("small", mysql.TINYINT(unsigned=True)), sa.Column("flag", sa.Boolean),
        sa.Column("at", mysql.DATETIME(fsp=3)), sa.Column("price", sa.Numeric(8, 2), server_default=sa.text("1.50")),
        sa.Column("raw", mysql.MEDIUMBLOB), sa.Column("half", sa.Integer, sa.Computed("small / 2", persisted=True)),
        sa.Index("ix_at", sa.text("at DESC")),
    )  # fmt: skip
    sql = ddl(tmp_path, "mysql", {"things": write(Plan("things", m), "mysql")})["things"]
    for words in (
        "`id` bigint unsigned AUTO_INCREMENT NOT NULL",
        "`kind` enum('a','it''s') NOT NULL DEFAULT 'a'",
        "`small` tinyint unsigned",
        "`flag` boolean",
        "`at` datetime(3)",
        "`price` decimal(8,2) DEFAULT '1.50'",
        "`raw` mediumblob",
        "`half` int GENERATED ALWAYS AS (small / 2) STORED",
        "CREATE INDEX `ix_at` ON `things` (at DESC)",
    ):
        assert words in sql


def test_sql_server_is_not_covered():
    with pytest.raises(NotCovered, match="Drizzle is not written for mssql"):
        write(read("credits"), "mssql")


def test_what_the_client_fills_in():
    m = sa.MetaData()
    sa.Table(
        "notes", m,
        sa.Column("id", sa.Uuid, primary_key=True, info={"default": "uuid(4)"}),
        sa.Column("key", sa.Text, info={"default": "uuid(7)"}),
        sa.Column("code", sa.Text, info={"default": "nanoid(10)"}),
        sa.Column("changed_at", sa.DateTime(timezone=True), info={"updated_at": True}),
    )  # fmt: skip
    written = write(Plan("notes", m), "postgresql").files["schema.ts"]
    assert "$defaultFn(() => crypto.randomUUID())" in written
    assert "$defaultFn(() => uuidv7())" in written
    assert "function uuidv7(): string" in written
    assert re.search(r"\$onUpdate\(\s*\(\) => new Date\(\)", written)
    assert "/** Filled in by the client: nanoid(10) */" in written


def test_the_file_is_as_it_was_agreed(made):
    written = made[0]["credits"].files["schema.ts"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")


def test_set_null_of_some_columns_is_set_null_and_told():
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    parent = sa.ForeignKey("node.id", ondelete="SET NULL (parent)", name="node_parent")
    sa.Table("node", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("parent", sa.Integer, parent))
    written = write(Plan("p", metadata), "postgresql")
    assert '.onDelete("set null")' in written.files["schema.ts"]
    assert [str(f.place) for f in written.lost][:1] == ["node (node_parent)"]
    assert "SET NULL (parent) sets all columns" in written.lost[0].message


def test_what_no_function_fills_in_is_told():
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    made = [sa.Column(f"c{n}", sa.Text, info={"default": told}) for n, told in enumerate(("cuid()", "uuid()"))]
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), *made)
    lost = write(Plan("p", metadata), "postgresql").lost
    assert [(f.place.column, "cuid()" in f.message) for f in lost] == [("c0", True)]


@pytest.mark.parametrize(("names", "lost"), [(("a", "7"), True), (("7", "a"), False), (("a", "07"), False)])
def test_columns_called_by_numbers_come_first_and_are_told(names, lost):
    metadata = sa.MetaData()
    sa.Table("t", metadata, *(sa.Column(name, sa.Integer, primary_key=True) for name in names))
    told = [finding.message for finding in write(Plan("p", metadata), "postgresql").lost]
    assert ("columns that are called by numbers come first there" in told) is lost
