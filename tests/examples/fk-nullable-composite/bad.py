from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table("accounts", metadata, Column("bank", Text, primary_key=True), Column("number", Text, primary_key=True))
Table(
    "mandates",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("bank", Text),
    Column("number", Text),
    ForeignKeyConstraint(["bank", "number"], ["accounts.bank", "accounts.number"], ondelete="RESTRICT"),
    Index("ix_mandates_account", "bank", "number"),
)
