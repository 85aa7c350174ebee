from sqlalchemy import BigInteger, Column, Computed, Identity, Index, Integer, MetaData, Table

metadata = MetaData()
Table(
    "boxes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("area", Integer, Computed("width * height", persisted=True)),
    Index("ix_boxes_area", "area"),
)
