from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table(
    "articles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    Index("ix_articles_title", "title", postgresql_using="gin"),
)
