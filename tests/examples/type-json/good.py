from sqlalchemy import JSON, BigInteger, Column, Identity, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
Table(
    "visits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("headers", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
)
