from sqlalchemy import BigInteger, Column, Date, Identity, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
Table(
    "prices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("product", Text, nullable=False),
    Column("valid_until", Date),
    UniqueConstraint("product", "valid_until", name="uq_prices_product"),
)
