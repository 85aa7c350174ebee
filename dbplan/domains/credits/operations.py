"""What an application does with credits. Every function works in the caller's transaction and commits nothing.

Wrap calls in `dbplan.connection.transaction`: it commits at the end, and on SQLite takes the write lock at the start.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.columns import new_id, now
from dbplan.domains.calls import NotThere, changed, only, text, whole
from dbplan.domains.credits import statements
from dbplan.domains.credits.idempotency import KEPT, KeyReused, Receipt, Request, remember, replay
from dbplan.domains.credits.models import AuditLog, Status, Transaction
from dbplan.domains.paging import FIRST_ID, TOP, Cursor, bounded
from dbplan.errors import UsageError

__all__ = [
    "KEPT",
    "OPENING",
    "TOP",
    "Account",
    "Cursor",
    "KeyReused",
    "NoSuchUser",
    "Receipt",
    "account",
    "audit",
    "audit_trail",
    "charge",
    "create_user",
    "erase_user",
    "expire_idempotency_records",
    "failures",
    "history",
    "members",
    "refund",
    "set_membership",
    "top_up",
    "transactions_by_action",
]

OPENING = "opening-balance"


class NoSuchUser(NotThere):
    """A user id that no row has."""

    def __init__(self, user_id: uuid.UUID) -> None:
        super().__init__(f"no user {user_id}; create_user makes one")


class Account(NamedTuple):
    """A user's balance and membership, as they stand in the database."""

    id: uuid.UUID
    credits: int
    membership_tier: str | None
    membership_expires_at: dt.datetime | None


def account(session: Session, user_id: uuid.UUID) -> Account:
    """Return the account of a user; NoSuchUser where there is none."""
    return _account(session, statements.account, user_id)


def create_user(session: Session, *, opening: int = 0) -> uuid.UUID:
    """Create a user, with an opening ledger row where they start with credits, and return their id."""
    whole("opening balance", opening, 0)
    user_id = new_id()
    session.execute(statements.create_user, {"new_id": user_id, "opening": opening})
    if opening:
        _post(session, user_id, OPENING, opening, balance=0, details={})
    return user_id


