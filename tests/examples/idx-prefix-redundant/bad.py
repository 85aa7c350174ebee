from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Table, Text, text

metadata = MetaData()
Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Index("ix_events_kind", "kind"),
    Index("ix_events_kind_sent", "kind", text("sent_at DESC")),
)
