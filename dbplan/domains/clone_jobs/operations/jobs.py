"""Jobs as their users see them: asking for one, looking at it, cancelling and deleting it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from dbplan.columns import new_id, now
from dbplan.domains.calls import NotThere, only, text, whole
from dbplan.domains.clone_jobs.models import (
    AssetKind,
    CloneAsset,
    CloneJob,
    JobStatus,
    Subject,
    SubscriptionStatus,
    Tier,
)
from dbplan.domains.clone_jobs.operations.audit import audit
from dbplan.domains.clone_jobs.operations.users import lock_user
from dbplan.domains.clone_jobs.statements import assets as files
from dbplan.domains.clone_jobs.statements import jobs as statements
from dbplan.domains.clone_jobs.statements.subscriptions import subscription
from dbplan.domains.paging import TOP, Cursor, bounded
from dbplan.errors import DbplanError, UsageError

KEPT = dt.timedelta(days=30)
"""How long a deleted job or user can be restored."""

MONTH = dt.timedelta(days=30)
"""What an allowance is for where no period of a subscription runs."""

ALLOWANCE: Mapping[Tier, int | None] = MappingProxyType(
    {Tier.FREE: 5, Tier.STARTER: 50, Tier.PRO: 500, Tier.ENTERPRISE: None}
)
"""How many jobs a period has in each plan; None for as many as are wanted."""

_OPEN = (JobStatus.PENDING, JobStatus.RUNNING)


class NoSuchJob(NotThere):
    """A job id that no row has, or that of a deleted job."""

    def __init__(self, job_id: uuid.UUID) -> None:
        super().__init__(f"no job {job_id}; enqueue makes one, restore_job brings back a deleted one")


class WrongState(DbplanError):
    """A row whose state does not allow what was asked."""


class AllowanceUsed(DbplanError):
    """A user who has made all the jobs of their period."""

    def __init__(self, user_id: uuid.UUID, tier: Tier, since: dt.datetime) -> None:
        super().__init__(
            f"user {user_id} has made the {ALLOWANCE[tier]} jobs that plan {tier} has since {since:%Y-%m-%d}; "
            "change_plan to a larger one, or wait for the next period"
        )


class KindTotal(NamedTuple):
    """The files of one kind in a clone."""

    kind: AssetKind
    files: int
    bytes: int


def enqueue(
    session: Session,
    user_id: uuid.UUID,
    url: str,
    *,
    options: Mapping[str, Any] | None = None,
    priority: int = 0,
    run_after: dt.datetime | None = None,
    max_attempts: int = 3,
    by: uuid.UUID | None = None,
) -> uuid.UUID:
    """Put a website into the queue and return the id of its job.

    Raises NoSuchUser, AllowanceUsed where the plan has no job left, UsageError for what no job can be.
    """
    values = {
        "owner": user_id,
        "page": _web(url),
        "how": dict(options or {}),
        "rank": whole("priority", priority, 0, 9),
        "tries": whole("number of attempts", max_attempts, 1, 20),
    }
    # The lock comes first: two requests at once cannot both take the last job of the allowance.
    lock_user(session, user_id)
    _allow(session, user_id)
    job_id = new_id()
    session.execute(statements.enqueue, values | {"new_id": job_id, "due": run_after or now()})
    audit(session, by or user_id, "job.enqueue", Subject.CLONE_JOB, job_id, new={"status": JobStatus.PENDING})
    return job_id


def job(session: Session, job_id: uuid.UUID) -> CloneJob:
    """Return a job; NoSuchJob where there is none or it is deleted."""
    found: CloneJob = only(session, statements.job, {"job_id": job_id}, NoSuchJob(job_id))[0]
    return found


def jobs(session: Session, user_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20) -> Sequence[CloneJob]:
    """Return a page of a user's jobs, newest first; `Cursor.of` its last one leads to the next."""
    return session.scalars(statements.jobs_of_user, {"user_id": user_id} | before.page(limit)).all()


def assets(session: Session, job_id: uuid.UUID, *, after: str = "", limit: int = 100) -> Sequence[CloneAsset]:
    """Return a page of a job's files by path; the last path of a page leads to the next."""
    values = {"job_id": job_id, "after": after, "limit": bounded(limit)}
    return session.scalars(files.assets_of_job, values).all()


def assets_by_kind(session: Session, job_id: uuid.UUID) -> list[KindTotal]:
    """Return how many files of each kind a job has, and their size."""
    return [KindTotal(*row) for row in session.execute(files.assets_by_kind, {"job_id": job_id})]


