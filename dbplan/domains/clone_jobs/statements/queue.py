"""Statements of workers: claiming a job, reporting under its lease, and ending it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import bindparam, func, literal_column, select, update

from dbplan.columns import clock, new_id, now
from dbplan.domains.clone_jobs.models import JobStatus
from dbplan.domains.clone_jobs.statements.jobs import JOBS
from dbplan.domains.paging import LIMIT
from dbplan.plan import Query

# The words stand in the statements: a partial index serves only a query that shows its predicate.
_PENDING = JOBS.c.status == literal_column(f"'{JobStatus.PENDING}'")
_RUNNING = JOBS.c.status == literal_column(f"'{JobStatus.RUNNING}'")
_HELD = (JOBS.c.id == bindparam("job_id"), JOBS.c.lease_id == bindparam("lease"))
_LET_GO = {"lease_id": None, "worker": None, "locked_until": None}

_CLAIMED = select(
    JOBS.c.id,
    JOBS.c.user_id,
    JOBS.c.url,
    JOBS.c.options,
    JOBS.c.status,
    JOBS.c.attempts,
    JOBS.c.max_attempts,
    JOBS.c.lease_id,
    JOBS.c.started_at,
)

# What others are claiming is passed over, so that nobody waits and nobody gets the same.
next_due = (
    _CLAIMED.where(_PENDING, JOBS.c.run_after <= bindparam("now"))
    .order_by(JOBS.c.priority.desc(), JOBS.c.run_after)
    .limit(1)
    .with_for_update(skip_locked=True, key_share=True)
)

_ABANDONED = _CLAIMED.where(_RUNNING, JOBS.c.locked_until <= bindparam("now")).order_by(JOBS.c.locked_until)

next_abandoned = (
    _ABANDONED.where(JOBS.c.attempts < JOBS.c.max_attempts).limit(1).with_for_update(skip_locked=True, key_share=True)
)

spent = (
    _ABANDONED.where(JOBS.c.attempts >= JOBS.c.max_attempts)
    .limit(LIMIT)
    .with_for_update(skip_locked=True, key_share=True)
)

# The caller holds the row's lock.
lease = (
    update(JOBS)
    .where(JOBS.c.id == bindparam("job_id"), JOBS.c.attempts < JOBS.c.max_attempts)
    .values(
        status=JobStatus.RUNNING,
        lease_id=bindparam("new_lease"),
        worker=bindparam("who"),
        locked_until=bindparam("until"),
        started_at=clock(),
        attempts=JOBS.c.attempts + 1,
        progress=0,
        error=None,
    )
)

heartbeat = update(JOBS).where(*_HELD).values(locked_until=bindparam("until"))

report = update(JOBS).where(*_HELD).values(locked_until=bindparam("until"), progress=bindparam("percent"))

hold = _CLAIMED.where(*_HELD).with_for_update(key_share=True)

finish = (
    update(JOBS)
    .where(*_HELD)
    .values(
        _LET_GO
        | {
            "status": JobStatus.COMPLETED,
            "progress": 100,
            "asset_count": bindparam("files"),
            "size_bytes": bindparam("bytes"),
            "finished_at": clock(),
        }
    )
)

postpone = (
    update(JOBS)
    .where(*_HELD, JOBS.c.attempts < JOBS.c.max_attempts)
    .values(_LET_GO | {"status": JobStatus.PENDING, "run_after": bindparam("due"), "error": bindparam("why")})
)

give_up = (
    update(JOBS)
    .where(*_HELD)
    .values(_LET_GO | {"status": JobStatus.FAILED, "error": bindparam("why"), "finished_at": clock()})
)

backlog = select(func.count().label("jobs"), func.min(JOBS.c.run_after).label("oldest")).where(
    _PENDING, JOBS.c.run_after <= bindparam("now")
)


def _soon() -> dt.datetime:
    return now() + dt.timedelta(minutes=2)


_LEASE = {"job_id": JOBS.c.id, "lease": JOBS.c.lease_id}

QUERIES = (
    Query("next due", next_due, 3, {"now": now}),
    Query("next abandoned", next_abandoned, 3, {"now": now}),
    Query("spent", spent, 0.02, {"now": now, "limit": [100]}),
    Query("lease", lease, 2, {"new_lease": new_id, "who": ["worker-7:4711"], "until": JOBS.c.locked_until}),
    Query("heartbeat", heartbeat, 10, _LEASE | {"until": _soon}),
    Query("report progress", report, 10, _LEASE | {"until": _soon, "percent": [25, 50, 75]}),
    Query("hold", hold, 6, _LEASE),
    Query("finish", finish, 2, _LEASE | {"files": [30], "bytes": [2_500_000]}),
    Query("postpone", postpone, 0.1, _LEASE | {"due": _soon, "why": ["connection refused"]}),
    Query("give up", give_up, 0.05, _LEASE | {"why": ["connection refused"]}),
    Query("backlog", backlog, 0.1, {"now": now}),
)
