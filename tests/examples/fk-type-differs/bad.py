from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Integer, MetaData, Table, Uuid

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "sessions",
    metadata,
    Column("token", Uuid, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
)
