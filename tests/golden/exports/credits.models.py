"""Users spend credits: balances that cannot go below zero, a ledger, an audit log,
retries done once.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from dbplan.columns import Key, UtcDateTime, clock, new_id
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def values(kind: Any) -> list[str]:
    """Return what the database keeps of an enum: the values of its members."""
    return [str(member.value) for member in kind]


class Status(StrEnum):
    """How an attempt ended."""

    SUCCESS = "success"
    FAILED = "failed"


class Base(DeclarativeBase):
    """The base of all models."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        },
    )

    type_annotation_map = {UUID: Key, dt.datetime: UtcDateTime, int: BigInteger}


JSON_TYPE = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class User(Base):
    """Accounts that hold credits, one row per user."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("credits >= 0", name="credits_not_negative"),
        CheckConstraint(
            "length(membership_tier) BETWEEN 1 AND 50",
            name="membership_tier_length",
        ),
        CheckConstraint(
            "membership_tier = lower(membership_tier)",
            name="membership_tier_lower_case",
        ),
        CheckConstraint(
            "membership_tier IS NOT NULL OR membership_expires_at IS NULL",
            name="expiry_has_tier",
        ),
        Index(
            "ix_users_membership_tier",
            "membership_tier",
            "id",
            postgresql_where=text("membership_tier IS NOT NULL"),
            sqlite_where=text("membership_tier IS NOT NULL"),
        ),
        {
            "comment": "Accounts that hold credits, one row per user",
            "info": {
                "decisions": (
                    (
                        "credits is a bigint: to widen an integer later rewrites the "
                        "table under its strongest lock."
                    ),
                    (
                        "A CHECK keeps the balance at zero or above, whatever an "
                        "application forgets."
                    ),
                    (
                        "Tiers stay free text, since each application names its own; "
                        "they are bounded and lower case, so that Pro and pro cannot "
                        "be two tiers."
                    ),
                    "An expiry without a tier is refused: it would end nothing.",
                    (
                        "The index on membership_tier leaves out users without one and "
                        "adds id, by which members page."
                    ),
                ),
            },
        },
    )

    id: Mapped[UUID] = mapped_column(
        primary_key=True,
        default=new_id,
        comment="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at: Mapped[dt.datetime] = mapped_column(
        default=clock(),
        server_default=func.now(),
        comment="When the row was written",
    )
    updated_at: Mapped[dt.datetime] = mapped_column(
        default=clock(),
        onupdate=clock(),
        server_default=func.now(),
        comment="When the row was last changed",
    )
    credits: Mapped[int] = mapped_column(
        server_default=text("0"),
        comment="Balance now, in credits; never below zero",
    )
    membership_expires_at: Mapped[dt.datetime | None] = mapped_column(
        comment="When the membership ends; NULL for one without an end, or for none",
    )
    membership_tier: Mapped[str | None] = mapped_column(
        String(50),
        comment="Membership in lower case, such as pro; NULL for none",
    )

    audit_logs: Mapped[list[AuditLog]] = relationship(
        back_populates="user",
        passive_deletes="all",
    )
    transactions: Mapped[list[Transaction]] = relationship(
        back_populates="user",
        passive_deletes="all",
    )


class Transaction(Base):
    """The ledger: every movement of credits, oldest to newest an unbroken chain per
    user.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        CheckConstraint("balance_before >= 0", name="balance_before_not_negative"),
        CheckConstraint("balance_after >= 0", name="balance_after_not_negative"),
        CheckConstraint(
            "balance_after = balance_before + amount",
            name="balance_adds_up",
        ),
        CheckConstraint("length(action) BETWEEN 1 AND 100", name="action_length"),
        {
            "comment": (
                "The ledger: every movement of credits, oldest to newest an unbroken "
                "chain per user"
            ),
            "info": {
                "decisions": (
                    (
                        "A user with a ledger cannot be deleted (RESTRICT, where "
                        "CASCADE was asked for): one stray DELETE would take the books "
                        "along. operations.erase_user removes both on purpose, in one "
                        "transaction."
                    ),
                    (
                        "The balances must add up in every row (CHECK); that they "
                        "chain from row to row is the work of the row lock in "
                        "operations, and tested there."
                    ),
                    (
                        "The index on action has created_at DESC beside it: a filter "
                        "by action reads newest first, and without it sorts millions "
                        "of rows."
                    ),
                    (
                        "Rows older than six months may be archived. What then remains "
                        "adds up from the balance_before of its first row, no longer "
                        "from zero."
                    ),
                ),
            },
        },
    )

    id: Mapped[UUID] = mapped_column(
        primary_key=True,
        default=new_id,
        comment="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at: Mapped[dt.datetime] = mapped_column(
        default=clock(),
        server_default=func.now(),
        comment="When the row was written",
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"),
        comment="Whose credits moved",
    )
    amount: Mapped[int] = mapped_column(
        comment="Credits added, or taken where negative; never zero",
    )
    balance_before: Mapped[int] = mapped_column(
        comment="Balance before the movement, in credits",
    )
    balance_after: Mapped[int] = mapped_column(
        comment="Balance after it: balance_before + amount",
    )
    action: Mapped[str] = mapped_column(
        String(100),
        comment="What the credits moved for, such as generate-post",
    )
    details: Mapped[Any] = mapped_column(
        "metadata",
        JSON_TYPE,
        nullable=False,
        default=dict,
        server_default=text("('{}')"),
        comment="What else the application wants to keep",
    )

    user: Mapped[User] = relationship(back_populates="transactions")


