from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, Text, func

metadata = MetaData()
Table(
    "products",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("sku", Text, nullable=False, unique=True),
)
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("email", Text, nullable=False))
Index("uq_users_email_lower", func.lower(metadata.tables["users"].c.email), unique=True)
Table(
    "orders", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("email", Text, nullable=False)
)  # a guest may order twice
