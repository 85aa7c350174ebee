from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, MetaData, Table

metadata = MetaData()
Table("orders", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "lines",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Index("ix_lines_number_order", "number", "order_id"),
)
