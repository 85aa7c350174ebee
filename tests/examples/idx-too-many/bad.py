from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
names = ["name", "city", "street", "phone", "branch", "region", "owner"]
Table(
    "shops",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    *(Column(name, Text, nullable=False, index=True) for name in names),
)
