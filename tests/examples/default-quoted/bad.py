from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table

metadata = MetaData()
Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default="now()"),
)
