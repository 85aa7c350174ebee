"""Statements about jobs as their users see them: asking, looking, cancelling, deleting."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Table, bindparam, delete, func, insert, select, update

from dbplan.columns import clock, new_id, now
from dbplan.domains.clone_jobs.models import CloneJob, JobStatus
from dbplan.domains.paging import LAST_ID, LIMIT, NEWEST, newest_first
from dbplan.plan import Query

JOBS: Table = CloneJob.metadata.tables["clone_jobs"]

_SHOWN = JOBS.c.deleted_at.is_(None)
_ONE = JOBS.c.id == bindparam("job_id")
_OPEN = JOBS.c.status.in_((JobStatus.PENDING, JobStatus.RUNNING))
_CANCELLED = {
    "status": JobStatus.CANCELLED,
    "lease_id": None,
    "worker": None,
    "locked_until": None,
    "finished_at": clock(),
}

enqueue = insert(JOBS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    user_id=bindparam("owner"),
    url=bindparam("page"),
    options=bindparam("how"),
    priority=bindparam("rank"),
    run_after=bindparam("due"),
    max_attempts=bindparam("tries"),
)

job = select(CloneJob).where(_ONE, _SHOWN).execution_options(populate_existing=True)

jobs_of_user = newest_first(
    select(CloneJob).where(JOBS.c.user_id == bindparam("user_id"), _SHOWN).execution_options(populate_existing=True),
    JOBS,
)

# Deleted jobs count: to delete one must not make room for the next.
jobs_made = select(func.count()).where(JOBS.c.user_id == bindparam("user_id"), JOBS.c.created_at >= bindparam("since"))

lock_job = (
    select(JOBS.c.id, JOBS.c.user_id, JOBS.c.status, JOBS.c.attempts, JOBS.c.deleted_at)
    .where(_ONE)
    .with_for_update(key_share=True)
)

cancel = update(JOBS).where(_ONE, _OPEN).values(_CANCELLED)

cancel_jobs_of_user = update(JOBS).where(JOBS.c.user_id == bindparam("owner"), _OPEN).values(_CANCELLED)

retry = (
    update(JOBS)
    .where(_ONE, _SHOWN, JOBS.c.status.in_((JobStatus.FAILED, JobStatus.CANCELLED)))
    .values(
        status=JobStatus.PENDING,
        run_after=bindparam("due"),
        attempts=0,
        progress=0,
        error=None,
        finished_at=None,
    )
)

delete_job = update(JOBS).where(_ONE, _SHOWN, JOBS.c.finished_at.is_not(None)).values(deleted_at=clock())

restore_job = update(JOBS).where(_ONE, JOBS.c.deleted_at.is_not(None)).values(deleted_at=None)

# Two cleaners at once take different jobs.
jobs_to_purge = (
    select(JOBS.c.id, JOBS.c.user_id)
    .where(JOBS.c.deleted_at.is_not(None), JOBS.c.deleted_at <= bindparam("gone_before"))
    .order_by(JOBS.c.deleted_at)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)

purge_job = delete(JOBS).where(_ONE, JOBS.c.deleted_at.is_not(None))

jobs_to_erase = select(JOBS.c.id).where(JOBS.c.user_id == bindparam("user_id")).with_for_update()

erase_jobs = delete(JOBS).where(JOBS.c.user_id == bindparam("user_id"))


def _last_month() -> dt.datetime:
    return now() - dt.timedelta(days=30)


_OWNER = {"user_id": JOBS.c.user_id}

QUERIES = (
    Query(
        "enqueue",
        enqueue,
        2,
        {
            "new_id": new_id,
            "owner": JOBS.c.user_id,
            "page": ["https://example.com/"],
            "how": [{"max_depth": 2}],
            "rank": [0, 5],
            "due": now,
            "tries": [3],
        },
    ),
    Query("jobs made", jobs_made, 2, _OWNER | {"since": _last_month}),
    Query("job", job, 40),
    Query("jobs of a user", jobs_of_user, 10, _OWNER | {"before": [NEWEST], "before_id": [LAST_ID], "limit": [20]}),
    Query(
        "jobs of a user, next page",
        jobs_of_user,
        1,
        _OWNER | {"before": JOBS.c.created_at, "before_id": JOBS.c.id, "limit": [20]},
    ),
    Query("lock job", lock_job, 0.15),
    Query("cancel", cancel, 0.1),
    Query("cancel jobs of a user", cancel_jobs_of_user, 0.002),
    Query("retry", retry, 0.02, {"due": now}),
    Query("delete job", delete_job, 0.1),
    Query("restore job", restore_job, 0.001),
    Query("jobs to purge", jobs_to_purge, 0.01, {"gone_before": now, "limit": [100]}),
    Query("purge job", purge_job, 0.1),
    Query("jobs to erase", jobs_to_erase, 0.002, _OWNER),
    Query("erase jobs", erase_jobs, 0.002, _OWNER),
)