def charge(
    session: Session,
    user_id: uuid.UUID,
    action: str,
    amount: int,
    *,
    key: str,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Take `amount` credits for `action`, once for each idempotency key.

    Where the balance does not suffice nothing is taken: the Receipt says failed, an audit entry stays,
    and the key may be used again. Commit in either case.
    Raises NoSuchUser, KeyReused for a key of another request, UsageError for an amount below 1.
    """
    return _move(session, Request("charge", user_id, action, -_positive(amount), details or {}), key)


def refund(
    session: Session,
    user_id: uuid.UUID,
    action: str,
    amount: int,
    *,
    key: str,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Give back `amount` credits that `action` took, once for each idempotency key; raises as `charge` does."""
    return _move(session, Request("refund", user_id, action, _positive(amount), details or {}), key)


def top_up(
    session: Session, user_id: uuid.UUID, amount: int, *, key: str, details: Mapping[str, Any] | None = None
) -> Receipt:
    """Add `amount` bought credits, once for each idempotency key; raises as `charge` does."""
    return _move(session, Request("top-up", user_id, "top-up", _positive(amount), details or {}), key)


def set_membership(session: Session, user_id: uuid.UUID, tier: str | None, until: dt.datetime | None = None) -> None:
    """Give a user a membership (None ends it), with an audit entry; without `until` it has no end."""
    tier = text("membership tier", tier, 50).lower() if tier is not None else None
    if tier is None and until is not None:
        raise UsageError("a membership that ends needs a tier; give one, or leave `until` out")
    if not changed(session, statements.set_membership, {"user_id": user_id, "tier": tier, "until": until}):
        raise NoSuchUser(user_id)
    ends = until.isoformat() if until else None
    audit(session, user_id, "set-membership", details={"tier": tier, "until": ends})


def members(session: Session, tier: str, *, after: uuid.UUID | None = None, limit: int = 100) -> list[Account]:
    """Return users whose membership of `tier` has not ended, by id; the last id of a page leads to the next."""
    values = {"tier": tier, "now": now(), "after": after or FIRST_ID, "limit": bounded(limit)}
    return [Account(*row) for row in session.execute(statements.members, values)]


def history(session: Session, user_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20) -> Sequence[Transaction]:
    """Return a page of a user's ledger, newest first; `Cursor.of` its last entry leads to the next."""
    return session.scalars(statements.history, {"user_id": user_id} | before.page(limit)).all()


def transactions_by_action(
    session: Session, action: str, *, before: Cursor = TOP, limit: int = 20
) -> Sequence[Transaction]:
    """Return a page of all users' ledger rows of one action, newest first."""
    return session.scalars(statements.by_action, {"action": action} | before.page(limit)).all()


def audit(
    session: Session,
    user_id: uuid.UUID,
    action: str,
    *,
    error: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an audit entry: a failure where there is an error, else a success."""
    values = {"new_id": new_id(), "owner": user_id, "what": action, "details": dict(details or {})}
    status = Status.SUCCESS if error is None else Status.FAILED
    session.execute(statements.audit, values | {"outcome": status, "error": error and error[:2000]})


def audit_trail(session: Session, user_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20) -> Sequence[AuditLog]:
    """Return a page of what a user tried, newest first."""
    return session.scalars(statements.audit_trail, {"user_id": user_id} | before.page(limit)).all()


def failures(session: Session, *, before: Cursor = TOP, limit: int = 20) -> Sequence[AuditLog]:
    """Return a page of what failed for anyone, newest first."""
    return session.scalars(statements.failures, before.page(limit)).all()


def expire_idempotency_records(session: Session, *, limit: int = 1000) -> int:
    """Delete up to `limit` expired records and return how many; call and commit until it returns 0."""
    return changed(session, statements.expire, {"now": now(), "limit": bounded(limit, 100_000)})


def erase_user(session: Session, user_id: uuid.UUID) -> None:
    """Delete a user with their ledger and audit log, which the foreign keys let nobody do by accident."""
    _account(session, statements.seal_account, user_id)
    for statement in (statements.erase_transactions, statements.erase_audit_logs, statements.erase_user):
        session.execute(statement, {"user_id": user_id})


def _move(session: Session, request: Request, key: str) -> Receipt:
    text("idempotency key", key, 200)
    text("action", request.action, 100)
    # The lock comes first: whoever sends the same key at once waits here, and then finds the record.
    holder = _account(session, statements.lock_account, request.user_id)
    return replay(session, request, key) or _settle(session, request, holder.credits, key)


def _settle(session: Session, request: Request, balance: int, key: str) -> Receipt:
    user_id, action, amount = request.user_id, request.action, request.amount
    if balance + amount < 0:
        error = f"insufficient credits: {-amount} wanted, {balance} there"
        audit(session, user_id, action, error=error, details=request.details)
        return Receipt(Status.FAILED, user_id, action, amount, balance, balance, error=error)
    entry = _post(session, user_id, action, amount, balance=balance, details=request.details)
    session.execute(statements.set_balance, {"user_id": user_id, "balance": balance + amount})
    audit(session, user_id, action, details=request.details)
    receipt = Receipt(Status.SUCCESS, user_id, action, amount, balance, balance + amount, entry)
    remember(session, request, key, receipt)
    return receipt


def _post(
    session: Session, user_id: uuid.UUID, action: str, amount: int, *, balance: int, details: Mapping[str, Any]
) -> uuid.UUID:
    entry = new_id()
    values = {"new_id": entry, "owner": user_id, "what": action, "details": dict(details)}
    session.execute(statements.post, values | {"credits": amount, "balance": balance})
    return entry


def _account(session: Session, statement: Executable, user_id: uuid.UUID) -> Account:
    return Account(*only(session, statement, {"user_id": user_id}, NoSuchUser(user_id)))


def _positive(amount: int) -> int:
    """Return an amount; `charge` takes it and the others give it, so that none is negative."""
    return whole("amount of credits", amount, 1)
