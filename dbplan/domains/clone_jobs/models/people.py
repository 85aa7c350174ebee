"""People who have websites cloned."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import (
    PASSWORD_HASH,
    Created,
    Identified,
    Person,
    SoftDeleted,
    Updated,
    about_people,
    one_of,
    only_where,
    sized,
    words,
)
from dbplan.domains.clone_jobs.models.base import Base

if TYPE_CHECKING:
    from dbplan.domains.clone_jobs.models.billing import Payment, Subscription
    from dbplan.domains.clone_jobs.models.jobs import CloneJob


class Role(StrEnum):
    """What a person may do."""

    USER = "user"
    SUPPORT = "support"
    ADMIN = "admin"


class User(Identified, Created, Updated, Person, SoftDeleted, Base):
    """Somebody who has websites cloned."""

    __tablename__ = "users"

    password_hash: Mapped[str | None] = mapped_column(
        String(255), sort_order=1, comment="Argon2id or bcrypt, salt included; NULL once the person is erased"
    )
    role: Mapped[Role] = mapped_column(
        words(Role), server_default=Role.USER, sort_order=1, comment="What they may do: user, support or admin"
    )
    erased_at: Mapped[dt.datetime | None] = mapped_column(
        sort_order=2, comment="When address, name, picture and password were erased for good; NULL while they are there"
    )

    jobs: WriteOnlyMapped[CloneJob] = relationship(back_populates="user", passive_deletes=True)
    subscriptions: WriteOnlyMapped[Subscription] = relationship(back_populates="user", passive_deletes="all")
    payments: WriteOnlyMapped[Payment] = relationship(back_populates="user", passive_deletes="all")

    __table_args__ = (
        *about_people(),
        CheckConstraint(one_of("role", Role), name="role_known"),
        CheckConstraint(PASSWORD_HASH, name="password_hash_form"),
        CheckConstraint(sized("password_hash", 60, 255), name="password_hash_length"),
        CheckConstraint("password_hash IS NOT NULL OR erased_at IS NOT NULL", name="password_unless_erased"),
        CheckConstraint("erased_at IS NULL OR deleted_at IS NOT NULL", name="erased_is_deleted"),
        {
            "comment": "People who have websites cloned, one row per account",
            "info": {
                "decisions": (
                    "The fields were left open; these are what signing in needs. The address is kept in lower case "
                    "and unique among those who are not deleted, so that whoever left may sign up anew.",
                    "A password is never kept: a CHECK wants the shape of an Argon2id or a bcrypt hash. The latter "
                    "come along from the files that accounts lived in; the next sign-in may replace them.",
                    "email_verified says when, which a boolean would not; for who has not it is NULL.",
                    "Soft delete was asked for. A deleted person can be restored for a month, then is erased: "
                    "address, name, picture and password go. The row stays: payments and the audit log refer to it.",
                    "The index on deleted_at holds only those who wait to be erased.",
                ),
            },
        },
    )


Index("ix_users_email", User.email, unique=True, **only_where("deleted_at IS NULL"))
Index("ix_users_deleted_at", User.deleted_at, **only_where("deleted_at IS NOT NULL AND erased_at IS NULL"))
