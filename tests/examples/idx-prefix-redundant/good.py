from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, MetaData, Table, Text, text

metadata = MetaData()
Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Index("ix_events_kind_sent", "kind", text("sent_at DESC")),
    # another order of NULLs, and one that forbids: neither follows from the index above
    Index("ix_events_kind_size", text("kind DESC NULLS LAST"), "size"),
    Index("ix_events_source", "source", unique=True),
    Index("ix_events_source_size", "source", "size"),
)
