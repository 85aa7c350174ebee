"""The plan of the examples in docs/seeding.md."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Numeric, String, Table

from dbplan.plan import Plan


def library(recipe=None):
    m = MetaData()
    Table(
        "authors", m,
        Column("id", Integer, primary_key=True), Column("name", String(60), nullable=False),
        Column("country", String(40)), Column("balance", Numeric(10, 2)), Column("royalty", Numeric(4, 1)),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    Table(
        "books", m,
        Column("id", Integer, primary_key=True), Column("author_id", ForeignKey("authors.id"), nullable=False),
        Column("isbn", String(20), nullable=False, unique=True), Column("code", String(20), unique=True),
        Column("state", String(20), nullable=False), Column("language", String(2)), Column("stock_before", Integer),
        Column("stock_after", Integer), Column("moved", Integer), Column("price", Numeric(8, 2)),
        Column("announced_at", DateTime), Column("sold_out_at", DateTime), Column("note", String(200)),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    Table(
        "steps", m,
        Column("id", Integer, primary_key=True), Column("book_id", ForeignKey("books.id"), nullable=False),
        Column("was", String(20)), Column("state", String(20), nullable=False),
        Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    Table(
        "sales", m,
        Column("id", Integer, primary_key=True), Column("book_id", ForeignKey("books.id"), nullable=False),
        Column("author_id", ForeignKey("authors.id"), nullable=False), Column("buyer", String(80)),
        Column("price", Numeric(8, 2)), Column("paid", Numeric(8, 2)), Column("language", String(2)),
        Column("state", String(20)), Column("sold_at", DateTime), Column("paid_at", DateTime),
        Column("sent_at", DateTime), Column("closed_at", DateTime),
    )  # fmt: skip
    return Plan(name="library", metadata=m, recipe=recipe)
