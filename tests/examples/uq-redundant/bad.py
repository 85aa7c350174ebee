from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
Table(
    "coupons",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("code", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    UniqueConstraint("code", name="uq_coupons_code"),
    UniqueConstraint("campaign", "code", name="uq_coupons_campaign_code"),
)
