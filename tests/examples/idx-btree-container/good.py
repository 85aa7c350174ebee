from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table(
    "articles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tags", ARRAY(Text), nullable=False),
    Index("ix_articles_tags", "tags", postgresql_using="gin"),
)
