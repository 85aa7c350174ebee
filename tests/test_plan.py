from datetime import timedelta

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    cast,
    func,
    insert,
    select,
    text,
)

from dbplan.ddl import statements
from dbplan.errors import UnknownName, UsageError
from dbplan.plan import Plan, Query, compared_column


@pytest.fixture
def metadata() -> MetaData:
    metadata = MetaData()
    Table("users", metadata, Column("id", Integer, primary_key=True), Column("email", Text))
    Table(
        "order",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("user_id", ForeignKey("users.id")),
        schema="shop",
    )
    return metadata


def test_a_plan_is_out_of_reach_of_later_changes(metadata: MetaData):
    Sequence("ticket", metadata=metadata)
    plan = Plan("shop", metadata)
    Table("late", metadata, Column("id", Integer, primary_key=True))
    assert [table.fullname for table in plan.tables] == ["shop.order", "users"]
    assert "ticket" in plan.metadata._sequences


def test_ask_gives_a_new_plan(metadata: MetaData):
    users = metadata.tables["users"]
    plan = Plan("shop", metadata)
    asked = plan.ask("by email", select(users).where(users.c.email == bindparam("email")), per_second=50)
    assert plan.queries == ()
    assert asked.query("by email").per_second == 50
    assert asked.query("by email").parameters == ("email",)


def test_an_unknown_table_query_or_column_says_what_there_is(metadata: MetaData):
    plan = Plan("shop", metadata).ask("all", text("SELECT 1"))
    with pytest.raises(UnknownName, match=r"tables are: shop.order, users; did you mean 'users'"):
        plan.table("user")
    with pytest.raises(UnknownName, match="queries are: all"):
        plan.query("none")
    with pytest.raises(UnknownName, match='no column "seen" in table "users"'):
        Plan("shop", metadata, retention={"users.seen": timedelta(days=1)})


@pytest.mark.parametrize("rows", [{"users": -1}, {"nobody": 5}])
def test_impossible_row_counts_are_refused(metadata: MetaData, rows: dict[str, int]):
    with pytest.raises(UsageError):
        Plan("shop", metadata, rows=rows)


@pytest.mark.parametrize("weight", [-1, float("nan"), "much"])
def test_impossible_priorities_are_refused(metadata: MetaData, weight: float):
    with pytest.raises(UsageError, match="a priority is a number, 0 or more"):
        Plan("shop", metadata, priorities={"speed": weight})


def test_two_queries_of_one_name_are_refused(metadata: MetaData):
    with pytest.raises(UsageError, match='two queries named "all"'):
        Plan("shop", metadata).ask("all", text("SELECT 1")).ask("all", text("SELECT 2"))


def test_negative_calls_are_refused():
    with pytest.raises(UsageError, match="per_second is -1"):
        Query("q", text("SELECT 1"), per_second=-1)


def test_a_parameter_is_drawn_from_the_column_it_is_compared_with(metadata: MetaData):
    users = metadata.tables["users"]
    query = Query("q", select(users).where(bindparam("who") == users.c.email).limit(bindparam("n")))
    assert str(compared_column(query, "who")) == "users.email"
    assert compared_column(query, "n") is None


def test_a_parameter_is_found_inside_functions_and_casts(metadata: MetaData):
    users = metadata.tables["users"]
    lowered = func.lower(users.c.email) == func.lower(bindparam("who"))
    query = Query("q", select(users).where(lowered, cast(users.c.id, Text) == bindparam("key")))
    assert str(compared_column(query, "who")) == "users.email"
    assert str(compared_column(query, "key")) == "users.id"


def test_writes_are_told_from_reads(metadata: MetaData):
    users = metadata.tables["users"]
    assert Query("q", insert(users)).writes
    assert not Query("q", select(users)).writes


def test_the_repr_is_short_and_stable(metadata: MetaData):
    assert repr(Plan("shop", metadata)) == "Plan('shop', 2 tables, 0 queries)"


def test_conditions_of_columns_are_conditions_of_the_table():
    metadata = MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"})
    checks = [CheckConstraint("n > 0", name="positive", info={"why": "x"}), CheckConstraint("n < 9", name="small")]
    Table("t", metadata, Column("n", Integer, *checks), Column("m", Integer, CheckConstraint("m > n", name="more")))
    plan = Plan("p", Plan("p", metadata).metadata)
    found = [c for c in plan.table("t")._sorted_constraints if isinstance(c, CheckConstraint)]
    assert [str(c.name) for c in found] == ["ck_t_positive", "ck_t_small", "ck_t_more"]
    assert (found[0].info, str(found[0].sqltext)) == ({"why": "x"}, "n > 0")
    assert [len(column.constraints) for column in plan.table("t").columns] == [0, 0]


def test_a_sequence_that_a_column_draws_from_is_copied_once():
    metadata = MetaData()
    sequence = Sequence("q", metadata=metadata)
    Table("t", metadata, Column("n", Integer, sequence, server_default=sequence.next_value()))
    made = [statement.sql for statement in statements(Plan("p", metadata), "postgresql")]
    assert made == ["CREATE SEQUENCE q", "CREATE TABLE t (\n    n INTEGER DEFAULT nextval('q')\n)"]


def test_constraints_without_names_on_the_same_columns_keep_their_order():
    metadata = MetaData()
    for name in "abcdefgh":
        Table(name, metadata, Column("id", Integer, primary_key=True))
    keys = (ForeignKey(f"{name}.id") for name in "abcdefgh")
    uniques = (UniqueConstraint("n", deferrable=True), UniqueConstraint("n", postgresql_nulls_not_distinct=True))
    Table("t", metadata, Column("n", Integer, *keys), *uniques)
    found = Plan("p", metadata).table("t")._sorted_constraints
    assert "".join(c.elements[0].target_fullname[0] for c in found if hasattr(c, "elements")) == "abcdefgh"
    assert [c.deferrable for c in found if isinstance(c, UniqueConstraint)] == [True, None]
