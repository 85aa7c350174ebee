from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Table, Text, text

metadata = MetaData()
Table(
    "projects",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    Index("uq_projects_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
)
