"""The queue as workers see it: claim a job, report under its lease, end it.

A lease is a claim, not a clock: who holds its id may report until another claim takes the job over, which is possible
from `locked_until` on. So no job is worked on twice with effect, whatever the clocks of the workers say.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.columns import new_id, now
from dbplan.domains.calls import changed, only, text, whole
from dbplan.domains.clone_jobs.models import AssetKind, JobStatus, Subject
from dbplan.domains.clone_jobs.operations.audit import audit
from dbplan.domains.clone_jobs.statements import assets as files
from dbplan.domains.clone_jobs.statements import queue as statements
from dbplan.domains.paging import bounded
from dbplan.errors import DbplanError, UsageError

LEASE = dt.timedelta(minutes=2)
"""How long a worker may be silent before its job is given to another."""

FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=30), dt.timedelta(hours=1)
"""How long a job waits after its first failure; each further one doubles it, up to the longest."""

SILENT = "the worker fell silent"


class Lease(NamedTuple):
    """The right to work on a job and to report on it."""

    job_id: uuid.UUID
    lease_id: uuid.UUID
    user_id: uuid.UUID
    url: str
    options: Mapping[str, Any]
    attempt: int
    locked_until: dt.datetime

    @property
    def key(self) -> dict[str, Any]:
        """What statements know the lease by."""
        return {"job_id": self.job_id, "lease": self.lease_id}


class LeaseLost(DbplanError):
    """A report of a worker that does not hold the job any more."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"lease {lease.lease_id} of job {lease.job_id} is over: the job has ended, was cancelled, or went to "
            "another worker after a silence; drop the work and claim_next"
        )


class Backlog(NamedTuple):
    """How many jobs are due, and since when the oldest is."""

    jobs: int
    oldest: dt.datetime | None


@dataclass(frozen=True)
class Asset:
    """A file that was fetched: its place in the clone, and what is known of it."""

    path: str
    url: str
    kind: AssetKind
    content_type: str
    size_bytes: int
    sha256: str


def claim_next(session: Session, worker: str, *, lease: dt.timedelta = LEASE) -> Lease | None:
    """Take the next job for a worker, or None where none is due. Commit at once: others see the claim only then.

    A job whose worker fell silent comes first, since it had come first already; then the highest priority, and of
    that the job that is due longest. What an earlier attempt had fetched is cleared away.
    """
    who, instant = text("worker", worker, 100), now()
    found = _first(session, statements.next_abandoned, instant) or _first(session, statements.next_due, instant)
    if found is None:
        return None
    claim = Lease(found.id, new_id(), found.user_id, found.url, found.options, found.attempts + 1, instant + lease)
    values = {"job_id": claim.job_id, "new_lease": claim.lease_id, "who": who, "until": claim.locked_until}
    session.execute(statements.lease, values)
    if found.started_at is not None:
        session.execute(files.clear_assets, {"job_id": claim.job_id})
    new = {"status": JobStatus.RUNNING, "attempt": claim.attempt, "worker": who}
    _note(session, "job.claim", claim.job_id, new, old=found.status)
    return claim


def heartbeat(session: Session, held: Lease, *, lease: dt.timedelta = LEASE) -> None:
    """Say that the worker lives; LeaseLost where the job is not its own any more."""
    _hold_on(session, statements.heartbeat, held, {"until": now() + lease})


def report_progress(session: Session, held: Lease, percent: int, *, lease: dt.timedelta = LEASE) -> None:
    """Note how much is done, and say that the worker lives; LeaseLost where the job is not its own any more."""
    whole("progress in percent", percent, 0, 100)
    _hold_on(session, statements.report, held, {"until": now() + lease, "percent": percent})


def add_assets(session: Session, held: Lease, assets: Sequence[Asset]) -> None:
    """Add up to 1000 files to the job's clone; one whose path is there already takes its place."""
    whole("number of assets", len(assets), 1, 1000)
    for asset in assets:
        whole(f'size of "{asset.path}" in bytes', asset.size_bytes, 0)
    if len({asset.path for asset in assets}) < len(assets):
        raise UsageError("two assets have the same path; each path of a clone holds one file")
    _hold(session, held)
    places = [{"job_id": held.job_id, "path": asset.path} for asset in assets]
    session.execute(files.drop_asset, places)
    session.execute(files.add_asset, [_row(held.job_id, asset) for asset in assets])


def finish(session: Session, held: Lease) -> None:
    """Complete a job: its files are counted, and the lease ends."""
    _hold(session, held)
    totals = session.execute(files.count_assets, {"job_id": held.job_id}).one()
    values = {"files": totals.files, "bytes": int(totals.bytes)}
    session.execute(statements.finish, held.key | values)
    _note(session, "job.finish", held.job_id, {"status": JobStatus.COMPLETED, "assets": totals.files})


def fail(session: Session, held: Lease, error: str, *, for_good: bool = False) -> JobStatus:
    """End an attempt that failed, and return what the job is now.

    It is pending again after a pause that doubles each time, until its attempts are used up; then, or where another
    attempt could not help (`for_good`), it has failed.
    """
    why = text("error", error, 1_000_000)[:2000]
    found = _hold(session, held)
    pause = min(FIRST_PAUSE * 2 ** (found.attempts - 1), LONGEST_PAUSE)
    values = held.key | {"due": now() + pause, "why": why}
    if for_good or not changed(session, statements.postpone, values):
        _give_up(session, held.key, why)
        return JobStatus.FAILED
    _note(session, "job.postpone", held.job_id, {"status": JobStatus.PENDING})
    return JobStatus.PENDING


def fail_spent(session: Session, *, limit: int = 100) -> list[uuid.UUID]:
    """Fail up to `limit` jobs whose worker fell silent in the last attempt, and return their ids."""
    gone = session.execute(statements.spent, {"now": now(), "limit": bounded(limit)}).all()
    for row in gone:
        _give_up(session, {"job_id": row.id, "lease": row.lease_id}, SILENT)
    return [row.id for row in gone]


def backlog(session: Session) -> Backlog:
    """Return how many jobs are due, and since when the oldest is."""
    return Backlog(*session.execute(statements.backlog, {"now": now()}).one())


def _first(session: Session, statement: Executable, instant: dt.datetime) -> Any:
    return session.execute(statement, {"now": instant}).one_or_none()


def _hold(session: Session, held: Lease) -> Any:
    """Lock the job against a takeover, and return it; LeaseLost where it is another's."""
    return only(session, statements.hold, held.key, LeaseLost(held))


def _hold_on(session: Session, statement: Executable, held: Lease, values: dict[str, Any]) -> None:
    if not changed(session, statement, held.key | values):
        raise LeaseLost(held)


def _give_up(session: Session, key: dict[str, Any], why: str) -> None:
    session.execute(statements.give_up, key | {"why": why})
    _note(session, "job.fail", key["job_id"], {"status": JobStatus.FAILED})


def _note(
    session: Session, action: str, job_id: uuid.UUID, new: Mapping[str, Any], *, old: JobStatus = JobStatus.RUNNING
) -> None:
    audit(session, None, action, Subject.CLONE_JOB, job_id, old={"status": old}, new=new)


def _row(job_id: uuid.UUID, asset: Asset) -> dict[str, Any]:
    return {
        "new_id": new_id(),
        "owner": job_id,
        "place": asset.path,
        "source": asset.url,
        "what": asset.kind,
        "media_type": asset.content_type,
        "bytes": asset.size_bytes,
        "digest": asset.sha256,
    }
