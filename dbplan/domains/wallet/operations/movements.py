"""Deposits, withdrawals, transfers, refunds and adjustments.

None of them raises where the money does not suffice, or a wallet is frozen: the Receipt says failed and why, and the
failed transaction stays in the books under its key. Commit in either case.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from dbplan.domains.calls import changed, only
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import (
    FailureReason,
    HoldStatus,
    LinkStatus,
    PlatformStatus,
    TransactionKind,
    TransactionStatus,
)
from dbplan.domains.wallet.operations.errors import (
    AlreadyBooked,
    NoSuchAccount,
    NoSuchWallet,
    NotPending,
    NotReachable,
    NotRefundable,
    NotTheirs,
)
from dbplan.domains.wallet.operations.holding import end, reserve
from dbplan.domains.wallet.operations.posting import Wallets, carry_out, lock, post, settle
from dbplan.domains.wallet.operations.requests import Fee, Receipt, Request, check_amount, replay, transaction
from dbplan.errors import UsageError

SETTLEMENT = "settlement"
"""The label of the wallet that a platform's deposits and withdrawals run against."""


def deposit(
    session: Session,
    wallet_id: uuid.UUID,
    amount: int,
    *,
    platform_account_id: uuid.UUID,
    key: str,
    external_id: str | None = None,
    description: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Book money that came to a platform for a user's wallet, once for each key and for each `external_id`.

    A deposit is a fact: a paused platform, a revoked account or a frozen wallet does not stop it.
    Raises AlreadyBooked for a payment that is there under another key, NotTheirs for somebody else's account,
    NotReachable where the platform has no settlement wallet, KeyReused for a key of another request.
    """
    check_amount(amount)
    route = _route(session, wallet_id, platform_account_id)
    request = Request(
        TransactionKind.DEPOSIT, route.user_id, key, route.settlement_id, wallet_id, amount,
        platform_account_id=platform_account_id, external_id=external_id, description=description,
        details=details or {},
    )  # fmt: skip
    return _by_platform(session, request)


def withdraw(
    session: Session,
    wallet_id: uuid.UUID,
    amount: int,
    *,
    platform_account_id: uuid.UUID,
    key: str,
    waits: bool = False,
    external_id: str | None = None,
    description: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Pay money out of a user's wallet, once for each key.

    With `waits` the transaction is pending and the money held, until complete_withdrawal, fail_withdrawal or
    cancel_withdrawal says how it ended. Raises as deposit does, and NotReachable where the platform is not active or
    the account is revoked.
    """
    check_amount(amount)
    route = _route(session, wallet_id, platform_account_id)
    if route.status is not LinkStatus.ACTIVE or route.platform_status is not PlatformStatus.ACTIVE:
        raise NotReachable(
            f"platform account {platform_account_id} is {route.status} and its platform {route.platform_status}; "
            "money goes out by active ones"
        )
    request = Request(
        TransactionKind.WITHDRAWAL, route.user_id, key, wallet_id, route.settlement_id, amount, waits=waits,
        platform_account_id=platform_account_id, external_id=external_id, description=description,
        details=details or {},
    )  # fmt: skip
    receipt = _by_platform(session, request)
    if receipt.status is TransactionStatus.PENDING and not receipt.replayed:
        reserve(session, wallet_id, amount, transaction_id=receipt.transaction_id)
    return receipt


def complete_withdrawal(session: Session, transaction_id: uuid.UUID, *, external_id: str | None = None) -> Receipt:
    """Book that the platform has paid a pending withdrawal: a fact, which a frozen wallet does not stop.

    Once more returns the same receipt; NotPending for one that ended otherwise.
    """
    receipt, ended = _finish(session, transaction_id, TransactionStatus.COMPLETED, external_id=external_id)
    if ended:
        post(session, transaction_id, receipt.source_id, receipt.destination_id, receipt.amount)
    return receipt


def fail_withdrawal(session: Session, transaction_id: uuid.UUID) -> Receipt:
    """Book that the platform has refused a pending withdrawal: its money is free again; NotPending as above."""
    return _finish(session, transaction_id, TransactionStatus.FAILED, failure=FailureReason.PLATFORM_REFUSED)[0]


def cancel_withdrawal(session: Session, transaction_id: uuid.UUID) -> Receipt:
    """Call off a pending withdrawal: its money is free again; NotPending as above."""
    return _finish(session, transaction_id, TransactionStatus.CANCELLED)[0]


def transfer(
    session: Session,
    source_id: uuid.UUID,
    destination_id: uuid.UUID,
    amount: int,
    *,
    key: str,
    fee: Fee | None = None,
    description: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Move money from a user's wallet to another wallet of the currency, once for each key of that user.

    A fee is a transaction of its own, and goes with the transfer or not at all.
    Raises NoSuchWallet, CurrenciesDiffer, KeyReused, UsageError for a source or a fee wallet of the wrong owner.
    """
    check_amount(amount)
    if fee is not None:
        check_amount(fee.amount)
    wallets = lock(session, source_id, destination_id, *([fee.wallet_id] if fee else []))
    request = Request(
        TransactionKind.TRANSFER, _owner(wallets, source_id), key, source_id, destination_id, amount, fee=fee,
        description=description, details=details or {},
    )  # fmt: skip
    if fee and wallets[fee.wallet_id].platform_id is None:
        raise UsageError(f"wallet {fee.wallet_id} belongs to a user; fees go to a platform's wallet")
    return settle(session, request, wallets)


def refund(
    session: Session,
    transaction_id: uuid.UUID,
    *,
    user_id: uuid.UUID,
    key: str,
    amount: int | None = None,
    description: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Move a transaction's amount back, or a part of it, once for each key of `user_id`, and mark it reversed.

    Where the receiver has spent the money the refund fails, and may be tried again with a new key: nobody goes below
    zero for it. Raises NotRefundable where it was taken back already, never moved, or is a refund itself.
    """
    if amount is not None:
        check_amount(amount)
    original = transaction(session, transaction_id)
    request = Request(
        TransactionKind.REFUND, user_id, key, original.destination_id, original.source_id,
        original.amount if amount is None else amount, reverses_id=transaction_id,
        description=description, details=details or {},
    )  # fmt: skip
    wallets = lock(session, request.source_id, request.destination_id)
    if before := replay(session, request):
        return before
    _check_refundable(transaction(session, transaction_id), request.amount)
    receipt = carry_out(session, request, wallets)
    if receipt.ok:
        session.execute(statements.transactions.mark_reversed, {"transaction_id": transaction_id})
    return receipt


def adjust(
    session: Session,
    source_id: uuid.UUID,
    destination_id: uuid.UUID,
    amount: int,
    *,
    user_id: uuid.UUID,
    key: str,
    description: str,
    details: Mapping[str, Any] | None = None,
) -> Receipt:
    """Correct the books by a movement from or to a platform's wallet, in the name of whoever answers for it.

    Raises as transfer does, UsageError where both wallets belong to users.
    """
    request = Request(
        TransactionKind.ADJUSTMENT, user_id, key, source_id, destination_id, amount, description=description,
        details=details or {},
    )  # fmt: skip
    wallets = lock(session, source_id, destination_id)
    if all(wallet.platform_id is None for wallet in wallets.values()):
        raise UsageError("both wallets belong to users; an adjustment is at the cost of a platform's wallet")
    return settle(session, request, wallets)


def payment(session: Session, platform_account_id: uuid.UUID, external_id: str) -> Receipt | None:
    """Return the transaction that a platform knows as `external_id`; None where the books have none."""
    values = {"platform_account_id": platform_account_id, "external_id": external_id}
    found = session.execute(statements.transactions.payment, values).one_or_none()
    return None if found is None else Receipt(*found)


def _route(session: Session, wallet_id: uuid.UUID, account_id: uuid.UUID) -> Any:
    values = {"platform_account_id": account_id, "own_wallet": wallet_id, "label": SETTLEMENT}
    found = only(session, statements.wallets.route, values, NoSuchAccount(account_id))
    if found.own_id is None:
        raise NoSuchWallet(wallet_id)
    if found.owner_id != found.user_id:
        raise NotTheirs(wallet_id, account_id)
    if found.settlement_id is None:
        raise NotReachable(
            f'the platform of account {account_id} has no wallet "{SETTLEMENT}" in the currency of wallet {wallet_id}; '
            "open_platform_wallet makes one"
        )
    return found


def _by_platform(session: Session, request: Request) -> Receipt:
    wallets = lock(session, request.source_id, request.destination_id)
    if before := replay(session, request):
        return before
    account_id, external_id = request.platform_account_id, request.external_id
    if account_id and external_id and payment(session, account_id, external_id):
        raise AlreadyBooked(external_id)
    return carry_out(session, request, wallets)


def _owner(wallets: Wallets, wallet_id: uuid.UUID) -> uuid.UUID:
    user_id = wallets[wallet_id].user_id
    if user_id is None:
        raise UsageError(f"wallet {wallet_id} belongs to a platform; adjust moves money out of it")
    return user_id


def _check_refundable(original: Receipt, amount: int) -> None:
    if original.kind is TransactionKind.REFUND:
        raise NotRefundable(f"transaction {original.transaction_id} is a refund itself; transfer moves money anew")
    if original.status is not TransactionStatus.COMPLETED:
        raise NotRefundable(
            f"transaction {original.transaction_id} is {original.status}; only a completed one is taken back, once"
        )
    if amount > original.amount:
        raise UsageError(f"{amount} to take back of {original.amount}; a refund is at most what was moved")


def _finish(
    session: Session,
    transaction_id: uuid.UUID,
    outcome: TransactionStatus,
    *,
    failure: FailureReason | None = None,
    external_id: str | None = None,
) -> tuple[Receipt, bool]:
    """End a pending withdrawal and its hold; return its receipt, and whether it was this call that ended it."""
    receipt = transaction(session, transaction_id)
    lock(session, receipt.source_id, receipt.destination_id)
    values = {"transaction_id": transaction_id, "outcome": outcome, "why": failure, "known_as": external_id}
    if not changed(session, statements.transactions.finish, values):
        now_is = transaction(session, transaction_id)
        if now_is.status is not outcome:
            raise NotPending(transaction_id, now_is.status)
        return replace(now_is, replayed=True), False
    hold_id = session.scalars(statements.wallets.hold_of, {"transaction_id": transaction_id}).one()
    end(
        session,
        hold_id,
        receipt.source_id,
        receipt.amount,
        HoldStatus.CAPTURED if outcome is TransactionStatus.COMPLETED else HoldStatus.RELEASED,
    )
    return replace(receipt, status=outcome, failure=failure), True
