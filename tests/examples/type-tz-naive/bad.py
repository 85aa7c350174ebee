from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table

metadata = MetaData()
Table(
    "visits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("began_at", DateTime, nullable=False),
)
