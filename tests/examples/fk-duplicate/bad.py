from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Identity, MetaData, Table

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "posts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("author_id", BigInteger, nullable=False, index=True),
    ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_posts_author", ondelete="CASCADE"),
    ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_posts_user", ondelete="RESTRICT"),
)
