from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "user_profile",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("display_name", Text, nullable=False, key="displayName"),
)
