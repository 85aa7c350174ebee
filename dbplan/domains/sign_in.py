"""Signing in as Auth.js keeps it: the statements that plans with its tables have in common, and their tokens."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Delete, Insert, Select, Table, bindparam, delete, insert, select

from dbplan.columns import UtcDateTime, now
from dbplan.domains.calls import NotThere
from dbplan.domains.paging import LIMIT

SESSION = dt.timedelta(days=30)
"""How long a session lasts."""

TOKEN = dt.timedelta(days=1)
"""How long a verification token proves its address."""

_NOW = bindparam("now", type_=UtcDateTime)


class NoSuchUser(NotThere):
    """A user id that no row has."""

    def __init__(self, user_id: uuid.UUID) -> None:
        super().__init__(f"no user {user_id}; create_user makes one")


def new_token() -> str:
    """Return a token in clear that nobody can guess."""
    return secrets.token_urlsafe(32)


def soon() -> dt.datetime:
    """Return when a session that begins now is over."""
    return now() + SESSION


def user_by_account(users: Table, accounts: Table, profile: Sequence[Column[Any]]) -> Select[Any]:
    """Return a select of the user whom an account at a provider lets in."""
    return (
        select(*profile)
        .join(accounts, accounts.c.user_id == users.c.id)
        .where(accounts.c.provider == bindparam("provider"), accounts.c.provider_account_id == bindparam("account"))
    )


def create_session(sessions: Table) -> Insert:
    """Return an insert of a session."""
    return insert(sessions).values(
        id=bindparam("new_id"), session_token=bindparam("token"), user_id=bindparam("owner"), expires=bindparam("until")
    )


def delete_session(sessions: Table) -> Delete:
    """Return a delete of the session of a token, over or not."""
    return delete(sessions).where(sessions.c.session_token == bindparam("token"))


def create_verification_token(tokens: Table) -> Insert:
    """Return an insert of a token for an address."""
    return insert(tokens).values(identifier=bindparam("address"), token=bindparam("token"), expires=bindparam("until"))


def use_verification_token(tokens: Table) -> Delete:
    """Return a delete of a token that is not over.

    Whoever deletes the row has used the token; of many at once that is one.
    """
    return delete(tokens).where(
        tokens.c.token == bindparam("token"), tokens.c.identifier == bindparam("address"), tokens.c.expires > _NOW
    )


def cleanup(table: Table) -> Delete:
    """Return a delete of the oldest `limit` rows that are over; two cleaners at once take different ones.

    The inner name is for MariaDB, which allows no LIMIT within IN.
    """
    (key,) = table.primary_key
    over = (
        select(key)
        .where(table.c.expires <= _NOW)
        .order_by(table.c.expires)
        .limit(LIMIT)
        .with_for_update(skip_locked=True)
        .subquery("over")
    )
    return delete(table).where(key.in_(select(over.c[key.name])))
