from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table

metadata = MetaData()
Table("customers", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "orders",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id", ondelete="RESTRICT"), nullable=False, index=True),
)
