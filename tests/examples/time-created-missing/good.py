from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, String, Table, Text, func

metadata = MetaData()
Table(
    "payments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("payer", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Table("currencies", metadata, Column("code", String(3), primary_key=True))
ROWS = {"currencies": 160}
