"""Wallets, the money in them that is promised, and who froze them."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import ZERO, Created, Digest, Identified, Updated, lower_case, one_of, only_where, sized, words
from dbplan.domains.wallet.models.base import BOUND, IN_RANGE, Base

if TYPE_CHECKING:
    from dbplan.domains.wallet.models.owners import Platform, User
    from dbplan.domains.wallet.models.transactions import Entry


class WalletStatus(StrEnum):
    """What a wallet does: pay and be paid, only be paid, or neither."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class HoldStatus(StrEnum):
    """Where a hold stands: active → captured, released or expired."""

    ACTIVE = "active"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class Wallet(Identified, Created, Updated, Base):
    """Money of one owner in one currency."""

    __tablename__ = "wallets"

    user_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), comment="The user who owns it; NULL where a platform does"
    )
    platform_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("platforms.id", ondelete="RESTRICT"), comment="The platform that owns it; NULL where a user does"
    )
    currency_code: Mapped[str] = mapped_column(
        ForeignKey("currencies.code", ondelete="RESTRICT"), comment="What is counted in it"
    )
    label: Mapped[str] = mapped_column(
        String(50), server_default="main", comment="Which of the owner's wallets, in lower case: main, settlement, fees"
    )
    balance: Mapped[int] = mapped_column(server_default=ZERO, comment="Money in it, in minor units")
    held: Mapped[int] = mapped_column(
        server_default=ZERO, comment="How much of it is promised: the sum of its active holds, in minor units"
    )
    overdraft_limit: Mapped[int] = mapped_column(
        server_default=ZERO, comment="How far below zero a platform's wallet may go, in minor units; 0 for users"
    )
    last_sequence: Mapped[int] = mapped_column(
        server_default=ZERO, comment="Number of its newest ledger entry; 0 before the first"
    )
    status: Mapped[WalletStatus] = mapped_column(
        words(WalletStatus), server_default=WalletStatus.ACTIVE, comment="What it does: active, frozen or closed"
    )

    user: Mapped[User | None] = relationship(back_populates="wallets")
    platform: Mapped[Platform | None] = relationship(back_populates="wallets")
    entries: WriteOnlyMapped[Entry] = relationship(back_populates="wallet", passive_deletes="all")
    holds: WriteOnlyMapped[Hold] = relationship(back_populates="wallet", passive_deletes="all")
    status_changes: WriteOnlyMapped[StatusChange] = relationship(back_populates="wallet", passive_deletes="all")

    __table_args__ = (
        UniqueConstraint("user_id", "currency_code", "label"),
        UniqueConstraint("platform_id", "currency_code", "label"),
        UniqueConstraint("currency_code", "id"),
        CheckConstraint("(user_id IS NULL) <> (platform_id IS NULL)", name="one_owner"),
        CheckConstraint(f"{sized('label', 1, 50)} AND {lower_case('label')}", name="label_form"),
        CheckConstraint(f"balance BETWEEN -{BOUND} AND {BOUND}", name="balance_fits"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("balance - held >= -overdraft_limit", name="balance_covers_held"),
        CheckConstraint(f"overdraft_limit BETWEEN 0 AND {BOUND}", name="overdraft_limit_fits"),
        CheckConstraint("overdraft_limit = 0 OR platform_id IS NOT NULL", name="users_have_no_overdraft"),
        CheckConstraint("last_sequence >= 0", name="last_sequence_not_negative"),
        CheckConstraint(one_of("status", WalletStatus), name="status_known"),
        CheckConstraint("status <> 'closed' OR (balance = 0 AND held = 0)", name="closed_is_empty"),
        {
            "comment": "Money of one owner in one currency",
            "info": {
                "lint": {
                    "uq-nullable": "Each unique binds the wallets of one kind of owner; one_owner says which it is.",
                },
                "decisions": (
                    "A wallet belongs to a user or to a platform, by two foreign keys of which just one is set "
                    "(CHECK): an owner_type beside an owner_id could refer to nobody.",
                    "A platform's settlement wallet is the other side of every deposit and withdrawal. It is below "
                    "zero by what users hold through it, so that all balances of a currency add up to zero, always.",
                    "overdraft_limit says how much users may hold through a platform; a user's wallet has none, and "
                    "a CHECK keeps balance - held at zero or above, whatever an application forgets.",
                    "balance, held and last_sequence repeat what the ledger and the holds say: a payment reads one "
                    "row instead of a history. verify_books proves that they agree.",
                    "No index holds a column that a movement changes, so that PostgreSQL updates the row in place "
                    "(HOT).",
                    "(currency_code, id) is unique for transactions to refer to: a movement between two currencies "
                    "is refused by its foreign keys.",
                    "All deposits of a platform in one currency wait for one row. Past about a thousand a second, "
                    "give it several settlement wallets, by label.",
                ),
            },
        },
    )


class Hold(Identified, Created, Base):
    """Money that is promised: it is still in the wallet, and can be spent on nothing else."""

    __tablename__ = "holds"

    wallet_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("wallets.id", ondelete="RESTRICT"), comment="Where the money is"
    )
    idempotency_key: Mapped[str | None] = mapped_column(
        String(200), comment="The caller's key, once per wallet; NULL for the hold of a pending transaction"
    )
    fingerprint: Mapped[str | None] = mapped_column(
        Digest, comment="SHA-256 of the request, so that its key answers no other; NULL without a key"
    )
    amount: Mapped[int] = mapped_column(comment="How much is promised, in minor units")
    status: Mapped[HoldStatus] = mapped_column(
        words(HoldStatus),
        server_default=HoldStatus.ACTIVE,
        comment="Where it stands: active, captured, released or expired",
    )
    expires_at: Mapped[dt.datetime | None] = mapped_column(
        comment="From when on the promise is void; NULL where it ends with its transaction"
    )
    finished_at: Mapped[dt.datetime | None] = mapped_column(comment="When it ended; NULL while it is active")
    transaction_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("transactions.id", ondelete="RESTRICT"),
        unique=True,
        comment="The pending withdrawal that it is for, or the transfer that captured it; NULL for neither",
    )
    description: Mapped[str | None] = mapped_column(String(500), comment="What it is for; NULL for none")

    wallet: Mapped[Wallet] = relationship(back_populates="holds")

    __table_args__ = (
        UniqueConstraint("wallet_id", "idempotency_key"),
        CheckConstraint(sized("idempotency_key", 1, 200), name="idempotency_key_length"),
        CheckConstraint("length(fingerprint) = 64", name="fingerprint_digest"),
        CheckConstraint("(fingerprint IS NULL) = (idempotency_key IS NULL)", name="key_has_fingerprint"),
        CheckConstraint("idempotency_key IS NOT NULL OR transaction_id IS NOT NULL", name="asked_for"),
        CheckConstraint(IN_RANGE, name="amount_in_range"),
        CheckConstraint(one_of("status", HoldStatus), name="status_known"),
        CheckConstraint("(idempotency_key IS NULL) = (expires_at IS NULL)", name="request_expires"),
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
        CheckConstraint("(status = 'active') = (finished_at IS NULL)", name="finished_unless_active"),
        CheckConstraint("finished_at >= created_at", name="finished_after_creation"),
        CheckConstraint("status <> 'captured' OR transaction_id IS NOT NULL", name="captured_has_transaction"),
        CheckConstraint("status <> 'expired' OR expires_at IS NOT NULL", name="expired_had_an_end"),
        CheckConstraint(sized("description", 1, 500), name="description_length"),
        Index("ix_holds_due", "expires_at", **only_where("status = 'active'")),
        {
            "comment": "Money that is promised and not yet moved",
            "info": {
                "lint": {
                    "uq-nullable": "The hold of a pending withdrawal has no key of its own: its transaction has one.",
                },
                "decisions": (
                    "A hold moves nothing: the balance stays, held grows, and only the rest can be spent.",
                    "It is captured once, for its amount or less; what is left over is free again.",
                    "A hold that somebody asked for ends at expires_at; that of a pending withdrawal ends with it.",
                    "The index on expires_at holds active holds alone, which are few: finding what is due stays "
                    "cheap however long the past is.",
                ),
            },
        },
    )


