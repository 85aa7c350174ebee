from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Index, MetaData, Table

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "posts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("author_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Index("ix_posts_author_sent", "author_id", "sent_at"),
    Index("ix_posts_sent", "sent_at", "id"),
)  # to page through all of them
