import pytest
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, MetaData, Table, UniqueConstraint, func
from sqlalchemy import text as sql_text

from dbplan.diagram.relations import relations


def only(*parts, target=("id",), **options):
    m = MetaData()
    Table("parent", m, Column("id", Integer, primary_key=True), Column("b", Integer), UniqueConstraint("id", "b"))
    Table("child", m, *parts, **options)
    edges, lost = relations(m.tables.values())
    assert lost == ()
    (edge,) = edges
    return edge


def fk(**options):
    return Column("p", Integer, ForeignKey("parent.id"), **options)


def pair(first_null, second_null, **options):
    return (
        Column("p", Integer, nullable=first_null),
        Column("q", Integer, nullable=second_null),
        ForeignKeyConstraint(["p", "q"], ["parent.id", "parent.b"], **options),
    )


PARENTS = {
    "not null": (False, [fk(nullable=False)]),
    "nullable": (True, [fk()]),
    "primary key": (False, [fk(primary_key=True)]),
    "one of two is nullable": (True, pair(False, True)),
    "match full, one of two is nullable": (False, pair(False, True, match="FULL")),
    "match full, both are nullable": (True, pair(True, True, match="FULL")),
}


@pytest.mark.parametrize("case", PARENTS)
def test_a_parent_may_be_missing_where_the_key_may_be_null(case):
    optional, parts = PARENTS[case]
    assert only(*parts).optional is optional


CHILDREN = {
    "plain": (False, [fk()]),
    "unique": (True, [fk(unique=True)]),
    "primary key": (True, [fk(primary_key=True)]),
    "unique index": (True, [fk(), Index("i", "p", unique=True)]),
    "plain index": (False, [fk(), Index("i", "p")]),
    "partial unique index": (False, [fk(), Index("i", "p", unique=True, postgresql_where=sql_text("p > 0"))]),
    "unique index on an expression": (False, [fk(), Index("i", func.abs(sql_text("p")), unique=True)]),
    "part of a wider primary key": (False, [fk(primary_key=True), Column("n", Integer, primary_key=True)]),
    "part of a wider unique key": (False, [fk(), Column("n", Integer), UniqueConstraint("p", "n")]),
    "wider than a unique key": (True, [*pair(True, True), UniqueConstraint("p")]),
    "as wide as a unique key": (True, [*pair(True, True), UniqueConstraint("q", "p")]),
}


@pytest.mark.parametrize("case", CHILDREN)
def test_a_child_is_single_where_the_key_holds_a_unique_one(case):
    single, parts = CHILDREN[case]
    assert only(*parts).single is single


def test_a_composite_key_is_one_relation_with_its_columns_in_order(schemas):
    edges, _ = relations(schemas.shop().tables)
    (refund,) = [edge for edge in edges if edge.child == "refunds"]
    assert str(refund) == "refunds (order_id, line_no) → order_lines (order_id, line_no)"


def test_a_key_that_leads_nowhere_is_told_apart(schemas):
    _, lost = relations(schemas.ugly().tables)
    assert [str(edge) for edge in lost] == ["pk.fk → nowhere.tab.id"]


def test_a_key_to_a_missing_column_is_told_apart():
    m = MetaData()
    Table("parent", m, Column("id", Integer, primary_key=True))
    Table("child", m, Column("p", ForeignKey("parent.gone")))
    edges, lost = relations(m.tables.values())
    assert (edges, [str(edge) for edge in lost]) == ((), ["child.p → parent.gone"])
