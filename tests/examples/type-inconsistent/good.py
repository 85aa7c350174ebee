from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Uuid

metadata = MetaData()
Table(
    "charges",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("request_id", Uuid, nullable=False),
)
Table(
    "refunds",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("request_id", Uuid, nullable=False),
)
Table(
    "logs", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("request_id", Uuid, nullable=False)
)
