"""Subscriptions: starting one, changing its plan, the turn of its months, its end."""

from __future__ import annotations

import calendar
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from dbplan.columns import new_id, now
from dbplan.domains.calls import NotThere, only, refused_as, text
from dbplan.domains.clone_jobs.models import Subject, Subscription, SubscriptionStatus, Tier
from dbplan.domains.clone_jobs.operations.audit import audit
from dbplan.domains.clone_jobs.operations.users import lock_user
from dbplan.domains.clone_jobs.statements import subscriptions as statements
from dbplan.domains.paging import TOP, Cursor, bounded
from dbplan.errors import DbplanError, UsageError

_RANK = tuple(Tier)


class NotSubscribed(NotThere):
    """A user without a subscription that lives."""

    def __init__(self, user_id: uuid.UUID) -> None:
        super().__init__(f"user {user_id} has no subscription that lives; start_subscription makes one")


class AlreadySubscribed(DbplanError):
    """A user whose subscription lives still."""

    def __init__(self, what: object) -> None:
        super().__init__(f"{what} has a subscription already; change_plan changes it, cancel_subscription ends it")


def start_subscription(
    session: Session,
    user_id: uuid.UUID,
    plan: Tier,
    *,
    trial: dt.timedelta = dt.timedelta(0),
    provider: str | None = None,
    reference: str | None = None,
    by: uuid.UUID | None = None,
) -> Subscription:
    """Start a subscription, with a trial first where one is given; months are counted from the trial's end.

    Raises NoSuchUser, and AlreadySubscribed where one of the user lives, or the provider's reference is another's.
    """
    if (provider is None) != (reference is None):
        raise UsageError("a provider comes with its reference; give both or neither")
    if trial < dt.timedelta(0):
        raise UsageError(f"a trial of {trial}; it is not negative")
    lock_user(session, user_id)
    if session.scalars(statements.subscription, {"user_id": user_id}).first() is not None:
        raise AlreadySubscribed(f"user {user_id}")
    start = now()
    values = {
        "new_id": new_id(),
        "owner": user_id,
        "tier": plan,
        "standing": SubscriptionStatus.TRIALING if trial else SubscriptionStatus.ACTIVE,
        "anchor": start + trial,
        "start": start,
        "end": start + trial if trial else months_on(start, 1),
        "collector": text("provider", provider, 50).lower() if provider is not None else None,
        "reference": text("reference", reference, 255) if reference is not None else None,
    }
    with refused_as(session, AlreadySubscribed(f"{provider} {reference}")):
        session.execute(statements.start_subscription, values)
    _note(session, by or user_id, "subscription.start", values["new_id"], None, {"plan": plan})
    return subscription(session, user_id)


def subscription(session: Session, user_id: uuid.UUID) -> Subscription:
    """Return the subscription of a user that lives; NotSubscribed where there is none."""
    found: Subscription = only(session, statements.subscription, {"user_id": user_id}, NotSubscribed(user_id))[0]
    return found


def subscription_at_provider(session: Session, provider: str, reference: str) -> Subscription | None:
    """Return the subscription that a provider's id stands for, also one that has ended."""
    values = {"provider": provider.lower(), "reference": reference}
    return session.scalars(statements.subscription_at_provider, values).one_or_none()


def subscriptions(
    session: Session, user_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20
) -> Sequence[Subscription]:
    """Return a page of a user's subscriptions, ended ones included, newest first."""
    return session.scalars(statements.subscriptions_of_user, {"user_id": user_id} | before.page(limit)).all()


def change_plan(session: Session, user_id: uuid.UUID, plan: Tier, *, by: uuid.UUID | None = None) -> Subscription:
    """Change a plan: a larger one is there at once, a smaller one from the next period on.

    The plan that is there already takes back a change or a cancellation that was to come.
    """
    held = _locked(session, user_id)
    later = _RANK.index(plan) < _RANK.index(held.plan)
    terms = {"tier": held.plan if later else plan, "then": plan if later else None, "ends": False}
    _set_terms(session, held, terms, by or user_id, "subscription.change-plan")
    return subscription(session, user_id)


