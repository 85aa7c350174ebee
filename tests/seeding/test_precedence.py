"""What comes first: no row is created before one that it refers to, whatever picks the parent."""

import numpy as np
import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed
from dbplan.seeding.run import prepare

ROWS = {"users": 60, "rooms": 25, "tasks": 400}


def key():
    return Column("id", Integer, primary_key=True)


def created():
    return Column("created_at", DateTime, nullable=False)


def to(name, target, **options):
    return Column(name, ForeignKey(f"{target}.id"), **{"nullable": False, **options})


def plan(*columns, recipe=None, tables=()):
    """Return users, rooms that belong to a user, and tasks of those columns."""
    m = MetaData()
    Table("users", m, key(), created())
    Table("rooms", m, key(), to("user_id", "users"), Column("floor", Integer, nullable=False), created())
    Table("tasks", m, key(), *columns, created())
    for name, more in tables:
        Table(name, m, key(), *more, created())
    return Plan(name="house", metadata=m, recipe=recipe)


def too_early(made, child="tasks"):
    """Return how many rows there are of a table, and how many came before a row that they refer to."""
    source, early, met = made.sources[child], 0, 0
    frame = source.frame(np.arange(source.rows))
    for reference in source.references:
        parent = made.sources[reference.parent]
        whole = parent.frame(np.arange(parent.rows))
        names = (parent.timed, *reference.targets)
        there = {k: t for t, *k in zip(*(whole[n].values.tolist() for n in names), strict=True) for k in [tuple(k)]}
        cells = [frame[name] for name in reference.columns]
        none = np.logical_or.reduce([cell.null for cell in cells])
        keys = zip(*(cell.values.tolist() for cell in cells), strict=True)
        for at, found, null in zip(frame[source.timed].values.tolist(), keys, none.tolist(), strict=True):
            met += not null
            early += not null and at < there[found]
    return met, early


