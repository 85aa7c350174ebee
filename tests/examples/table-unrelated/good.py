from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "posts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("author_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
)
Table(
    "likes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("post", BigInteger, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, index=True),
)
