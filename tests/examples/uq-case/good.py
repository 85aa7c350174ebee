from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, MetaData, Table, Text, func

metadata = MetaData()
Table(
    "users",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    CheckConstraint("email = lower(email)", name="ck_users_email_lower"),
)
users = Table(
    "people", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("email", Text, nullable=False)
)
Index("uq_people_email_lower", func.lower(users.c.email), unique=True)
