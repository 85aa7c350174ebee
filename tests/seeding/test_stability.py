"""A schema moves on and its data stay: what is added, removed or put elsewhere leaves every other cell as it was."""

import re
from functools import cache
from random import Random

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String, Table
from strange_schemas import strange_schema

from dbplan.errors import NotCovered, Unsatisfiable
from dbplan.plan import Plan, copy_metadata
from dbplan.seeding.run import prepare
from dbplan.sources import read

PLANS = ("clone_jobs", "credits", "store", "transcription", "wallet")
ROWS = 60


@cache
def plan_of(name):
    return read(name)


def cells(plan, rows):
    """Return every cell as it would be written, by table, part (fixed or generated) and column."""
    made, _ = prepare(plan, rows, 7)
    return {
        (name, place, column): values
        for name, source in made.sources.items()
        for place, part in enumerate(source.parts)
        for column, values in (of_fixed(part) if part.given else of_generated(part)).items()
    }


def of_fixed(part):
    frames = {row: part.frame(part.order[row : row + 1]) for row in range(part.rows)}
    return {
        column: {row: plain(frames[row][column]) for row, given in enumerate(part.given) if column in given.cells}
        for column in part.makers
    }


def of_generated(part):
    frame = part.frame(part.order)
    return {column: plain(frame[column]) for column in part.makers}


def plain(cells):
    return [None if null else value for value, null in zip(cells.values.tolist(), cells.null.tolist(), strict=True)]


@cache
def before(name):
    """Return the rows of every table, by which all later runs go, and every cell."""
    plan = plan_of(name)
    made, _ = prepare(plan, ROWS, 7)
    rows = {table: source.rows if not source.given else 0 for table, source in made.sources.items()}
    return rows, cells(plan, rows)


def grown(plan, order):
    """Return a plan whose tables have more columns, all in the order that `order` gives them."""
    metadata = copy_metadata(plan.metadata)
    metadata.info["plan"] = plan.name
    for table in list(metadata.tables.values()):
        add_to(table)
        table._columns._populate_separate_keys((column.key, column) for column in order(list(table.columns)))
    return Plan(plan.name, metadata, rows=plan.rows, recipe=plan.recipe)


def add_to(table):
    """Put into a table a text, a number, one that a CHECK binds, a code that is there once, and a foreign key."""
    table.append_column(Column("zz_remark", String(30)))
    table.append_column(Column("aa_shoe_size", Integer, nullable=False, default=40))
    table.append_column(Column("mm_grams", Integer, nullable=False, default=25))
    table.append_constraint(CheckConstraint("mm_grams BETWEEN 5 AND 900 AND mm_grams % 5 = 0", name="sold_by_five"))
    table.append_column(Column("aa_badge", String(12), unique=True))
    parent = first_with_a_plain_key(table.metadata)
    if table is not parent:
        (key,) = parent.primary_key.columns
        table.append_column(Column("aa_seen_with", key.type, ForeignKey(key), nullable=True))


def first_with_a_plain_key(metadata):
    """Return the same table for all tables of a plan, one that refers to none of them."""
    names = [table.key for table in plan_of(metadata.info["plan"]).metadata.sorted_tables]
    return next(t for t in (metadata.tables[name] for name in names) if len(t.primary_key.columns) == 1)


def at_end(columns):
    return columns


def backwards(columns):
    return columns[::-1]


def assert_unchanged(name, plan):
    rows, old = before(name)
    new = cells(plan, {table: count for table, count in rows.items() if table in plan.metadata.tables})
    known = {place for place in old if place[0] in plan.metadata.tables}
    assert known <= set(new)
    assert [place for place in sorted(known) if new[place] != old[place]] == []
    return set(new) - known


@pytest.mark.parametrize(
    ("name", "order"), [*((name, at_end) for name in PLANS), ("credits", backwards), ("wallet", backwards)]
)
def test_new_columns_at_the_end_or_in_front_leave_every_other_cell(name, order):
    tables = plan_of(name).metadata.tables
    added = assert_unchanged(name, grown(plan_of(name), order))
    assert {table for table, _, column in added if column == "mm_grams"} == set(tables)
    assert sum(column == "aa_seen_with" for _, _, column in added) >= len(tables) - 1


@pytest.mark.parametrize("name", PLANS)
def test_a_new_table_that_refers_to_an_old_one_leaves_every_other_cell(name):
    plan = plan_of(name)
    metadata = copy_metadata(plan.metadata)
    keyed = [table for table in metadata.sorted_tables if len(table.primary_key.columns) == 1]
    for number, table in enumerate(keyed):
        (key,) = table.primary_key.columns
        columns = Column("id", Integer, primary_key=True), Column("of", key.type, ForeignKey(key), nullable=False)
        Table(f"{'az'[number % 2]}_fan_{number}", metadata, *columns, Column("note", String(40)))
    assert assert_unchanged(name, Plan(name, metadata, rows=plan.rows, recipe=plan.recipe))


def without(text, key):
    """Return a recipe without what it says of a table."""
    return re.sub(rf"(?ms)^\[+(profiles\.\w+\.)?tables\.{key}[\].].*?(?=^\[|\Z)", "", text)


@pytest.mark.parametrize("name", PLANS)
def test_tables_that_nobody_refers_to_can_go(name, tmp_path):
    plan = plan_of(name)
    text = plan.recipe.read_text("utf-8")
    tables = plan.metadata.tables
    referred = {
        f.column.table.key for table in tables.values() for f in table.foreign_keys if f.column.table is not table
    }
    alone = sorted(key for key in set(tables) - referred if not re.search(rf"\b{key}\b", without(text, key)))
    assert alone
    metadata, recipe = copy_metadata(plan.metadata), tmp_path / "recipe.toml"
    for key in alone:
        metadata.remove(metadata.tables[key])
        text = without(text, key)
    recipe.write_text(text, "utf-8")
    kept = {table: rows for table, rows in plan.rows.items() if table not in alone}
    assert_unchanged(name, Plan(name, metadata, rows=kept, recipe=recipe))


@pytest.mark.parametrize("number", range(8))
def test_a_strange_schema_with_more_columns_the_other_way_round_holds_the_same(number):
    plan = Plan("strange", strange_schema(Random(number)))
    metadata = copy_metadata(plan.metadata)
    for table in list(metadata.tables.values()):
        table.append_column(Column("zz remark", String(30)))
        table.append_column(Column("aa_size", Integer))
        table._columns._populate_separate_keys((column.key, column) for column in list(table.columns)[::-1])
    try:
        made, _ = prepare(plan, 25, 7)
    except (Unsatisfiable, NotCovered):
        pytest.skip("this schema is refused")
    rows = {name: source.rows for name, source in made.sources.items()}
    old, new = cells(plan, rows), cells(Plan("strange", metadata), rows)
    assert [place for place in sorted(old) if list(map(repr, new[place])) != list(map(repr, old[place]))] == []
