"""What is subscribed to, and what is paid for it."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import ZERO, Created, Identified, Updated, lower_case, one_of, only_where, sized, words
from dbplan.domains.clone_jobs.models.base import Base

if TYPE_CHECKING:
    from dbplan.domains.clone_jobs.models.people import User

CANCELLED = "(status = 'cancelled' AND cancelled_at IS NOT NULL) OR (status <> 'cancelled' AND cancelled_at IS NULL)"


class Tier(StrEnum):
    """What can be subscribed to, from the least to the most."""

    FREE = "free"
    STARTER = "starter"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class SubscriptionStatus(StrEnum):
    """How a subscription stands."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """How a payment stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"


class Subscription(Identified, Created, Updated, Base):
    """What somebody pays for, month by month, from its start to its end."""

    __tablename__ = "subscriptions"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), comment="Who subscribes")
    plan: Mapped[Tier] = mapped_column(words(Tier), comment="What they may use now, such as pro")
    next_plan: Mapped[Tier | None] = mapped_column(
        words(Tier), comment="What follows at the end of the period; NULL where the plan goes on"
    )
    status: Mapped[SubscriptionStatus] = mapped_column(
        words(SubscriptionStatus), comment="How it stands: trialing, active, past_due or cancelled"
    )
    billing_anchor: Mapped[dt.datetime] = mapped_column(
        comment="The instant that months are counted from: the start, or the end of the trial"
    )
    current_period_start: Mapped[dt.datetime] = mapped_column(comment="When the month or trial that runs began")
    current_period_end: Mapped[dt.datetime] = mapped_column(comment="When it ends and the next one begins")
    cancel_at_period_end: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Whether no period follows this one"
    )
    cancelled_at: Mapped[dt.datetime | None] = mapped_column(comment="When it ended; NULL while it lives")
    provider: Mapped[str | None] = mapped_column(
        String(50), comment="Who collects the money, in lower case, such as stripe; NULL where nobody does"
    )
    provider_subscription_id: Mapped[str | None] = mapped_column(
        String(255), comment="The subscription's id at the provider; NULL where there is no provider"
    )

    user: Mapped[User] = relationship(back_populates="subscriptions")
    payments: WriteOnlyMapped[Payment] = relationship(
        back_populates="subscription", passive_deletes="all", overlaps="payments,user"
    )

    __table_args__ = (
        UniqueConstraint("id", "user_id"),
        CheckConstraint(one_of("plan", Tier), name="plan_known"),
        CheckConstraint(one_of("next_plan", Tier), name="next_plan_known"),
        CheckConstraint(one_of("status", SubscriptionStatus), name="status_known"),
        CheckConstraint("next_plan <> plan", name="next_plan_differs"),
        CheckConstraint("next_plan IS NULL OR NOT cancel_at_period_end", name="next_plan_if_it_goes_on"),
        CheckConstraint("current_period_end > current_period_start", name="period_ends_after_start"),
        CheckConstraint(CANCELLED, name="cancelled_has_time"),
        CheckConstraint(lower_case("provider"), name="provider_lower_case"),
        CheckConstraint(sized("provider", 1, 50), name="provider_length"),
        CheckConstraint(sized("provider_subscription_id", 1, 255), name="provider_subscription_id_length"),
        CheckConstraint(
            "(provider IS NULL AND provider_subscription_id IS NULL) OR "
            "(provider IS NOT NULL AND provider_subscription_id IS NOT NULL)",
            name="provider_with_id",
        ),
        {
            "comment": "Subscriptions, ended ones included; a user has one that lives",
            "info": {
                "decisions": (
                    "A user has one subscription that is not cancelled: a partial unique index holds it against two "
                    "requests at once. Those that ended stay, since payments refer to them.",
                    "A downgrade and a cancellation wait for the end of the period that is paid for (next_plan, "
                    "cancel_at_period_end); an upgrade is there at once.",
                    "Months are counted from billing_anchor: from period to period, one that began on 31 January "
                    "would end on the 28th for ever after.",
                    "The provider's id is unique where there is one; NULLs are those of the free plan. A partial "
                    "index says so, and a CHECK keeps the pair whole.",
                    "No soft delete: cancelled is the end, and books are not hidden. A user with a subscription "
                    "cannot be deleted (RESTRICT).",
                ),
            },
        },
    )


