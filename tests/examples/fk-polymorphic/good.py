from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, MetaData, Table

metadata = MetaData()
Table("posts", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table("photos", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "comments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("post_id", BigInteger, ForeignKey("posts.id", ondelete="CASCADE"), index=True),
    Column("photo_id", BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), index=True),
    CheckConstraint("num_nonnulls(post_id, photo_id) = 1", name="ck_comments_one_subject"),
)
