"""People: signing up and in."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.domains import calls
from dbplan.domains.calls import NotThere, changed, only, refused_as
from dbplan.domains.clone_jobs.models import Role, Subject
from dbplan.domains.clone_jobs.operations.audit import audit
from dbplan.domains.clone_jobs.statements import users as statements
from dbplan.errors import DbplanError


class NoSuchUser(NotThere):
    """A user id or address that no living row has."""

    def __init__(self, who: object) -> None:
        super().__init__(f"no user {who}; create_user makes one, restore_user brings back one who was deleted")


class EmailTaken(DbplanError):
    """An address that somebody else has."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} belongs to another user; sign in with it, or give another address")


class Person(NamedTuple):
    """Somebody who is not deleted."""

    id: uuid.UUID
    email: str
    name: str | None
    role: Role
    email_verified: dt.datetime | None
    created_at: dt.datetime


class Credentials(NamedTuple):
    """What a password is checked against."""

    user_id: uuid.UUID
    password_hash: str


def create_user(
    session: Session,
    email: str,
    password_hash: str,
    *,
    name: str | None = None,
    role: Role = Role.USER,
    by: uuid.UUID | None = None,
) -> uuid.UUID:
    """Create a user and return their id; EmailTaken where somebody who is not deleted has the address."""
    address, user_id = calls.email(email), new_id()
    values = {"new_id": user_id, "address": address, "hashed": calls.password_hash(password_hash), "may": role}
    called = calls.text("name", name, 200) if name is not None else None
    with refused_as(session, EmailTaken(address)):
        session.execute(statements.create_user, values | {"called": called})
    audit(session, by or user_id, "user.create", Subject.USER, user_id, new={"role": role})
    return user_id


def user(session: Session, user_id: uuid.UUID) -> Person:
    """Return a user; NoSuchUser where there is none or they are deleted."""
    return Person(*only(session, statements.user, {"user_id": user_id}, NoSuchUser(user_id)))


def credentials(session: Session, email: str) -> Credentials:
    """Return what to check the password of an address against; NoSuchUser where nobody has it."""
    address = calls.email(email)
    return Credentials(*only(session, statements.sign_in, {"email": address}, NoSuchUser(address)))


def set_password(session: Session, user_id: uuid.UUID, password_hash: str, *, by: uuid.UUID | None = None) -> None:
    """Replace a password by the hash of another."""
    if not changed(
        session, statements.set_password, {"user_id": user_id, "hashed": calls.password_hash(password_hash)}
    ):
        raise NoSuchUser(user_id)
    audit(session, by or user_id, "user.set-password", Subject.USER, user_id, new={"password": "changed"})


def verify_email(session: Session, user_id: uuid.UUID, email: str) -> bool:
    """Note that a user proved this address; False where they have another by now, or had proved it already."""
    proved = bool(changed(session, statements.verify_email, {"user_id": user_id, "address": calls.email(email)}))
    if proved:
        audit(session, user_id, "user.verify-email", Subject.USER, user_id, new={"email": "verified"})
    return proved


def set_role(session: Session, user_id: uuid.UUID, role: Role, *, by: uuid.UUID) -> None:
    """Give a user another role."""
    old = lock_user(session, user_id).role
    session.execute(statements.set_role, {"user_id": user_id, "may": role})
    audit(session, by, "user.set-role", Subject.USER, user_id, old={"role": old}, new={"role": role})


def lock_user(session: Session, user_id: uuid.UUID, *, deleted: bool = False) -> Any:
    """Hold others off a user until the transaction ends; NoSuchUser for a deleted one, but where they are wanted."""
    found = only(session, statements.lock_user, {"user_id": user_id}, NoSuchUser(user_id))
    if found.deleted_at is not None and not deleted:
        raise NoSuchUser(user_id)
    return found
