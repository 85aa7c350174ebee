"""A small plan with awkward names: authors and their books."""

from sqlalchemy import JSON, Column, DateTime, ForeignKey, Identity, Integer, MetaData, Numeric, String, Table, func

from dbplan.plan import Plan

metadata = MetaData()
Table(
    "Authors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(60), nullable=False),
    Column("nick name", String(40)),
)
Table(
    "books",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("author", ForeignKey("Authors.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", String(80), nullable=False),
    Column("isbn", String(20), unique=True, nullable=False),
    Column("price", Numeric(10, 2)),
    Column("tags", JSON),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
PLAN = Plan("library", metadata, rows={"Authors": 40, "books": 400})
