"""Statements about subscriptions, from their start to their end."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Table, bindparam, insert, literal_column, select, update

from dbplan.columns import clock, new_id, now
from dbplan.domains.clone_jobs.models import Subscription, SubscriptionStatus, Tier
from dbplan.domains.paging import LAST_ID, LIMIT, NEWEST, newest_first
from dbplan.plan import Query

SUBSCRIPTIONS: Table = Subscription.metadata.tables["subscriptions"]

# The word stands in the statements: a partial index serves only a query that shows its predicate.
_LIVE = SUBSCRIPTIONS.c.status != literal_column(f"'{SubscriptionStatus.CANCELLED}'")
_ONE = SUBSCRIPTIONS.c.id == bindparam("subscription_id")
_WHOLE = select(Subscription).execution_options(populate_existing=True)

subscription = _WHOLE.where(SUBSCRIPTIONS.c.user_id == bindparam("user_id"), _LIVE)

# NO KEY: a payment that refers to the subscription need not wait.
lock_subscription = subscription.with_for_update(key_share=True)

subscription_by_id = _WHOLE.where(_ONE).with_for_update(key_share=True)

subscription_at_provider = _WHOLE.where(
    SUBSCRIPTIONS.c.provider == bindparam("provider"),
    SUBSCRIPTIONS.c.provider_subscription_id == bindparam("reference"),
    SUBSCRIPTIONS.c.provider_subscription_id.is_not(None),
)

subscriptions_of_user = newest_first(_WHOLE.where(SUBSCRIPTIONS.c.user_id == bindparam("user_id")), SUBSCRIPTIONS)

start_subscription = insert(SUBSCRIPTIONS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    user_id=bindparam("owner"),
    plan=bindparam("tier"),
    status=bindparam("standing"),
    billing_anchor=bindparam("anchor"),
    current_period_start=bindparam("start"),
    current_period_end=bindparam("end"),
    provider=bindparam("collector"),
    provider_subscription_id=bindparam("reference"),
)

set_terms = (
    update(SUBSCRIPTIONS)
    .where(_ONE, _LIVE)
    .values(plan=bindparam("tier"), next_plan=bindparam("then"), cancel_at_period_end=bindparam("ends"))
)

set_standing = update(SUBSCRIPTIONS).where(_ONE, _LIVE).values(status=bindparam("standing"))

# What it was to become is moot; the flag stays and says that the end was asked for.
end_subscription = (
    update(SUBSCRIPTIONS)
    .where(_ONE, _LIVE)
    .values(status=SubscriptionStatus.CANCELLED, next_plan=None, cancelled_at=clock())
)

# The end that was read stands in the condition: a period is rolled once, whoever asks.
roll_period = (
    update(SUBSCRIPTIONS)
    .where(_ONE, _LIVE, SUBSCRIPTIONS.c.current_period_end == bindparam("ended"))
    .values(
        plan=bindparam("tier"),
        next_plan=None,
        status=SubscriptionStatus.ACTIVE,
        current_period_start=bindparam("start"),
        current_period_end=bindparam("end"),
    )
)

# Two schedules at once take different subscriptions.
subscriptions_to_renew = (
    _WHOLE.where(_LIVE, SUBSCRIPTIONS.c.current_period_end <= bindparam("now"))
    .order_by(SUBSCRIPTIONS.c.current_period_end)
    .limit(LIMIT)
    .with_for_update(skip_locked=True, key_share=True)
)


def _next_month() -> dt.datetime:
    return now() + dt.timedelta(days=30)


QUERIES = (
    Query("subscription", subscription, 5),
    Query("lock subscription", lock_subscription, 0.02),
    Query("subscription by id", subscription_by_id, 0.1),
    Query(
        "subscription at provider",
        subscription_at_provider,
        0.2,
        {"reference": SUBSCRIPTIONS.c.provider_subscription_id},
    ),
    Query(
        "subscriptions of a user",
        subscriptions_of_user,
        0.2,
        {"user_id": SUBSCRIPTIONS.c.user_id, "before": [NEWEST], "before_id": [LAST_ID], "limit": [20]},
    ),
    Query(
        "start subscription",
        start_subscription,
        0.02,
        {
            "new_id": new_id,
            "owner": SUBSCRIPTIONS.c.user_id,
            "start": SUBSCRIPTIONS.c.cancelled_at,
            "end": _next_month,
            "tier": [Tier.PRO],
            "standing": [SubscriptionStatus.ACTIVE],
            "anchor": now,
            "collector": ["stripe"],
            "reference": lambda: f"sub_{new_id().hex}",
        },
    ),
    Query("set terms", set_terms, 0.01, {"tier": [Tier.PRO], "then": [None, Tier.STARTER], "ends": [False]}),
    Query("set standing", set_standing, 0.01, {"standing": [SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE]}),
    Query("end subscription", end_subscription, 0.01),
    Query("roll period", roll_period, 0.1, {"tier": [Tier.PRO], "start": now, "end": _next_month}),
    Query("subscriptions to renew", subscriptions_to_renew, 0.02, {"now": now, "limit": [100]}),
)
