from sqlalchemy import BigInteger, Column, Identity, MetaData, Table
from sqlalchemy.dialects.postgresql import MONEY

metadata = MetaData()
Table(
    "invoices", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("due", MONEY, nullable=False)
)
