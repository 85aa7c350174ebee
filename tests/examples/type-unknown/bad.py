from sqlalchemy import BigInteger, Column, Identity, MetaData, Table

metadata = MetaData()
Table("shapes", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("outline", nullable=False))
