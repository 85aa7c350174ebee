from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "shapes", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("outline", Text, nullable=False)
)
