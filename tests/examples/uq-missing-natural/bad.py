from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text

metadata = MetaData()
Table("products", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("sku", Text, nullable=False))
