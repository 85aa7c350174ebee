"""Jobs, which are the queue too, and the files that they fetched."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import (
    EMPTY,
    ZERO,
    Created,
    Identified,
    SoftDeleted,
    Updated,
    lower_case,
    one_of,
    only_where,
    sized,
    words,
)
from dbplan.domains.clone_jobs.models.base import WEB, Base

if TYPE_CHECKING:
    from dbplan.domains.clone_jobs.models.people import User


LEASED = (
    "(status = 'running' AND lease_id IS NOT NULL AND worker IS NOT NULL AND locked_until IS NOT NULL) OR "
    "(status <> 'running' AND lease_id IS NULL AND worker IS NULL AND locked_until IS NULL)"
)

FINISHED = (
    "(status IN ('pending', 'running') AND finished_at IS NULL) OR "
    "(status NOT IN ('pending', 'running') AND finished_at IS NOT NULL)"
)


class JobStatus(StrEnum):
    """Where a clone job is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AssetKind(StrEnum):
    """What a fetched file is to a page."""

    HTML = "html"
    CSS = "css"
    SCRIPT = "script"
    IMAGE = "image"
    FONT = "font"
    OTHER = "other"


class CloneJob(Identified, Created, Updated, SoftDeleted, Base):
    """One website to clone: what was asked for, its place in the queue, and how it ended."""

    __tablename__ = "clone_jobs"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), comment="Who asked for it")
    url: Mapped[str] = mapped_column(String(2048), comment="The page that cloning begins at, http or https")
    options: Mapped[dict[str, Any]] = mapped_column(
        server_default=EMPTY, default=dict, comment="How to clone, such as max_depth and respect_robots"
    )
    status: Mapped[JobStatus] = mapped_column(
        words(JobStatus), server_default=JobStatus.PENDING, comment="Where it is: pending, running, or how it ended"
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger, server_default=ZERO, comment="0 to 9; the higher is claimed first"
    )
    run_after: Mapped[dt.datetime] = mapped_column(comment="From when on it may be claimed: now, or after a pause")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO, comment="How often it was claimed")
    max_attempts: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("3"), comment="How often it may be claimed before it has failed"
    )
    lease_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="The claim that may report now; NULL while nobody works on it"
    )
    worker: Mapped[str | None] = mapped_column(String(100), comment="Who works on it, such as host and process")
    locked_until: Mapped[dt.datetime | None] = mapped_column(
        comment="From when on another worker may take it over; each report moves it on"
    )
    progress: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO, comment="Part that is done, in percent")
    error: Mapped[str | None] = mapped_column(Text, comment="Why the last attempt failed; NULL where none did")
    asset_count: Mapped[int] = mapped_column(server_default=ZERO, comment="Files of the clone, counted at its end")
    size_bytes: Mapped[int] = mapped_column(server_default=ZERO, comment="Size of the clone, added up at its end")
    started_at: Mapped[dt.datetime | None] = mapped_column(comment="When the last attempt began; NULL before the first")
    finished_at: Mapped[dt.datetime | None] = mapped_column(
        comment="When it was completed, failed for good or was cancelled; NULL before"
    )

    user: Mapped[User] = relationship(back_populates="jobs")
    assets: WriteOnlyMapped[CloneAsset] = relationship(back_populates="job", passive_deletes=True)

    __table_args__ = (
        CheckConstraint(one_of("status", JobStatus), name="status_known"),
        CheckConstraint(WEB, name="url_web"),
        CheckConstraint(sized("url", 8, 2048), name="url_length"),
        CheckConstraint("priority BETWEEN 0 AND 9", name="priority_range"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_range"),
        CheckConstraint("max_attempts BETWEEN 1 AND 20", name="max_attempts_range"),
        CheckConstraint("attempts BETWEEN 0 AND max_attempts", name="attempts_range"),
        CheckConstraint("status <> 'pending' OR attempts < max_attempts", name="pending_has_attempts"),
        CheckConstraint(sized("worker", 1, 100), name="worker_length"),
        CheckConstraint(sized("error", 1, 2000), name="error_length"),
        CheckConstraint("asset_count >= 0", name="asset_count_not_negative"),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        CheckConstraint(LEASED, name="leased_while_running"),
        CheckConstraint("status IN ('pending', 'cancelled') OR started_at IS NOT NULL", name="started_if_tried"),
        CheckConstraint(FINISHED, name="finished_if_over"),
        CheckConstraint("finished_at >= started_at", name="finished_after_start"),
        CheckConstraint("status <> 'completed' OR progress = 100", name="completed_is_whole"),
        CheckConstraint("status <> 'failed' OR error IS NOT NULL", name="failed_has_error"),
        CheckConstraint("deleted_at IS NULL OR finished_at IS NOT NULL", name="deleted_is_over"),
        {
            "comment": "Websites to clone: the queue, and the record of what became of each",
            "info": {
                "decisions": (
                    "The fields were left open. The table is the queue as well: a job and its state change in one "
                    "transaction, which a queue beside the database cannot promise.",
                    "A worker holds a job by lease_id, new at each claim. Only that claim may report: a worker that "
                    "was thought dead finds its lease gone, whatever its clock says. locked_until brings the jobs of "
                    "dead workers back.",
                    "A job that is deleted is over (CHECK): deleting one that waits or runs cancels it. So the "
                    "indexes of the queue need no word on deleted_at.",
                    "Three partial indexes carry the queue: jobs that are due, leases, deleted jobs. Each holds a few "
                    "thousand rows of millions, and leaves a job behind as it ends.",
                    "asset_count and size_bytes are written once, at the end: a list of jobs need not count assets.",
                    "A job goes with its user and takes its assets along (CASCADE, as asked for). What must survive "
                    "stands in the way: whoever has an audit log or a payment is not deleted at all.",
                ),
            },
        },
    )


class CloneAsset(Identified, Created, Base):
    """One file of a clone."""

    __tablename__ = "clone_assets"

    job_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("clone_jobs.id", ondelete="CASCADE"), comment="The job that fetched it"
    )
    path: Mapped[str] = mapped_column(String(1024), comment="Where it lies in the clone, such as css/site.css")
    url: Mapped[str] = mapped_column(String(2048), comment="Where it was fetched")
    kind: Mapped[AssetKind] = mapped_column(words(AssetKind), comment="What it is to a page, such as html or image")
    content_type: Mapped[str] = mapped_column(String(255), comment="Media type in lower case, such as text/css")
    size_bytes: Mapped[int] = mapped_column(comment="Its size")
    sha256: Mapped[str] = mapped_column(String(64), comment="SHA-256 of its content, in hexadecimal digits")

    job: Mapped[CloneJob] = relationship(back_populates="assets")

    __table_args__ = (
        UniqueConstraint("job_id", "path"),
        CheckConstraint(one_of("kind", AssetKind), name="kind_known"),
        CheckConstraint(sized("path", 1, 1024), name="path_length"),
        CheckConstraint("path NOT LIKE '/%'", name="path_relative"),
        CheckConstraint(WEB, name="url_web"),
        CheckConstraint(sized("url", 8, 2048), name="url_length"),
        CheckConstraint(sized("content_type", 3, 255), name="content_type_length"),
        CheckConstraint(lower_case("content_type"), name="content_type_lower_case"),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        CheckConstraint("length(sha256) = 64", name="sha256_length"),
        CheckConstraint(lower_case("sha256"), name="sha256_lower_case"),
        {
            "comment": "Files of clones, one row per path and job",
            "info": {
                "decisions": (
                    "The content lies in object storage under the job's id and the path; here is what is known of it. "
                    "Files in rows would make the table that is largest anyway a hundred times as large.",
                    "(job_id, path) is unique: two files cannot lie in one place. The one index serves the pages of a "
                    "job's assets, the cascade and the uniqueness; 150 million rows carry no second one beside the "
                    "primary key. The same URL under two paths is allowed.",
                    "No soft delete: assets are hidden with their job, and go with it (CASCADE, as asked for).",
                ),
            },
        },
    )


Index("ix_clone_jobs_user_id_created_at", CloneJob.user_id, CloneJob.created_at.desc())
Index("ix_clone_jobs_due", CloneJob.priority.desc(), CloneJob.run_after, **only_where("status = 'pending'"))
Index("ix_clone_jobs_leased", CloneJob.locked_until, **only_where("status = 'running'"))
Index("ix_clone_jobs_deleted_at", CloneJob.deleted_at, **only_where("deleted_at IS NOT NULL"))
