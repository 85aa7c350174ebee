from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table(
    "measurements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("station", Text, nullable=False),
    Index("ix_measurements_station", "station"),
)
