from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, MetaData, Table, text

metadata = MetaData()
Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("failed", Boolean, nullable=False),
    Index("ix_jobs_failed", "id", postgresql_where=text("failed")),
)
