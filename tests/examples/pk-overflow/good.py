from sqlalchemy import BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", BigInteger, Identity(), primary_key=True))
ROWS = {"events": 3_000_000_000}
