from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Integer, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table("rooms", metadata, Column("id", Integer, Identity(), primary_key=True))
Table(
    "visits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", BigInteger, ForeignKey("events.id", ondelete="CASCADE"), nullable=False, index=True),
)
ROWS = {"rooms": 200}  # an integer has room enough for them
