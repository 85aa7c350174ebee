from sqlalchemy import BigInteger, Column, Identity, MetaData, Numeric, Table, Text

metadata = MetaData()
Table(
    "readings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("sensor", Text, nullable=False),
    Column("value", Numeric, nullable=False),
)
