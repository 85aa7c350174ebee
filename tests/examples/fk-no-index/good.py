from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, MetaData, Table, text

metadata = MetaData()
Table("orders", metadata, Column("id", BigInteger, Identity(), primary_key=True))
Table(
    "lines",
    metadata,
    Column("order_id", BigInteger, ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # a partial index serves where it only leaves out what the key leaves open
    Column("gift_order_id", BigInteger, ForeignKey("orders.id", ondelete="SET NULL")),
    Index("ix_lines_gift", "gift_order_id", postgresql_where=text("gift_order_id IS NOT NULL")),
)
