from sqlalchemy import BigInteger, Column, Enum, Identity, MetaData, Table

metadata = MetaData()
Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("state", Enum("open", "done", name="job_state"), nullable=False),
)
Table(
    "orders",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("state", Enum("open", "paid", name="order_state"), nullable=False),
)
