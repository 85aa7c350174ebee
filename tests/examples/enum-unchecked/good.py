from sqlalchemy import BigInteger, Column, Enum, Identity, MetaData, Table

metadata = MetaData()
Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "state",
        Enum("open", "it's off", "done", native_enum=False, create_constraint=True, name="state"),
        nullable=False,
    ),
)
