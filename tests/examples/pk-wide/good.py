from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, String, Table, Text

metadata = MetaData()
Table(
    "devices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("serial_number", Text, nullable=False, unique=True),
)
Table("countries", metadata, Column("code", String(2), primary_key=True))
Table(
    "readings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("device_id", BigInteger, ForeignKey("devices.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("country", String(2), ForeignKey("countries.code", ondelete="RESTRICT"), nullable=False, index=True),
)
