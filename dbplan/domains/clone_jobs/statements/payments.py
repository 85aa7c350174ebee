"""Statements about payments, which a provider tells of, often more than once."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, insert, select, update

from dbplan.columns import clock, new_id, now
from dbplan.domains.clone_jobs.models import Payment, PaymentStatus
from dbplan.domains.clone_jobs.statements.users import USERS
from dbplan.domains.paging import LAST_ID, NEWEST, newest_first
from dbplan.plan import Query

PAYMENTS: Table = Payment.metadata.tables["payments"]

_ONE = PAYMENTS.c.id == bindparam("payment_id")
_WHOLE = select(Payment).execution_options(populate_existing=True)

lock_payment = _WHOLE.where(
    PAYMENTS.c.provider == bindparam("provider"),
    PAYMENTS.c.provider_payment_id == bindparam("reference"),
).with_for_update(key_share=True)

record_payment = insert(PAYMENTS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    user_id=bindparam("owner"),
    subscription_id=bindparam("purpose"),
    provider=bindparam("collector"),
    provider_payment_id=bindparam("reference"),
    amount=bindparam("sum"),
    currency=bindparam("code"),
    status=bindparam("standing"),
    failure_reason=bindparam("why"),
    occurred_at=bindparam("when"),
)

# Events come in any order: an older one changes nothing, and nothing comes after a success but its refund.
advance_payment = (
    update(PAYMENTS)
    .where(
        _ONE,
        PAYMENTS.c.status.in_((PaymentStatus.PENDING, PaymentStatus.FAILED)),
        PAYMENTS.c.occurred_at < bindparam("when"),
    )
    .values(status=bindparam("standing"), failure_reason=bindparam("why"), occurred_at=bindparam("when"))
)

refund_payment = (
    update(PAYMENTS)
    .where(_ONE, PAYMENTS.c.status == PaymentStatus.SUCCEEDED, PAYMENTS.c.refunded_amount < bindparam("back"))
    .values(status=bindparam("standing"), refunded_amount=bindparam("back"))
)

payments_of_user = newest_first(_WHOLE.where(PAYMENTS.c.user_id == bindparam("user_id")), PAYMENTS)

newest_payment = (
    select(PAYMENTS.c.id)
    .where(PAYMENTS.c.subscription_id == bindparam("subscription_id"), PAYMENTS.c.user_id == bindparam("user_id"))
    .order_by(PAYMENTS.c.occurred_at.desc())
    .limit(1)
)

_REFERENCE = {"provider": PAYMENTS.c.provider, "reference": PAYMENTS.c.provider_payment_id}
_STANDING = {"standing": [PaymentStatus.SUCCEEDED], "why": [None], "when": now}

QUERIES = (
    Query("lock payment", lock_payment, 0.3, _REFERENCE),
    Query(
        "record payment",
        record_payment,
        0.1,
        _STANDING
        | {
            "new_id": new_id,
            "owner": USERS.c.id,
            "purpose": [None],
            "collector": ["stripe"],
            "reference": lambda: f"pi_{new_id().hex}",
            "sum": [900, 2900, 9900],
            "code": ["USD", "EUR"],
        },
    ),
    Query(
        "advance payment",
        advance_payment,
        0.1,
        {"standing": [PaymentStatus.FAILED], "why": PAYMENTS.c.failure_reason, "when": now},
    ),
    Query(
        "refund payment",
        refund_payment,
        0.002,
        {"payment_id": PAYMENTS.c.id, "standing": [PaymentStatus.REFUNDED], "back": PAYMENTS.c.amount},
    ),
    Query(
        "payments of a user",
        payments_of_user,
        0.5,
        {"user_id": PAYMENTS.c.user_id, "before": [NEWEST], "before_id": [LAST_ID], "limit": [20]},
    ),
    Query(
        "newest payment",
        newest_payment,
        0.2,
        {"subscription_id": PAYMENTS.c.subscription_id, "user_id": PAYMENTS.c.user_id},
    ),
)
