from sqlalchemy import BigInteger, Column, Enum, Identity, MetaData, Table

metadata = MetaData()
Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("state", Enum("open", "running", "failed", "done", name="job_state"), nullable=False),
)
