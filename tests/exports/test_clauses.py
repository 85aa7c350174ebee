"""Constraints as exporters are given them: those that PostgreSQL makes, by the names that it gives them."""

import pytest
import sqlalchemy as sa
from exports.databases import empty_stage
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import CreateTable

from dbplan.exports.clauses import names

DIALECT = pg.dialect()
KEYS = "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype IN ('p', 'u')"
CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'"
columns = st.lists(st.sampled_from("ab"), min_size=1, max_size=2, unique=True)
timings = st.sampled_from(
    [{}, {"deferrable": True}, {"initially": "DEFERRED", "deferrable": True}, {"deferrable": False}]
)


@pytest.fixture(scope="module")
def server():
    with empty_stage() as stage, stage.engine.connect() as connection:
        yield connection


@st.composite
def tables(draw):
    """Return a table with a primary key, mostly, and up to five unique keys, of which some are the same."""
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer), sa.Column("b", sa.Integer))
    named = iter(["one", "two", "three", "four", "five", "six"])
    if draw(st.booleans()):
        name = draw(st.sampled_from([None, "own key"]))
        table.append_constraint(sa.PrimaryKeyConstraint(*draw(columns), name=name, **draw(timings)))
    for _ in range(draw(st.integers(0, 5))):
        distinct = {"postgresql_nulls_not_distinct": draw(st.sampled_from([None, False, True]))}
        included = {"postgresql_include": draw(st.sampled_from([None, ["a"]]))}
        name = draw(st.sampled_from([None, next(named)]))
        table.append_constraint(sa.UniqueConstraint(*draw(columns), name=name, **distinct, **included, **draw(timings)))
    return table


def test_keys_are_those_that_the_server_makes_of_them(server):
    @given(tables())
    def check(table):
        server.execute(CreateTable(table))
        there = set(server.exec_driver_sql(KEYS).scalars())
        server.rollback()
        assert set(names(table, DIALECT).values()) == there

    check()


def test_of_unique_keys_that_are_one_the_first_name_is_told():
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer, unique=True))
    table.append_constraint(sa.UniqueConstraint("a", name="two", deferrable=False))
    table.append_constraint(sa.UniqueConstraint("a", name="three"))
    assert [name for one, name in names(table, DIALECT).items() if isinstance(one, sa.UniqueConstraint)] == ["two"]


@pytest.mark.parametrize(
    ("columns", "sql"),
    [
        (("a-b", "b"), "\"a-b\" <> 'b'"),
        (("a", "a b"), "\"a b\" > '0'::text OR \"a b\" <> 'it''s a'"),
        (("lower", "text"), 'lower("lower") <> upper("lower")::text'),
        (("A", "a"), "A <> 'A'"),
        (('a"b', "a"), '"a""b" <> a'),
        (("été", "t"), "été > 't'"),
    ],
)
def test_a_check_without_a_name_is_called_as_the_server_calls_it(server, columns, sql):
    table = sa.Table("t", sa.MetaData(), *(sa.Column(name, sa.Text) for name in columns))
    table.append_constraint(sa.CheckConstraint(sql.replace("::", "\\:\\:")))
    server.execute(CreateTable(table))
    (made,) = server.exec_driver_sql(CHECKS).scalars()
    server.rollback()
    assert made in names(table, DIALECT).values()
