"""Statements of the audit log: it is written and read, never changed."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, insert, select

from dbplan.columns import clock, new_id
from dbplan.domains.clone_jobs.models import AuditLog, Subject
from dbplan.domains.clone_jobs.statements.users import USERS
from dbplan.domains.paging import LAST_ID, NEWEST, newest_first
from dbplan.plan import Query

AUDIT_LOGS: Table = AuditLog.metadata.tables["audit_logs"]

audit = insert(AUDIT_LOGS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    actor_id=bindparam("actor"),
    action=bindparam("deed"),
    subject_type=bindparam("kind"),
    subject_id=bindparam("key"),
    old_values=bindparam("old"),
    new_values=bindparam("new"),
)

history = newest_first(
    select(AuditLog).where(
        AUDIT_LOGS.c.subject_type == bindparam("kind"), AUDIT_LOGS.c.subject_id == bindparam("subject_id")
    ),
    AUDIT_LOGS,
)

deeds = newest_first(select(AuditLog).where(AUDIT_LOGS.c.actor_id == bindparam("actor_id")), AUDIT_LOGS)

_TOP = {"before": [NEWEST], "before_id": [LAST_ID], "limit": [20]}

QUERIES = (
    Query(
        "audit",
        audit,
        7,
        {
            "new_id": new_id,
            "actor": USERS.c.id,
            "deed": ["job.enqueue", "job.cancel"],
            "kind": [Subject.CLONE_JOB],
            "key": new_id,
            "old": [None],
            "new": [{"status": "pending"}],
        },
    ),
    Query("history", history, 0.2, _TOP | {"kind": AUDIT_LOGS.c.subject_type, "subject_id": AUDIT_LOGS.c.subject_id}),
    Query("deeds", deeds, 0.05, _TOP | {"actor_id": AUDIT_LOGS.c.actor_id}),
)
