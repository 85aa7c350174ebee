from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table(
    "countries",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("code", Text, nullable=False),
    CheckConstraint("char_length(code) = 2", name="ck_countries_code_length"),
)
