"""The audit log: every change of state, kept for good."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dbplan.columns import Created, Identified, one_of, only_where, sized, words
from dbplan.domains.clone_jobs.models.base import Base

if TYPE_CHECKING:
    from dbplan.domains.clone_jobs.models.people import User


class Subject(StrEnum):
    """What an audit entry speaks of."""

    USER = "user"
    CLONE_JOB = "clone_job"
    SUBSCRIPTION = "subscription"
    PAYMENT = "payment"


class AuditLog(Identified, Created, Base):
    """One change: who made it, to what, and what was there before and after."""

    __tablename__ = "audit_logs"

    actor_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), comment="Who did it; NULL for workers, webhooks and schedules"
    )
    action: Mapped[str] = mapped_column(String(100), comment="What was done, such as job.cancel")
    subject_type: Mapped[Subject] = mapped_column(words(Subject), comment="What it was done to")
    subject_id: Mapped[uuid.UUID] = mapped_column(comment="The key of what it was done to, which may be gone")
    old_values: Mapped[dict[str, Any] | None] = mapped_column(comment="The changed fields before; NULL for a new row")
    new_values: Mapped[dict[str, Any] | None] = mapped_column(comment="The changed fields after; NULL for a purged row")

    actor: Mapped[User | None] = relationship()

    __table_args__ = (
        CheckConstraint(sized("action", 1, 100), name="action_length"),
        CheckConstraint(one_of("subject_type", Subject), name="subject_type_known"),
        CheckConstraint("old_values IS NOT NULL OR new_values IS NOT NULL", name="says_what_changed"),
        {
            "comment": "Who changed what: rows are added and never changed",
            "info": {
                "decisions": (
                    "Append-only: no statement of this plan updates or deletes an entry. GRANT the application INSERT "
                    "and SELECT on it and nothing else.",
                    "An entry outlives its subject, so that subject_id is no foreign key. Keys are UUIDv7, unique "
                    "over all tables, and an index on subject_id alone finds the history of a row.",
                    "The actor must exist and cannot be deleted (RESTRICT): users are erased, their row stays.",
                    "Addresses, names, password hashes, cloned URLs and texts of errors are never written here: what "
                    "is erased with a user must not live on in the log.",
                    "Progress, heartbeats and fetched assets are not logged: they are a job's work, and its claim and "
                    "its end are. Entries of workers have no actor and stay out of the index on actor_id.",
                ),
                "lint": {"fk-polymorphic": "an entry outlives what it speaks of, so that no reference could hold"},
            },
        },
    )


Index("ix_audit_logs_subject_id_created_at", AuditLog.subject_id, AuditLog.created_at.desc())
Index(
    "ix_audit_logs_actor_id_created_at",
    AuditLog.actor_id,
    AuditLog.created_at.desc(),
    **only_where("actor_id IS NOT NULL"),
)
