from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table

metadata = MetaData()
Table(
    "visits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("local_opening", DateTime, nullable=False),
)  # the clock on the wall there
