from sqlalchemy import Column, Identity, Integer, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", Integer, Identity(), primary_key=True))
ROWS = {"events": 3_000_000_000}
