"""How people come in, how they are paid, and their keys to suppliers."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy import Executable
from sqlalchemy.orm import Session

from dbplan.columns import AccountType, new_id, now
from dbplan.domains import calls
from dbplan.domains.calls import NotThere, changed, email, only, refused_as, text, upsert
from dbplan.domains.paging import bounded
from dbplan.domains.sign_in import SESSION, TOKEN, NoSuchUser, new_token
from dbplan.domains.store.models import SupplierProvider
from dbplan.domains.store.statements import people as statements
from dbplan.errors import DbplanError, UsageError


class NoSuchSupplier(NotThere):
    """A supplier that a user has no keys to."""

    def __init__(self, user_id: uuid.UUID, provider: SupplierProvider) -> None:
        super().__init__(f"user {user_id} has no keys to {provider}; connect_supplier keeps them")


class EmailTaken(DbplanError):
    """An address that belongs to another user."""

    def __init__(self, address: str) -> None:
        super().__init__(f'the address "{address}" belongs to a user; find_user_by_email finds them')


class AccountTaken(DbplanError):
    """An account at a provider that lets another user in."""

    def __init__(self, provider: str, account: str) -> None:
        super().__init__(f'the account "{account}" at {provider} lets another user in; they must unlink it first')


class StripeTaken(DbplanError):
    """A Stripe account that cannot be this user's."""

    def __init__(self, user_id: uuid.UUID, account: str) -> None:
        super().__init__(
            f'"{account}" cannot be connected to user {user_id}: they have an account, or it is another user\'s; '
            "disconnect_stripe lets it go"
        )


class StripeConnected(DbplanError):
    """A user who cannot be erased while they may still be paid."""

    def __init__(self, user_id: uuid.UUID, account: str) -> None:
        super().__init__(
            f"user {user_id} has the Stripe account {account}, to which money may be on its way; "
            "close it there, then disconnect_stripe"
        )


@dataclass(frozen=True)
class Profile:
    """A user as others may see them."""

    id: uuid.UUID
    email: str
    name: str | None
    email_verified: dt.datetime | None
    stripe_account_id: str | None
    stripe_onboarded: bool


@dataclass(frozen=True)
class Login(Profile):
    """A user who wants in, with what their password is to be checked against."""

    password_hash: str | None = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """What a provider gave for a user: tokens for its interface, and when they end."""

    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: dt.datetime | None = None


@dataclass(frozen=True)
class Credentials:
    """A user's keys to a supplier, in clear."""

    provider: SupplierProvider
    api_key: str = field(repr=False)
    api_secret: str | None = field(repr=False)


def create_user(
    session: Session, address: str, *, name: str | None = None, password_hash: str | None = None
) -> uuid.UUID:
    """Create a user and return their id; EmailTaken where the address belongs to another.

    `password_hash` is what a password hasher made, as Argon2id or bcrypt writes it, never a password.
    """
    hashed = None if password_hash is None else calls.password_hash(password_hash)
    user_id, address = new_id(), email(address)
    values = {"new_id": user_id, "address": address, "called": name and text("name", name, 200)}
    with refused_as(session, EmailTaken(address)):
        session.execute(statements.create_user, values | {"hashed": hashed})
    return user_id


def user(session: Session, user_id: uuid.UUID) -> Profile:
    """Return a user; NoSuchUser where there is none."""
    return _profile(session, statements.user_by_id, user_id)


def find_user_by_email(session: Session, address: str) -> Login | None:
    """Return the user of an address, in whatever case it is written, or None."""
    found = session.execute(statements.user_by_email, {"address": email(address)}).one_or_none()
    return Login(*found) if found else None


def find_user_by_account(session: Session, provider: str, account: str) -> Profile | None:
    """Return the user whom this account at a provider lets in, or None."""
    values = {"provider": text("provider", provider, 100).lower(), "account": account}
    found = session.execute(statements.user_by_account, values).one_or_none()
    return Profile(*found) if found else None


def link_account(
    session: Session,
    user_id: uuid.UUID,
    provider: str,
    account: str,
    *,
    type: AccountType = AccountType.OIDC,
    grant: Grant | None = None,
) -> None:
    """Let an account at a provider let a user in, or renew its tokens; AccountTaken where it lets in another."""
    user(session, user_id)
    grant, provider = grant or Grant(), text("provider", provider, 100).lower()
    values = {"owner": user_id, "from_provider": provider, "account": text("account", account, 255)}
    tokens = {"access": grant.access_token, "refresh": grant.refresh_token, "ends": grant.expires_at}
    taken = AccountTaken(provider, account)
    upsert(session, statements.renew_account, statements.link_account, values | tokens | {"kind": type}, taken)


