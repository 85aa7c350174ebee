"""The store plan: people, their stores, what these sell and show, and the agents that make it."""

from datetime import timedelta

from dbplan.domains import folder
from dbplan.domains.store.models import Base
from dbplan.domains.store.statements import QUERIES
from dbplan.plan import Plan

PLAN = Plan(
    name="store",
    metadata=Base.metadata,
    queries=QUERIES,
    rows={
        "users": 90_000,
        "accounts": 120_000,
        "sessions": 200_000,
        "verification_tokens": 40_000,
        "supplier_accounts": 80_000,
        "stores": 100_000,
        "products": 10_000_000,
        "product_images": 20_000_000,
        "product_variants": 20_000_000,
        "pages": 600_000,
        "media_assets": 2_000_000,
        "agent_jobs": 3_000_000,
    },
    retention={"sessions.expires": timedelta(0), "verification_tokens.expires": timedelta(0)},
    migrations=folder("migrations") / "store",
    recipe=folder("seeds") / "store.toml",
    summary="Shops that agents help to build: products with stock that is never oversold, pages, media, a job queue.",
    source="dbplan.domains.store",
)
