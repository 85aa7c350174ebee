"""A schema as strangers have them: odd names, composite keys, several schemas, arrays, times, bytes, circles."""

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import INET, JSONB

METADATA = MetaData()

Table(
    "Tenant", METADATA, Column("ID", Integer, Identity(always=True), primary_key=True),
    Column("displayName", String(80), nullable=False), Column("select", String(20), nullable=False, unique=True),
    Column("address", INET),
)  # fmt: skip
Table(
    "user", METADATA,
    Column("tenant", ForeignKey("Tenant.ID", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("e-mail", Text, nullable=False), Column("born", Date), Column("wakes", Time), Column("photo", LargeBinary),
    Column("score", Float), Column("weight", REAL),
    Column("balance", Numeric(19, 4), nullable=False, server_default="0"),
    Column("flags", ARRAY(Text)), Column("levels", ARRAY(Integer)), Column("big", BigInteger),
    Column("is active", Boolean, nullable=False), Column("settings", JSONB),
    Column("boss tenant", Integer), Column("boss", SmallInteger),
    ForeignKeyConstraint(["boss tenant", "boss"], ["user.tenant", "user.number"]),
    UniqueConstraint("tenant", "e-mail"), CheckConstraint("balance >= 0", name="not negative"),
)  # fmt: skip
Table(
    "order", METADATA, Column("id", BigInteger, primary_key=True),
    Column("tenant", Integer, nullable=False), Column("user", SmallInteger, nullable=False),
    Column("state", Enum("new", "paid", "sent out", name="Order State"), nullable=False),
    Column("placed", DateTime(timezone=True), nullable=False), Column("noted", DateTime), Column("from", Text),
    ForeignKeyConstraint(["tenant", "user"], ["user.tenant", "user.number"], ondelete="CASCADE"), schema="Sales Dept",
)  # fmt: skip
Table(
    "order line", METADATA,
    Column("order", ForeignKey("Sales Dept.order.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("article", Uuid, nullable=False), Column("price", Numeric(12, 2), nullable=False),
    Column("details", JSONB, nullable=False, server_default="{}"), schema="Sales Dept",
)  # fmt: skip
Table("log", METADATA, Column("at", DateTime(timezone=True)), Column("said", Text))
