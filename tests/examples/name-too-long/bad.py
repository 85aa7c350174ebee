from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table(
    "measurements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("station", Text, nullable=False),
    Index("ix_measurements_by_the_name_of_the_station_that_they_were_taken_at", "station"),
)
