from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "payments", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("payer", Text, nullable=False)
)
