from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "people",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("phone1", Text, nullable=False),
    Column("phone2", Text),
    Column("phone3", Text),
)
