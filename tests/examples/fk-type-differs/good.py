from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, String, Table, Text, Uuid

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table("countries", metadata, Column("code", String(2), primary_key=True))
Table(
    "sessions",
    metadata,
    Column("token", Uuid, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    # text takes whatever the target can hold
    Column("country", Text, ForeignKey("countries.code", ondelete="RESTRICT"), nullable=False, index=True),
)
