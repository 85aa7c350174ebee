from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Text, func

metadata = MetaData()
Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("state", Text, nullable=False, server_default="open"),
)
