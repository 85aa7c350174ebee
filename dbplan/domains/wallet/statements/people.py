"""Statements about users, currencies, platforms and users' accounts there."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, insert, literal_column, select, update

from dbplan.columns import new_id
from dbplan.domains.wallet.models import (
    Base,
    Currency,
    CurrencyKind,
    LinkStatus,
    PlatformAccount,
    PlatformKind,
    UserStatus,
    WalletStatus,
)
from dbplan.plan import Query

USERS: Table = Base.metadata.tables["users"]
CURRENCIES: Table = Base.metadata.tables["currencies"]
PLATFORMS: Table = Base.metadata.tables["platforms"]
ACCOUNTS: Table = Base.metadata.tables["platform_accounts"]
WALLETS: Table = Base.metadata.tables["wallets"]

_PERSON = select(USERS.c.id, USERS.c.email, USERS.c.name, USERS.c.status)

create_user = insert(USERS).values(id=bindparam("new_id"), email=bindparam("address"), name=bindparam("called"))

# The predicate stands in the statement: a partial index serves only a query that shows it.
user_by_email = _PERSON.where(USERS.c.email == bindparam("email"), USERS.c.closed_at.is_(None))

# Wallets may be opened for a user at the same time by many, but not while the user is being closed.
lock_user = _PERSON.where(USERS.c.id == bindparam("user_id")).with_for_update(read=True)

seal_user = _PERSON.where(USERS.c.id == bindparam("user_id")).with_for_update()

set_user_status = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"))
    .values(status=bindparam("new_status"), closed_at=bindparam("left_at"))
)

unclosed_wallets = (
    select(WALLETS.c.id)
    .where(WALLETS.c.user_id == bindparam("user_id"), WALLETS.c.status != literal_column(f"'{WalletStatus.CLOSED}'"))
    .order_by(WALLETS.c.currency_code, WALLETS.c.label)
)

add_currency = insert(CURRENCIES).values(
    code=bindparam("new_code"), name=bindparam("called"), kind=bindparam("sort"), minor_units=bindparam("decimals")
)

currency = select(Currency).where(CURRENCIES.c.code == bindparam("code"))

add_platform = insert(PLATFORMS).values(
    id=bindparam("new_id"), slug=bindparam("new_slug"), name=bindparam("called"), kind=bindparam("sort")
)

platform = select(PLATFORMS.c.id, PLATFORMS.c.slug, PLATFORMS.c.name, PLATFORMS.c.kind, PLATFORMS.c.status).where(
    PLATFORMS.c.slug == bindparam("slug")
)

link_account = insert(ACCOUNTS).values(
    id=bindparam("new_id"),
    user_id=bindparam("owner"),
    platform_id=bindparam("place"),
    external_id=bindparam("known_as"),
    credentials=bindparam("secret"),
)

linked_account = select(ACCOUNTS.c.id, ACCOUNTS.c.user_id).where(
    ACCOUNTS.c.platform_id == bindparam("platform_id"), ACCOUNTS.c.external_id == bindparam("external_id")
)

set_link = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.id == bindparam("account_id"))
    .values(status=bindparam("new_status"), credentials=bindparam("secret"))
)

revoke_links = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.user_id == bindparam("owner"))
    .values(status=literal_column(f"'{LinkStatus.REVOKED}'"), credentials=None)
)

platform_accounts = (
    select(PlatformAccount)
    .where(ACCOUNTS.c.user_id == bindparam("user_id"))
    .order_by(ACCOUNTS.c.created_at, ACCOUNTS.c.id)
)


def _address() -> str:
    return f"{new_id()}@example.com"


def _word() -> str:
    return str(new_id())


def _code() -> str:
    return new_id().hex[-10:].upper()


_LINK = {"owner": USERS.c.id, "place": PLATFORMS.c.id, "known_as": _word, "secret": [None, "token"]}

QUERIES = (
    Query("create user", create_user, 0.05, {"new_id": new_id, "address": _address, "called": ["Ada Lovelace"]}),
    Query("user by e-mail", user_by_email, 2),
    Query("lock user", lock_user, 0.2),
    Query("seal user", seal_user, 0.001),
    Query("set user status", set_user_status, 0.001, {"new_status": [UserStatus.SUSPENDED], "left_at": [None]}),
    Query("unclosed wallets", unclosed_wallets, 0.001),
    Query("add currency", add_currency, 1e-6, {"new_code": _code, "called": ["Koruna"], "sort": [CurrencyKind.FIAT],
                                               "decimals": [2]}),
    Query("currency", currency, 10),
    Query("add platform", add_platform, 1e-6, {"new_id": new_id, "new_slug": _word, "called": ["Ledger Bank"],
                                               "sort": [PlatformKind.BANK]}),
    Query("platform", platform, 1),
    Query("link account", link_account, 0.08, {"new_id": new_id} | _LINK),
    Query("linked account", linked_account, 0.1),
    Query("set link", set_link, 0.01, {"new_status": [LinkStatus.ACTIVE], "secret": [None, "token"]}),
    Query("revoke links", revoke_links, 0.001),
    Query("platform accounts", platform_accounts, 1),
)  # fmt: skip
