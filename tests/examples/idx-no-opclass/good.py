from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table(
    "articles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Index("ix_articles_title", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
    Index("ix_articles_tags", "tags", postgresql_using="gin"),
)
