from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table, Text

metadata = MetaData()
Table("devices", metadata, Column("serial_number", Text, primary_key=True))
Table(
    "readings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("device", Text, ForeignKey("devices.serial_number", ondelete="CASCADE"), nullable=False, index=True),
)
