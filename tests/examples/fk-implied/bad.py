from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Identity, Index, MetaData, Table, UniqueConstraint

metadata = MetaData()
Table(
    "teams",
    metadata,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    UniqueConstraint("id", name="uq_teams_id"),
)
Table(
    "players",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("team_id", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"], name="fk_team", ondelete="CASCADE"),
    ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_team_only", ondelete="CASCADE"),
    Index("ix_players_team", "team_id", "tenant_id"),
)
