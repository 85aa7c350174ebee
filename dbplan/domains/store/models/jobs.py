"""What agents do for stores."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dbplan.columns import EMPTY, TYPES, ZERO, Created, Identified, Updated, one_of, only_where, sized, words
from dbplan.domains.store.models.base import Base
from dbplan.domains.store.models.kinds import (
    AgentType,
    JobStatus,
)

if TYPE_CHECKING:
    from dbplan.domains.store.models.stores import Store


class AgentJob(Identified, Created, Updated, Base):
    """One piece of work of an agent for a store."""

    __tablename__ = "agent_jobs"

    store_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("stores.id", ondelete="CASCADE"), comment="Whom the work is for"
    )
    type: Mapped[AgentType] = mapped_column(words(AgentType), comment="Which agent does it")
    status: Mapped[JobStatus] = mapped_column(
        words(JobStatus), server_default=JobStatus.PENDING, comment="How far it is"
    )
    input: Mapped[dict[str, Any]] = mapped_column(
        server_default=EMPTY, default=dict, comment="What the agent is asked: niche, product_id, prompt, tone …"
    )
    output: Mapped[dict[str, Any] | None] = mapped_column(
        type_=TYPES[dict[str, Any]], comment="What it made: brand_identity, product_ids, urls …; NULL until completed"
    )
    error: Mapped[str | None] = mapped_column(Text, comment="Why the last attempt failed; NULL where none has")
    progress: Mapped[int] = mapped_column(Integer, server_default=ZERO, comment="How much is done, in per cent")
    attempts: Mapped[int] = mapped_column(Integer, server_default=ZERO, comment="How often it was begun")
    max_attempts: Mapped[int] = mapped_column(Integer, server_default=text("3"), comment="How often it may be begun")
    scheduled_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), comment="From when on it may be begun")
    started_at: Mapped[dt.datetime | None] = mapped_column(comment="When the last attempt began; NULL while it waits")
    finished_at: Mapped[dt.datetime | None] = mapped_column(comment="When it was over; NULL while it is not")

    store: Mapped[Store] = relationship(back_populates="agent_jobs")

    __table_args__ = (
        CheckConstraint(one_of("type", AgentType), name="type_known"),
        CheckConstraint(one_of("status", JobStatus), name="status_known"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_per_cent"),
        CheckConstraint("max_attempts BETWEEN 1 AND 100", name="max_attempts_sane"),
        CheckConstraint("attempts BETWEEN 0 AND max_attempts", name="attempts_in_bounds"),
        CheckConstraint(sized("error", 1, 2000), name="error_length"),
        CheckConstraint("status <> 'PENDING' OR started_at IS NULL", name="pending_not_started"),
        CheckConstraint(
            "status NOT IN ('PROCESSING', 'COMPLETED', 'FAILED') OR (started_at IS NOT NULL AND attempts > 0)",
            name="begun_has_start",
        ),
        CheckConstraint("(status IN ('PENDING', 'PROCESSING')) = (finished_at IS NULL)", name="over_has_end"),
        CheckConstraint("finished_at >= started_at", name="ends_after_start"),
        CheckConstraint("(status = 'COMPLETED') = (output IS NOT NULL)", name="completed_has_output"),
        CheckConstraint("status <> 'COMPLETED' OR progress = 100", name="completed_is_whole"),
        CheckConstraint("status <> 'FAILED' OR error IS NOT NULL", name="failed_has_error"),
        {
            "comment": "Work of agents for stores: a queue, and a record of what came of it",
            "info": {
                "decisions": (
                    "Every job has a store: one is created, in the status CREATING, before its first agent begins.",
                    "attempts tells one attempt from the next: a worker that was given up for lost cannot finish what "
                    "another has begun again. max_attempts says when to stop.",
                    "What waits and what runs is little beside what is over: the indexes of the queue are partial, "
                    "and stay small. id ends two of them, so that jobs due at one instant need no sort.",
                    "A job that waits for another attempt keeps the error of the last.",
                    "updated_at moves with every report of progress; who has not reported for long is lost.",
                ),
            },
        },
    )


Index("ix_agent_jobs_store_id_created_at", AgentJob.store_id, AgentJob.created_at.desc())
Index("ix_agent_jobs_due", AgentJob.scheduled_at, AgentJob.id, **only_where("status = 'PENDING'"))
Index(
    "ix_agent_jobs_type_due",
    AgentJob.type,
    AgentJob.scheduled_at,
    AgentJob.id,
    **only_where("status = 'PENDING'"),
)
Index("ix_agent_jobs_running", AgentJob.updated_at, **only_where("status = 'PROCESSING'"))
