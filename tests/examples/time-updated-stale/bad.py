from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, func

metadata = MetaData()
Table(
    "pages",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
