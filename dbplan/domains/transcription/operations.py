"""What an application does with users, sessions and usage; each function works in the caller's transaction.

Wrap calls in `dbplan.connection.transaction`: it commits at the end, and on SQLite takes the write lock at the start.
"""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any, Unpack

from sqlalchemy import Executable
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dbplan.columns import AccountType, aware, new_id, now
from dbplan.domains.calls import changed, email, only, refused_as, text
from dbplan.domains.paging import bounded
from dbplan.domains.sign_in import SESSION, TOKEN, NoSuchUser, new_token
from dbplan.domains.transcription import statements
from dbplan.domains.transcription.allowance import LIMITS, Allowance, Tier, Usage, UsageStatus, month
from dbplan.domains.transcription.records import (
    AccountTaken,
    Credentials,
    EmailTaken,
    Issued,
    LinkedAccount,
    NotSignedIn,
    Profile,
    SignedIn,
    UserChanges,
)
from dbplan.errors import UsageError

__all__ = [
    "LIMITS",
    "SESSION",
    "TOKEN",
    "AccountTaken",
    "Credentials",
    "EmailTaken",
    "Issued",
    "LinkedAccount",
    "NoSuchUser",
    "NotSignedIn",
    "Profile",
    "SignedIn",
    "Tier",
    "Usage",
    "UsageStatus",
    "UserChanges",
    "accounts_of_user",
    "check_usage_limit",
    "cleanup_expired_sessions",
    "cleanup_expired_tokens",
    "create_session",
    "create_user",
    "create_user_usage",
    "create_verification_token",
    "delete_session",
    "delete_sessions_of_user",
    "delete_user",
    "extend_session",
    "find_session",
    "find_user_by_account",
    "find_user_by_email",
    "find_user_by_id",
    "get_user_usage",
    "increment_usage",
    "link_account",
    "refund_usage",
    "reset_usage",
    "track_user_usage",
    "unlink_account",
    "update_user",
    "use_verification_token",
]


def create_user(
    session: Session,
    address: str,
    *,
    name: str | None = None,
    email_verified: dt.datetime | None = None,
    image: str | None = None,
) -> Profile:
    """Create a user who has used nothing yet; EmailTaken where the address belongs to another."""
    user_id, values = new_id(), _personal(address, name, email_verified, image)
    with refused_as(session, EmailTaken(values["address"])):
        session.execute(statements.create_user, {"new_id": user_id} | values)
    create_user_usage(session, user_id)
    return _profile(session, statements.user_by_id, user_id)


def find_user_by_id(session: Session, user_id: uuid.UUID) -> Profile | None:
    """Return a user, or None."""
    return _found(session, statements.user_by_id, {"user_id": user_id})


def find_user_by_email(session: Session, address: str) -> Profile | None:
    """Return the user of an address, in whatever case it is written, or None."""
    return _found(session, statements.user_by_email, {"address": email(address)})


def find_user_by_account(session: Session, provider: str, account: str) -> Profile | None:
    """Return the user whom this account at a provider lets in, or None."""
    return _found(session, statements.user_by_account, _at(provider, account))


def update_user(session: Session, user_id: uuid.UUID, **changes: Unpack[UserChanges]) -> Profile:
    """Change what is named, and nothing else; a new address is unproven until `email_verified` says otherwise.

    Raises NoSuchUser, and EmailTaken where the new address belongs to another.
    """
    before = _profile(session, statements.lock_user, user_id)
    address = email(changes.get("email", before.email))
    proven = before.email_verified if address == before.email else None
    values = _personal(
        address,
        changes.get("name", before.name),
        changes.get("email_verified", proven),
        changes.get("image", before.image),
    )
    with refused_as(session, EmailTaken(address)):
        session.execute(statements.update_user, {"user_id": user_id} | values)
    return _profile(session, statements.user_by_id, user_id)


def delete_user(session: Session, user_id: uuid.UUID) -> None:
    """Delete a user with accounts, sessions and usage, and the tokens that were sent to them."""
    gone = only(session, statements.delete_user, {"user_id": user_id}, NoSuchUser(user_id))
    session.execute(statements.revoke_verification_tokens, {"address": gone.email})


