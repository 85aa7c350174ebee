"""The credits plan: balances, a ledger, an audit log and idempotency."""

from datetime import timedelta

from dbplan.domains import folder
from dbplan.domains.credits.models import Base
from dbplan.domains.credits.statements import QUERIES
from dbplan.plan import Plan

PLAN = Plan(
    name="credits",
    metadata=Base.metadata,
    queries=QUERIES,
    rows={"users": 1_000_000, "transactions": 50_000_000, "audit_logs": 60_000_000, "idempotency_records": 300_000},
    retention={"transactions.created_at": timedelta(days=183), "idempotency_records.expires_at": timedelta(0)},
    migrations=folder("migrations") / "credits",
    recipe=folder("seeds") / "credits.toml",
    summary="Users spend credits: balances that cannot go below zero, a ledger, an audit log, retries done once.",
    source="dbplan.domains.credits",
)
