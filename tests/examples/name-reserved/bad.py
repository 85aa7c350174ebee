from sqlalchemy import BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table("user", metadata, Column("id", BigInteger, Identity(), primary_key=True))
