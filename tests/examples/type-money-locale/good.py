from sqlalchemy import BigInteger, Column, Identity, MetaData, Numeric, Table

metadata = MetaData()
Table(
    "invoices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("due", Numeric(12, 2), nullable=False),
)
