"""Transcription: who signs in to have videos summarised, by which accounts and sessions, and how much they used."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import (
    TYPES,
    ZERO,
    Created,
    EmailToken,
    Identified,
    Person,
    SignInAccount,
    SignInSession,
    Updated,
    about_people,
    named_metadata,
)


class Base(DeclarativeBase):
    """The tables of this plan."""

    metadata = named_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = dict(TYPES)


class User(Identified, Created, Updated, Person, Base):
    """Somebody who signs in."""

    __tablename__ = "users"

    accounts: WriteOnlyMapped[Account] = relationship(back_populates="user", passive_deletes="all")
    sessions: WriteOnlyMapped[Session] = relationship(back_populates="user", passive_deletes="all")
    usage: Mapped[UserUsage | None] = relationship(back_populates="user", passive_deletes="all")

    __table_args__ = (
        UniqueConstraint("email"),
        *about_people(),
        {
            "comment": "People who sign in, one row per address",
            "info": {
                "decisions": (
                    "Keys were asked for as cuid texts; they are UUIDv7, 16 bytes that sort by creation time.",
                    "email is kept in lower case under its unique constraint, so that one mailbox is one user.",
                    "Texts are bounded by CHECKs: SQLite, the database of development, ignores a varchar's length.",
                    "The index behind the unique constraint serves the search by address; it needs no second one.",
                ),
            },
        },
    )


class Account(Identified, SignInAccount, Base):
    """An account at a provider that lets a user in."""

    __tablename__ = "accounts"

    user: Mapped[User] = relationship(back_populates="accounts")


class Session(Identified, SignInSession, Base):
    """A browser in which a user is signed in."""

    __tablename__ = "sessions"

    user: Mapped[User] = relationship(back_populates="sessions")


class VerificationToken(EmailToken, Base):
    """A token that was sent to an address."""

    __tablename__ = "verification_tokens"


class UserUsage(Identified, Created, Updated, Base):
    """What a user used in the period that runs."""

    __tablename__ = "user_usage"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), comment="Whose usage it is")
    period_start: Mapped[dt.datetime] = mapped_column(comment="Start of the period that summary_count counts in")
    summary_count: Mapped[int] = mapped_column(
        server_default=ZERO, comment="Summaries made since period_start; never below zero"
    )
    last_used: Mapped[dt.datetime] = mapped_column(
        server_default=func.now(), comment="When the last summary was asked for; at first, when counting began"
    )

    user: Mapped[User] = relationship(back_populates="usage")

    __table_args__ = (
        UniqueConstraint("user_id"),
        CheckConstraint("summary_count >= 0", name="summary_count_not_negative"),
        CheckConstraint("summary_count = 0 OR last_used >= period_start", name="used_in_period"),
        {
            "comment": "How many summaries each user had in the period that runs, one row per user",
            "info": {
                "decisions": (
                    "The table is named as the model was: usage has no plural.",
                    "A count was asked for that is reset for a new period, and nothing that says which period it "
                    "counts. period_start does: the first use after a period sets it and starts from zero, in the same "
                    "UPDATE that counts, so that no job has to reset half a million rows at midnight.",
                    "A period is a calendar month in UTC, the same for everybody; its end follows from its start.",
                    "No limit stands here: nothing that was asked for says what a user has bought. The application "
                    "names a tier, whose limit is in code (allowance.LIMITS); no caller ever names a count.",
                    "summary_count is a bigint: to widen an integer later rewrites the table under its strongest lock.",
                    "The unique index on user_id serves the foreign key too.",
                ),
            },
        },
    )