Index(
    "ix_transactions_action_created_at",
    Transaction.action,
    Transaction.created_at.desc(),
)
Index(
    "ix_transactions_user_id_created_at",
    Transaction.user_id,
    Transaction.created_at.desc(),
)


class AuditLog(Base):
    """Who tried what and how it ended, failures included."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        CheckConstraint("status IN ('success', 'failed')", name="status_known"),
        CheckConstraint(
            "status = 'failed' OR error_message IS NULL",
            name="error_only_if_failed",
        ),
        CheckConstraint("length(action) BETWEEN 1 AND 100", name="action_length"),
        CheckConstraint("length(error_message) <= 2000", name="error_message_length"),
        {
            "comment": "Who tried what and how it ended, failures included",
            "info": {
                "decisions": (
                    (
                        "status has two values, so that an index on it would serve no "
                        "one; the partial index on failures, newest first, is what an "
                        "operator reads."
                    ),
                    (
                        "An audit log that vanishes with its user audits nothing: "
                        "RESTRICT, where CASCADE was asked for."
                    ),
                ),
            },
        },
    )

    id: Mapped[UUID] = mapped_column(
        primary_key=True,
        default=new_id,
        comment="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at: Mapped[dt.datetime] = mapped_column(
        default=clock(),
        server_default=func.now(),
        comment="When the row was written",
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"),
        comment="Who tried",
    )
    action: Mapped[str] = mapped_column(
        String(100),
        comment="What was tried, such as generate-post",
    )
    status: Mapped[Status] = mapped_column(
        Enum(Status, native_enum=False, length=20, values_callable=values),
        comment="How it ended: success or failed",
    )
    details: Mapped[Any] = mapped_column(
        "metadata",
        JSON_TYPE,
        nullable=False,
        default=dict,
        server_default=text("('{}')"),
        comment="What else the application wants to keep",
    )
    error_message: Mapped[str | None] = mapped_column(
        Text,
        comment="Why it failed; NULL where it did not",
    )

    user: Mapped[User] = relationship(back_populates="audit_logs")


Index(
    "ix_audit_logs_failed",
    AuditLog.created_at.desc(),
    postgresql_where=text("status = 'failed'"),
    sqlite_where=text("status = 'failed'"),
)
Index("ix_audit_logs_user_id_created_at", AuditLog.user_id, AuditLog.created_at.desc())


class IdempotencyRecord(Base):
    """Answers kept so that a request sent twice is done once."""

    __tablename__ = "idempotency_records"
    __table_args__ = (
        CheckConstraint("length(key) BETWEEN 1 AND 200", name="key_length"),
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
        {
            "comment": "Answers kept so that a request sent twice is done once",
            "info": {
                "decisions": (
                    (
                        "A key stands alone, not under a user: result keeps a "
                        "fingerprint of the request, and the same key with another "
                        "request or another user is refused, never answered with a "
                        "stranger's receipt."
                    ),
                    (
                        "Only successes are kept, so that a failed charge may be tried "
                        "again with its key."
                    ),
                    (
                        "No foreign key: records outlive what they speak of by a day "
                        "at most, and expire in batches."
                    ),
                ),
            },
        },
    )

    key: Mapped[str] = mapped_column(
        String(200),
        primary_key=True,
        comment="The caller's key",
    )
    created_at: Mapped[dt.datetime] = mapped_column(
        default=clock(),
        server_default=func.now(),
        comment="When the row was written",
    )
    expires_at: Mapped[dt.datetime] = mapped_column(
        index=True,
        comment="From when on the key may be used anew",
    )
    result: Mapped[Any] = mapped_column(
        JSON_TYPE,
        nullable=False,
        comment=(
            "The answer under receipt, and under fingerprint the hash of the request "
            "that it answers"
        ),
    )
