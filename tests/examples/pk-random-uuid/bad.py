from sqlalchemy import Column, MetaData, Table, Uuid, text

metadata = MetaData()
Table("events", metadata, Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
