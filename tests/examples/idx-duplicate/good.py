from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Table, Text

metadata = MetaData()
events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
)
Index("ix_events_kind", events.c.kind)
Index("ix_events_kind_like", events.c.kind, postgresql_ops={"kind": "text_pattern_ops"})
Index("ix_events_kind_mail", events.c.kind, postgresql_where=events.c.kind == "mail")