def cancel_subscription(
    session: Session, user_id: uuid.UUID, *, at_once: bool = False, by: uuid.UUID | None = None
) -> None:
    """End a subscription when the period that is paid for ends, or at once."""
    held = _locked(session, user_id)
    if at_once:
        end(session, held, by or user_id)
    else:
        terms = {"tier": held.plan, "then": None, "ends": True}
        _set_terms(session, held, terms, by or user_id, "subscription.cancel")


def renew_due(session: Session, *, limit: int = 100) -> list[uuid.UUID]:
    """Turn up to `limit` subscriptions whose period has ended, and return their ids; call and commit until none is.

    One that was cancelled ends, and so does one whose payment is due still; the others begin the next month, with
    the plan that was to come.
    """
    due = session.scalars(statements.subscriptions_to_renew, {"now": now(), "limit": bounded(limit)}).all()
    for held in due:
        if held.cancel_at_period_end or held.status == SubscriptionStatus.PAST_DUE:
            end(session, held, None)
        else:
            _roll(session, held)
    return [held.id for held in due]


def end(session: Session, held: Subscription, by: uuid.UUID | None) -> None:
    """End a subscription now."""
    session.execute(statements.end_subscription, {"subscription_id": held.id})
    new = {"status": SubscriptionStatus.CANCELLED}
    _note(session, by, "subscription.end", held.id, {"status": held.status}, new)


def set_standing(session: Session, held: Subscription, status: SubscriptionStatus) -> None:
    """Note how a subscription stands after a payment."""
    session.execute(statements.set_standing, {"subscription_id": held.id, "standing": status})
    _note(session, None, "subscription.set-standing", held.id, {"status": held.status}, {"status": status})


def months_on(anchor: dt.datetime, count: int) -> dt.datetime:
    """Return the same instant of a later month, or of that month's last day where it has no such day."""
    years, month = divmod(anchor.month - 1 + count, 12)
    year = anchor.year + years
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, calendar.monthrange(year, month + 1)[1]))


def period(anchor: dt.datetime, instant: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Return the start and the end of the month, counted from `anchor`, that holds `instant`."""
    count = (instant.year - anchor.year) * 12 + instant.month - anchor.month
    if months_on(anchor, count) > instant:
        count -= 1
    return months_on(anchor, count), months_on(anchor, count + 1)


def _roll(session: Session, held: Subscription) -> None:
    # From now, not from the end that has passed: a schedule that stood still for months gives one period, not many.
    start, end_ = period(held.billing_anchor, max(now(), held.current_period_end))
    plan = held.next_plan or held.plan
    values = {"subscription_id": held.id, "ended": held.current_period_end, "tier": plan, "start": start, "end": end_}
    old = {"plan": held.plan, "period_end": held.current_period_end.isoformat()}
    session.execute(statements.roll_period, values)
    _note(session, None, "subscription.renew", held.id, old, {"plan": plan, "period_end": end_.isoformat()})


def _set_terms(session: Session, held: Subscription, terms: dict[str, Any], by: uuid.UUID | None, action: str) -> None:
    old = {"plan": held.plan, "next_plan": held.next_plan, "cancel_at_period_end": held.cancel_at_period_end}
    session.execute(statements.set_terms, {"subscription_id": held.id} | terms)
    _note(session, by, action, held.id, old, dict(zip(old, terms.values(), strict=True)))


def _locked(session: Session, user_id: uuid.UUID) -> Subscription:
    found: Subscription = only(session, statements.lock_subscription, {"user_id": user_id}, NotSubscribed(user_id))[0]
    return found


def _note(
    session: Session, by: uuid.UUID | None, action: str, key: Any, old: dict[str, Any] | None, new: dict[str, Any]
) -> None:
    audit(session, by, action, Subject.SUBSCRIPTION, key, old=old, new=new)