class Payment(Identified, Created, Updated, Base):
    """One payment, as the provider tells of it."""

    __tablename__ = "payments"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), comment="Who pays")
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(comment="What for; NULL for a single purchase")
    provider: Mapped[str] = mapped_column(String(50), comment="Who collects, in lower case, such as stripe")
    provider_payment_id: Mapped[str] = mapped_column(String(255), comment="The payment's id at the provider")
    amount: Mapped[int] = mapped_column(comment="In the currency's smallest unit: cents for USD, yen for JPY")
    currency: Mapped[str] = mapped_column(String(3), comment="ISO 4217 code, such as USD")
    refunded_amount: Mapped[int] = mapped_column(server_default=ZERO, comment="What of it was given back")
    status: Mapped[PaymentStatus] = mapped_column(
        words(PaymentStatus), comment="How it stands: pending, succeeded, failed or refunded"
    )
    failure_reason: Mapped[str | None] = mapped_column(
        String(200), comment="Why it failed, in the provider's words; NULL where it did not or none were given"
    )
    occurred_at: Mapped[dt.datetime] = mapped_column(comment="When, by the provider's clock, it came to stand so")

    user: Mapped[User] = relationship(back_populates="payments", overlaps="payments")
    subscription: Mapped[Subscription | None] = relationship(back_populates="payments", overlaps="payments,user")

    __table_args__ = (
        UniqueConstraint("provider", "provider_payment_id"),
        ForeignKeyConstraint(
            ["subscription_id", "user_id"], ["subscriptions.id", "subscriptions.user_id"], ondelete="RESTRICT"
        ),
        CheckConstraint(one_of("status", PaymentStatus), name="status_known"),
        CheckConstraint(lower_case("provider"), name="provider_lower_case"),
        CheckConstraint(sized("provider", 1, 50), name="provider_length"),
        CheckConstraint(sized("provider_payment_id", 1, 255), name="provider_payment_id_length"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("length(currency) = 3", name="currency_length"),
        CheckConstraint("currency = upper(currency)", name="currency_upper_case"),
        CheckConstraint("refunded_amount BETWEEN 0 AND amount", name="refunded_amount_range"),
        CheckConstraint("refunded_amount = 0 OR status IN ('succeeded', 'refunded')", name="refund_of_success"),
        CheckConstraint("status <> 'refunded' OR refunded_amount = amount", name="refunded_is_whole"),
        CheckConstraint("failure_reason IS NULL OR status = 'failed'", name="reason_only_if_failed"),
        CheckConstraint(sized("failure_reason", 1, 200), name="failure_reason_length"),
        {
            "comment": "Payments, each once, however often its provider tells of it",
            "info": {
                "decisions": (
                    "Amounts are whole numbers of the currency's smallest unit, as providers send them. Two decimals "
                    "would be wrong for JPY, which has none, and for KWD, which has three.",
                    "(provider, provider_payment_id) is unique: an event that a webhook delivers twice is one "
                    "payment. The same id with another amount, currency or user is refused.",
                    "refunded_amount is the sum given back so far, as providers state it, so that this event too may "
                    "come twice. Part of a payment may be refunded; it is refunded when all of it is.",
                    "currency is text of three letters: a char(3) pads what is shorter and compares by rules of its "
                    "own. Codes come and go, so that they are no enum.",
                    "Books outlive what they speak of: neither a user nor a subscription with payments can be deleted "
                    "(RESTRICT). user_id stands beside subscription_id since a single purchase has no subscription; "
                    "the reference is to the pair, so that nobody pays for a stranger's. A NULL in it means none.",
                ),
            },
        },
    )


Index("ix_subscriptions_user_id_created_at", Subscription.user_id, Subscription.created_at.desc())
Index("ix_subscriptions_user_id_live", Subscription.user_id, unique=True, **only_where("status <> 'cancelled'"))
Index("ix_subscriptions_period_end", Subscription.current_period_end, **only_where("status <> 'cancelled'"))
Index(
    "ix_subscriptions_provider_subscription_id",
    Subscription.provider,
    Subscription.provider_subscription_id,
    unique=True,
    **only_where("provider_subscription_id IS NOT NULL"),
)
Index("ix_payments_user_id_created_at", Payment.user_id, Payment.created_at.desc())
Index(
    "ix_payments_subscription_id_user_id_occurred_at",
    Payment.subscription_id,
    Payment.user_id,
    Payment.occurred_at.desc(),
)
