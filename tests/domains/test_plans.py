"""What holds for the schema of every plan: each check returns what is wrong, and is shown to find it."""

import datetime as dt
import re
import sys
from enum import StrEnum
from importlib import import_module

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from dbplan.columns import NAMING, Encrypted, UtcDateTime, words
from dbplan.domains import PLANS
from dbplan.linting import lint
from dbplan.plan import Plan

LONGEST_NAME = 63  # PostgreSQL cuts a longer one off, MariaDB refuses beyond 64


def checks(table):
    return {str(c.name): str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)}


def columns(plan):
    return [(table, column) for table in plan.tables for column in table.columns]


def meanings(plan):
    """Every table and column says what it means."""
    return [t.name for t in plan.tables if not t.comment] + [str(c) for _, c in columns(plan) if not c.comment]


def decisions(plan):
    """Every table says what was decided, in whole sentences."""
    said = {t.name: t.info.get("decisions", ()) for t in plan.tables}
    return [name for name, d in said.items() if not (isinstance(d, tuple) and d and all(s.endswith(".") for s in d))]


def names(plan):
    """Every constraint and index has a name that fits every server and says what it is and where."""
    named = [(t, c) for t in plan.tables for c in (*t.constraints, *t.indexes)]
    all_names = [str(c.name) for _, c in named]
    return [
        f"{table.name}: {thing.name}"
        for table, thing in named
        if not thing.name
        or len(thing.name) > LONGEST_NAME
        or not follows_convention(table, thing)
        or all_names.count(thing.name) > 1
    ]


def follows_convention(table, thing):
    kinds = {PrimaryKeyConstraint: "pk", ForeignKeyConstraint: "fk", UniqueConstraint: "uq", CheckConstraint: "ck"}
    kind = kinds.get(type(thing), "ix")
    if kind in ("ck", "ix"):  # whose last part is chosen by hand
        return re.fullmatch(rf"{kind}_{table.name}_[a-z0-9_]+", str(thing.name))
    words_ = {"table_name": table.name, "column_0_N_name": "_".join(c.name for c in thing.columns)}
    if kind == "fk":
        words_["referred_table_name"] = thing.referred_table.name
    return thing.name == NAMING[kind] % words_


def references(plan):
    """Every foreign key says what a delete does."""
    return [str(f.parent) for t in plan.tables for f in t.foreign_keys if not f.ondelete]


def reference_indexes(plan):
    """Every foreign key has an index, unique or primary key that starts with its columns."""
    found = []
    for table in plan.tables:
        leading = [[c.name for c in key.columns] for key in (table.primary_key, *uniques(table))]
        leading += [index_columns(index) for index in table.indexes]
        found += [str(k.name) for k in table.foreign_key_constraints if not begins_one_of(leading, k.columns.keys())]
    return found


def begins_one_of(paths, wanted):
    return any(set(path[: len(wanted)]) == set(wanted) for path in paths)


def uniques(table):
    return [c for c in table.constraints if isinstance(c, UniqueConstraint)]


def index_columns(index):
    """Return the leading columns; none of a partial index, but for one that leaves out the NULLs of its first."""
    leading = [getattr(getattr(e, "element", e), "name", None) for e in index.expressions]
    where = index.dialect_options["postgresql"]["where"]
    return leading if where is None or re.fullmatch(rf"(\w+\.)?{leading[0]} IS NOT NULL", str(where)) else []


def instants(plan):
    """Every time is an instant."""
    return [
        str(c)
        for _, c in columns(plan)
        if (c.name.endswith("_at") or c.type._type_affinity is DateTime) and not isinstance(c.type, UtcDateTime)
    ]


def bounds(plan):
    """Every text has a length, or a CHECK that bounds it; a sealed one is as long as what it seals."""
    return [
        str(c)
        for table, c in columns(plan)
        if c.type._type_affinity in (String, Text)
        and not isinstance(c.type, Encrypted)
        and getattr(c.type, "length", None) is None
        and not any(re.search(rf"length\({c.name}\) (<=?|BETWEEN) ", sql) for sql in checks(table).values())
    ]


