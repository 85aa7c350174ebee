"""Statements about people: signing up and in, and leaving."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, insert, select, update

from dbplan.columns import clock, new_id, now
from dbplan.domains.clone_jobs.models import Role, User
from dbplan.domains.paging import LIMIT
from dbplan.plan import Query

USERS: Table = User.metadata.tables["users"]

_ALIVE = USERS.c.deleted_at.is_(None)
_ONE = USERS.c.id == bindparam("user_id")
_PERSON = select(
    USERS.c.id, USERS.c.email, USERS.c.name, USERS.c.role, USERS.c.email_verified, USERS.c.created_at
).where(_ALIVE)

user = _PERSON.where(_ONE)

sign_in = select(USERS.c.id, USERS.c.password_hash).where(USERS.c.email == bindparam("email"), _ALIVE)

# Deleted people too: to restore one locks them. NO KEY: rows that merely refer to a user need not wait.
lock_user = (
    select(USERS.c.id, USERS.c.email, USERS.c.role, USERS.c.deleted_at, USERS.c.erased_at)
    .where(_ONE)
    .with_for_update(key_share=True)
)

create_user = insert(USERS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    email=bindparam("address"),
    name=bindparam("called"),
    password_hash=bindparam("hashed"),
    role=bindparam("may"),
)

set_password = update(USERS).where(_ONE, _ALIVE).values(password_hash=bindparam("hashed"))

# The address that was proven stands in the condition: it may have changed since the message was sent.
verify_email = (
    update(USERS)
    .where(_ONE, _ALIVE, USERS.c.email == bindparam("address"), USERS.c.email_verified.is_(None))
    .values(email_verified=clock())
)

set_role = update(USERS).where(_ONE, _ALIVE).values(role=bindparam("may"))

delete_user = update(USERS).where(_ONE, _ALIVE).values(deleted_at=clock())

restore_user = (
    update(USERS).where(_ONE, USERS.c.deleted_at.is_not(None), USERS.c.erased_at.is_(None)).values(deleted_at=None)
)

# Two erasers at once take different people.
users_to_erase = (
    select(USERS.c.id)
    .where(USERS.c.deleted_at.is_not(None), USERS.c.erased_at.is_(None), USERS.c.deleted_at <= bindparam("gone_before"))
    .order_by(USERS.c.deleted_at)
    .limit(LIMIT)
    .with_for_update(skip_locked=True, key_share=True)
)

erase_user = (
    update(USERS)
    .where(_ONE, USERS.c.deleted_at.is_not(None))
    .values(
        email=bindparam("tombstone"),
        name=None,
        image=None,
        password_hash=None,
        email_verified=None,
        erased_at=clock(),
    )
)

_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$" + "A" * 43


def _address() -> str:
    return f"{new_id()}@example.com"


QUERIES = (
    Query("user", user, 50),
    Query("sign in", sign_in, 2),
    Query("lock user", lock_user, 2.2),
    Query(
        "create user",
        create_user,
        0.02,
        {"new_id": new_id, "address": _address, "called": ["Ada King"], "hashed": [_HASH], "may": [Role.USER]},
    ),
    Query("set password", set_password, 0.01, {"hashed": [_HASH]}),
    Query("verify e-mail", verify_email, 0.02),
    Query("set role", set_role, 0.0001, {"may": [Role.USER]}),
    Query("delete user", delete_user, 0.002),
    Query("restore user", restore_user, 0.0001),
    Query("users to erase", users_to_erase, 0.001, {"gone_before": now, "limit": [100]}),
    Query("erase user", erase_user, 0.002, {"tombstone": _address}),
)
