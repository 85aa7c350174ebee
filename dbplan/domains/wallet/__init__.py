"""The wallet plan: users, wallets, platforms, movements of money and the ledger that proves them."""

from dbplan.domains import folder
from dbplan.domains.wallet.models import Base
from dbplan.domains.wallet.statements import QUERIES
from dbplan.plan import Plan

PLAN = Plan(
    name="wallet",
    metadata=Base.metadata,
    queries=QUERIES,
    rows={
        "users": 2_000_000,
        "currencies": 6,
        "platforms": 6,
        "platform_accounts": 3_000_000,
        "wallets": 6_000_000,
        "transactions": 200_000_000,
        "entries": 400_000_000,
        "holds": 10_000_000,
        "status_changes": 200_000,
    },
    migrations=folder("migrations") / "wallet",
    recipe=folder("seeds") / "wallet.toml",
    summary="Wallets on many platforms: double entry in minor units, holds, refunds, retries done once.",
    source="dbplan.domains.wallet",
)
