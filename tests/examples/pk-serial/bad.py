from sqlalchemy import BigInteger, Column, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", BigInteger, primary_key=True))
