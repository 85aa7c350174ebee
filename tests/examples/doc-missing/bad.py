from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Table

metadata = MetaData()
Table("jobs", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("wait", Integer, nullable=False))
