from sqlalchemy import BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