class StatusChange(Identified, Created, Base):
    """A wallet that was frozen, unfrozen or closed, by whom and why."""

    __tablename__ = "status_changes"

    wallet_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("wallets.id", ondelete="RESTRICT"), comment="Which wallet")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), index=True, comment="Who changed it"
    )
    old_status: Mapped[WalletStatus] = mapped_column(words(WalletStatus), comment="What it was")
    new_status: Mapped[WalletStatus] = mapped_column(words(WalletStatus), comment="What it became")
    reason: Mapped[str] = mapped_column(String(500), comment="Why, in words")

    wallet: Mapped[Wallet] = relationship(back_populates="status_changes")

    __table_args__ = (
        CheckConstraint(one_of("old_status", WalletStatus), name="old_status_known"),
        CheckConstraint(one_of("new_status", WalletStatus), name="new_status_known"),
        CheckConstraint("old_status <> new_status", name="status_changes"),
        CheckConstraint("old_status <> 'closed'", name="closed_stays_closed"),
        CheckConstraint(sized("reason", 1, 500), name="reason_length"),
        {
            "comment": "Who froze, unfroze or closed a wallet, when and why",
            "info": {
                "decisions": (
                    "To freeze somebody's money is an act that is asked about years later: who, when, why. "
                    "Movements need no such table, since each is a row of its own.",
                    "Rows are never changed, and go with nothing (RESTRICT).",
                ),
            },
        },
    )


Index("ix_status_changes_wallet_id_created_at", StatusChange.wallet_id, StatusChange.created_at.desc())
