from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
Table(
    "projects",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    UniqueConstraint("name", name="uq_projects_name"),
)