def create_session(session: Session, user_id: uuid.UUID) -> str:
    """Sign a user in, and return the token for the browser's cookie; it is kept nowhere else."""
    user(session, user_id)
    token = new_token()
    values = {"new_id": new_id(), "owner": user_id, "token": token, "until": now() + SESSION}
    session.execute(statements.create_session, values)
    return token


def find_session(session: Session, token: str) -> Profile | None:
    """Return the user whom a token signs in, or None where it does not or no longer."""
    found = session.execute(statements.find_session, {"token": token, "now": now()}).one_or_none()
    return Profile(*found) if found else None


def delete_session(session: Session, token: str) -> bool:
    """Sign a user out, and return whether the token had signed one in."""
    return changed(session, statements.delete_session, {"token": token}) > 0


def create_verification_token(session: Session, address: str) -> str:
    """Return a token to send to an address, which proves it once."""
    token = new_token()
    values = {"address": email(address), "token": token, "until": now() + TOKEN}
    session.execute(statements.create_verification_token, values)
    return token


def use_verification_token(session: Session, address: str, token: str) -> bool:
    """Use a token up, and return whether it proved the address; its user, if there is one, is then verified."""
    values = {"address": email(address), "now": now()}
    if not changed(session, statements.use_verification_token, values | {"token": token}):
        return False
    session.execute(statements.prove_email, values)
    return True


def cleanup(session: Session, *, limit: int = 1000) -> int:
    """Delete up to `limit` sessions and tokens each that are over; call and commit until it returns 0."""
    values = {"now": now(), "limit": bounded(limit, 100_000)}
    both = (statements.cleanup_sessions, statements.cleanup_verification_tokens)
    return sum(changed(session, statement, values) for statement in both)


def connect_stripe(session: Session, user_id: uuid.UUID, account: str) -> None:
    """Keep which Stripe account a user is paid on; StripeTaken where they have one, or somebody else has this one."""
    account = text("Stripe account", account, 64)
    if not account.startswith("acct_"):
        raise UsageError(f'"{account}" is no Stripe account; one begins with acct_')
    taken = StripeTaken(user_id, account)
    user(session, user_id)
    with refused_as(session, taken):
        done = changed(session, statements.connect_stripe, {"user_id": user_id, "stripe": account})
    if not done:
        raise taken


def onboard_stripe(session: Session, account: str) -> bool:
    """Note that Stripe can pay an account out, and return whether a user has it; calling twice does no harm."""
    return changed(session, statements.onboard_stripe, {"stripe": account}) > 0


def disconnect_stripe(session: Session, user_id: uuid.UUID) -> None:
    """Forget a user's Stripe account; close it at Stripe first."""
    if not changed(session, statements.disconnect_stripe, {"user_id": user_id}):
        raise NoSuchUser(user_id)


def connect_supplier(
    session: Session, user_id: uuid.UUID, provider: SupplierProvider, api_key: str, api_secret: str | None = None
) -> None:
    """Keep a user's keys to a supplier, sealed, in place of those that were there."""
    user(session, user_id)
    secret = api_secret if api_secret is None else text("API secret", api_secret, 4000)
    values = {"owner": user_id, "supplier": provider, "key": text("API key", api_key, 4000), "secret": secret}
    missing = NoSuchSupplier(user_id, provider)
    upsert(session, statements.renew_supplier, statements.add_supplier, values, missing)


def supplier_credentials(session: Session, user_id: uuid.UUID, provider: SupplierProvider) -> Credentials:
    """Return a user's keys to a supplier in clear; NoSuchSupplier where there are none."""
    values = {"owner": user_id, "supplier": provider}
    return Credentials(*only(session, statements.supplier_credentials, values, NoSuchSupplier(user_id, provider)))


def disconnect_supplier(session: Session, user_id: uuid.UUID, provider: SupplierProvider) -> None:
    """Forget a user's keys to a supplier; what was bought there stays in the stores."""
    if not changed(session, statements.disconnect_supplier, {"owner": user_id, "supplier": provider}):
        raise NoSuchSupplier(user_id, provider)


def erase_user(session: Session, user_id: uuid.UUID) -> None:
    """Delete a user with their stores and all that is in them; StripeConnected while money may be on its way."""
    sealed = _profile(session, statements.seal_user, user_id)
    if sealed.stripe_account_id is not None:
        raise StripeConnected(user_id, sealed.stripe_account_id)
    for statement in (statements.erase_stores, statements.erase_user):
        session.execute(statement, {"user_id": user_id})


def _profile(session: Session, statement: Executable, user_id: uuid.UUID) -> Profile:
    return Profile(*only(session, statement, {"user_id": user_id}, NoSuchUser(user_id)))
