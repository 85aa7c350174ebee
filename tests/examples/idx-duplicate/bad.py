from sqlalchemy import BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table("events", metadata, Column("id", BigInteger, Identity(), primary_key=True, index=True))
