import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    text,
)

from dbplan.diagram import dictionary
from dbplan.domains import PLANS
from dbplan.domains.credits import PLAN
from dbplan.plan import Plan
from dbplan.report import blocks
from dbplan.sources import read

FOLDER = Path(__file__).parents[2] / "docs" / "dictionary"


@pytest.mark.generated
@pytest.mark.parametrize("name", PLANS)
def test_the_page_of_a_worked_plan_is_fresh(name, tmp_path):
    written = dictionary(read(name)).save(tmp_path / f"{name}.md").read_text("utf-8")
    page = FOLDER / f"{name}.md"
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(written, "utf-8")
    assert written == page.read_text("utf-8"), f"{page.name} is stale; make docs"


def test_there_is_no_page_of_a_plan_that_is_gone():
    assert {page.stem for page in FOLDER.glob("*.md")} <= set(PLANS)


def everything() -> Plan:
    m = MetaData()
    Table("parent", m, Column("id", Integer, primary_key=True), comment="Those above")
    child = Table(
        "child",
        m,
        Column("id", Integer, Identity(always=True), primary_key=True, comment="Which one"),
        Column("parent_id", ForeignKey("parent.id", ondelete="CASCADE", name="to_parent"), nullable=False),
        Column("name", Text, server_default="nobody", comment="  "),
        Column("shout", Text, Computed("upper(name)", persisted=True)),
        Column("at", DateTime(timezone=True), server_default=func.now(), onupdate=func.now()),
        Column("number", Integer, Sequence("numbers")),
        Column("flags", Text, default=dict),
        Column("level", Integer, default=3),
        Column("trigger", Text, server_default=FetchedValue()),
        CheckConstraint("level BETWEEN 1 AND 5", name="level_known"),
        CheckConstraint("name LIKE '_%'", name="name_given"),
        UniqueConstraint("parent_id", "name", name="one_name", postgresql_nulls_not_distinct=True),
        info={"decisions": ("Names may repeat among strangers.",)},
    )
    Index("recent", child.c.parent_id, child.c.at.desc(), postgresql_where=child.c.level > 2)
    Index("by_name", func.lower(child.c.name), unique=True, postgresql_include=["level"])
    Index("words", child.c.flags, postgresql_using="gin")
    plan = Plan("all", m, rows={"child": 5000}, retention={"child.at": timedelta(days=30)})
    c, p = plan.table("child"), plan.table("parent")
    return (
        plan.ask("family", select(p).where(p.c.id.in_(select(c.c.parent_id))), per_second=2)
        .ask("alias", select(c.alias("x").c.id))
        .ask("born", insert(c).values(name="x"), per_second=1)
        .ask("gone", delete(p).where(p.c.id == 1))
        .ask("by hand", text("SELECT 1 FROM child"))
    )


@pytest.fixture(scope="module")
def report():
    return dictionary(everything())


def cells(report, caption, key):
    (table,) = [b for b in blocks.walk(report.blocks) if isinstance(b, blocks.Table) and b.caption == caption]
    at = [field.title for field in table.fields].index(key)
    return {row[0]: row[at] for row in table.rows}


def test_the_verdict_counts_meanings(report):
    assert report.verdict == "1 of 10 columns and 1 of 2 tables have a meaning."
    assert dictionary(PLAN).verdict == "25 of 25 columns and 4 of 4 tables have a meaning."
    assert dictionary(Plan("none", MetaData())).verdict == "The plan has no table."


def test_a_missing_meaning_is_none(report):
    meanings = cells(report, "child: columns", "meaning")
    assert meanings["id"] == "Which one"
    assert meanings["name"] is None
    assert report.blocks[1].verdict == ""
    assert report.blocks[1].blocks[0] == blocks.Text("—; 5,000 rows planned; kept 30 days by at.")


def test_defaults_say_who_fills_them_in(report):
    assert cells(report, "child: columns", "default") == {
        "id": "identity, always",
        "parent_id": None,
        "name": "'nobody'",
        "shout": "generated as (upper(name)) stored",
        "at": "now(); on update: now()",
        "number": "nextval('numbers')",
        "flags": "dict() in the application",
        "level": "3 in the application",
        "trigger": "set by the server",
    }


def test_constraints_are_told_in_full(report):
    assert cells(report, "child: constraints", "definition") == {
        None: "PRIMARY KEY (id)",
        "to_parent": "FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE",
        "one_name": "UNIQUE NULLS NOT DISTINCT (parent_id, name)",
        "level_known": "CHECK (level BETWEEN 1 AND 5)",
        "name_given": "CHECK (name LIKE '_%')",
    }


def test_indexes_are_told_in_full(report):
    assert cells(report, "child: indexes", "definition") == {
        "by_name": "(lower(name)) INCLUDE (level)",
        "recent": "(parent_id, at DESC) WHERE level > 2",
        "words": "USING gin (flags)",
    }
    assert cells(report, "child: indexes", "unique") == {"by_name": "yes", "recent": "no", "words": "no"}


def test_queries_are_listed_with_each_table_they_touch(report):
    assert set(cells(report, "child: queries that touch it", "calls")) == {"family", "alias", "born", "by hand"}
    assert set(cells(report, "parent: queries that touch it", "calls")) == {"family", "gone"}


def test_decisions_are_kept(report):
    (section,) = [b for b in report.blocks if isinstance(b, blocks.Section) and b.title == "child"]
    assert section.blocks[1] == blocks.Text("Names may repeat among strangers.")


def test_a_strangers_schema_is_told_too(schemas):
    report = dictionary(schemas.ugly())
    table = schemas.LONG + "_t"
    assert cells(report, f"{table}: columns", "type") == {
        "a": "integer",
        "b": "text[]",
        "e": '"Big Enum"',
        "e2": "varchar(1)",
        "y": "year",
        "unknown": "unknown",
    }
    assert report.verdict.endswith("; the type of 2 is unknown.")
    assert cells(report, f"{table}: enum values", "values")["e2"] == "x, y"
    assert "v_active (view)" in [b.title for b in report.blocks if isinstance(b, blocks.Section)]
    assert cells(report, "Tables", "kind")["v_active"] == "view"
    assert "REFERENCES nowhere.tab (id)" in str(cells(report, "pk: constraints", "definition"))


def test_many_tables_are_folded(schemas):
    assert all(b.folded for b in dictionary(schemas.islands(9)).blocks if isinstance(b, blocks.Section))
    assert not any(b.folded for b in dictionary(PLAN).blocks if isinstance(b, blocks.Section))
