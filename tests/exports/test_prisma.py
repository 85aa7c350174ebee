"""Plans as Prisma schemas: Prisma takes them as they are formatted, and its own DDL makes the same database."""

import enum
import json
import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.strangers import stranger
from node_tools import node
from prisma_equality import unequal
from prisma_schemas import faults

from dbplan.comparison import differences
from dbplan.ddl import translated
from dbplan.domains import clone_jobs, store, transcription, wallet
from dbplan.domains import credits as credits_plan
from dbplan.exports.prisma import write
from dbplan.plan import Plan
from dbplan.sources import read

PLANS = {
    "clone_jobs": clone_jobs.PLAN,
    "credits": credits_plan.PLAN,
    "store": store.PLAN,
    "transcription": transcription.PLAN,
    "wallet": wallet.PLAN,
    "stranger": stranger(),
}
GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.prisma"
SCHEMAS = sorted((Path(__file__).parents[1] / "sources" / "prisma").glob("*/*.prisma"))


def asked(verb, folder, texts):
    """Return what Prisma's engine makes of each text; AssertionError for one that it refuses."""
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"{verb}-{number}.prisma")
        paths[-1].write_text(text, "utf-8")
    answers = json.loads(node("prisma.mjs", verb, *paths))
    for text, answer in zip(texts, answers, strict=True):
        assert answer["ok"], f"{answer['text']}\n{text}"
    return [answer["text"] for answer in answers]


@pytest.fixture(scope="module")
def written():
    return {name: write(plan, "postgresql") for name, plan in PLANS.items()}


@pytest.fixture(scope="module")
def ddl(written, tmp_path_factory):
    texts = [made.files["schema.prisma"] for made in written.values()]
    return dict(zip(written, asked("each", tmp_path_factory.mktemp("ddl"), texts), strict=True))


def unexplained(found, lost):
    """Return the differences that no finding tells: by its place, or by its name for what has no place in the plan."""
    places = {_place(finding) for finding in lost}
    said = " ".join(finding.message for finding in lost)
    comments = any("///" in finding.message for finding in lost)
    checks = {finding.place.table for finding in lost if "CHECK" in finding.message and not finding.place.constraint}
    return [
        difference
        for difference in found
        if _place(difference) not in places
        and not (difference.what.endswith("comment") and comments)
        and not (difference.what.startswith(("sequence", "domain")) and difference.place.table in said)
        and not (difference.left.startswith("CHECK") and difference.place.table in checks)
    ]


def _place(fact):
    """Return where a fact holds; a constraint of the plan may be an index there."""
    return fact.place.table, fact.place.column, fact.place.index or fact.place.constraint


@pytest.mark.parametrize("name", PLANS)
def test_prismas_own_ddl_makes_the_database_but_for_what_is_lost_by_name(name, written, ddl):
    # Prisma writes the label it's as it stands, which ends the text; its place is no fault of the schema.
    sql = ddl[name].replace("'it's'", "'it''s'")
    with empty_database() as stage:
        run(stage, sql)
        found = differences(catalog_of(PLANS[name]), taken(stage))
    assert unexplained(found, written[name].lost) == []


def test_a_schema_is_formatted_as_prisma_formats_it(written, tmp_path):
    texts = [made.files["schema.prisma"] for made in written.values()]
    assert asked("formats", tmp_path, texts) == texts


def test_a_schema_of_prismas_comes_back_as_the_same_database(tmp_path):
    paths = [path for path in SCHEMAS if re.search(r'"(postgresql|sqlite)"', path.read_text("utf-8"))]
    plans = [read(path) for path in paths]
    texts = [write(plan, plan.metadata.info["dialect"]).files["schema.prisma"] for plan in plans]
    assert asked("formats", tmp_path, texts) == texts
    before = asked("each", tmp_path, [path.read_text("utf-8") for path in paths])
    for path, one, other in zip(paths, before, asked("each", tmp_path, texts), strict=True):
        assert _said(one) == _said(other) or unequal(path, other) == (), path


