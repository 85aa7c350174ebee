from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "UserProfile",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("displayName", Text, nullable=False),
)
