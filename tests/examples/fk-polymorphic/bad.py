from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "comments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
)
