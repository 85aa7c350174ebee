from sqlalchemy import BigInteger, Column, Float, Identity, MetaData, Numeric, Table, Text

metadata = MetaData()
Table(
    "invoices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("amount", Numeric(12, 2), nullable=False),
    Column("discount_rate", Float, nullable=False),
)
Table(
    "ingredients",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("amount", Float, nullable=False),
    Column("unit", Text, nullable=False),
)  # 1.5 cups
