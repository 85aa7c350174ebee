"""Movements of money, and the ledger that proves them."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import EMPTY, Created, Digest, Identified, one_of, only_where, sized, words
from dbplan.domains.wallet.models.base import IN_RANGE, MOST, Base

if TYPE_CHECKING:
    from dbplan.domains.wallet.models.owners import PlatformAccount, User
    from dbplan.domains.wallet.models.wallets import Wallet


class TransactionKind(StrEnum):
    """Why money moves."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    FEE = "fee"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


class TransactionStatus(StrEnum):
    """Where a transaction stands: pending → completed, failed or cancelled; completed → reversed."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REVERSED = "reversed"


class FailureReason(StrEnum):
    """Why a transaction failed."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    WALLET_FROZEN = "wallet_frozen"
    WALLET_CLOSED = "wallet_closed"
    USER_SUSPENDED = "user_suspended"
    LIMIT_EXCEEDED = "limit_exceeded"
    PLATFORM_REFUSED = "platform_refused"


class Transaction(Identified, Created, Base):
    """One amount that moves, or was to move, from one wallet to another."""

    __tablename__ = "transactions"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), comment="In whose name it was asked for"
    )
    idempotency_key: Mapped[str | None] = mapped_column(
        String(200), comment="The caller's key, once per user; NULL for the fee of another transaction"
    )
    fingerprint: Mapped[str | None] = mapped_column(
        Digest, comment="SHA-256 of the request, so that its key answers no other; NULL without a key"
    )
    kind: Mapped[TransactionKind] = mapped_column(
        words(TransactionKind), comment="Why it moves: deposit, withdrawal, transfer, fee, refund or adjustment"
    )
    status: Mapped[TransactionStatus] = mapped_column(
        words(TransactionStatus), comment="Where it stands: pending, completed, failed, cancelled or reversed"
    )
    source_wallet_id: Mapped[uuid.UUID] = mapped_column(comment="Where the amount comes from")
    destination_wallet_id: Mapped[uuid.UUID] = mapped_column(comment="Where it goes")
    currency_code: Mapped[str] = mapped_column(String(10), comment="The currency of both wallets")
    amount: Mapped[int] = mapped_column(comment="What moves, in minor units; always positive")
    failure_reason: Mapped[FailureReason | None] = mapped_column(
        words(FailureReason), comment="Why it failed; NULL where it did not"
    )
    finished_at: Mapped[dt.datetime | None] = mapped_column(
        comment="When it was completed, failed or cancelled; NULL while it is pending"
    )
    platform_account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("platform_accounts.id", ondelete="RESTRICT"),
        comment="By which account a deposit came or a withdrawal goes; NULL for other kinds",
    )
    external_id: Mapped[str | None] = mapped_column(
        String(255), comment="The payment's id at the platform; NULL where it has none yet"
    )
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("transactions.id", ondelete="RESTRICT"), comment="What a refund takes back; NULL for other kinds"
    )
    fee_of_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("transactions.id", ondelete="RESTRICT"),
        unique=True,
        comment="What it is the fee of; NULL for other transactions",
    )
    description: Mapped[str | None] = mapped_column(
        String(500), comment="What the people concerned read; NULL for none"
    )
    details: Mapped[dict[str, Any]] = mapped_column(
        "metadata", server_default=EMPTY, default=dict, comment="What else the application wants to keep"
    )

    user: Mapped[User] = relationship(back_populates="transactions")
    platform_account: Mapped[PlatformAccount | None] = relationship()
    entries: WriteOnlyMapped[Entry] = relationship(back_populates="transaction", passive_deletes="all")

    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        UniqueConstraint("platform_account_id", "external_id"),
        *(
            ForeignKeyConstraint(
                [f"{side}_wallet_id", "currency_code"], ["wallets.id", "wallets.currency_code"], ondelete="RESTRICT"
            )
            for side in ("source", "destination")
        ),
        CheckConstraint(sized("idempotency_key", 1, 200), name="idempotency_key_length"),
        CheckConstraint("length(fingerprint) = 64", name="fingerprint_digest"),
        CheckConstraint("(fingerprint IS NULL) = (idempotency_key IS NULL)", name="key_has_fingerprint"),
        CheckConstraint("(idempotency_key IS NULL) = (fee_of_id IS NOT NULL)", name="request_has_key"),
        CheckConstraint(one_of("kind", TransactionKind), name="kind_known"),
        CheckConstraint(one_of("status", TransactionStatus), name="status_known"),
        CheckConstraint("source_wallet_id <> destination_wallet_id", name="wallets_differ"),
        CheckConstraint(IN_RANGE, name="amount_in_range"),
        CheckConstraint(one_of("failure_reason", FailureReason), name="failure_reason_known"),
        CheckConstraint("(status = 'failed') = (failure_reason IS NOT NULL)", name="failed_has_reason"),
        CheckConstraint("(status = 'pending') = (finished_at IS NULL)", name="finished_unless_pending"),
        CheckConstraint("finished_at >= created_at", name="finished_after_creation"),
        CheckConstraint("kind = 'withdrawal' OR status NOT IN ('pending', 'cancelled')", name="only_withdrawals_wait"),
        CheckConstraint(
            "(kind IN ('deposit', 'withdrawal')) = (platform_account_id IS NOT NULL)", name="platform_account_by_kind"
        ),
        CheckConstraint("external_id IS NULL OR platform_account_id IS NOT NULL", name="external_id_has_account"),
        CheckConstraint(sized("external_id", 1, 255), name="external_id_length"),
        CheckConstraint("(kind = 'refund') = (reverses_id IS NOT NULL)", name="refund_reverses"),
        CheckConstraint("reverses_id <> id", name="reverses_another"),
        CheckConstraint("kind = 'fee' OR fee_of_id IS NULL", name="fee_of_only_for_fees"),
        CheckConstraint("fee_of_id <> id", name="fee_of_another"),
        CheckConstraint(sized("description", 1, 500), name="description_length"),
        {
            "comment": "Movements of money between two wallets of one currency, those that failed included",
            "info": {
                "lint": {
                    "idx-too-many": "Each serves a named query or keeps a rule; rows are written once and end once.",
                    "uq-nullable": "A fee has no key of its own: it goes with the transaction that it is the fee of.",
                },
                "decisions": (
                    "One row moves one positive amount from one wallet to another; the sign is in the ledger. "
                    "Deposits and withdrawals are no special case: they run against the platform's settlement wallet.",
                    "Both wallets are referred to together with the currency: no row can move money between "
                    "currencies. A conversion is two rows through an exchange's wallets; it is left out here, since "
                    "its rate, spread and rounding are the trade of whoever quotes them.",
                    "An idempotency key counts once per user, and the fingerprint tells whether it is the same "
                    "request. The row is the receipt, so that a key holds as long as the books. A failure is an "
                    "answer too: whoever tries again sends a new key.",
                    "Only a withdrawal waits: its money is held until the platform has paid. Everything else is "
                    "done or refused at once.",
                    "A refund is a movement of its own (reverses_id), of the whole amount or less; the unique index "
                    "lets only one of them succeed, and failed tries stay beside it.",
                    "external_id is unique per account: a platform that reports a payment twice under two keys is "
                    "caught, and its statement can be compared with the books line by line.",
                    "status and finished_at change once; nothing else ever does, so that there is no updated_at.",
                    "No foreign key to currencies: both wallets have one.",
                ),
            },
        },
    )


