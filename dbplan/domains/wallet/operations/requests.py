"""A request sent twice is done once: its transaction is found under the caller's key, and is the receipt again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from dbplan.domains.calls import text, whole
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import MOST, FailureReason, TransactionKind, TransactionStatus
from dbplan.domains.wallet.operations.errors import KeyReused, NoSuchTransaction
from dbplan.errors import UsageError


class Fee(NamedTuple):
    """What the one who pays pays besides, and into which wallet."""

    wallet_id: uuid.UUID
    amount: int


@dataclass(frozen=True)
class Request:
    """What somebody asks for under an idempotency key: an amount from one wallet to another, and why."""

    kind: TransactionKind
    user_id: uuid.UUID
    key: str
    source_id: uuid.UUID
    destination_id: uuid.UUID
    amount: int
    fee: Fee | None = None
    waits: bool = False
    platform_account_id: uuid.UUID | None = None
    external_id: str | None = None
    reverses_id: uuid.UUID | None = None
    hold_id: uuid.UUID | None = None
    description: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what makes no sense before it reaches the server."""
        check_amount(self.amount)
        text("idempotency key", self.key, 200)
        if self.fee is not None:
            check_amount(self.fee.amount)
        if self.external_id is not None:
            text("payment's id", self.external_id, 255)
        if self.description is not None:
            text("description", self.description, 500)
        if self.source_id == self.destination_id:
            raise UsageError(f"wallet {self.source_id} on both sides; money moves between two wallets")

    @property
    def total(self) -> int:
        """What leaves the source, the fee included."""
        return self.amount + (self.fee.amount if self.fee else 0)

    @property
    def fingerprint(self) -> str:
        """Return what two requests share only if they ask for the same; its SHA-256 is kept."""
        asked = {name: value for name, value in vars(self).items() if name not in ("user_id", "key")}
        return json.dumps(asked, sort_keys=True, default=str)


@dataclass(frozen=True)
class Receipt:
    """A transaction as it stands: `failure` says why where nothing moved."""

    transaction_id: uuid.UUID
    user_id: uuid.UUID
    kind: TransactionKind
    status: TransactionStatus
    source_id: uuid.UUID
    destination_id: uuid.UUID
    currency_code: str
    amount: int
    fee: int = 0
    failure: FailureReason | None = None
    reverses_id: uuid.UUID | None = None
    replayed: bool = False

    @property
    def ok(self) -> bool:
        """Whether the money moved, or is held until it does."""
        return self.failure is None


def check_amount(amount: int) -> int:
    """Return an amount that can move; UsageError for another."""
    return whole("amount in minor units", amount, 1, MOST)


def replay(session: Session, request: Request) -> Receipt | None:
    """Return the receipt that the request's key already stands for; KeyReused where it stands for another request."""
    values = {"user_id": request.user_id, "key": request.key, "request": request.fingerprint}
    found = session.execute(statements.transactions.recall, values).one_or_none()
    if found is None:
        return None
    if not found.same:
        raise KeyReused(request.key)
    return replace(Receipt(*found[:-1]), replayed=True)


def transaction(session: Session, transaction_id: uuid.UUID) -> Receipt:
    """Return the receipt of a transaction as it stands; NoSuchTransaction where there is none."""
    values = {"transaction_id": transaction_id}
    found = session.execute(statements.transactions.transaction, values).one_or_none()
    if found is None:
        raise NoSuchTransaction(transaction_id)
    return Receipt(*found)
