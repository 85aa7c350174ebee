"""Plans as DBML: its own parser reads the plan back, and its exporter makes the same database but for what is lost."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.random_plans import drawn
from exports.strangers import stranger
from exports.test_prisma_random import plans
from node_tools import node
from sqlalchemy.dialects import postgresql as pg

from dbplan.comparison import differences
from dbplan.ddl import translated
from dbplan.domains import PLANS
from dbplan.exports.beyond import mended, script
from dbplan.exports.clauses import constraints
from dbplan.exports.dbml import write
from dbplan.exports.facts import is_unique, server
from dbplan.plan import Plan
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.dbml"
LATE = " DEFERRABLE INITIALLY IMMEDIATE"
"""What DBML's exporter adds to every foreign key, whatever the file says."""


def plain():
    """Return a schema of what DBML's exporter can write as SQL: it escapes no quote and folds enums in schemas."""
    m = sa.MetaData()
    mood = pg.ENUM("calm", "very sad", name="mood", metadata=m)
    sa.Sequence("ticket", start=5, metadata=m)
    sa.Table(
        "Parent", m,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("code", sa.Text, unique=True, nullable=False, comment='A "code" of two\nlines'),
        sa.Column("mood", mood, server_default="very sad"), sa.Column("moods", pg.ARRAY(mood)),
        sa.Column("at", pg.TIMESTAMP(True, 3), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.Column("sum", sa.Numeric(10, 2), server_default=sa.text("1.50")),
        sa.Column("far", sa.BigInteger, server_default=sa.text("9007199254740993")),
        sa.Column("said", sa.Text, server_default="it's\na `default`"), sa.Column("doc", pg.JSONB, server_default="{}"),
        sa.Column("real", sa.Double), sa.Column("reals", pg.ARRAY(sa.Double)),
        sa.Column("bits", pg.BIT(7, varying=True)),
        sa.Column("no", sa.BigInteger, server_default=sa.text("nextval('ticket'::regclass)")),
        sa.Column("twice", sa.BigInteger, sa.Computed("id * 2", persisted=True)),
        sa.CheckConstraint("code <> 'it''s'"), sa.CheckConstraint("sum > 0", name="Positive sum"),
        comment="Of two\nlines",
    )  # fmt: skip
    sa.Table(
        "child", m,
        sa.Column("a", sa.Integer, primary_key=True), sa.Column("order", sa.Text, primary_key=True),
        sa.Column("parent", sa.ForeignKey("Parent.code", ondelete="SET NULL", onupdate="CASCADE"), unique=True),
        sa.Column("up_a", sa.Integer), sa.Column("up_order", sa.Text),
        sa.ForeignKeyConstraint(["up_a", "up_order"], ["Two words.child.a", "Two words.child.order"], name="Up there"),
        sa.Index("of an expression", sa.text("lower(up_order)"), "a"),
        sa.Index("of some", "up_a", unique=True, postgresql_where=sa.text("up_a > 0")),
        sa.Index("turned", sa.desc("up_a")), sa.Index("hashed", "up_order", postgresql_using="hash"),
        schema="Two words",
    )  # fmt: skip
    sa.Table("view", m, sa.Column("a", sa.Integer), info={"is_view": True, "view": 'SELECT a FROM "Two words".child'})
    m.info["dialect"] = "postgresql"
    return Plan("plain", m)


MADE = {**PLANS, "plain": None}
READ = {**MADE, "stranger": None}


def plan(name):
    return {"plain": plain, "stranger": stranger}[name]() if name in ("plain", "stranger") else read(name)


def asked(folder, written, server="postgres"):
    """Return by name what DBML's parser reads in each file."""
    paths = {name: folder / f"{number}.dbml" for number, name in enumerate(written)}
    for name, path in paths.items():
        path.write_text(next(iter(written[name].files.values())), "utf-8")
    answers = json.loads(node("dbml.mjs", server, *paths.values()))
    found = {name: answers[str(path)] for name, path in paths.items()}
    assert all(answer["ok"] for answer in found.values()), found
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    written = {name: write(plan(name), "postgresql") for name in READ}
    return written, asked(tmp_path_factory.mktemp("dbml"), written)


@pytest.mark.parametrize("name", MADE)
def test_what_dbml_makes_is_the_plan_but_for_what_is_lost(made, name):
    written, answers = made
    wanted, lost = catalog_of(plan(name)), written[name].lost
    before = [finding.mend for finding in lost if finding.mend.startswith("CREATE ")]
    with empty_database(*before) as stage:
        run(stage, answers[name]["sql"].replace(LATE, ""))
        found = differences(taken(stage), wanted)
        places = {_place(finding) for finding in lost}
        assert [d for d in found if _place(d) not in places and not _is_servers_name(d, places)] == []
        told = {_place(finding) for finding in lost if not finding.mend.startswith("CREATE ")}
        assert told - {_place(difference) for difference in found} == set()
        run(stage, script(f for f in mended(plan(name), lost, "postgresql") if f.mend not in before))
        rest = differences(taken(stage), wanted)
    assert [(d.place.table, d.what) for d in rest] == REST.get(name, [])


REST = {"plain": [("Parent", "column default"), ("Parent", "column generated")]}
"""What SQL that follows does not mend, either."""


def _place(fact):
    """Return where a fact holds; a unique constraint of the plan is an index there."""
    return fact.place.table, fact.place.column, fact.place.index or fact.place.constraint


def _is_servers_name(difference, places):
    """Say whether a primary key has the name that the server gives it, instead of its own."""
    own = (difference.place.table, "", f"pk_{difference.place.table}")
    return difference.place.constraint.endswith("_pkey") and own in places


@pytest.mark.parametrize("name", READ)
def test_what_dbml_reads_is_the_plan(made, name):
    written, answers = made
    same_model(plan(name), answers[name]["model"], written[name].lost)


def same_model(found, model, lost):
    """Assert that what DBML's parser has read is the plan, but for what is lost."""
    tables = {(s["name"], t["name"]): t for s in model["schemas"] for t in s["tables"]}
    wanted = {(t.schema or "public", t.name): t for t in found.tables if not t.info.get("is_view") and len(t.columns)}
    assert set(tables) == set(wanted)
    places = {(f.place.table, f.place.column or f.place.constraint or f.place.index) for f in lost}
    left = {(f.place.table, f.place.column) for f in lost if "backtick" in f.message}
    for key, table in wanted.items():
        _same_columns(table, tables[key], left)
        _same_keys(table, tables[key])
        assert tables[key]["note"] == table.comment
        checks = [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        said = [c for c in model["checks"] if (c["schema"], c["table"]) == key]
        assert len(said) == sum((table.key, str(c.name)) not in places for c in checks)
        assert {str(i.name)[:55] for i in table.indexes} <= {i.get("name", "")[:55] for i in tables[key]["indexes"]}
    _same_references(wanted.values(), model)
    enums = {e["name"]: [v["name"] for v in e["values"]] for s in model["schemas"] for e in s["enums"]}
    for kind in (o for o in found.metadata._objects if isinstance(o, sa.Enum) and o.native_enum and o.name):
        assert enums[kind.name] == [label for label in kind.enums if label]


def _same_columns(table, read_back, left):
    assert [field["name"] for field in read_back["fields"]] == [column.name for column in table.columns]
    for column, field in zip(table.columns, read_back["fields"], strict=True):
        assert bool(field.get("not_null") or field["pk"]) == (not column.nullable)
        assert field["note"] == column.comment
        filled = column.server_default is not None and not column.computed and not column.identity
        assert bool(field.get("dbdefault")) == (filled and (table.key, column.name) not in left)


def _same_keys(table, read_back):
    single = [(field["name"],) for field in read_back["fields"] if field["pk"]]
    several = [tuple(c["value"] for c in i["columns"]) for i in read_back["indexes"] if i.get("pk")]
    key = tuple(table.primary_key.columns.keys())
    assert single + several == ([key] if key else [])
    made = constraints(table, server("postgresql"))  # of keys that say the same, PostgreSQL makes one
    uniques = {(field["name"],) for field in read_back["fields"] if field["unique"]}
    uniques |= {tuple(c["value"] for c in i["columns"]) for i in read_back["indexes"] if i.get("unique")}
    assert {tuple(c.columns.keys()) for c in made if isinstance(c, sa.UniqueConstraint)} <= uniques


def _same_references(tables, model):
    found = set()
    for ref in (ref for schema in model["schemas"] for ref in schema["refs"]):
        ends = [(e["schemaName"] or "public", e["tableName"], *e["fieldNames"]) for e in ref["endpoints"]]
        one_to_one = {e["relation"] for e in ref["endpoints"]} == {"1"}
        child, parent = reversed(ends) if one_to_one else ends
        found.add((child, parent, one_to_one, ref.get("onDelete"), ref.get("onUpdate")))
    assert found == {_reference(key) for table in tables for key in table.foreign_key_constraints}


def _reference(key):
    parent = key.elements[0].column.table
    child_end = (key.table.schema or "public", key.table.name, *(e.parent.name for e in key.elements))
    parent_end = (parent.schema or "public", parent.name, *(e.column.name for e in key.elements))
    actions = ((action or "").lower() or None for action in (key.ondelete, key.onupdate))
    return (child_end, parent_end, is_unique(key), *actions)


def test_the_file_is_as_it_was_agreed(made):
    written = made[0]["credits"].files["credits.dbml"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")


def test_a_random_plan_is_read_back(tmp_path):
    examples = {str(number): plan for number, plan in enumerate(drawn(plans(), 40))}
    written = {name: write(found, "postgresql") for name, found in examples.items()}
    for name, answer in asked(tmp_path, written).items():
        same_model(examples[name], answer["model"], written[name].lost)


@pytest.mark.parametrize(("dialect", "exporter"), [("mysql", "mysql"), ("mariadb", "mysql"), ("sqlite", "postgres")])
def test_other_servers(tmp_path, dialect, exporter):
    found = {n: read(n) for n in PLANS}
    found = {n: replace(p, metadata=translated(p.metadata, dialect).metadata, queries=()) for n, p in found.items()}
    written = {name: write(p, dialect) for name, p in found.items()}
    for name, answer in asked(tmp_path, written, exporter).items():
        same_model(found[name], answer["model"], written[name].lost)
