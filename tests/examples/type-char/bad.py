from sqlalchemy import CHAR, BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table(
    "countries",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("code", CHAR(2), nullable=False),
)
