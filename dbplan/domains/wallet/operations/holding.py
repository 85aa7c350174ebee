"""Holds: money that is promised to somebody, then captured, released, or free again by itself."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from dbplan.columns import aware, new_id, now
from dbplan.domains.calls import changed, text
from dbplan.domains.paging import bounded
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import FailureReason, Hold, HoldStatus, TransactionKind, WalletStatus
from dbplan.domains.wallet.operations.errors import HoldEnded, KeyReused, NoSuchHold
from dbplan.domains.wallet.operations.posting import (
    Wallets,
    WalletState,
    carry_out,
    is_suspended,
    lock,
    objection,
    promise,
)
from dbplan.domains.wallet.operations.requests import Receipt, Request, check_amount, replay
from dbplan.errors import UsageError


@dataclass(frozen=True)
class HoldReceipt:
    """A hold as it stands: `hold_id` and `status` are None and `failure` says why where nothing could be held."""

    wallet_id: uuid.UUID
    amount: int
    hold_id: uuid.UUID | None = None
    status: HoldStatus | None = None
    expires_at: dt.datetime | None = None
    failure: FailureReason | None = None
    replayed: bool = False

    @property
    def ok(self) -> bool:
        """Whether the money is, or was, held."""
        return self.failure is None


def place_hold(
    session: Session,
    wallet_id: uuid.UUID,
    amount: int,
    *,
    key: str,
    until: dt.datetime,
    description: str | None = None,
) -> HoldReceipt:
    """Hold money of a user's wallet until it is captured, released, or `until` has come, once for each key.

    Where it does not suffice nothing is kept: the receipt says why, and the key may be used again.
    Raises NoSuchWallet, KeyReused for a key of another request, UsageError for an end that is past.
    """
    check_amount(amount)
    text("idempotency key", key, 200)
    if description is not None:
        text("description", description, 500)
    if aware(until) <= now():
        raise UsageError(f"a hold until {until}, which is past; it ends in the future")
    wallet = lock(session, wallet_id)[wallet_id]
    request = json.dumps({"amount": amount, "until": until, "description": description}, default=str)
    before = _recall(session, wallet_id, key, request)
    if before is not None:
        return before
    failure = _objection(wallet, amount)
    if failure:
        return HoldReceipt(wallet_id, amount, failure=failure)
    hold_id = reserve(session, wallet_id, amount, key=key, request=request, until=until, description=description)
    return HoldReceipt(wallet_id, amount, hold_id, HoldStatus.ACTIVE, until)


def capture_hold(
    session: Session,
    hold_id: uuid.UUID,
    destination_id: uuid.UUID,
    *,
    key: str,
    amount: int | None = None,
    description: str | None = None,
) -> Receipt:
    """Move what is held to another wallet, or a part of it; what is left over is free again.

    A transfer in the name of the wallet's owner, once for each of their keys. Where it fails, for a frozen wallet say,
    the hold stays. Raises HoldEnded for a hold that is over, UsageError for more than is held.
    """
    if amount is not None:
        check_amount(amount)
    hold = _hold(session, hold_id)
    wallets = lock(session, hold.wallet_id, destination_id)
    source = wallets[hold.wallet_id]
    if source.user_id is None:
        raise UsageError(f"wallet {source.id} belongs to a platform; its holds are of pending transactions")
    request = Request(
        TransactionKind.TRANSFER, source.user_id, key, source.id, destination_id,
        hold.amount if amount is None else amount, hold_id=hold_id, description=description,
    )  # fmt: skip
    if before := replay(session, request):
        return before
    hold = _usable(_hold(session, hold_id))
    if request.amount > hold.amount:
        raise UsageError(f"{request.amount} to capture of {hold.amount} held; a capture is at most what is held")
    freed = source._replace(held=source.held - hold.amount)
    return _capture(session, hold, request, {**wallets, source.id: freed})


def release_hold(session: Session, hold_id: uuid.UUID) -> HoldReceipt:
    """Let held money go; once more returns the same receipt. HoldEnded for one that was captured or has expired."""
    lock(session, _hold(session, hold_id).wallet_id)
    hold = _hold(session, hold_id)
    receipt = HoldReceipt(hold.wallet_id, hold.amount, hold_id, HoldStatus.RELEASED, hold.expires_at)
    if hold.status is HoldStatus.RELEASED:
        return replace(receipt, replayed=True)
    _own(hold)
    end(session, hold_id, hold.wallet_id, hold.amount, HoldStatus.RELEASED)
    return receipt


def expire_holds(session: Session, *, limit: int = 100) -> int:
    """Free up to `limit` holds whose time is over and return how many; call and commit until it returns 0."""
    due = session.execute(statements.wallets.due_holds, {"now": now(), "limit": bounded(limit)}).all()
    # In the order of wallets, as every movement locks them.
    done = 0
    for hold_id, wallet_id, amount in sorted(due, key=lambda row: row.wallet_id):
        lock(session, wallet_id)
        done += end(session, hold_id, wallet_id, amount, HoldStatus.EXPIRED)
    return done


def active_holds(session: Session, wallet_id: uuid.UUID) -> Sequence[Hold]:
    """Return what is held in a wallet, oldest first."""
    return session.scalars(statements.wallets.active_holds, {"wallet_id": wallet_id}).all()


def reserve(
    session: Session,
    wallet_id: uuid.UUID,
    amount: int,
    *,
    key: str | None = None,
    request: str | None = None,
    until: dt.datetime | None = None,
    transaction_id: uuid.UUID | None = None,
    description: str | None = None,
) -> uuid.UUID:
    """Write a hold on a wallet that is locked and has enough, and return its id."""
    values = {"new_id": (hold_id := new_id()), "where": wallet_id, "key": key, "request": request, "minor": amount}
    rest = {"until": until, "pending_id": transaction_id, "text": description}
    session.execute(statements.wallets.place_hold, values | rest)
    promise(session, wallet_id, amount)
    return hold_id


def end(session: Session, hold_id: uuid.UUID, wallet_id: uuid.UUID, amount: int, outcome: HoldStatus) -> int:
    """End a hold of a wallet that is locked, unless it has ended; return 1 or 0."""
    values = {"hold_id": hold_id, "outcome": outcome, "captured_by": None}
    ended = changed(session, statements.wallets.end_hold, values)
    if ended:
        promise(session, wallet_id, -amount)
    return ended


def _recall(session: Session, wallet_id: uuid.UUID, key: str, request: str) -> HoldReceipt | None:
    values = {"wallet_id": wallet_id, "key": key, "request": request}
    found = session.execute(statements.wallets.recall_hold, values).one_or_none()
    if found is None:
        return None
    if not found.same:
        raise KeyReused(key)
    return HoldReceipt(wallet_id, found.amount, found.id, found.status, found.expires_at, replayed=True)


def _objection(wallet: WalletState, amount: int) -> FailureReason | None:
    if wallet.user_id is None:
        raise UsageError(f"wallet {wallet.id} belongs to a platform; money is held for users")
    if wallet.status is not WalletStatus.ACTIVE:
        return FailureReason.WALLET_CLOSED if wallet.status is WalletStatus.CLOSED else FailureReason.WALLET_FROZEN
    if is_suspended(wallet, wallet.user_id):
        return FailureReason.USER_SUSPENDED
    return FailureReason.INSUFFICIENT_FUNDS if amount > wallet.available else None


def _capture(session: Session, hold: Hold, request: Request, wallets: Wallets) -> Receipt:
    if objection(request, wallets):
        return carry_out(session, request, wallets)
    # Held before moved: what is held must be there in every moment.
    promise(session, hold.wallet_id, -hold.amount)
    receipt = carry_out(session, request, wallets)
    values = {"hold_id": hold.id, "outcome": HoldStatus.CAPTURED, "captured_by": receipt.transaction_id}
    session.execute(statements.wallets.end_hold, values)
    return receipt


def _hold(session: Session, hold_id: uuid.UUID) -> Hold:
    found = session.scalars(statements.wallets.hold, {"hold_id": hold_id}).one_or_none()
    if found is None:
        raise NoSuchHold(hold_id)
    return found


def _own(hold: Hold) -> Hold:
    if hold.status is not HoldStatus.ACTIVE:
        raise HoldEnded(f"hold {hold.id} is {hold.status}; place_hold holds money anew")
    if hold.expires_at is None:
        raise HoldEnded(
            f"hold {hold.id} ends with transaction {hold.transaction_id}; complete_withdrawal or cancel_withdrawal"
        )
    return hold


def _usable(hold: Hold) -> Hold:
    if _own(hold).expires_at <= now():  # type: ignore[operator]
        raise HoldEnded(f"hold {hold.id} was until {hold.expires_at}; place_hold holds money anew")
    return hold