SHAPES = {
    "beside the lead": lambda: [to("room_id", "rooms"), to("user_id", "users")],
    "sometimes": lambda: [to("room_id", "rooms"), to("user_id", "users", nullable=True)],
    "without a lead": lambda: [to("user_id", "users", nullable=True)],
    "two of one table that differ": lambda: [
        to("giver_id", "users"), to("taker_id", "users"), CheckConstraint("giver_id <> taker_id", name="another")
    ],
    "a unique pair": lambda: [to("room_id", "rooms"), to("user_id", "users"), UniqueConstraint("room_id", "user_id")],
    "its own table": lambda: [to("room_id", "rooms"), to("parent_id", "tasks", nullable=True)],
    "one after the other": lambda: [to("room_id", "rooms"), to("next_id", "tasks", nullable=True, unique=True)],
    "where a CHECK asks for it": lambda: [
        to("room_id", "rooms"), to("user_id", "users", nullable=True), Column("state", String(10), nullable=False),
        CheckConstraint("state IN ('open', 'done')", name="known"),
        CheckConstraint("state = 'open' OR user_id IS NOT NULL", name="doer"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_no_row_comes_before_one_that_it_refers_to(shape):
    made, _ = prepare(plan(*SHAPES[shape]()), ROWS, 7)
    met, early = too_early(made)
    assert met > 300
    assert early == 0


def test_a_row_of_each_comes_after_it():
    columns = [to("user_id", "users", unique=True), Column("last_used", DateTime, nullable=False)]
    made, _ = prepare(plan(*columns), {"users": 300, "tasks": 300}, 7)
    assert too_early(made) == (300, 0)
    source = made.sources["tasks"]
    written = source.frame(source.order)
    assert (np.diff(written["created_at"].values) >= np.timedelta64(0)).all()
    assert written["id"].values.tolist() == list(range(1, 301))
    assert (written["last_used"].values > written["created_at"].values).all()


def tenants():
    m = MetaData()
    Table("tenants", m, key(), created())
    for name in ("projects", "people"):
        Table(name, m, key(), to("tenant_id", "tenants"), UniqueConstraint("tenant_id", "id"), created())
    Table(
        "tasks", m, key(), Column("tenant_id", Integer, nullable=False), Column("project_id", Integer, nullable=False),
        Column("person_id", Integer, nullable=False), created(),
        ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["people.tenant_id", "people.id"]),
    )  # fmt: skip
    return Plan(name="tenants", metadata=m)


def test_of_the_same_tenant_the_parent_is_there_as_well():
    rows = {"tenants": 8, "projects": 60, "people": 400, "tasks": 300}
    made, _ = prepare(tenants(), rows, 7)
    assert too_early(made) == (600, 0)


CHAIN = """[tables.entries]
per = "user_id"
[tables.entries.columns]
after = { level = { min = 0, max = 100, cycle = 5 } }
before = { previous = "after", first = 0 }
"""


def test_a_chain_keeps_its_order_of_time(tmp_path):
    path = tmp_path / "house.toml"
    path.write_text(CHAIN)
    columns = [to("user_id", "users"), to("task_id", "tasks"), Column("before", Integer), Column("after", Integer)]
    columns.append(UniqueConstraint("user_id", "task_id"))
    made, _ = prepare(
        plan(to("user_id", "users"), recipe=path, tables=[("entries", columns)]), {**ROWS, "entries": 900}, 7
    )
    assert too_early(made, "entries") == (1800, 0)
    source = made.sources["entries"]
    frame = source.frame(np.arange(source.rows))
    same = np.diff(source.fan.parent(np.arange(source.rows))) == 0
    assert (np.diff(frame["created_at"].values)[same] > np.timedelta64(0)).all()
    assert len(set(zip(frame["user_id"].values.tolist(), frame["task_id"].values.tolist(), strict=True))) == 900


def test_one_parent_leaves_times_and_fan_out_as_they_were():
    made, _ = prepare(plan(to("room_id", "rooms")), ROWS, 7)
    source, rooms = made.sources["tasks"], made.sources["rooms"]
    rows = np.arange(400)
    first = rows[source.fan.rank(rows) == 0]
    start = rooms.frame(source.fan.parent(first))["created_at"].values
    share = (source.frame(first)["created_at"].values - start) / (np.datetime64("2026-01-01") - start)
    size = source.fan.size(first)
    assert (share >= 0.05 / size - 1e-9).all()
    assert (share <= 0.95 / size).all()


@pytest.mark.parametrize("ends", ["min = 2024-06-01, max = 2025-10-31", "max = 2025-10-31", "min = 2024-06-01"])
def test_a_time_between_ends_of_the_recipe_follows_its_parents(ends, tmp_path):
    path = tmp_path / "house.toml"
    path.write_text(
        "[tables.users.columns]\ncreated_at = { max = 2025-10-30 }\n"
        f"[tables.tasks.columns]\ncreated_at = {{ {ends} }}\n"
    )
    house = plan(to("user_id", "users"), recipe=path)
    made, _ = prepare(house, ROWS, 7)
    assert too_early(made) == (400, 0)
    times = made.sources["tasks"].frame(np.arange(400))["created_at"].values
    low = np.datetime64("2024-06-01" if "min" in ends else "2024-01-01")
    assert low <= times.min() <= times.max() <= np.datetime64("2025-10-31" if "max" in ends else "2026-01-01")
    why = explain(house, rows=ROWS).frames["Columns of tasks"].set_index("column")["values"]
    assert why["created_at"].startswith(f"ascending from the users row's own time, {ends.split(',')[0]}")


def test_a_circle_that_waits_for_itself_is_left_as_it_is():
    m = MetaData()
    Table(
        "a",
        m,
        key(),
        Column(
            "b_id", ForeignKey("b.id", deferrable=True, initially="DEFERRED", use_alter=True, name="ab"), nullable=False
        ),
        created(),
    )
    Table("b", m, key(), Column("a_id", ForeignKey("a.id"), nullable=False), created())
    made, _ = prepare(Plan(name="circle", metadata=m), 50, 7)
    assert sorted(too_early(made, name)[1] > 0 for name in "ab") == [False, True]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_rows_have_the_cells_that_they_have_in_order(shape):
    made, _ = prepare(plan(*SHAPES[shape]()), ROWS, 7)
    source = made.sources["tasks"]
    rows = np.array([399, 3, 3, 250, 0])
    whole, part = source.frame(np.arange(400)), source.frame(rows)
    for name in source.makers:
        there = ~part[name].null
        assert part[name].null.tolist() == whole[name].take(rows).null.tolist(), name
        assert part[name].values[there].tolist() == whole[name].take(rows[there]).values.tolist(), name


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_what_is_picked_by_time_is_written(on):
    house = plan(*SHAPES["beside the lead"]())
    with sandbox(house, on) as stage:
        assert seed(stage, rows=500).ok
