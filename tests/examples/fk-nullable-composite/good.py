from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Identity, Index, MetaData, Table, Text

metadata = MetaData()
Table("accounts", metadata, Column("bank", Text, primary_key=True), Column("number", Text, primary_key=True))
Table(
    "mandates",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("bank", Text),
    Column("number", Text),
    ForeignKeyConstraint(["bank", "number"], ["accounts.bank", "accounts.number"], match="FULL", ondelete="RESTRICT"),
    Index("ix_mandates_account", "bank", "number"),
)
# an optional parent within the tenant: one nullable column beside one that is always there
Table(
    "folders",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("parent_id", BigInteger),
    ForeignKeyConstraint(["tenant_id", "parent_id"], ["folders.tenant_id", "folders.id"], ondelete="CASCADE"),
    Index("ix_folders_parent", "tenant_id", "parent_id"),
)
