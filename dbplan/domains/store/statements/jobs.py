"""Statements about jobs: a queue that many workers take from at once."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Integer, Select, Table, Update, bindparam, case, insert, literal_column, select, update

from dbplan.columns import UtcDateTime, clock, new_id, now
from dbplan.domains.paging import LAST_ID, LIMIT, NEWEST, newest_first
from dbplan.domains.store.models import AgentJob, AgentType, Base, JobStatus
from dbplan.domains.store.statements.entities import current
from dbplan.plan import Query

STORES: Table = Base.metadata.tables["stores"]
JOBS: Table = Base.metadata.tables["agent_jobs"]

_NOW = bindparam("now", type_=UtcDateTime)
_THIS = JOBS.c.id == bindparam("job_id")

# These words stand in the statements: a partial index serves only a query that shows its predicate.
_PENDING = JOBS.c.status == literal_column(f"'{JobStatus.PENDING}'")
_RUNNING = JOBS.c.status == literal_column(f"'{JobStatus.PROCESSING}'")

# The attempt is the worker's token: one that was given up for lost has another number than the one that runs.
_MINE = (_THIS, JOBS.c.status == JobStatus.PROCESSING, JOBS.c.attempts == bindparam("attempt", type_=Integer))


queue_job = insert(JOBS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    store_id=bindparam("store"),
    type=bindparam("kind"),
    input=bindparam("asked"),
    max_attempts=bindparam("times"),
    scheduled_at=bindparam("due"),
)


def _claim(waiting: Select[tuple[object]]) -> Update:
    """Return an update that begins the job due longest; two workers at once get different ones.

    The inner name is for MariaDB, which allows no LIMIT within IN.
    """
    oldest = (
        waiting.where(_PENDING, JOBS.c.scheduled_at <= _NOW)
        .order_by(JOBS.c.scheduled_at, JOBS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .subquery("oldest")
    )
    return (
        update(JOBS)
        .where(JOBS.c.id == select(oldest.c.id).scalar_subquery())
        .values(status=JobStatus.PROCESSING, started_at=clock(), attempts=JOBS.c.attempts + 1, progress=0)
        .returning(JOBS.c.id, JOBS.c.store_id, JOBS.c.type, JOBS.c.input, JOBS.c.attempts)
    )


claim_job = _claim(select(JOBS.c.id))

claim_job_of_type = _claim(select(JOBS.c.id).where(JOBS.c.type == bindparam("kind")))

progress_job = update(JOBS).where(*_MINE).values(progress=bindparam("per_cent"))

finish_job = (
    update(JOBS)
    .where(*_MINE)
    .values(status=JobStatus.COMPLETED, output=bindparam("made"), progress=100, finished_at=clock(), error=None)
)

retry_job = (
    update(JOBS)
    .where(*_MINE, JOBS.c.attempts < JOBS.c.max_attempts)
    .values(status=JobStatus.PENDING, error=bindparam("why"), scheduled_at=bindparam("due"), started_at=None)
)

fail_job = update(JOBS).where(*_MINE).values(status=JobStatus.FAILED, error=bindparam("why"), finished_at=clock())

cancel_job = (
    update(JOBS)
    .where(_THIS, JOBS.c.status.in_([JobStatus.PENDING, JobStatus.PROCESSING]))
    .values(status=JobStatus.CANCELLED, finished_at=clock())
)

job_by_id = current(AgentJob).where(_THIS)

jobs_of_store = newest_first(current(AgentJob).where(JOBS.c.store_id == bindparam("store_id")), JOBS)

_lost = (
    select(JOBS.c.id)
    .where(_RUNNING, JOBS.c.updated_at < bindparam("silent_since", type_=UtcDateTime))
    .order_by(JOBS.c.updated_at)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
    .subquery("lost")
)
_SPENT = JOBS.c.attempts >= JOBS.c.max_attempts

recover_jobs = (
    update(JOBS)
    .where(JOBS.c.id.in_(select(_lost.c.id)))
    .values(
        status=case((_SPENT, JobStatus.FAILED), else_=JobStatus.PENDING),
        started_at=case((_SPENT, JOBS.c.started_at)),
        finished_at=case((_SPENT, clock())),
        scheduled_at=_NOW,
        error=bindparam("why"),
    )
)


def _long_ago() -> dt.datetime:
    return now() - dt.timedelta(hours=1)


_RUN = {"job_id": JOBS.c.id, "attempt": JOBS.c.attempts}
_TOP = {"before": [NEWEST], "before_id": [LAST_ID], "limit": [20]}

QUERIES = (
    Query(
        "queue job",
        queue_job,
        1,
        {"new_id": new_id, "store": STORES.c.id, "kind": list(AgentType), "asked": [{"tone": "electric"}]}
        | {"times": [3], "due": now},
    ),
    Query("claim job", claim_job, 2, {"now": now}),
    Query("claim job of type", claim_job_of_type, 5, {"now": now, "kind": list(AgentType)}),
    Query("progress job", progress_job, 5, _RUN | {"per_cent": [50]}),
    Query("finish job", finish_job, 1, _RUN | {"made": [{"urls": []}]}),
    Query("retry job", retry_job, 0.1, _RUN | {"why": ["timeout"], "due": now}),
    Query("fail job", fail_job, 0.05, _RUN | {"why": ["timeout"]}),
    Query("cancel job", cancel_job, 0.01),
    Query("job by id", job_by_id, 5),
    Query("jobs of store", jobs_of_store, 5, {"store_id": JOBS.c.store_id} | _TOP),
    Query("recover jobs", recover_jobs, 0.02, {"now": now, "silent_since": _long_ago, "limit": [100], "why": ["lost"]}),
)
"""Statements about jobs, with their calls per second as planned for a job a second."""