def link_account(
    session: Session,
    user_id: uuid.UUID,
    provider: str,
    account: str,
    *,
    kind: AccountType = AccountType.OIDC,
    credentials: Credentials | None = None,
) -> uuid.UUID:
    """Let a user in by an account at a provider, and return the id of the link; its tokens are sealed.

    Raises NoSuchUser, and AccountTaken where the account lets somebody in already, be it this user.
    """
    link, there, granted = new_id(), _at(provider, account), credentials or Credentials()
    values = {"new_id": link, "owner": user_id, "kind": kind} | there | _granted(granted)
    _profile(session, statements.user_by_id, user_id)
    with refused_as(session, AccountTaken(there["provider"], there["account"])):
        session.execute(statements.link_account, values)
    return link


def accounts_of_user(session: Session, user_id: uuid.UUID) -> list[LinkedAccount]:
    """Return the accounts by which a user gets in, oldest first."""
    return [LinkedAccount(*row) for row in session.execute(statements.accounts_of_user, {"user_id": user_id})]


def unlink_account(session: Session, user_id: uuid.UUID, provider: str, account: str) -> bool:
    """Let a user in by this account no longer; say whether it did until now."""
    return changed(session, statements.unlink_account, {"user_id": user_id} | _at(provider, account)) > 0


def create_session(session: Session, user_id: uuid.UUID, *, lasts: dt.timedelta = SESSION) -> Issued:
    """Sign a user in, and return the token for the browser's cookie; NoSuchUser."""
    issued = _issue(lasts)
    values = {"new_id": new_id(), "token": issued.token, "owner": user_id, "until": issued.expires}
    with refused_as(session, NoSuchUser(user_id)):
        session.execute(statements.create_session, values)
    return issued


def find_session(session: Session, token: str) -> SignedIn | None:
    """Return the session of a token with its user; None where there is none, or it is over."""
    row = session.execute(statements.find_session, {"token": token, "now": now()}).one_or_none()
    return None if row is None else SignedIn(row.session_id, row.expires, Profile(*row[2:]))


def extend_session(session: Session, token: str, *, lasts: dt.timedelta = SESSION) -> bool:
    """Let a session that is not over last from now on; say whether it lasts longer than before."""
    values = {"token": token, "now": now(), "until": now() + _some_time(lasts)}
    return changed(session, statements.extend_session, values) > 0


def delete_session(session: Session, token: str) -> bool:
    """Sign out one browser; say whether it was signed in."""
    return changed(session, statements.delete_session, {"token": token}) > 0


def delete_sessions_of_user(session: Session, user_id: uuid.UUID) -> int:
    """Sign a user out everywhere, and return of how many sessions."""
    return changed(session, statements.delete_sessions_of_user, {"user_id": user_id})


def cleanup_expired_sessions(session: Session, *, limit: int = 1000) -> int:
    """Delete up to `limit` sessions that are over and return how many; call and commit until it returns 0."""
    return changed(session, statements.cleanup_sessions, {"now": now(), "limit": bounded(limit, 100_000)})


def create_verification_token(session: Session, address: str, *, lasts: dt.timedelta = TOKEN) -> Issued:
    """Return a token to send to an address, which may belong to nobody yet."""
    issued = _issue(lasts)
    values = {"address": email(address), "token": issued.token, "until": issued.expires}
    session.execute(statements.create_verification_token, values)
    return issued


def use_verification_token(session: Session, address: str, token: str) -> bool:
    """Say whether the token proves the address, which it does once and not after its time."""
    values = {"address": email(address), "token": token, "now": now()}
    return changed(session, statements.use_verification_token, values) > 0


def cleanup_expired_tokens(session: Session, *, limit: int = 1000) -> int:
    """Delete up to `limit` verification tokens that are over, as `cleanup_expired_sessions` does."""
    return changed(session, statements.cleanup_verification_tokens, {"now": now(), "limit": bounded(limit, 100_000)})


def create_user_usage(session: Session, user_id: uuid.UUID) -> None:
    """Start to count for a user, from zero; a count that is there stays as it is. Raises NoSuchUser."""
    instant = now()
    values = {"new_id": new_id(), "owner": user_id, "start": month(instant), "now": instant}
    _profile(session, statements.user_by_id, user_id)
    # Of two that begin at once, the second is refused and finds the row of the first.
    with suppress(IntegrityError), session.begin_nested():
        session.execute(statements.create_user_usage, values)


def get_user_usage(session: Session, user_id: uuid.UUID) -> Usage:
    """Return what a user used in this month; NoSuchUser."""
    counted = _usage(session, user_id)
    if counted is None:
        since = _profile(session, statements.user_by_id, user_id).created_at
        counted = Usage(user_id, month(since), 0, since)
    return counted.at(now())


