"""The books: statements of wallets, transactions of users, and the proof that all of it is right."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.domains.calls import whole
from dbplan.domains.paging import TOP, Cursor, bounded
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import Transaction, TransactionKind

NEWEST_LINE = 2**63 - 1
"""The number that no line of a ledger reaches: a statement below it starts with the newest."""

INVARIANTS: Mapping[str, Executable] = MappingProxyType(
    {
        "the balances of a currency add up to zero": statements.books.unbalanced_currencies,
        "a wallet's balance is that of its newest entry": statements.books.wallets_off_their_ledger,
        "each entry begins where the one before it ends": statements.books.broken_chains,
        "what moved stands twice in the ledger": statements.books.unposted_transactions,
        "the ledger holds nothing else": statements.books.stray_entries,
        "what is held is the sum of the active holds": statements.books.wallets_off_their_holds,
        "a hold ends as its transaction does": statements.books.holds_off_their_transactions,
        "what is pending is held": statements.books.pending_without_hold,
        "a refund takes back no more than was moved": statements.books.wrong_refunds,
        "what is reversed has a refund": statements.books.reversed_without_refund,
        "a fee goes with what it is the fee of": statements.books.wrong_fees,
        "deposits and withdrawals go by the owner's account": statements.books.wrong_routes,
    }
)
"""What is true of sound books, and the statement that finds where it is not."""


class Line(NamedTuple):
    """One line of a wallet's statement."""

    sequence: int
    created_at: dt.datetime
    transaction_id: uuid.UUID
    kind: TransactionKind
    description: str | None
    amount: int
    balance_after: int


class Violation(NamedTuple):
    """A row that breaks an invariant."""

    invariant: str
    found: Mapping[str, Any]

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.invariant}, but: {', '.join(f'{name} {value}' for name, value in self.found.items())}"


def statement(session: Session, wallet_id: uuid.UUID, *, before: int = NEWEST_LINE, limit: int = 20) -> list[Line]:
    """Return a page of a wallet's ledger, newest first; the sequence of its last line leads to the next."""
    below = whole("sequence to start before", before, 1, NEWEST_LINE)
    values = {"wallet_id": wallet_id, "before": below, "limit": bounded(limit)}
    return [Line(*row) for row in session.execute(statements.transactions.statement, values)]


def transactions(
    session: Session, user_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20
) -> Sequence[Transaction]:
    """Return a page of what was asked for in a user's name, newest first, failures included."""
    return session.scalars(statements.transactions.transactions, {"user_id": user_id} | before.page(limit)).all()


def refunds(session: Session, transaction_id: uuid.UUID) -> Sequence[Transaction]:
    """Return the refunds of a transaction, newest first: those that failed, and one at most that did not."""
    return session.scalars(statements.transactions.refunds, {"transaction_id": transaction_id}).all()


def pending_withdrawals(session: Session, before: dt.datetime, *, limit: int = 100) -> Sequence[Transaction]:
    """Return what has waited for its platform since before then, oldest first."""
    return session.scalars(statements.transactions.pending, {"before": before, "limit": bounded(limit)}).all()


def verify_books(session: Session, *, limit: int = 100) -> list[Violation]:
    """Return what is wrong with the books, up to `limit` rows for each invariant; nothing where they are sound.

    It reads everything: run it at night, on a replica, in one REPEATABLE READ transaction, for while money moves each
    statement sees another moment.
    """
    values = {"limit": bounded(limit)}
    return [
        Violation(invariant, dict(row))
        for invariant, found in INVARIANTS.items()
        for row in session.execute(found, values).mappings()
    ]
