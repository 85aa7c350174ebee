from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Integer, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", Integer, Identity(), primary_key=True))
Table(
    "visits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Integer, ForeignKey("events.id", ondelete="CASCADE"), nullable=False, index=True),
)
