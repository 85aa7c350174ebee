from sqlalchemy import BigInteger, Boolean, Column, Identity, MetaData, Table

metadata = MetaData()
Table("jobs", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("urgent", Boolean))
