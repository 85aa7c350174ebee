"""The audit log: written by every change of state, read by subject and by actor."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.domains.clone_jobs.models import AuditLog, Subject
from dbplan.domains.clone_jobs.statements import audit as statements
from dbplan.domains.paging import TOP, Cursor

Values = Mapping[str, Any]


def audit(
    session: Session,
    actor: uuid.UUID | None,
    action: str,
    subject: Subject,
    key: uuid.UUID,
    *,
    old: Values | None = None,
    new: Values | None = None,
) -> None:
    """Write an entry: what an actor (None for the system) did to the subject of that key."""
    session.execute(
        statements.audit,
        {
            "new_id": new_id(),
            "actor": actor,
            "deed": action,
            "kind": subject,
            "key": key,
            "old": old and dict(old),
            "new": new and dict(new),
        },
    )


def history(
    session: Session, subject: Subject, key: uuid.UUID, *, before: Cursor = TOP, limit: int = 20
) -> Sequence[AuditLog]:
    """Return a page of what was done to a subject, newest first, also where it is gone."""
    values = {"kind": subject, "subject_id": key} | before.page(limit)
    return session.scalars(statements.history, values).all()


def deeds(session: Session, actor_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20) -> Sequence[AuditLog]:
    """Return a page of what somebody did, newest first."""
    return session.scalars(statements.deeds, {"actor_id": actor_id} | before.page(limit)).all()