def _said(ddl):
    """Return the statements of DDL without quotes, case and order, which make no difference in these schemas."""
    said = ddl.casefold().replace('"', "").replace(" asc", "").split("\n\n")
    return sorted(statement.strip() for statement in said)


def test_what_is_written_reads_back_as_the_same_plan(written, tmp_path):
    for name, plan in PLANS.items():
        path = tmp_path / f"{name}.prisma"
        path.write_text(written[name].files["schema.prisma"], "utf-8")
        again = read(path)
        kept = [key for key, table in plan.metadata.tables.items()]
        assert sorted(again.metadata.tables) == sorted(kept)
        assert write(again, "postgresql").files.keys() == written[name].files.keys()
        for key in kept:
            ours, theirs = plan.table(key), again.table(key)
            assert [c.name for c in theirs.columns] == [c.name for c in ours.columns]
            assert (theirs.comment or "") == (ours.comment or "")
            assert [c.comment or "" for c in theirs.columns] == [c.comment or "" for c in ours.columns]


@pytest.mark.generated
def test_the_credits_schema_is_as_it_was_agreed(written):
    text = written["credits"].files["schema.prisma"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8"), f"look at it, then DBPLAN_GOLDEN=write pytest {__file__}"


def model(text, name):
    """Return the lines of one block, each with single spaces."""
    block = re.search(
        rf"^(?:model|view|enum|datasource|generator) {name} \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE
    )
    return [" ".join(line.split()) for line in block[1].splitlines() if line.strip()]


def test_a_relation_says_what_prisma_would_not_take_by_itself():
    m = sa.MetaData()
    sa.Table("users", m, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "posts", m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("author_id", sa.ForeignKey("users.id", ondelete="RESTRICT", onupdate="CASCADE"), nullable=False),
        sa.Column("editor_id", sa.ForeignKey("users.id", ondelete="SET NULL", name="fk_e")),
    )  # fmt: skip
    text = write(Plan("blog", m), "postgresql").files["schema.prisma"]
    assert model(text, "Post")[3:] == [
        'author User @relation("PostAuthor", fields: [authorId], references: [id])',
        'editor User? @relation("PostEditor", fields: [editorId], references: [id], onUpdate: NoAction, map: "fk_e")',
        '@@map("posts")',
    ]
    assert 'postsAsAuthor Post[] @relation("PostAuthor")' in model(text, "User")


def test_a_child_that_a_parent_has_but_once_is_one():
    m = sa.MetaData()
    sa.Table("users", m, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("profiles", m, sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    text = write(Plan("blog", m), "postgresql").files["schema.prisma"]
    assert "profile Profile?" in model(text, "User")


def test_a_table_without_a_key_is_left_to_the_server_and_so_are_ways_to_it():
    m = sa.MetaData()
    sa.Table("users", m, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("visits", m, sa.Column("user_id", sa.ForeignKey("users.id")))
    made = write(Plan("blog", m), "postgresql")
    assert "@@ignore" in model(made.files["schema.prisma"], "Visit")
    assert "visits Visit[] @ignore" in model(made.files["schema.prisma"], "User")
    assert [finding.place.table for finding in made.lost if "@@ignore" in finding.message] == ["visits"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (sa.String(), "String @db.VarChar"),
        (sa.String(20), "String @db.VarChar(20)"),
        (sa.Text(), "String"),
        (sa.Uuid(), "String @db.Uuid"),
        (sa.Numeric(12, 4), "Decimal @db.Decimal(12, 4)"),
        (sa.Numeric(12), "Decimal @db.Decimal(12, 0)"),
        (sa.DateTime(), "DateTime @db.Timestamp"),
        (sa.DateTime(timezone=True), "DateTime @db.Timestamptz"),
        (sa.Interval(), 'Unsupported("interval")'),
        (sa.ARRAY(sa.SmallInteger), "Int[] @db.SmallInt"),
        (sa.Enum("a", "b", name="letter"), "Letter"),
    ],
)
def test_a_type_is_said_so_that_prisma_makes_the_same(kind, said):
    m = sa.MetaData()
    nullable = isinstance(kind, sa.ARRAY)
    sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", kind, nullable=nullable))
    assert f"a {said}" in model(write(Plan("p", m), "postgresql").files["schema.prisma"], "T")


@pytest.mark.parametrize(
    ("kind", "default", "said"),
    [
        (sa.Integer, "0", "0"),
        (sa.Boolean, sa.text("false"), "false"),
        (sa.Text, 'it\'s "so"\n', '"it\'s \\"so\\"\\n"'),
        (sa.Numeric(4, 2), sa.text("1.50"), "1.50"),
        (sa.DateTime, sa.func.now(), "now()"),
        (sa.DateTime, sa.text("now() + interval '1 day'"), "dbgenerated(\"now() + interval '1 day'\")"),
        (sa.JSON, sa.text("'{}'"), '"{}"'),
        (sa.ARRAY(sa.Text), sa.text("'{}'"), "[]"),
        (sa.ARRAY(sa.Text), sa.text("ARRAY['a,b', 'c']"), '["a,b", "c"]'),
        (sa.Float, "1e10", "dbgenerated(\"'1e10'\")"),
    ],
)
def test_a_default_is_a_value_where_prisma_has_one(kind, default, said):
    m = sa.MetaData()
    sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", kind, server_default=default))
    text = write(Plan("p", m), "postgresql").files["schema.prisma"]
    assert any(f"@default({said})" in line for line in model(text, "T")), text


@pytest.mark.parametrize("dialect", ["mysql", "sqlite", "mssql", "cockroachdb", "mongodb"])
def test_prisma_takes_the_plans_for_any_server(dialect, tmp_path):
    texts = []
    for plan in PLANS.values():
        metadata = plan.metadata if dialect == "mongodb" else translated(plan.metadata, dialect).metadata
        texts.append(write(Plan(plan.name, metadata), dialect).files["schema.prisma"])
    assert faults(texts, tmp_path) == [[]] * len(texts)
    assert asked("formats", tmp_path, texts) == texts


VIEW = """
datasource db {
  provider = "postgresql"
}
view Seen {
  id String @unique @map("seen_id")
  a  Int
  b  Int

  @@unique([a, b])
}
"""


def test_what_is_unique_in_a_view_stays(tmp_path):
    (tmp_path / "schema.prisma").write_text(VIEW)
    written = write(read(str(tmp_path / "schema.prisma")), "postgresql").files["schema.prisma"]
    assert '@unique @map("seen_id")' in written
    assert "@@unique([a, b])" in written


MYSQL = r"""
datasource db {
  provider = "mysql"
}
enum Status {
  OPEN
  DONE @map("done")
}
model Hotel {
  id     Int     @id
  open   Boolean @default(true) @db.Bit(1)
  status Status  @default(DONE)
  j      Json    @default("{\"a\": 1}")
  about  String  @db.Text

  @@index([about(length: 20)])
  @@fulltext([about], map: "ft")
}
"""


def test_what_mysql_has_no_names_for_keeps_those_of_the_schema(tmp_path):
    (tmp_path / "schema.prisma").write_text(MYSQL)
    written = " ".join(write(read(str(tmp_path / "schema.prisma")), "mysql").files["schema.prisma"].split())
    for line in MYSQL.split("provider")[1].splitlines()[2:]:
        assert " ".join(line.split()) in written


def test_what_the_client_fills_in_is_told_as_the_server_would_keep_it():
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    tier = enum.Enum("Tier", {"free": "FREE"})
    kept = sa.Column("tier", sa.Enum(tier, name="tier"), default=tier.free)
    log = sa.Column("id", sa.Integer, primary_key=True)
    sa.Table("t", metadata, log, kept, postgresql_with={"fillfactor": "70"})
    said = [finding.message for finding in write(Plan("p", metadata), "postgresql").lost]
    assert "the application fills it in with 'FREE', which Prisma's client does not know" in said
    assert "its storage parameters (fillfactor=70) are the server's own there" in said
