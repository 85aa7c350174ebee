from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, Table

metadata = MetaData()
Table(
    "teams",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column(
        "captain_id", BigInteger, ForeignKey("players.id", name="fk_teams_captain", ondelete="SET NULL"), index=True
    ),
)
Table(
    "players",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column(
        "team_id",
        BigInteger,
        ForeignKey("teams.id", name="fk_players_team", ondelete="RESTRICT"),
        nullable=False,
        index=True,
    ),
    # a row may reference itself
    Column(
        "coach_id",
        BigInteger,
        ForeignKey("players.id", name="fk_players_coach", ondelete="RESTRICT"),
        nullable=False,
        index=True,
    ),
)
