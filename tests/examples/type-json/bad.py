from sqlalchemy import JSON, BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table(
    "visits", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("headers", JSON, nullable=False)
)
