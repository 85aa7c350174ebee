"""Every statement that the transcription plan runs, defined once: `operations` executes them, its queries are them."""

from __future__ import annotations

import datetime as dt
import secrets

from sqlalchemy import Integer, Table, bindparam, case, delete, exists, insert, select, update

from dbplan.columns import UtcDateTime, new_id
from dbplan.domains import sign_in
from dbplan.domains.sign_in import new_token, soon
from dbplan.domains.transcription.allowance import LIMITS, Tier, month
from dbplan.domains.transcription.models import Base
from dbplan.plan import Query

USERS: Table = Base.metadata.tables["users"]
ACCOUNTS: Table = Base.metadata.tables["accounts"]
SESSIONS: Table = Base.metadata.tables["sessions"]
TOKENS: Table = Base.metadata.tables["verification_tokens"]
USAGE: Table = Base.metadata.tables["user_usage"]

_NOW = bindparam("now", type_=UtcDateTime)
_START = bindparam("start", type_=UtcDateTime)
_PROFILE = (
    USERS.c.id,
    USERS.c.email,
    USERS.c.name,
    USERS.c.email_verified,
    USERS.c.image,
    USERS.c.created_at,
    USERS.c.updated_at,
)


create_user = insert(USERS).values(
    id=bindparam("new_id"),
    email=bindparam("address"),
    name=bindparam("called"),
    email_verified=bindparam("verified"),
    image=bindparam("picture"),
)

user_by_id = select(*_PROFILE).where(USERS.c.id == bindparam("user_id"))

user_by_email = select(*_PROFILE).where(USERS.c.email == bindparam("address"))

user_by_account = sign_in.user_by_account(USERS, ACCOUNTS, _PROFILE)

# NO KEY: new sessions and usage that refer to the user need not wait for the change.
lock_user = user_by_id.with_for_update(key_share=True)

update_user = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"))
    .values(
        email=bindparam("address"),
        name=bindparam("called"),
        email_verified=bindparam("verified"),
        image=bindparam("picture"),
    )
)

delete_user = delete(USERS).where(USERS.c.id == bindparam("user_id")).returning(USERS.c.email)

link_account = insert(ACCOUNTS).values(
    id=bindparam("new_id"),
    user_id=bindparam("owner"),
    type=bindparam("kind"),
    provider=bindparam("provider"),
    provider_account_id=bindparam("account"),
    refresh_token=bindparam("refresh"),
    access_token=bindparam("access"),
    expires_at=bindparam("ends"),
    token_type=bindparam("access_kind"),
    scope=bindparam("allows"),
    id_token=bindparam("identity"),
    session_state=bindparam("state"),
)

# No token is read: a page of settings shows by which providers somebody gets in.
accounts_of_user = (
    select(ACCOUNTS.c.id, ACCOUNTS.c.type, ACCOUNTS.c.provider, ACCOUNTS.c.provider_account_id)
    .where(ACCOUNTS.c.user_id == bindparam("user_id"))
    .order_by(ACCOUNTS.c.id)
)

unlink_account = delete(ACCOUNTS).where(
    ACCOUNTS.c.provider == bindparam("provider"),
    ACCOUNTS.c.provider_account_id == bindparam("account"),
    ACCOUNTS.c.user_id == bindparam("user_id"),
)

create_session = sign_in.create_session(SESSIONS)

_SIGNED_IN = (SESSIONS.c.session_token == bindparam("token"), SESSIONS.c.expires > _NOW)

find_session = (
    select(SESSIONS.c.id.label("session_id"), SESSIONS.c.expires, *_PROFILE)
    .join(USERS, USERS.c.id == SESSIONS.c.user_id)
    .where(*_SIGNED_IN)
)

# A session that is over stays over, and no visit shortens one.
extend_session = (
    update(SESSIONS).where(*_SIGNED_IN, SESSIONS.c.expires < bindparam("until")).values(expires=bindparam("until"))
)

delete_session = sign_in.delete_session(SESSIONS)

delete_sessions_of_user = delete(SESSIONS).where(SESSIONS.c.user_id == bindparam("user_id"))

cleanup_sessions = sign_in.cleanup(SESSIONS)

create_verification_token = sign_in.create_verification_token(TOKENS)

use_verification_token = sign_in.use_verification_token(TOKENS)

revoke_verification_tokens = delete(TOKENS).where(TOKENS.c.identifier == bindparam("address"))

cleanup_verification_tokens = sign_in.cleanup(TOKENS)

# A count that is there is left as it is: to begin anew would give back what was used.
create_user_usage = insert(USAGE).from_select(
    ["id", "user_id", "period_start", "last_used"],
    select(bindparam("new_id", type_=USAGE.c.id.type), USERS.c.id, _START, _NOW).where(
        USERS.c.id == bindparam("owner"), ~exists().where(USAGE.c.user_id == USERS.c.id)
    ),
)

