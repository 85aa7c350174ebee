"""How money moves: wallets locked in the order of their ids, the request judged, booked, and posted twice."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import (
    BOUND,
    FailureReason,
    TransactionKind,
    TransactionStatus,
    UserStatus,
    WalletStatus,
)
from dbplan.domains.wallet.operations.errors import AlreadyBooked, CurrenciesDiffer, KeyReused, NoSuchWallet
from dbplan.domains.wallet.operations.requests import Receipt, Request, replay


class WalletState(NamedTuple):
    """A wallet, as it stands in the database."""

    id: uuid.UUID
    user_id: uuid.UUID | None
    platform_id: uuid.UUID | None
    currency_code: str
    label: str
    balance: int
    held: int
    overdraft_limit: int
    status: WalletStatus
    user_status: UserStatus | None

    @property
    def available(self) -> int:
        """What can be spent now."""
        return self.balance - self.held + self.overdraft_limit


Wallets = Mapping[uuid.UUID, WalletState]


def lock(session: Session, *ids: uuid.UUID) -> Wallets:
    """Lock one to three wallets, in the order of their ids, and return them by id.

    Raises NoSuchWallet, and CurrenciesDiffer where they do not count in the same.
    """
    wallet, counterpart, fee_wallet, *_ = (*ids, ids[0], ids[0])
    values = {"wallet": wallet, "counterpart": counterpart, "fee_wallet": fee_wallet}
    found = [WalletState._make(row) for row in session.execute(statements.wallets.lock_wallets, values).all()]
    locked = {state.id: state for state in found}
    for wallet_id in ids:
        if wallet_id not in locked:
            raise NoSuchWallet(wallet_id)
    if len(codes := {state.currency_code for state in found}) > 1:
        raise CurrenciesDiffer(codes)
    return locked


def settle(session: Session, request: Request, wallets: Wallets) -> Receipt:
    """Carry out a request on wallets that are locked, or return the receipt that it got before.

    The locks come first: whoever sends the same key at once waits there, and then finds the transaction.
    """
    return replay(session, request) or carry_out(session, request, wallets)


def carry_out(session: Session, request: Request, wallets: Wallets) -> Receipt:
    """Book a request that is new, and post it unless something is against it."""
    currency = wallets[request.source_id].currency_code
    failure = objection(request, wallets)
    status = TransactionStatus.PENDING if request.waits else TransactionStatus.COMPLETED
    status = TransactionStatus.FAILED if failure else status
    transaction_id = _book(session, request, currency, status, failure)
    fee = request.fee.amount if request.fee and not failure else 0
    if status is TransactionStatus.COMPLETED:
        post(session, transaction_id, request.source_id, request.destination_id, request.amount)
        _charge(session, request, currency, transaction_id)
    return Receipt(
        transaction_id=transaction_id, user_id=request.user_id, kind=request.kind, status=status,
        source_id=request.source_id, destination_id=request.destination_id, currency_code=currency,
        amount=request.amount, fee=fee, failure=failure, reverses_id=request.reverses_id,
    )  # fmt: skip


def objection(request: Request, wallets: Wallets) -> FailureReason | None:
    """Return what is against a movement, if anything is."""
    source, destination = wallets[request.source_id], wallets[request.destination_id]
    if any(wallet.status is WalletStatus.CLOSED for wallet in wallets.values()):
        return FailureReason.WALLET_CLOSED
    if source.status is WalletStatus.FROZEN:
        return FailureReason.WALLET_FROZEN
    if request.kind is not TransactionKind.DEPOSIT and is_suspended(source, request.user_id):
        return FailureReason.USER_SUSPENDED
    if request.total > source.available:
        return FailureReason.LIMIT_EXCEEDED if source.platform_id else FailureReason.INSUFFICIENT_FUNDS
    if destination.balance + request.total > BOUND:
        return FailureReason.LIMIT_EXCEEDED
    return None


def is_suspended(wallet: WalletState, user_id: uuid.UUID) -> bool:
    """Whether it is the owner who asks, and may start nothing."""
    return wallet.user_id == user_id and wallet.user_status is not UserStatus.ACTIVE


def post(
    session: Session, transaction_id: uuid.UUID, source_id: uuid.UUID, destination_id: uuid.UUID, amount: int
) -> None:
    """Write both lines of a movement into the ledger, and move both balances."""
    for wallet_id, change in ((source_id, -amount), (destination_id, amount)):
        line = {"movement": transaction_id, "where": wallet_id, "change": change}
        session.execute(statements.transactions.post, line)
        session.execute(statements.wallets.move, {"wallet_id": wallet_id, "change": change})


def promise(session: Session, wallet_id: uuid.UUID, change: int) -> None:
    """Hold more of a wallet's balance, or less where `change` is negative."""
    session.execute(statements.wallets.promise, {"wallet_id": wallet_id, "change": change})


def _charge(session: Session, request: Request, currency: str, parent_id: uuid.UUID) -> None:
    if request.fee is None:
        return
    values = _row(request, currency, TransactionStatus.COMPLETED, None) | {
        "new_id": (fee_id := new_id()),
        "key": None,
        "request": None,
        "sort": TransactionKind.FEE,
        "destination": request.fee.wallet_id,
        "minor": request.fee.amount,
        "by_account": None,
        "known_as": None,
        "parent_id": parent_id,
        "details": {},
    }
    session.execute(statements.transactions.book, values)
    post(session, fee_id, request.source_id, request.fee.wallet_id, request.fee.amount)


def _book(
    session: Session, request: Request, currency: str, status: TransactionStatus, failure: FailureReason | None
) -> uuid.UUID:
    values = _row(request, currency, status, failure)
    try:
        session.execute(statements.transactions.book, values)
    except IntegrityError as error:
        # Locks are per wallet: the same key, or the same payment, may have been booked between two others meanwhile.
        said = str(error.orig)
        if "idempotency_key" in said:
            raise KeyReused(request.key) from None
        if "external_id" in said and request.external_id:
            raise AlreadyBooked(request.external_id) from None
        raise
    return uuid.UUID(str(values["new_id"]))


def _row(request: Request, currency: str, status: TransactionStatus, failure: FailureReason | None) -> dict[str, Any]:
    return {
        "new_id": new_id(),
        "who": request.user_id,
        "key": request.key,
        "request": request.fingerprint,
        "sort": request.kind,
        "outcome": status,
        "why": failure,
        "source": request.source_id,
        "destination": request.destination_id,
        "currency": currency,
        "minor": request.amount,
        "by_account": request.platform_account_id,
        "known_as": request.external_id,
        "reversed_id": request.reverses_id,
        "parent_id": None,
        "text": request.description,
        "details": dict(request.details),
    }
