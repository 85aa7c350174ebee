"""Statements about movements of money and the ledger."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import (
    BigInteger,
    String,
    Table,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    select,
    update,
)

from dbplan.columns import Key, clock, new_id, now
from dbplan.domains.paging import LAST_ID, LIMIT, NEWEST, newest_first
from dbplan.domains.wallet.models import Base, Transaction, TransactionKind, TransactionStatus
from dbplan.plan import Query

WALLETS: Table = Base.metadata.tables["wallets"]
TRANSACTIONS: Table = Base.metadata.tables["transactions"]
ENTRIES: Table = Base.metadata.tables["entries"]

_T = TRANSACTIONS.c
_FEE = TRANSACTIONS.alias("fee")
_PENDING = _T.status == literal_column(f"'{TransactionStatus.PENDING}'")
_MOVED = _T.status.in_(
    (literal_column(f"'{TransactionStatus.COMPLETED}'"), literal_column(f"'{TransactionStatus.REVERSED}'"))
)
_CHANGE = bindparam("change", type_=BigInteger)
_OUTCOME = bindparam("outcome", type_=_T.status.type)

# What is pending has no end yet; the clock is the server's, as for created_at.
_END = case((cast(_OUTCOME, String(20)) != literal_column(f"'{TransactionStatus.PENDING}'"), clock()))

book = insert(TRANSACTIONS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    finished_at=_END,
    user_id=bindparam("who"),
    idempotency_key=bindparam("key"),
    fingerprint=bindparam("request"),
    kind=bindparam("sort"),
    status=_OUTCOME,
    failure_reason=bindparam("why"),
    source_wallet_id=bindparam("source"),
    destination_wallet_id=bindparam("destination"),
    currency_code=bindparam("currency"),
    amount=bindparam("minor"),
    platform_account_id=bindparam("by_account"),
    external_id=bindparam("known_as"),
    reverses_id=bindparam("reversed_id"),
    fee_of_id=bindparam("parent_id"),
    description=bindparam("text"),
    metadata=bindparam("details"),
)

# Nothing that adds up is bound: number and balance come from the wallet's row, which the caller has locked.
post = insert(ENTRIES).from_select(
    ["wallet_id", "sequence", "created_at", "transaction_id", "amount", "balance_before", "balance_after"],
    select(
        WALLETS.c.id,
        WALLETS.c.last_sequence + 1,
        clock(),
        bindparam("movement", type_=Key()),
        _CHANGE,
        WALLETS.c.balance,
        WALLETS.c.balance + _CHANGE,
    ).where(WALLETS.c.id == bindparam("where", type_=Key())),
)

_RECEIPT = select(
    _T.id,
    _T.user_id,
    _T.kind,
    _T.status,
    _T.source_wallet_id,
    _T.destination_wallet_id,
    _T.currency_code,
    _T.amount,
    func.coalesce(_FEE.c.amount, 0).label("fee"),
    _T.failure_reason,
    _T.reverses_id,
).outerjoin_from(TRANSACTIONS, _FEE, _FEE.c.fee_of_id == _T.id)

transaction = _RECEIPT.where(_T.id == bindparam("transaction_id"))

recall = _RECEIPT.add_columns((_T.fingerprint == bindparam("request", type_=_T.fingerprint.type)).label("same")).where(
    _T.user_id == bindparam("user_id"), _T.idempotency_key == bindparam("key")
)

payment = _RECEIPT.where(
    _T.platform_account_id == bindparam("platform_account_id"), _T.external_id == bindparam("external_id")
)

finish = (
    update(TRANSACTIONS)
    .where(_T.id == bindparam("transaction_id"), _PENDING)
    .values(
        status=bindparam("outcome"),
        finished_at=clock(),
        failure_reason=bindparam("why"),
        external_id=func.coalesce(bindparam("known_as", type_=_T.external_id.type), _T.external_id),
    )
)

mark_reversed = (
    update(TRANSACTIONS)
    .where(_T.id == bindparam("transaction_id"), _T.status == literal_column(f"'{TransactionStatus.COMPLETED}'"))
    .values(status=literal_column(f"'{TransactionStatus.REVERSED}'"))
)

refunds = (
    select(Transaction)
    .where(_T.reverses_id == bindparam("transaction_id"))
    .order_by(_T.created_at.desc(), _T.id.desc())
)

transactions = newest_first(select(Transaction).where(_T.user_id == bindparam("user_id")), TRANSACTIONS)

pending = (
    select(Transaction).where(_PENDING, _T.created_at < bindparam("before")).order_by(_T.created_at, _T.id).limit(LIMIT)
)

# The currency follows from the wallet; with it the index is entered by all of its columns.
_TOTAL = select(func.coalesce(func.sum(_T.amount), 0))
_SINCE = (_MOVED, _T.created_at >= bindparam("since"), WALLETS.c.id == bindparam("wallet_id"))

paid_out = _TOTAL.join_from(
    WALLETS,
    TRANSACTIONS,
    and_(_T.source_wallet_id == WALLETS.c.id, _T.currency_code == WALLETS.c.currency_code),
).where(*_SINCE)

paid_in = _TOTAL.join_from(
    WALLETS,
    TRANSACTIONS,
    and_(_T.destination_wallet_id == WALLETS.c.id, _T.currency_code == WALLETS.c.currency_code),
).where(*_SINCE)

statement = (
    select(
        ENTRIES.c.sequence,
        ENTRIES.c.created_at,
        ENTRIES.c.transaction_id,
        _T.kind,
        _T.description,
        ENTRIES.c.amount,
        ENTRIES.c.balance_after,
    )
    .join_from(ENTRIES, TRANSACTIONS, _T.id == ENTRIES.c.transaction_id)
    .where(ENTRIES.c.wallet_id == bindparam("wallet_id"), ENTRIES.c.sequence < bindparam("before", type_=BigInteger))
    .order_by(ENTRIES.c.sequence.desc())
    .limit(LIMIT)
)


def _last_month() -> dt.datetime:
    return now() - dt.timedelta(days=30)


def _word() -> str:
    return str(new_id())


# A wallet of the recipe that has no line yet: in another one the drawn transaction might have its line already.
_QUIET = uuid.UUID("0190a000-0000-7000-8000-00000000b003")
_TOP = {"before": [NEWEST], "before_id": [LAST_ID], "limit": [20]}
_BELOW = {"before": _T.created_at, "before_id": _T.id, "limit": [20]}
_NONE = {key: [None] for key in ("why", "by_account", "known_as", "reversed_id", "parent_id")}
_BOOKED = {
    "new_id": new_id,
    "key": _word,
    "request": _word,
    "who": _T.user_id,
    "sort": [TransactionKind.TRANSFER],
    "outcome": [TransactionStatus.COMPLETED],
    "source": _T.source_wallet_id,
    "destination": _T.destination_wallet_id,
    "currency": _T.currency_code,
    "minor": [500, 1999, 100_000],
    "text": ["Dinner"],
    "details": [{}],
}

QUERIES = (
    Query("book", book, 3.5, _NONE | _BOOKED),
    Query("post", post, 7, {"movement": _T.id, "where": [_QUIET], "change": [1]}),
    Query("transaction", transaction, 1),
    Query("recall", recall, 3, {"request": ["{}"], "key": _T.idempotency_key}),
    Query("payment", payment, 0.8),
    Query("finish", finish, 0.3, {"outcome": [TransactionStatus.CANCELLED], "why": [None], "known_as": [None]}),
    Query("mark reversed", mark_reversed, 0.02),
    Query("refunds", refunds, 0.1, {"transaction_id": _T.reverses_id}),
    Query("transactions", transactions, 5, {"user_id": _T.user_id} | _TOP),
    Query("transactions, next page", transactions, 0.5, {"user_id": _T.user_id} | _BELOW),
    Query("pending", pending, 0.02, {"before": now, "limit": [100]}),
    Query("paid out", paid_out, 1, {"wallet_id": _T.source_wallet_id, "since": _last_month}),
    Query("paid in", paid_in, 1, {"wallet_id": _T.destination_wallet_id, "since": _last_month}),
    Query("statement", statement, 10, {"wallet_id": ENTRIES.c.wallet_id, "before": [2**63 - 1], "limit": [20]}),
    Query("statement, next page", statement, 1, {"wallet_id": ENTRIES.c.wallet_id, "before": ENTRIES.c.sequence,
                                                 "limit": [20]}),
)  # fmt: skip
