"""Statements about wallets, what is held in them, and who froze them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Table, and_, bindparam, func, insert, literal_column, select, update

from dbplan.columns import Key, clock, new_id, now
from dbplan.domains.paging import LAST_ID, LIMIT, NEWEST, newest_first
from dbplan.domains.wallet.models import Base, Hold, HoldStatus, StatusChange, WalletStatus
from dbplan.plan import Query

USERS: Table = Base.metadata.tables["users"]
PLATFORMS: Table = Base.metadata.tables["platforms"]
ACCOUNTS: Table = Base.metadata.tables["platform_accounts"]
WALLETS: Table = Base.metadata.tables["wallets"]
HOLDS: Table = Base.metadata.tables["holds"]
CHANGES: Table = Base.metadata.tables["status_changes"]
TRANSACTIONS: Table = Base.metadata.tables["transactions"]
ENTRIES: Table = Base.metadata.tables["entries"]

_ACTIVE = HOLDS.c.status == literal_column(f"'{HoldStatus.ACTIVE}'")
_CHANGE = bindparam("change", type_=BigInteger)

_STATE = select(
    WALLETS.c.id,
    WALLETS.c.user_id,
    WALLETS.c.platform_id,
    WALLETS.c.currency_code,
    WALLETS.c.label,
    WALLETS.c.balance,
    WALLETS.c.held,
    WALLETS.c.overdraft_limit,
    WALLETS.c.status,
    USERS.c.status.label("user_status"),
).outerjoin_from(WALLETS, USERS, USERS.c.id == WALLETS.c.user_id)

wallet = _STATE.where(WALLETS.c.id == bindparam("wallet_id"))

wallets = _STATE.where(WALLETS.c.user_id == bindparam("user_id")).order_by(WALLETS.c.currency_code, WALLETS.c.label)

# All that a movement touches, in the order of their ids: two movements in opposite directions wait, and never deadlock.
# NO KEY: rows that merely refer to a wallet, such as a new transaction, need not wait.
lock_wallets = (
    _STATE.where(WALLETS.c.id.in_([bindparam(name, type_=Key()) for name in ("wallet", "counterpart", "fee_wallet")]))
    .order_by(WALLETS.c.id)
    .with_for_update(key_share=True, of=WALLETS)
)

open_wallet = insert(WALLETS).values(
    id=bindparam("new_id"),
    user_id=bindparam("of_user"),
    platform_id=bindparam("of_platform"),
    currency_code=bindparam("counted_in"),
    label=bindparam("called"),
    overdraft_limit=bindparam("allowed"),
)

# Where money of an account at a platform goes through: the platform's own wallet in the currency of the user's.
_OWN = WALLETS.alias("own")
route = (
    select(
        ACCOUNTS.c.user_id,
        ACCOUNTS.c.status,
        PLATFORMS.c.status.label("platform_status"),
        _OWN.c.id.label("own_id"),
        _OWN.c.user_id.label("owner_id"),
        WALLETS.c.id.label("settlement_id"),
    )
    .select_from(ACCOUNTS)
    .join(PLATFORMS, PLATFORMS.c.id == ACCOUNTS.c.platform_id)
    .outerjoin(_OWN, _OWN.c.id == bindparam("own_wallet", type_=Key()))
    .outerjoin(
        WALLETS,
        and_(
            WALLETS.c.platform_id == ACCOUNTS.c.platform_id,
            WALLETS.c.currency_code == _OWN.c.currency_code,
            WALLETS.c.label == bindparam("label"),
        ),
    )
    .where(ACCOUNTS.c.id == bindparam("platform_account_id"))
)

set_wallet_status = update(WALLETS).where(WALLETS.c.id == bindparam("wallet_id")).values(status=bindparam("new_status"))

record_change = insert(CHANGES).values(
    id=bindparam("new_id"),
    created_at=clock(),
    wallet_id=bindparam("what"),
    user_id=bindparam("who"),
    old_status=bindparam("before"),
    new_status=bindparam("after"),
    reason=bindparam("why"),
)

status_changes = newest_first(select(StatusChange).where(CHANGES.c.wallet_id == bindparam("wallet_id")), CHANGES)

# The sums are the server's, from the row as it stands under the lock.
move = (
    update(WALLETS)
    .where(WALLETS.c.id == bindparam("wallet_id"))
    .values(balance=WALLETS.c.balance + _CHANGE, last_sequence=WALLETS.c.last_sequence + 1)
)

promise = update(WALLETS).where(WALLETS.c.id == bindparam("wallet_id")).values(held=WALLETS.c.held + _CHANGE)

place_hold = insert(HOLDS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    wallet_id=bindparam("where"),
    idempotency_key=bindparam("key"),
    fingerprint=bindparam("request"),
    amount=bindparam("minor"),
    expires_at=bindparam("until"),
    transaction_id=bindparam("pending_id"),
    description=bindparam("text"),
)

hold = select(Hold).where(HOLDS.c.id == bindparam("hold_id")).execution_options(populate_existing=True)

recall_hold = select(
    HOLDS.c.id,
    HOLDS.c.wallet_id,
    HOLDS.c.amount,
    HOLDS.c.status,
    HOLDS.c.expires_at,
    (HOLDS.c.fingerprint == bindparam("request", type_=HOLDS.c.fingerprint.type)).label("same"),
).where(HOLDS.c.wallet_id == bindparam("wallet_id"), HOLDS.c.idempotency_key == bindparam("key"))

hold_of = select(HOLDS.c.id).where(HOLDS.c.transaction_id == bindparam("transaction_id"))

end_hold = (
    update(HOLDS)
    .where(HOLDS.c.id == bindparam("hold_id"), _ACTIVE)
    .values(
        status=bindparam("outcome"),
        finished_at=clock(),
        transaction_id=func.coalesce(bindparam("captured_by", type_=Key()), HOLDS.c.transaction_id),
    )
)

active_holds = (
    select(Hold).where(HOLDS.c.wallet_id == bindparam("wallet_id"), _ACTIVE).order_by(HOLDS.c.created_at, HOLDS.c.id)
)

# No lock here: holds are ended under the lock of their wallet, which is taken first everywhere.
due_holds = (
    select(HOLDS.c.id, HOLDS.c.wallet_id, HOLDS.c.amount)
    .where(_ACTIVE, HOLDS.c.expires_at <= bindparam("now"))
    .order_by(HOLDS.c.expires_at)
    .limit(LIMIT)
)


def _tomorrow() -> dt.datetime:
    return now() + dt.timedelta(days=1)


def _word() -> str:
    return str(new_id())


_TOP = {"before": [NEWEST], "before_id": [LAST_ID], "limit": [20]}
_PAIR = {
    "wallet": TRANSACTIONS.c.source_wallet_id,
    "counterpart": TRANSACTIONS.c.destination_wallet_id,
    "fee_wallet": TRANSACTIONS.c.source_wallet_id,
}
_OPENED = {"of_user": USERS.c.id, "of_platform": [None], "counted_in": ["EUR", "USD", "BTC"], "allowed": [0]}
_CHANGED = {
    "what": WALLETS.c.id,
    "who": USERS.c.id,
    "before": [WalletStatus.ACTIVE],
    "after": [WalletStatus.FROZEN],
    "why": ["asked for by a court"],
}
_HELD = {"until": _tomorrow, "where": WALLETS.c.id, "minor": [1250], "pending_id": [None], "text": ["Hotel, 2 nights"]}

QUERIES = (
    Query("wallet", wallet, 20),
    Query("wallets", wallets, 10),
    Query("lock wallets", lock_wallets, 4, _PAIR),
    Query("open wallet", open_wallet, 0.2, {"new_id": new_id, "called": _word} | _OPENED),
    Query("route", route, 0.8, {"own_wallet": WALLETS.c.id, "label": ["settlement"]}),
    Query("set wallet status", set_wallet_status, 0.002, {"new_status": [WalletStatus.FROZEN]}),
    Query(
        "record change", record_change, 0.002, {"new_id": new_id, "what": WALLETS.c.id, "who": USERS.c.id} | _CHANGED
    ),
    Query("status changes", status_changes, 0.01, {"wallet_id": CHANGES.c.wallet_id} | _TOP),
    Query("move", move, 7, {"wallet_id": ENTRIES.c.wallet_id, "change": [1]}),
    Query("promise", promise, 1, {"change": [0]}),
    Query(
        "place hold", place_hold, 0.3, {"new_id": new_id, "key": _word, "request": _word, "until": _tomorrow} | _HELD
    ),
    Query("hold", hold, 0.3),
    Query("recall hold", recall_hold, 0.3, {"request": ["{}"], "key": HOLDS.c.idempotency_key}),
    Query("hold of transaction", hold_of, 0.3),
    Query("end hold", end_hold, 0.6, {"outcome": [HoldStatus.RELEASED], "captured_by": [None]}),
    Query("active holds", active_holds, 2),
    Query("due holds", due_holds, 0.02, {"now": now, "limit": [100]}),
)
