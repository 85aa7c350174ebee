from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", BigInteger, Identity(always=True), primary_key=True))
Table("countries", metadata, Column("number", Integer, primary_key=True, autoincrement=False))
