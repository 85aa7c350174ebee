"""What the operations hand over and are handed, and what can go wrong with it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

from dbplan.columns import AccountType
from dbplan.errors import DbplanError


class EmailTaken(DbplanError):
    """An address that belongs to another user."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} belongs to a user already; find_user_by_email finds them")


class AccountTaken(DbplanError):
    """An account at a provider that lets somebody in already."""

    def __init__(self, provider: str, account: str) -> None:
        super().__init__(f'account "{account}" of {provider} is linked already; find_user_by_account finds to whom')


class NotSignedIn(DbplanError):
    """A session token that signs nobody in, or no longer."""

    def __init__(self) -> None:
        super().__init__("no session has this token, or it is over; create_session begins one")


class Profile(NamedTuple):
    """A user, as they stand in the database."""

    id: uuid.UUID
    email: str
    name: str | None
    email_verified: dt.datetime | None
    image: str | None
    created_at: dt.datetime
    updated_at: dt.datetime


class UserChanges(TypedDict, total=False):
    """What `update_user` may change; what is left out stays."""

    email: str
    name: str | None
    email_verified: dt.datetime | None
    image: str | None


class LinkedAccount(NamedTuple):
    """An account at a provider by which a user gets in; its tokens stay in the database."""

    id: uuid.UUID
    type: AccountType
    provider: str
    provider_account_id: str


@dataclass(frozen=True)
class Credentials:
    """What a provider hands over when it lets somebody in; all of it may be missing."""

    refresh_token: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    expires_at: dt.datetime | None = None
    token_type: str | None = None
    scope: str | None = None
    id_token: str | None = field(default=None, repr=False)
    session_state: str | None = None


@dataclass(frozen=True)
class Issued:
    """A fresh token in clear, which the database does not hold and nobody can ask for again."""

    token: str = field(repr=False)
    expires: dt.datetime


class SignedIn(NamedTuple):
    """A session that is not over, and whose it is."""

    session_id: uuid.UUID
    expires: dt.datetime
    user: Profile
