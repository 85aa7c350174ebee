"""Leaving: a user is deleted, may come back for a while, and is then erased."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NamedTuple

from sqlalchemy.orm import Session

from dbplan.columns import now
from dbplan.domains.calls import changed, refused_as
from dbplan.domains.clone_jobs.models import Subject
from dbplan.domains.clone_jobs.operations.audit import audit
from dbplan.domains.clone_jobs.operations.jobs import KEPT, WrongState
from dbplan.domains.clone_jobs.operations.subscriptions import end
from dbplan.domains.clone_jobs.operations.users import EmailTaken, lock_user
from dbplan.domains.clone_jobs.statements import jobs
from dbplan.domains.clone_jobs.statements import users as statements
from dbplan.domains.clone_jobs.statements.subscriptions import lock_subscription
from dbplan.domains.paging import bounded


class Erased(NamedTuple):
    """A user who was erased, and their jobs, whose files are still in object storage."""

    user_id: uuid.UUID
    jobs: tuple[uuid.UUID, ...]


def delete_user(session: Session, user_id: uuid.UUID, *, by: uuid.UUID | None = None) -> None:
    """Hide a user for `KEPT`: nobody signs in as them, their jobs are cancelled and their subscription ends at once."""
    lock_user(session, user_id)
    actor = by or user_id
    for held in session.scalars(lock_subscription, {"user_id": user_id}):
        end(session, held, actor)
    cancelled = changed(session, jobs.cancel_jobs_of_user, {"owner": user_id})
    session.execute(statements.delete_user, {"user_id": user_id})
    new = {"deleted": True, "cancelled_jobs": cancelled}
    audit(session, actor, "user.delete", Subject.USER, user_id, old={"deleted": False}, new=new)


def restore_user(session: Session, user_id: uuid.UUID, *, by: uuid.UUID | None = None) -> None:
    """Bring a deleted user back, with their jobs; what was cancelled stays so.

    Raises WrongState for who was not deleted or is erased, EmailTaken where somebody else has the address by now.
    """
    found = lock_user(session, user_id, deleted=True)
    if found.deleted_at is None or found.erased_at is not None:
        what = "is not deleted" if found.deleted_at is None else "is erased for good"
        raise WrongState(f"user {user_id} {what}; there is nothing to restore")
    with refused_as(session, EmailTaken(found.email)):
        session.execute(statements.restore_user, {"user_id": user_id})
    audit(session, by, "user.restore", Subject.USER, user_id, old={"deleted": True}, new={"deleted": False})


def erase_users(session: Session, *, kept: dt.timedelta = KEPT, limit: int = 100) -> list[Erased]:
    """Erase up to `limit` users who were deleted longer ago than `kept`; call and commit until none is left.

    Their jobs and files are deleted, address, name, picture and password go; payments and the audit log stay, and
    speak of a user whom nobody knows. What lies in object storage is the caller's to remove after the commit.
    """
    values = {"gone_before": now() - kept, "limit": bounded(limit)}
    return [_erase(session, user_id) for user_id in session.scalars(statements.users_to_erase, values).all()]


def _erase(session: Session, user_id: uuid.UUID) -> Erased:
    gone = tuple(session.scalars(jobs.jobs_to_erase, {"user_id": user_id}))
    session.execute(jobs.erase_jobs, {"user_id": user_id})
    # A domain that can never exist (RFC 2606), and one address each.
    session.execute(statements.erase_user, {"user_id": user_id, "tombstone": f"{user_id}@erased.invalid"})
    audit(session, None, "user.erase", Subject.USER, user_id, old={"erased": False}, new={"erased": True})
    return Erased(user_id, gone)
