from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "posts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("author_id", BigInteger, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False, index=True),
)
