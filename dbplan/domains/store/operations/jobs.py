"""Jobs: queued for agents, begun by one worker each, tried again, and found again when a worker is lost."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.columns import new_id, now
from dbplan.domains.calls import NotThere, changed, only, text, whole
from dbplan.domains.paging import TOP, Cursor, bounded
from dbplan.domains.store.models import AgentJob, AgentType, JobStatus
from dbplan.domains.store.operations.stores import store
from dbplan.domains.store.statements import jobs as statements
from dbplan.errors import DbplanError

LOST = "the worker was lost: no progress was reported"
"""The error of an attempt that nobody finished."""


class NoSuchJob(NotThere):
    """A job id that no row has."""

    def __init__(self, job_id: uuid.UUID) -> None:
        super().__init__(f"no job {job_id}; queue_job makes one")


class JobLost(DbplanError):
    """A job that is no longer this worker's."""

    def __init__(self, claim: Claim, there: AgentJob) -> None:
        super().__init__(
            f"attempt {claim.attempt} of job {claim.id} is over: the job is {there.status}, attempt {there.attempts}; "
            "drop the work, and claim_job another"
        )


class JobOver(DbplanError):
    """A job that has ended and cannot be cancelled."""

    def __init__(self, there: AgentJob) -> None:
        super().__init__(f"job {there.id} is {there.status} since {there.finished_at}; queue_job makes a new one")


@dataclass(frozen=True)
class Claim:
    """An attempt at a job, which one worker has."""

    id: uuid.UUID
    store_id: uuid.UUID
    type: AgentType
    input: Mapping[str, Any]
    attempt: int


def queue_job(
    session: Session,
    store_id: uuid.UUID,
    type: AgentType,
    input: Mapping[str, Any],
    *,
    due: dt.datetime | None = None,
    max_attempts: int = 3,
) -> uuid.UUID:
    """Queue a job for an agent, due at once or later, and return its id."""
    whole("number of attempts", max_attempts, 1, 100)
    store(session, store_id)
    job_id = new_id()
    values = {"new_id": job_id, "store": store_id, "kind": type, "asked": dict(input), "due": due or now()}
    session.execute(statements.queue_job, values | {"times": max_attempts})
    return job_id


def claim_job(session: Session, type: AgentType | None = None) -> Claim | None:
    """Begin the job that is due longest, of one type or of any, or return None; commit before the work."""
    statement = statements.claim_job if type is None else statements.claim_job_of_type
    values = {"now": now()} if type is None else {"now": now(), "kind": type}
    found = session.execute(statement, values).one_or_none()
    return Claim(*found) if found else None


def progress_job(session: Session, claim: Claim, progress: int) -> None:
    """Report how much of a job is done, in per cent; JobLost where it is no longer this worker's."""
    whole("progress in per cent", progress, 0, 100)
    _mine(session, statements.progress_job, claim, {"per_cent": progress})


def finish_job(session: Session, claim: Claim, output: Mapping[str, Any]) -> None:
    """Hand in what a job made; JobLost where it is no longer this worker's."""
    _mine(session, statements.finish_job, claim, {"made": dict(output)})


def fail_job(session: Session, claim: Claim, error: str, *, retry_in: dt.timedelta = dt.timedelta(0)) -> JobStatus:
    """Give an attempt up, and return the job's status: PENDING where another is due after `retry_in`, else FAILED."""
    why = text("error", error[:2000], 2000)
    values = _key(claim) | {"why": why}
    if changed(session, statements.retry_job, values | {"due": now() + retry_in}):
        return JobStatus.PENDING
    _mine(session, statements.fail_job, claim, {"why": why})
    return JobStatus.FAILED


def cancel_job(session: Session, job_id: uuid.UUID) -> None:
    """Cancel a job that waits or runs; its worker learns of it at the next report. JobOver where it has ended."""
    if not changed(session, statements.cancel_job, {"job_id": job_id}):
        raise JobOver(job(session, job_id))


def recover_jobs(session: Session, *, silent_for: dt.timedelta, limit: int = 100) -> int:
    """Give up attempts whose workers reported nothing for so long, and return how many; they are tried again."""
    instant = now()
    values = {"now": instant, "silent_since": instant - silent_for, "limit": bounded(limit), "why": LOST}
    return changed(session, statements.recover_jobs, values)


def job(session: Session, job_id: uuid.UUID) -> AgentJob:
    """Return a job; NoSuchJob where there is none."""
    (found,) = only(session, statements.job_by_id, {"job_id": job_id}, NoSuchJob(job_id))
    return found  # type: ignore[no-any-return]


def jobs_of_store(
    session: Session, store_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20
) -> Sequence[AgentJob]:
    """Return a page of a store's jobs, newest first; `Cursor.of` the last leads to the next."""
    return session.scalars(statements.jobs_of_store, {"store_id": store_id} | before.page(limit)).all()


def _key(claim: Claim) -> dict[str, Any]:
    return {"job_id": claim.id, "attempt": claim.attempt}


def _mine(session: Session, statement: Executable, claim: Claim, values: Mapping[str, Any]) -> None:
    if not changed(session, statement, _key(claim) | dict(values)):
        raise JobLost(claim, job(session, claim.id))
