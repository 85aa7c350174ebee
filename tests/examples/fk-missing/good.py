from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table, Text

metadata = MetaData()
Table("categories", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "articles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("category_id", BigInteger, ForeignKey("categories.id", ondelete="RESTRICT"), nullable=False, index=True),
)
Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("category_id", Text, nullable=False),
)  # the number that the supplier gives it
