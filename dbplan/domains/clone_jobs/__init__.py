"""The clone jobs plan: people, a queue of websites to clone, the files fetched, and what is paid for it."""

from datetime import timedelta

from dbplan.domains import folder
from dbplan.domains.clone_jobs.models import Base
from dbplan.domains.clone_jobs.statements import QUERIES
from dbplan.plan import Plan

PLAN = Plan(
    name="clone_jobs",
    metadata=Base.metadata,
    queries=QUERIES,
    rows={
        "users": 200_000,
        "clone_jobs": 5_000_000,
        "clone_assets": 150_000_000,
        "subscriptions": 190_000,
        "payments": 2_000_000,
        "audit_logs": 50_000_000,
    },
    retention={"clone_jobs.deleted_at": timedelta(days=30)},
    migrations=folder("migrations") / "clone_jobs",
    recipe=folder("seeds") / "clone_jobs.toml",
    summary="A service clones websites: a queue in the database, its files, subscriptions, payments and an audit log.",
    source="dbplan.domains.clone_jobs",
)
