from sqlalchemy import ARRAY, BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "articles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tags", ARRAY(Text), nullable=False, index=True),
)
