"""What an index serves, and when one stands in for another: where linters of this kind go wrong."""

from __future__ import annotations

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from dbplan.linting.schema import Schema
from dbplan.linting.study import findings
from dbplan.plan import Plan


def found(metadata: MetaData, rule: str) -> list[str]:
    return [str(finding.place) for finding in findings(Schema(Plan("x", metadata))) if finding.rule == rule]


def child(*items, composite: bool = False) -> MetaData:
    """Return parent ← child with a simple or composite key and these indexes or constraints."""
    metadata = MetaData()
    keys = (Column("a", BigInteger, primary_key=True), Column("b", BigInteger, primary_key=composite))
    Table("parent", metadata, *keys)
    columns = [
        Column("a", BigInteger),
        Column("b", BigInteger),
        Column("c", Text),
        Column("d", DateTime(timezone=True)),
    ]
    names = ["a", "b"] if composite else ["a"]
    key = ForeignKeyConstraint(names, [f"parent.{name}" for name in names], ondelete="CASCADE", name="fk")
    Table("child", metadata, Column("id", BigInteger, Identity(), primary_key=True), *columns, key, *items)
    return metadata


@pytest.mark.parametrize(
    "item",
    [
        Index("i", "a"),
        Index("i", "a", "c"),
        Index("i", text("a DESC NULLS LAST")),
        Index("i", "a", postgresql_using="hash"),
        Index("i", "a", postgresql_where=text("a IS NOT NULL")),
        Index("i", "a", postgresql_where=text('("a" is not null)')),
        Index("i", "a", postgresql_include=["c"]),
        UniqueConstraint("a", "c"),
        Index("i", "a", unique=True),
    ],
    ids=lambda item: type(item).__name__,
)
def test_these_serve_a_foreign_key(item):
    assert not found(child(item), "fk-no-index")


@pytest.mark.parametrize(
    "item",
    [
        Index("i", "c", "a"),
        Index("i", "a", postgresql_where=text("c IS NOT NULL")),
        Index("i", "a", postgresql_where=text("a > 0")),
        Index("i", text("(a + 1)")),
        Index("i", "c", postgresql_include=["a"]),
        Index("i", "a", postgresql_using="brin"),
        UniqueConstraint("c", "a"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_these_do_not_serve_a_foreign_key(item):
    assert found(child(item), "fk-no-index") == ["child.a"]


@pytest.mark.parametrize(
    ("columns", "served"), [("ab", True), ("ba", True), ("bac", True), ("acb", False), ("a", False), ("cab", False)]
)
def test_a_composite_key_needs_its_columns_first_as_a_set(columns, served):
    assert bool(found(child(Index("i", *columns), composite=True), "fk-no-index")) is not served


def test_a_unique_part_of_a_composite_key_finds_its_row():
    assert not found(child(Index("i", "b", unique=True), composite=True), "fk-no-index")


def test_a_predicate_of_all_parts_serves_a_composite_key():
    where = text("a IS NOT NULL AND b IS NOT NULL")
    assert not found(child(Index("i", "a", "b", postgresql_where=where), composite=True), "fk-no-index")


def test_two_keys_over_one_column_want_one_index():
    metadata = child()
    table = metadata.tables["child"]
    Table("other", metadata, Column("a", BigInteger, primary_key=True))
    table.append_constraint(ForeignKeyConstraint(["a"], ["other.a"], name="fk_other"))
    assert found(metadata, "fk-no-index") == ["child.a"]


def indexed(*indexes: Index, extra=()) -> MetaData:
    metadata = MetaData()
    names = ("a", "b", "c", "d", "e")
    columns = [Column(name, Text, nullable=False) for name in names]
    Table("t", metadata, Column("id", BigInteger, Identity(), primary_key=True), *columns, *indexes, *extra)
    return metadata


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (Index("s", "a"), Index("l", "a", "b")),
        (Index("s", "a"), Index("l", "a", "b", "c")),
        (Index("s", "a"), Index("l", text("a DESC"), "b")),
        (Index("s", text("a DESC")), Index("l", text("a DESC NULLS FIRST"), "b")),
        (Index("s", "a", "b"), Index("l", text("a DESC"), text("b DESC"), "c")),
        (Index("s", "a"), Index("l", "a", "b", unique=True)),
        (Index("s", "a", postgresql_where=text("b > 'x'")), Index("l", "a", "c", postgresql_where=text("b  > 'x'"))),
    ],
)
def test_a_left_prefix_is_redundant(short, long):
    assert found(indexed(short, long), "idx-prefix-redundant") == ["t (s)"]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (Index("s", "b"), Index("l", "a", "b")),
        (Index("s", "a"), Index("l", "a", "b", "c", "d")),
        (Index("s", "a", unique=True), Index("l", "a", "b")),
        (Index("s", text("a DESC NULLS LAST")), Index("l", "a", "b")),
        (Index("s", "a", text("b DESC")), Index("l", "a", "b", "c")),
        (Index("s", "a"), Index("l", "a", "b", postgresql_where=text("c > 'x'"))),
        (Index("s", "a", postgresql_using="hash"), Index("l", "a", "b")),
        (Index("s", "a", postgresql_ops={"a": "text_pattern_ops"}), Index("l", "a", "b")),
        (Index("s", "a", postgresql_include=["e"]), Index("l", "a", "b")),
        (Index("s", text("lower(a)")), Index("l", "a", "b")),
    ],
)
def test_what_only_looks_like_a_left_prefix_is_not(short, long):
    assert not found(indexed(short, long), "idx-prefix-redundant")


