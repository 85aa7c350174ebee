from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "people",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("address_line_1", Text, nullable=False),
    Column("address_line_2", Text),
    Column("address_line_3", Text),
)
Table(
    "phones",
    metadata,
    Column("person_id", BigInteger, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("phone", Text, primary_key=True),
)
