"""Payments, as their provider tells of them: each event may come twice, late, or out of order."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from dbplan.columns import aware, new_id
from dbplan.domains.calls import NotThere, changed, only, refused_as, text, whole
from dbplan.domains.clone_jobs.models import (
    Payment,
    PaymentStatus,
    Subject,
    Subscription,
    SubscriptionStatus,
)
from dbplan.domains.clone_jobs.operations.audit import audit
from dbplan.domains.clone_jobs.operations.jobs import WrongState
from dbplan.domains.clone_jobs.operations.subscriptions import set_standing
from dbplan.domains.clone_jobs.operations.users import lock_user
from dbplan.domains.clone_jobs.statements import payments as statements
from dbplan.domains.clone_jobs.statements.subscriptions import subscription_by_id
from dbplan.domains.paging import TOP, Cursor
from dbplan.errors import DbplanError, UsageError

_STANDING = {
    PaymentStatus.SUCCEEDED: SubscriptionStatus.ACTIVE,
    PaymentStatus.FAILED: SubscriptionStatus.PAST_DUE,
}


@dataclass(frozen=True)
class PaymentEvent:
    """What a provider says of a payment: pending, succeeded or failed; refunds have a verb of their own."""

    user_id: uuid.UUID
    provider: str
    reference: str
    amount: int
    currency: str
    status: PaymentStatus
    occurred_at: dt.datetime
    subscription_id: uuid.UUID | None = None
    failure_reason: str | None = None

    def __post_init__(self) -> None:
        """Bring texts into the form that they are kept in, and refuse what no payment can be."""
        object.__setattr__(self, "provider", text("provider", self.provider, 50).lower())
        object.__setattr__(self, "reference", text("reference", self.reference, 255))
        object.__setattr__(self, "currency", self.currency.strip().upper())
        aware(self.occurred_at)
        whole("amount in the currency's smallest unit", self.amount, 1)
        if len(self.currency) != 3:
            raise UsageError(f'"{self.currency}" is no currency; give an ISO 4217 code such as USD')
        if self.status == PaymentStatus.REFUNDED:
            raise UsageError("a refund belongs to a payment that is recorded; call record_refund")
        if self.failure_reason is not None and self.status != PaymentStatus.FAILED:
            raise UsageError(f"a payment that is {self.status} has no reason for a failure; leave it out")


class NoSuchPayment(NotThere):
    """A provider's id that no payment has."""

    def __init__(self, provider: str, reference: str) -> None:
        super().__init__(f'no payment "{reference}" of {provider}; record_payment first, then the event once more')


class PaymentMismatch(DbplanError):
    """An event that contradicts the payment recorded under its id."""

    def __init__(self, event: PaymentEvent) -> None:
        super().__init__(
            f'payment "{event.reference}" of {event.provider} is recorded with another amount, currency, user or '
            f"subscription than {event.amount} {event.currency} of user {event.user_id}; nothing was changed, "
            "ask the provider which is true"
        )


def record_payment(session: Session, event: PaymentEvent) -> Payment:
    """Record what a provider says of a payment, once however often it says so, and return the payment.

    A later event moves a payment on; an older one changes nothing. The newest payment of a subscription says how
    that stands. Raises PaymentMismatch, and NoSuchUser for a user who was never there: money of deleted ones counts.
    """
    # The lock comes first: whoever delivers the same event at once waits here, and then finds the payment.
    lock_user(session, event.user_id, deleted=True)
    purpose = _purpose(session, event)
    found = _found(session, event.provider, event.reference)
    if found is None:
        _insert(session, event)
    elif not _same(found, event):
        raise PaymentMismatch(event)
    elif not _advance(session, found, event):
        return found
    payment = _payment(session, event.provider, event.reference)
    if purpose is not None:
        _settle(session, purpose, payment)
    return payment


