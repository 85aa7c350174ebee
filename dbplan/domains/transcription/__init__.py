"""The transcription plan: sign-in, and how many summaries each user had this month."""

from datetime import timedelta

from dbplan.domains import folder
from dbplan.domains.transcription.models import Base
from dbplan.domains.transcription.statements import QUERIES
from dbplan.plan import Plan

PLAN = Plan(
    name="transcription",
    metadata=Base.metadata,
    queries=QUERIES,
    rows={
        "users": 500_000,
        "accounts": 600_000,
        "sessions": 1_500_000,
        "verification_tokens": 50_000,
        "user_usage": 500_000,
    },
    retention={"sessions.expires": timedelta(0), "verification_tokens.expires": timedelta(0)},
    migrations=folder("migrations") / "transcription",
    recipe=folder("seeds") / "transcription.toml",
    summary="People sign in to have videos summarised: accounts, sessions, e-mail tokens, and a limit for each month.",
    source="dbplan.domains.transcription",
)