def known_words(plan):
    """Every column of words has the CHECK `<column>_known` with the words of its type, and no other column has."""
    wanted = {
        (t.name, f"ck_{t.name}_{c.name}_known"): set(c.type.enums) for t, c in columns(plan) if isinstance(c.type, Enum)
    }
    there = {
        (t.name, name): set(re.findall(r"'([^']*)'", sql))
        for t in plan.tables
        for name, sql in checks(t).items()
        if name.endswith("_known")
    }
    return sorted(f"{place}" for place in wanted.keys() | there.keys() if wanted.get(place) != there.get(place))


def planned_rows(plan):
    """Every table has a planned row count above 0."""
    return [t.name for t in plan.tables if not plan.rows.get(t.name)]


CHECKS = (
    meanings, decisions, names, references, reference_indexes, instants, bounds, known_words, planned_rows,
)  # fmt: skip


@pytest.fixture(params=PLANS)
def plan(request):
    return import_module(PLANS[request.param]).PLAN


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_plan_keeps_to_it(plan, check):
    assert check(plan) == [], check.__doc__


def test_the_linter_finds_nothing_to_mend(plan):
    assert [finding.message for finding in lint(plan).actions] == []


def test_every_enumeration_is_the_type_of_a_column(plan):
    models = [module for name, module in sys.modules.items() if name.startswith(f"{PLANS[plan.name]}.models")]
    kinds = [kind for module in models for kind in vars(module).values() if isinstance(kind, type)]
    own = {kind for kind in kinds if issubclass(kind, StrEnum) and kind is not StrEnum}
    assert models
    assert own - {c.type.enum_class for _, c in columns(plan) if isinstance(c.type, Enum)} == set()


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def careless():
    """Return a plan that breaks every rule once."""
    metadata = MetaData()
    Table("parents", metadata, Column("id", Integer, primary_key=True, comment="Key"), info={"decisions": ("So",)})
    child = Table(
        "children",
        metadata,
        Column("id", Integer, primary_key=True, comment="Key"),
        Column("parent_id", ForeignKey("parents.id")),
        Column("note", Text, comment="Note"),
        Column("colour", words(Colour), comment="Colour"),
        Column("born", DateTime, comment="When"),
        CheckConstraint("colour IN ('red', 'green')", name="ck_children_colour_known"),
        CheckConstraint("length(note) > 0", name="ck_children_note_length"),
        comment="Children",
    )
    Index("by_parent", child.c.parent_id, postgresql_where=child.c.born.is_(dt.datetime(2026, 1, 1)))
    return Plan("careless", metadata, rows={"parents": 1})


@pytest.mark.parametrize(
    ("check", "found"),
    [
        (meanings, ["parents", "children.parent_id"]),
        (decisions, ["children", "parents"]),
        (names, ["children: by_parent", "children: None", "children: None", "parents: None"]),
        (references, ["children.parent_id"]),
        (reference_indexes, ["None"]),
        (instants, ["children.born"]),
        (bounds, ["children.note"]),
        (known_words, ["('children', 'ck_children_colour_known')"]),
        (planned_rows, ["children"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_check_finds_what_it_is_there_for(check, found):
    assert sorted(check(careless())) == sorted(found)


def test_a_check_of_names_finds_long_ones_doubles_and_strange_ones():
    metadata = MetaData(naming_convention=dict(NAMING))
    long = "x" * 60
    Table(
        "t",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("a", Integer, index=True),
        Column("b", Integer, unique=True),
        CheckConstraint("a > 0", name=long),
        UniqueConstraint("a", "b", name="ix_t_a"),
    )
    assert sorted(names(Plan("p", metadata))) == [f"t: ck_t_{long}", "t: ix_t_a", "t: ix_t_a"]


def test_every_check_is_shown_to_find_something():
    (cases,) = (mark.args[1] for mark in test_a_check_finds_what_it_is_there_for.pytestmark)
    assert {case[0] for case in cases} == set(CHECKS)