def check_usage_limit(
    session: Session, user_id: uuid.UUID, *, tier: str = Tier.FREE, limit: int | None = None
) -> UsageStatus:
    """Say whether a user may have another summary, and count nothing.

    The limit is that of the tier, unless `limit` says otherwise; both are the application's, never the request's.
    Between this answer and a later `increment_usage` others may use what is left: that one checks again.
    Raises NoSuchUser, and UnknownName for a tier that there is not.
    """
    allowance = Allowance.of(tier, limit)
    used = get_user_usage(session, user_id)
    return UsageStatus(used, allowance, allowed=used.summary_count < allowance.limit)


def increment_usage(
    session: Session, user_id: uuid.UUID, *, tier: str = Tier.FREE, limit: int | None = None
) -> UsageStatus:
    """Count one summary if the limit allows it; where it does not, `allowed` is False and nothing was counted.

    The first one in a new month counts from zero. Limits and errors are those of `check_usage_limit`.
    """
    allowance, instant = Allowance.of(tier, limit), now()
    values = {"owner": user_id, "start": month(instant), "now": instant, "most": allowance.limit}
    row = session.execute(statements.increment_usage, values).one_or_none()
    if row is None:
        if _usage(session, user_id) is None:
            create_user_usage(session, user_id)
        # Somebody else may have begun to count since the first try, which then says nothing of the limit.
        row = session.execute(statements.increment_usage, values).one_or_none()
    if row is None:
        return UsageStatus(get_user_usage(session, user_id), allowance, allowed=False)
    return UsageStatus(Usage(*row), allowance, allowed=True)


def track_user_usage(
    session: Session, who: uuid.UUID | str, *, tier: str = Tier.FREE, limit: int | None = None
) -> UsageStatus:
    """Do all that comes before a summary: see who asks, check their limit, count.

    `who` is a user's id, or the token of a session, for which NotSignedIn is raised where it is over. Commit before
    the summary is made, so that the user's row is not locked meanwhile; `refund_usage` gives back one that failed.
    """
    if isinstance(who, str):
        signed_in = find_session(session, who)
        if signed_in is None:
            raise NotSignedIn
        who = signed_in.user.id
    return increment_usage(session, who, tier=tier, limit=limit)


def refund_usage(session: Session, counted: UsageStatus) -> bool:
    """Give back a summary that was counted and then failed; say whether its month still ran.

    Call it once for each status that `increment_usage` or `track_user_usage` returned as allowed.
    """
    if not counted.allowed:
        raise UsageError("this summary was refused and counted nothing; refund one that was allowed")
    values = {"owner": counted.usage.user_id, "counted_in": counted.usage.period_start}
    return changed(session, statements.refund_usage, values) > 0


def reset_usage(session: Session, user_id: uuid.UUID) -> None:
    """Count from zero again, in this month; a month that is over needs no reset. Raises NoSuchUser."""
    if not changed(session, statements.reset_usage, {"owner": user_id, "start": month(now())}):
        create_user_usage(session, user_id)


def _usage(session: Session, user_id: uuid.UUID) -> Usage | None:
    row = session.execute(statements.usage, {"owner": user_id}).one_or_none()
    return None if row is None else Usage(*row)


def _profile(session: Session, statement: Executable, user_id: uuid.UUID) -> Profile:
    return Profile(*only(session, statement, {"user_id": user_id}, NoSuchUser(user_id)))


def _found(session: Session, statement: Executable, values: dict[str, Any]) -> Profile | None:
    row = session.execute(statement, values).one_or_none()
    return None if row is None else Profile(*row)


def _personal(address: str, name: str | None, verified: dt.datetime | None, image: str | None) -> dict[str, Any]:
    return {
        "address": email(address),
        "called": None if name is None else text("name", name, 200),
        "verified": None if verified is None else aware(verified),
        "picture": None if image is None else text("image", image, 2000),
    }


def _at(provider: str, account: str) -> dict[str, str]:
    return {"provider": text("provider", provider, 100).lower(), "account": text("account", account, 255)}


def _granted(given: Credentials) -> dict[str, Any]:
    return {
        "refresh": given.refresh_token,
        "access": given.access_token,
        "ends": given.expires_at,
        "access_kind": given.token_type,
        "allows": given.scope,
        "identity": given.id_token,
        "state": given.session_state,
    }


def _issue(lasts: dt.timedelta) -> Issued:
    return Issued(new_token(), now() + _some_time(lasts))


def _some_time(lasts: dt.timedelta) -> dt.timedelta:
    if lasts <= dt.timedelta(0):
        raise UsageError(f"a time of {lasts}; it is longer than none")
    return lasts
