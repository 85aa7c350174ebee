from sqlalchemy import BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table("categories", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "articles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("category_id", BigInteger, nullable=False, index=True),
)