def record_refund(session: Session, provider: str, reference: str, refunded: int) -> Payment:
    """Record how much of a payment was given back in all; told again, or told less, it changes nothing.

    Raises NoSuchPayment, WrongState for one that did not succeed, UsageError for more than was paid.
    """
    whole("refund in the currency's smallest unit", refunded, 1)
    payment = _payment(session, provider.lower(), reference)
    if payment.status not in (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED):
        raise WrongState(f'payment "{reference}" is {payment.status}; only one that succeeded can be refunded')
    if refunded > payment.amount:
        raise UsageError(f"a refund of {refunded} in all, and {payment.amount} were paid; it is at most what was paid")
    status = PaymentStatus.REFUNDED if refunded == payment.amount else PaymentStatus.SUCCEEDED
    old = {"status": payment.status, "refunded_amount": payment.refunded_amount}
    if not changed(
        session, statements.refund_payment, {"payment_id": payment.id, "standing": status, "back": refunded}
    ):
        return payment
    new = {"status": status, "refunded_amount": refunded}
    audit(session, None, "payment.refund", Subject.PAYMENT, payment.id, old=old, new=new)
    return _payment(session, provider.lower(), reference)


def payments(session: Session, user_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20) -> Sequence[Payment]:
    """Return a page of a user's payments, newest first."""
    return session.scalars(statements.payments_of_user, {"user_id": user_id} | before.page(limit)).all()


def _purpose(session: Session, event: PaymentEvent) -> Subscription | None:
    """Return the subscription that is paid for; PaymentMismatch where it is a stranger's or nobody's."""
    if event.subscription_id is None:
        return None
    found = session.scalars(subscription_by_id, {"subscription_id": event.subscription_id}).one_or_none()
    if found is None or found.user_id != event.user_id:
        raise UsageError(f"user {event.user_id} has no subscription {event.subscription_id}; pay for one of theirs")
    return found


def _found(session: Session, provider: str, reference: str) -> Payment | None:
    values = {"provider": provider, "reference": reference}
    return session.scalars(statements.lock_payment, values).one_or_none()


def _payment(session: Session, provider: str, reference: str) -> Payment:
    values = {"provider": provider, "reference": reference}
    found: Payment = only(session, statements.lock_payment, values, NoSuchPayment(provider, reference))[0]
    return found


def _same(found: Payment, event: PaymentEvent) -> bool:
    there = (found.user_id, found.subscription_id, found.amount, found.currency)
    return there == (event.user_id, event.subscription_id, event.amount, event.currency)


def _insert(session: Session, event: PaymentEvent) -> None:
    payment_id = new_id()
    values = {
        "new_id": payment_id,
        "owner": event.user_id,
        "purpose": event.subscription_id,
        "collector": event.provider,
        "reference": event.reference,
        "sum": event.amount,
        "code": event.currency,
        "standing": event.status,
        "why": event.failure_reason and event.failure_reason[:200],
        "when": event.occurred_at,
    }
    # The lock is per user: only an event that gives the payment to another user can have come in between.
    with refused_as(session, PaymentMismatch(event)):
        session.execute(statements.record_payment, values)
    new = {"status": event.status, "amount": event.amount, "currency": event.currency}
    audit(session, None, "payment.record", Subject.PAYMENT, payment_id, new=new)


def _advance(session: Session, found: Payment, event: PaymentEvent) -> bool:
    values = {
        "payment_id": found.id,
        "standing": event.status,
        "why": event.failure_reason and event.failure_reason[:200],
        "when": event.occurred_at,
    }
    old = {"status": found.status}
    moved = bool(changed(session, statements.advance_payment, values))
    if moved:
        audit(session, None, "payment.advance", Subject.PAYMENT, found.id, old=old, new={"status": event.status})
    return moved


def _settle(session: Session, purpose: Subscription, payment: Payment) -> None:
    """Let the newest payment say how its subscription stands; an older one says nothing."""
    wanted = _STANDING.get(payment.status)
    over = purpose.status == SubscriptionStatus.CANCELLED
    if wanted is None or over or purpose.status == wanted:
        return
    newest = session.scalar(statements.newest_payment, {"subscription_id": purpose.id, "user_id": purpose.user_id})
    if newest == payment.id:
        set_standing(session, purpose, wanted)