class Entry(Created, Base):
    """One line of a wallet's ledger."""

    __tablename__ = "entries"

    wallet_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("wallets.id", ondelete="RESTRICT"), primary_key=True, sort_order=-4, comment="Whose ledger it is"
    )
    sequence: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, sort_order=-3, comment="Its number there: 1, 2, 3, …"
    )
    transaction_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("transactions.id", ondelete="RESTRICT"), comment="What moved the money"
    )
    amount: Mapped[int] = mapped_column(comment="Minor units added, or taken where negative; never zero")
    balance_before: Mapped[int] = mapped_column(comment="Balance before the movement, in minor units")
    balance_after: Mapped[int] = mapped_column(comment="Balance after it: balance_before + amount")

    wallet: Mapped[Wallet] = relationship(back_populates="entries")
    transaction: Mapped[Transaction] = relationship(back_populates="entries")

    __table_args__ = (
        UniqueConstraint("transaction_id", "wallet_id"),
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        CheckConstraint("sequence > 1 OR balance_before = 0", name="first_from_zero"),
        CheckConstraint(f"amount <> 0 AND amount BETWEEN -{MOST} AND {MOST}", name="amount_in_range"),
        CheckConstraint("balance_after = balance_before + amount", name="balance_adds_up"),
        {
            "comment": "The ledger: two lines per completed transaction, an unbroken chain per wallet",
            "info": {
                "decisions": (
                    "Double entry: what one wallet loses another gains, so that money is neither made nor lost "
                    "between two rows, and a sum of zero proves it.",
                    "Wallet and number are the key: a chain cannot fork, a statement reads one range of it, and "
                    "400 million rows need no third index.",
                    "balance_before could refer to the balance_after of the line before by a foreign key of three "
                    "columns. It would double the indexes of the largest table; the statement that writes a line "
                    "reads the wallet's own balance and number instead, and verify_books proves the chain.",
                    "Nothing is changed or deleted (RESTRICT): an error is corrected by a refund or an adjustment. "
                    "Grant the application INSERT and SELECT on this table, nothing else.",
                ),
            },
        },
    )


Index("ix_transactions_user_id_created_at", Transaction.user_id, Transaction.created_at.desc())
for _side in (Transaction.source_wallet_id, Transaction.destination_wallet_id):
    Index(f"ix_transactions_{_side.key}_created_at", _side, Transaction.currency_code, Transaction.created_at)
Index("ix_transactions_pending", Transaction.created_at, **only_where("status = 'pending'"))
Index("ix_transactions_reverses_id", Transaction.reverses_id, **only_where("reverses_id IS NOT NULL"))
Index(
    "ix_transactions_reverses_id_completed",
    Transaction.reverses_id,
    unique=True,
    **only_where("status = 'completed' AND reverses_id IS NOT NULL"),
)