def test_a_prefix_of_a_unique_constraint_is_redundant():
    assert found(indexed(Index("s", "a"), extra=[UniqueConstraint("a", "b")]), "idx-prefix-redundant") == ["t (s)"]


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (Index("x", "a"), Index("y", "a"), ["t (y)"]),
        (Index("x", "a"), Index("y", "a", unique=True), ["t (x)"]),
        (Index("x", "a"), Index("y", "a", postgresql_include=["b"]), ["t (x)"]),
        (Index("x", text("a DESC")), Index("y", "a"), []),
        (Index("x", text("lower(a)")), Index("y", text("lower(a)")), ["t (y)"]),
        (Index("x", text("lower(a)")), Index("y", text("upper(a)")), []),
        (Index("x", "a", postgresql_where=text("b = ''")), Index("y", "a"), []),
        (Index("x", "a", unique=True), Index("y", "a", unique=True, postgresql_nulls_not_distinct=True), []),
        (Index("x", "a", unique=True, postgresql_where=text("b = ''")), Index("y", "a"), []),
    ],
)
def test_duplicates_are_the_same_in_everything(one, two, same):
    assert found(indexed(one, two), "idx-duplicate") == same


def test_expressions_and_column_objects_are_read_alike():
    metadata = indexed(Index("y", text("lower(a)"), text("b DESC NULLS LAST")))
    table = metadata.tables["t"]
    Index("x", func.lower(table.c.a), table.c.b.desc().nulls_last())
    assert found(metadata, "idx-duplicate") == ["t (y)"]


def test_what_a_constraint_enforces_is_never_called_a_duplicate_of_an_index():
    metadata = indexed(Index("x", "a"), extra=[UniqueConstraint("a", name="u")])
    assert found(metadata, "idx-duplicate") == ["t (x)"]


def test_gin_over_scalars_beside_a_container_is_taken_for_btree_gin():
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("tags", JSONB),
        Index("both", "id", "tags", postgresql_using="gin"),
        Index("alone", "id", postgresql_using="gin"),
        Index("named", "id", postgresql_using="gin", postgresql_ops={"id": "int8_ops"}),
    )
    assert found(metadata, "idx-no-opclass") == ["t (alone)"]


def test_only_virtual_columns_cannot_be_indexed():
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("unsaid", BigInteger, Computed("id * 2"), index=True),
        Column("stored", BigInteger, Computed("id * 2", persisted=True), index=True),
        Column("virtual", BigInteger, Computed("id * 2", persisted=False), unique=True),
    )
    assert len(found(metadata, "idx-on-virtual")) == 1


def test_a_self_reference_and_a_cycle_through_a_nullable_edge_are_enterable():
    metadata = MetaData()
    Table("a", metadata, Column("id", BigInteger, primary_key=True), Column("b_id", ForeignKey("b.id", name="ab")))
    strict = Column("a_id", ForeignKey("a.id", name="ba"), nullable=False)
    own = Column("up", ForeignKey("b.id", name="bb"), nullable=False)
    Table("b", metadata, Column("id", BigInteger, primary_key=True), strict, own)
    assert not found(metadata, "fk-cycle")
    metadata.tables["a"].c.b_id.nullable = False
    assert found(metadata, "fk-cycle") == ["a.b_id"]