_USAGE = (USAGE.c.user_id, USAGE.c.period_start, USAGE.c.summary_count, USAGE.c.last_used)

usage = select(*_USAGE).where(USAGE.c.user_id == bindparam("owner"))

_OVER = USAGE.c.period_start < _START
_USED = case((_OVER, 0), else_=USAGE.c.summary_count)

# Neither time goes back, so that a server whose clock is behind at the turn of a month counts in the new one.
_PERIOD = case((_OVER, _START), else_=USAGE.c.period_start)
_LAST_USED = case((USAGE.c.last_used < _NOW, _NOW), else_=USAGE.c.last_used)

# The check, the new month and the count are one statement: whoever waits for the row meets it as it then is.
increment_usage = (
    update(USAGE)
    .where(USAGE.c.user_id == bindparam("owner"), bindparam("most", type_=Integer) > _USED)
    .values(summary_count=_USED + 1, last_used=_LAST_USED, period_start=_PERIOD)
    .returning(*_USAGE)
)

# A summary of a month that is over was forgotten with it.
refund_usage = (
    update(USAGE)
    .where(
        USAGE.c.user_id == bindparam("owner"),
        USAGE.c.period_start == bindparam("counted_in"),
        USAGE.c.summary_count > 0,
    )
    .values(summary_count=USAGE.c.summary_count - 1)
)

reset_usage = update(USAGE).where(USAGE.c.user_id == bindparam("owner")).values(summary_count=0, period_start=_PERIOD)


def _address() -> str:
    return f"{secrets.token_hex(8)}@example.com"


# When the seeded data end: some sessions and tokens are over then, and most are not.
_THEN = dt.datetime(2025, 12, 31, 18, tzinfo=dt.UTC)
_COUNT = {"start": [month(_THEN)], "now": [_THEN], "most": [LIMITS[Tier.PRO]]}
_PERSON = {"address": _address, "called": ["Ada"], "verified": [None], "picture": [None]}
_SESSION = {"new_id": new_id, "token": new_token, "owner": USERS.c.id, "until": soon}
_SENT = {"address": USERS.c.email, "token": new_token, "until": soon}
_CAME_BACK = {"address": TOKENS.c.identifier, "token": TOKENS.c.token, "now": [_THEN]}
_LINKED = {"provider": ACCOUNTS.c.provider, "account": ACCOUNTS.c.provider_account_id}
_GRANTED = {
    "refresh": new_token,
    "access": new_token,
    "ends": soon,
    "access_kind": ["bearer"],
    "allows": ["openid email"],
}
_LINK = {"new_id": new_id, "owner": USERS.c.id, "kind": ["oidc"], "provider": ["google"], "account": new_token}

QUERIES = (
    Query("find session", find_session, 60, {"now": [_THEN]}),
    Query("usage", usage, 10),
    Query("user by id", user_by_id, 5),
    Query("increment usage", increment_usage, 3, _COUNT),
    Query("extend session", extend_session, 1, {"now": [_THEN], "until": soon}),
    Query("user by email", user_by_email, 0.5, {"address": USERS.c.email}),
    Query("user by account", user_by_account, 0.5, _LINKED),
    Query("create session", create_session, 0.5, _SESSION),
    Query("delete session", delete_session, 0.2),
    Query("accounts of user", accounts_of_user, 0.2),
    Query("create verification token", create_verification_token, 0.2, _SENT),
    Query("use verification token", use_verification_token, 0.2, _CAME_BACK),
    Query("refund usage", refund_usage, 0.1),
    Query("lock user", lock_user, 0.05),
    Query("update user", update_user, 0.05, _PERSON),
    Query("create user", create_user, 0.05, {"new_id": new_id} | _PERSON),
    Query("create user usage", create_user_usage, 0.05, {"new_id": new_id, "start": [month(_THEN)], "now": [_THEN]}),
    Query("link account", link_account, 0.05, _LINK | _GRANTED | {"identity": new_token, "state": [None]}),
    Query("cleanup sessions", cleanup_sessions, 0.02, {"now": [_THEN], "limit": [1000]}),
    Query("cleanup verification tokens", cleanup_verification_tokens, 0.01, {"now": [_THEN], "limit": [1000]}),
    Query("delete sessions of user", delete_sessions_of_user, 0.01),
    Query("unlink account", unlink_account, 0.01, _LINKED | {"user_id": ACCOUNTS.c.user_id}),
    Query("reset usage", reset_usage, 0.01, {"start": [month(_THEN)]}),
    Query("delete user", delete_user, 0.01),
    Query("revoke verification tokens", revoke_verification_tokens, 0.01),
)
"""The statements with their calls per second, as planned for half a million users, a tenth of them there in a day."""
