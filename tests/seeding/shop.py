"""A shop, for tests of recipes: customers, their orders, what happened to each, and payments for them."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
)

from dbplan.plan import Plan
from dbplan.seeding.run import prepare


def shop(recipe=None):
    m = MetaData()
    Table(
        "customers", m,
        Column("id", Integer, primary_key=True), Column("first_name", String(40), nullable=False),
        Column("country", String(2), nullable=False), Column("login", String(80), unique=True, nullable=False),
        Column("vip", Boolean, nullable=False), Column("created_at", DateTime, nullable=False),
        CheckConstraint("country IN ('KE', 'PE', 'JP')", name="known"),
    )  # fmt: skip
    Table(
        "orders", m,
        Column("id", Integer, primary_key=True), Column("customer_id", ForeignKey("customers.id"), nullable=False),
        Column("number", String(20), unique=True), Column("place", Integer), Column("country", String(2)),
        Column("status", String(20), nullable=False), Column("total", Numeric(10, 2), nullable=False),
        Column("items", Integer, nullable=False), Column("note", String(60)), Column("label", String(60)),
        Column("paid_at", DateTime), Column("shipped_at", DateTime), Column("closed_at", DateTime),
        Column("created_at", DateTime, nullable=False),
        CheckConstraint("status <> 'paid' OR paid_at IS NOT NULL", name="paid"),
        UniqueConstraint("customer_id", "place"),
    )  # fmt: skip
    Table(
        "events", m,
        Column("id", Integer, primary_key=True), Column("order_id", ForeignKey("orders.id"), nullable=False),
        Column("before", String(20)), Column("status", String(20), nullable=False),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    Table(
        "payments", m,
        Column("id", Integer, primary_key=True), Column("order_id", ForeignKey("orders.id"), nullable=False),
        Column("payer_id", ForeignKey("customers.id"), nullable=False),
        Column("country", String(2)), Column("referrer_id", ForeignKey("customers.id")),
    )  # fmt: skip
    return Plan(name="shop", metadata=m, recipe=recipe)


def sources(text, tmp_path, rows=2000, profile=None, plan=shop):
    path = tmp_path / "shop.toml"
    path.write_text(text, "utf-8")
    return prepare(plan(path), rows, None, profile)[0].sources


def column(source, name):
    cells = source.frame(source.order)[name]
    return [None if none else v for v, none in zip(cells.values.tolist(), cells.null.tolist(), strict=True)]
