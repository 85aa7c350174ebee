"""Schemas as strangers have them."""

import random

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.mysql import YEAR
from sqlalchemy.dialects.postgresql import JSONB

from dbplan.plan import Plan

LONG = "x" * 70


def shop() -> Plan:
    m = MetaData()
    status = Enum("draft", "paid", "shipped", "cancelled", name="order_status")
    Table("users", m, Column("id", Uuid, primary_key=True), Column("email", String(320), unique=True, nullable=False))
    Table("profiles", m, Column("user_id", ForeignKey("users.id"), primary_key=True), Column("bio", Text))
    Table("categories", m, Column("id", Integer, primary_key=True), Column("parent_id", ForeignKey("categories.id")))
    Table(
        "products",
        m,
        Column("id", Integer, primary_key=True),
        Column("category_id", ForeignKey("categories.id")),
        Column("sku", String(40), unique=True),
        Column("price", Numeric(12, 2), nullable=False),
        Column("details", JSONB),
    )
    orders = Table(
        "orders",
        m,
        Column("id", BigInteger, primary_key=True),
        Column("user_id", ForeignKey("users.id"), nullable=False),
        Column("status", status, nullable=False, comment="Where it stands"),
        Column("created_at", DateTime(timezone=True)),
        comment="What users buy",
    )
    Index("ix_orders_user", orders.c.user_id, orders.c.created_at.desc())
    Table(
        "order_lines",
        m,
        Column("order_id", ForeignKey("orders.id"), primary_key=True),
        Column("line_no", SmallInteger, primary_key=True),
        Column("product_id", ForeignKey("products.id"), nullable=False),
        Column("quantity", Integer, CheckConstraint("quantity > 0"), nullable=False),
        UniqueConstraint("order_id", "product_id"),
    )
    Table(
        "refunds",
        m,
        Column("id", Integer, primary_key=True),
        Column("order_id", BigInteger),
        Column("line_no", SmallInteger),
        ForeignKeyConstraint(["order_id", "line_no"], ["order_lines.order_id", "order_lines.line_no"]),
    )
    Table("settings", m, Column("key", Text, primary_key=True), Column("value", JSONB))
    return Plan("shop", m, rows={"orders": 1_200_000})


def ugly() -> Plan:
    m = MetaData()
    Table(
        "Order",
        m,
        Column("select", Integer, primary_key=True),
        Column('we"ird <b>&', Text, comment='a "quote" <i> & \n newline %% \x01'),
        schema="Sales & Co",
    )
    Table(
        "naïve_表",
        m,
        Column("キー", Integer, primary_key=True),
        Column(LONG, Text),
        Column("fk", ForeignKey("Sales & Co.Order.select")),
    )
    Table(
        LONG + "_t",
        m,
        Column("a", Integer),
        Column("b", ARRAY(Text)),
        Column("e", Enum(*[f"member {i}" for i in range(30)], name="Big Enum")),
        Column("e2", Enum("x", "y")),
        Column("y", YEAR),
        Column("unknown"),
    )
    Table("pk", m, Column("PK", Integer, primary_key=True), Column("fk", ForeignKey("nowhere.tab.id")))
    Table("v_active", m, Column("id", Integer), info={"is_view": True})
    Table("title", m, Column("select", Integer, unique=True), Column("t_title", Boolean))
    Table("no_columns", m)
    return Plan("ugly", m)


def circle() -> Plan:
    m = MetaData()
    Table(
        "a",
        m,
        Column("id", Integer, primary_key=True),
        Column("b_id", ForeignKey("b.id")),
        Column("parent", ForeignKey("a.id")),
        Column("root", ForeignKey("a.id"), unique=True),
    )
    Table("b", m, Column("id", Integer, primary_key=True), Column("c_id", ForeignKey("c.id"), nullable=False))
    Table("c", m, Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id"), nullable=False))
    return Plan("circle", m)


def large(tables: int, prefix: str = "t") -> Plan:
    chance = random.Random(3)
    m = MetaData()
    for i in range(tables):
        columns = [Column("id", BigInteger, primary_key=True)]
        for k in range(chance.choice([0, 0, 1, 1, 1, 2, 2, 3]) if i else 0):
            to = int(i * chance.random() ** 2)
            columns.append(Column(f"t{to}_{k}_id", ForeignKey(f"{prefix}{to}.id"), nullable=chance.random() < 0.4))
        columns += [Column(f"value_{k}", chance.choice([Text, Integer, Boolean])) for k in range(chance.randint(1, 9))]
        Table(f"{prefix}{i}", m, *columns)
    return Plan(f"large{tables}", m)


def star(leaves: int) -> Plan:
    m = MetaData()
    Table("hub", m, Column("id", Integer, primary_key=True))
    for i in range(leaves):
        hub = Column("hub_id", ForeignKey("hub.id"), nullable=bool(i % 2))
        Table(f"leaf_{i:02}", m, Column("id", Integer, primary_key=True), hub, Column("v", Text))
    return Plan("star", m)


def wide(columns: int) -> Plan:
    m = MetaData()
    Table("u", m, Column("id", Integer, primary_key=True))
    rest = [Column(f"attribute_{i}", Text) for i in range(columns - 2)]
    Table("wide", m, Column("id", Integer, primary_key=True), *rest, Column("u_id", ForeignKey("u.id"), nullable=False))
    return Plan("wide", m)


def islands(tables: int) -> Plan:
    m = MetaData()
    for i in range(tables):
        Table(f"island_{i}", m, *[Column(f"c{k}", Text) for k in range(1 + i % 9)])
    return Plan("islands", m)
