from sqlalchemy import BigInteger, Column, Float, Identity, MetaData, Table

metadata = MetaData()
Table(
    "invoices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("amount", Float, nullable=False),
)
