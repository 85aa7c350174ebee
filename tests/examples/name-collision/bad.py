from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table(
    "posts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    Index("ix_title", "title"),
)
Table(
    "books",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    Index("ix_title", "title"),
)
