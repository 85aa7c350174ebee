"""Users, currencies, platforms, and users' accounts there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Executable
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dbplan.columns import new_id, now
from dbplan.domains.calls import changed, email, only, refused_as, text, whole
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import (
    Currency,
    CurrencyKind,
    LinkStatus,
    PlatformAccount,
    PlatformKind,
    PlatformStatus,
    UserStatus,
)
from dbplan.domains.wallet.operations.errors import (
    AlreadyThere,
    NoSuchCurrency,
    NoSuchPlatform,
    NoSuchUser,
    NotEmpty,
    NotOpen,
)


class UserState(NamedTuple):
    """A user, as they stand in the database."""

    id: uuid.UUID
    email: str
    name: str | None
    status: UserStatus


class PlatformState(NamedTuple):
    """A platform, as it stands in the database."""

    id: uuid.UUID
    slug: str
    name: str
    kind: PlatformKind
    status: PlatformStatus


def create_user(session: Session, address: str, *, name: str | None = None) -> uuid.UUID:
    """Create a user and return their id; AlreadyThere where somebody has that address."""
    user_id, address = new_id(), email(address)
    values = {"new_id": user_id, "address": address, "called": name and text("name", name, 200)}
    taken = AlreadyThere(f"a user with the address {address} exists; user_by_email finds them")
    _insert(session, statements.people.create_user, values, taken)
    return user_id


def user_by_email(session: Session, address: str) -> UserState | None:
    """Return the user with that address who has not left; None where there is none."""
    found = session.execute(statements.people.user_by_email, {"email": email(address)}).one_or_none()
    return None if found is None else UserState(*found)


def suspend_user(session: Session, user_id: uuid.UUID) -> None:
    """Let a user start nothing any more; they can still be paid. NotOpen for one who has left."""
    _set_status(session, user_id, UserStatus.SUSPENDED)


def reinstate_user(session: Session, user_id: uuid.UUID) -> None:
    """End the suspension of a user; NotOpen for one who has left."""
    _set_status(session, user_id, UserStatus.ACTIVE)


def close_user(session: Session, user_id: uuid.UUID) -> None:
    """Close a user whose wallets are all closed, and revoke their accounts at platforms; NotEmpty for another."""
    _not_closed(seal(session, user_id))
    left = session.scalars(statements.people.unclosed_wallets, {"user_id": user_id}).all()
    if left:
        raise NotEmpty(f"user {user_id} has {len(left)} wallets that are not closed, such as {left[0]}; close_wallet")
    session.execute(statements.people.revoke_links, {"owner": user_id})
    values = {"user_id": user_id, "new_status": UserStatus.CLOSED, "left_at": now()}
    session.execute(statements.people.set_user_status, values)


def add_currency(session: Session, code: str, name: str, kind: CurrencyKind, *, minor_units: int) -> None:
    """Add a currency that is counted in `minor_units` decimals, 0 to 8; AlreadyThere for a code that is taken."""
    whole("number of decimals", minor_units, 0, 8)
    code = text("currency code", code, 10).upper()
    values = {"new_code": code, "called": text("name", name, 100), "sort": kind, "decimals": minor_units}
    _insert(session, statements.people.add_currency, values, AlreadyThere(f"currency {code} exists"))


def currency(session: Session, code: str) -> Currency:
    """Return a currency; NoSuchCurrency where there is none."""
    found = session.scalars(statements.people.currency, {"code": code}).one_or_none()
    if found is None:
        raise NoSuchCurrency(code)
    return found


def add_platform(session: Session, slug: str, name: str, kind: PlatformKind) -> uuid.UUID:
    """Add a platform and return its id; AlreadyThere for a slug that is taken."""
    platform_id, slug = new_id(), text("slug", slug, 50).lower()
    values = {"new_id": platform_id, "new_slug": slug, "called": text("name", name, 100), "sort": kind}
    _insert(session, statements.people.add_platform, values, AlreadyThere(f"platform {slug} exists"))
    return platform_id


def platform(session: Session, slug: str) -> PlatformState:
    """Return the platform of that slug; NoSuchPlatform where there is none."""
    return PlatformState(*only(session, statements.people.platform, {"slug": slug}, NoSuchPlatform(slug)))


def link_platform_account(
    session: Session, user_id: uuid.UUID, platform_id: uuid.UUID, external_id: str, *, credentials: str | None = None
) -> uuid.UUID:
    """Link a user's account at a platform and return its id; once more replaces its credentials.

    Raises AlreadyThere for an account of somebody else, NotOpen for a user who has left.
    """
    external_id = text("account's id", external_id, 255)
    lock_open(session, user_id)
    taken = AlreadyThere(f'account "{external_id}" of platform {platform_id} is linked to somebody else')
    place = {"platform_id": platform_id, "external_id": external_id}
    found = session.execute(statements.people.linked_account, place).one_or_none()
    if found is None:
        return _link(session, user_id, platform_id, external_id, credentials, taken)
    if found.user_id != user_id:
        raise taken
    values = {"account_id": found.id, "new_status": LinkStatus.ACTIVE, "secret": credentials}
    session.execute(statements.people.set_link, values)
    return uuid.UUID(str(found.id))


def unlink_platform_account(session: Session, account_id: uuid.UUID) -> bool:
    """Revoke an account at a platform and forget its credentials; return whether it was there."""
    values = {"account_id": account_id, "new_status": LinkStatus.REVOKED, "secret": None}
    return changed(session, statements.people.set_link, values) == 1


def platform_accounts(session: Session, user_id: uuid.UUID) -> Sequence[PlatformAccount]:
    """Return a user's accounts at platforms, oldest first, those that are revoked included."""
    return session.scalars(statements.people.platform_accounts, {"user_id": user_id}).all()


def lock_open(session: Session, user_id: uuid.UUID) -> UserState:
    """Return a user who cannot be closed before this transaction ends; NotOpen where they are already."""
    values = {"user_id": user_id}
    return _not_closed(UserState(*only(session, statements.people.lock_user, values, NoSuchUser(user_id))))


def seal(session: Session, user_id: uuid.UUID) -> UserState:
    """Return a user to whom nothing can be added before this transaction ends."""
    return UserState(*only(session, statements.people.seal_user, {"user_id": user_id}, NoSuchUser(user_id)))


def _not_closed(user: UserState) -> UserState:
    if user.status is UserStatus.CLOSED:
        raise NotOpen(f"user {user.id} has left; create_user makes a new one under the same address")
    return user


def _set_status(session: Session, user_id: uuid.UUID, status: UserStatus) -> None:
    _not_closed(seal(session, user_id))
    values = {"user_id": user_id, "new_status": status, "left_at": None}
    session.execute(statements.people.set_user_status, values)


def _link(
    session: Session,
    user_id: uuid.UUID,
    platform_id: uuid.UUID,
    external_id: str,
    credentials: str | None,
    taken: AlreadyThere,
) -> uuid.UUID:
    account_id = new_id()
    values = {"new_id": account_id, "owner": user_id, "place": platform_id, "known_as": external_id}
    try:
        with session.begin_nested():
            session.execute(statements.people.link_account, values | {"secret": credentials})
    except IntegrityError as error:
        raise (taken if "external_id" in str(error.orig) else NoSuchPlatform(platform_id)) from None
    return account_id


def _insert(session: Session, statement: Executable, values: dict[str, object], taken: AlreadyThere) -> None:
    with refused_as(session, taken):
        session.execute(statement, values)
