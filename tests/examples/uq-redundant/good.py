from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
Table(
    "coupons",
    metadata,
    Column("tenant_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    # no stricter than the key, but what a composite foreign key points to
    UniqueConstraint("tenant_id", "id", name="uq_coupons_tenant_id"),
)
Table(
    "uses",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("coupon_id", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id", "coupon_id"], ["coupons.tenant_id", "coupons.id"], ondelete="RESTRICT"),
    Index("ix_uses_coupon", "coupon_id", "tenant_id"),
)
