from sqlalchemy import Column, MetaData, Numeric, Table, Text

metadata = MetaData()
Table("readings", metadata, Column("sensor", Text, nullable=False), Column("value", Numeric, nullable=False))