def cancel(session: Session, job_id: uuid.UUID, *, by: uuid.UUID | None = None) -> None:
    """Cancel a job that waits or runs; its worker finds the lease lost. WrongState where it is over."""
    status = _locked(session, job_id).status
    if status not in _OPEN:
        raise WrongState(f"job {job_id} is {status}; only one that is pending or running can be cancelled")
    session.execute(statements.cancel, {"job_id": job_id})
    _note(session, by, "job.cancel", job_id, status, JobStatus.CANCELLED)


def retry(session: Session, job_id: uuid.UUID, *, by: uuid.UUID | None = None) -> None:
    """Put a failed or cancelled job into the queue again, with all its attempts; WrongState for another."""
    lock_user(session, job(session, job_id).user_id)
    status = _locked(session, job_id).status
    if status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise WrongState(f"job {job_id} is {status}; only one that failed or was cancelled can be tried again")
    session.execute(statements.retry, {"job_id": job_id, "due": now()})
    _note(session, by, "job.retry", job_id, status, JobStatus.PENDING)


def delete_job(session: Session, job_id: uuid.UUID, *, by: uuid.UUID | None = None) -> None:
    """Hide a job and its files, for `KEPT` so that it can be restored; one that waits or runs is cancelled."""
    status = _locked(session, job_id).status
    session.execute(statements.cancel, {"job_id": job_id})
    session.execute(statements.delete_job, {"job_id": job_id})
    old = {"status": status, "deleted": False}
    new = {"status": JobStatus.CANCELLED if status in _OPEN else status, "deleted": True}
    audit(session, by, "job.delete", Subject.CLONE_JOB, job_id, old=old, new=new)


def restore_job(session: Session, job_id: uuid.UUID, *, by: uuid.UUID | None = None) -> None:
    """Show a deleted job again, as it ended; NoSuchJob where it is purged, WrongState where it was not deleted."""
    found = only(session, statements.lock_job, {"job_id": job_id}, NoSuchJob(job_id))
    if found.deleted_at is None:
        raise WrongState(f"job {job_id} is not deleted; there is nothing to restore")
    session.execute(statements.restore_job, {"job_id": job_id})
    audit(session, by, "job.restore", Subject.CLONE_JOB, job_id, old={"deleted": True}, new={"deleted": False})


def purge_jobs(session: Session, *, kept: dt.timedelta = KEPT, limit: int = 100) -> list[uuid.UUID]:
    """Delete up to `limit` jobs for good that were deleted longer ago than `kept`, and return their ids.

    Their files go with them. What lies in object storage under these ids is the caller's to remove, once the
    transaction is committed; call and commit until none is left.
    """
    values = {"gone_before": now() - kept, "limit": bounded(limit)}
    gone = session.execute(statements.jobs_to_purge, values).all()
    for row in gone:
        session.execute(statements.purge_job, {"job_id": row.id})
        audit(session, None, "job.purge", Subject.CLONE_JOB, row.id, old={"user_id": str(row.user_id)})
    return [row.id for row in gone]


def _allow(session: Session, user_id: uuid.UUID) -> None:
    """Raise AllowanceUsed where the period has no job left; who does not pay is on the free plan."""
    found = session.scalars(subscription, {"user_id": user_id}).one_or_none()
    pays = found is not None and found.status != SubscriptionStatus.PAST_DUE
    tier = found.plan if found is not None and pays else Tier.FREE
    since = found.current_period_start if found is not None and pays else now() - MONTH
    most = ALLOWANCE[tier]
    if most is None:
        return
    made = session.execute(statements.jobs_made, {"user_id": user_id, "since": since}).scalar_one()
    if made >= most:
        raise AllowanceUsed(user_id, tier, since)


def _locked(session: Session, job_id: uuid.UUID) -> Any:
    found = only(session, statements.lock_job, {"job_id": job_id}, NoSuchJob(job_id))
    if found.deleted_at is not None:
        raise NoSuchJob(job_id)
    return found


def _note(
    session: Session, by: uuid.UUID | None, action: str, job_id: uuid.UUID, old: JobStatus, new: JobStatus
) -> None:
    audit(session, by, action, Subject.CLONE_JOB, job_id, old={"status": old}, new={"status": new})


def _web(url: str) -> str:
    url = text("URL", url, 2048)
    if not url.lower().startswith(("http://", "https://")) or url.endswith("://"):
        raise UsageError(f'"{url}" is no page to clone; give an address that begins with http:// or https://')
    return url
