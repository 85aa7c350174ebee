"""Statements about people: how they come in, how they are paid, and their keys to suppliers."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Table, bindparam, delete, exists, false, insert, select, true, update

from dbplan.columns import AccountType, UtcDateTime, new_id, now
from dbplan.domains import sign_in
from dbplan.domains.sign_in import new_token, soon
from dbplan.domains.store.models import Base, SupplierProvider
from dbplan.plan import Query

USERS: Table = Base.metadata.tables["users"]
ACCOUNTS: Table = Base.metadata.tables["accounts"]
SESSIONS: Table = Base.metadata.tables["sessions"]
TOKENS: Table = Base.metadata.tables["verification_tokens"]
SUPPLIERS: Table = Base.metadata.tables["supplier_accounts"]
STORES: Table = Base.metadata.tables["stores"]

_NOW = bindparam("now", type_=UtcDateTime)
_PROFILE = (
    USERS.c.id,
    USERS.c.email,
    USERS.c.name,
    USERS.c.email_verified,
    USERS.c.stripe_account_id,
    USERS.c.stripe_onboarded,
)


create_user = insert(USERS).values(
    id=bindparam("new_id"), email=bindparam("address"), name=bindparam("called"), password_hash=bindparam("hashed")
)

user_by_id = select(*_PROFILE).where(USERS.c.id == bindparam("user_id"))

# The one statement that reads a hash, for the one question that needs it.
user_by_email = select(*_PROFILE, USERS.c.password_hash).where(USERS.c.email == bindparam("address"))

user_by_account = sign_in.user_by_account(USERS, ACCOUNTS, _PROFILE)

_GRANT: dict[str, Any] = {
    "type": bindparam("kind"),
    "access_token": bindparam("access"),
    "refresh_token": bindparam("refresh"),
    "expires_at": bindparam("ends"),
}

# An account stays with the user that it was linked to: whoever else brings it changes no row.
renew_account = (
    update(ACCOUNTS)
    .where(
        ACCOUNTS.c.provider == bindparam("from_provider"),
        ACCOUNTS.c.provider_account_id == bindparam("account"),
        ACCOUNTS.c.user_id == bindparam("owner"),
    )
    .values(_GRANT)
    .returning(ACCOUNTS.c.id)
)

link_account = insert(ACCOUNTS).values(
    {
        "id": bindparam("new_id"),
        "user_id": bindparam("owner"),
        "provider": bindparam("from_provider"),
        "provider_account_id": bindparam("account"),
    }
    | _GRANT
)

create_session = sign_in.create_session(SESSIONS)

find_session = (
    select(*_PROFILE)
    .join(SESSIONS, SESSIONS.c.user_id == USERS.c.id)
    .where(SESSIONS.c.session_token == bindparam("token"), SESSIONS.c.expires > _NOW)
)

delete_session = sign_in.delete_session(SESSIONS)

create_verification_token = sign_in.create_verification_token(TOKENS)

use_verification_token = sign_in.use_verification_token(TOKENS)

prove_email = update(USERS).where(USERS.c.email == bindparam("address")).values(email_verified=_NOW)

cleanup_sessions = sign_in.cleanup(SESSIONS)

cleanup_verification_tokens = sign_in.cleanup(TOKENS)

# A new account has to be onboarded anew; the one that is there already stays as it is.
connect_stripe = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"), USERS.c.stripe_account_id.is_(None))
    .values(stripe_account_id=bindparam("stripe"), stripe_onboarded=false())
)

onboard_stripe = update(USERS).where(USERS.c.stripe_account_id == bindparam("stripe")).values(stripe_onboarded=true())

disconnect_stripe = (
    update(USERS).where(USERS.c.id == bindparam("user_id")).values(stripe_account_id=None, stripe_onboarded=false())
)

_KEYS: dict[str, Any] = {"api_key": bindparam("key"), "api_secret": bindparam("secret")}

renew_supplier = (
    update(SUPPLIERS)
    .where(SUPPLIERS.c.user_id == bindparam("owner"), SUPPLIERS.c.provider == bindparam("supplier"))
    .values(_KEYS)
    .returning(SUPPLIERS.c.id)
)

add_supplier = insert(SUPPLIERS).values(
    {"id": bindparam("new_id"), "user_id": bindparam("owner"), "provider": bindparam("supplier")} | _KEYS
)

supplier_credentials = select(SUPPLIERS.c.provider, SUPPLIERS.c.api_key, SUPPLIERS.c.api_secret).where(
    SUPPLIERS.c.user_id == bindparam("owner"), SUPPLIERS.c.provider == bindparam("supplier")
)

disconnect_supplier = delete(SUPPLIERS).where(
    SUPPLIERS.c.user_id == bindparam("owner"), SUPPLIERS.c.provider == bindparam("supplier")
)

# Nobody may open a store for a user who is being erased, hence no key_share.
seal_user = user_by_id.with_for_update()

erase_stores = delete(STORES).where(STORES.c.user_id == bindparam("user_id"))

erase_user = delete(USERS).where(
    USERS.c.id == bindparam("user_id"),
    USERS.c.stripe_account_id.is_(None),
    ~exists().where(STORES.c.user_id == USERS.c.id),
)


def _address() -> str:
    return f"{new_id().hex}@example.com"


def _stripe() -> str:
    return f"acct_{new_id().hex}"


# Invented rows hold every pair of many users and their suppliers: only of the test account is it known what is free.
_FREE = {"owner": [uuid.UUID("0190a000-0000-7000-8000-000000000001")], "supplier": [SupplierProvider.SPOCKET]}
_GRANTED = {"kind": [AccountType.OIDC], "access": new_token, "refresh": new_token, "ends": soon}
_ACCOUNT = {"from_provider": ACCOUNTS.c.provider, "account": ACCOUNTS.c.provider_account_id}
_SUPPLIER = {"owner": SUPPLIERS.c.user_id, "supplier": SUPPLIERS.c.provider}

QUERIES = (
    Query(
        "create user", create_user, 0.05, {"new_id": new_id, "address": _address, "called": [None], "hashed": [None]}
    ),
    Query("user by id", user_by_id, 5),
    Query("user by email", user_by_email, 2),
    Query("user by account", user_by_account, 2),
    Query("renew account", renew_account, 1, _ACCOUNT | {"owner": ACCOUNTS.c.user_id} | _GRANTED),
    Query(
        "link account",
        link_account,
        0.05,
        _GRANTED | {"new_id": new_id, "owner": USERS.c.id, "account": new_token} | {"from_provider": ["google"]},
    ),
    Query(
        "create session", create_session, 2, {"new_id": new_id, "owner": USERS.c.id, "token": new_token, "until": soon}
    ),
    Query("find session", find_session, 100, {"now": [dt.datetime(2000, 1, 1, tzinfo=dt.UTC)]}),
    Query("delete session", delete_session, 0.5),
    Query("cleanup sessions", cleanup_sessions, 0.01, {"now": now, "limit": [1000]}),
    Query(
        "create verification token",
        create_verification_token,
        0.1,
        {"address": USERS.c.email, "token": new_token, "until": soon},
    ),
    Query(
        "use verification token",
        use_verification_token,
        0.05,
        {"address": TOKENS.c.identifier, "now": [dt.datetime(2000, 1, 1, tzinfo=dt.UTC)]},
    ),
    Query("prove email", prove_email, 0.05, {"now": now}),
    Query("cleanup verification tokens", cleanup_verification_tokens, 0.01, {"now": now, "limit": [1000]}),
    Query("connect stripe", connect_stripe, 0.02, {"stripe": _stripe}),
    Query("onboard stripe", onboard_stripe, 0.02),
    Query("disconnect stripe", disconnect_stripe, 0.001),
    Query("renew supplier", renew_supplier, 0.02, _SUPPLIER | {"key": new_token, "secret": [None]}),
    Query(
        "add supplier",
        add_supplier,
        0.02,
        _FREE | {"new_id": new_id, "key": new_token, "secret": [None]},
    ),
    Query("supplier credentials", supplier_credentials, 5),
    Query("disconnect supplier", disconnect_supplier, 0.01),
    Query("seal user", seal_user, 0.001),
    Query("erase stores", erase_stores, 0.001),
    Query("erase user", erase_user, 0.001),
)
"""Statements about people, with their calls per second as planned for ninety thousand users."""
