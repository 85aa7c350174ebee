"""Statements that find what is wrong with the books: each returns the rows that break one invariant, so none."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, and_, exists, func, literal_column, not_, or_, select

from dbplan.domains.paging import LIMIT
from dbplan.domains.wallet.models import Base, HoldStatus, TransactionKind, TransactionStatus
from dbplan.plan import Query

WALLETS: Table = Base.metadata.tables["wallets"]
ACCOUNTS: Table = Base.metadata.tables["platform_accounts"]
TRANSACTIONS: Table = Base.metadata.tables["transactions"]
ENTRIES: Table = Base.metadata.tables["entries"]
HOLDS: Table = Base.metadata.tables["holds"]

_T, _W, _E, _H = TRANSACTIONS.c, WALLETS.c, ENTRIES.c, HOLDS.c
_SOURCE, _DESTINATION = ENTRIES.alias("taken"), ENTRIES.alias("given")


def _among(column: ColumnElement[str], *values: str) -> ColumnElement[bool]:
    return column.in_([literal_column(f"'{value}'") for value in values])


_MOVED = _among(_T.status, TransactionStatus.COMPLETED, TransactionStatus.REVERSED)

unbalanced_currencies = (
    select(_W.currency_code, func.sum(_W.balance).label("sum"))
    .group_by(_W.currency_code)
    .having(func.sum(_W.balance) != 0)
    .order_by(_W.currency_code)
    .limit(LIMIT)
)

_LAST, _BEYOND = ENTRIES.alias("newest"), ENTRIES.alias("beyond")
wallets_off_their_ledger = (
    select(_W.id.label("wallet_id"), _W.balance, _W.last_sequence, _LAST.c.balance_after)
    .outerjoin_from(WALLETS, _LAST, and_(_LAST.c.wallet_id == _W.id, _LAST.c.sequence == _W.last_sequence))
    .outerjoin(_BEYOND, and_(_BEYOND.c.wallet_id == _W.id, _BEYOND.c.sequence == _W.last_sequence + 1))
    .where(
        or_(
            func.coalesce(_LAST.c.balance_after, 0) != _W.balance,
            and_(_W.last_sequence > 0, _LAST.c.sequence.is_(None)),
            _BEYOND.c.sequence.is_not(None),
        )
    )
    .limit(LIMIT)
)

_BEFORE = ENTRIES.alias("before")
broken_chains = (
    select(_E.wallet_id, _E.sequence, _E.balance_before, _BEFORE.c.balance_after.label("balance_after_last"))
    .outerjoin_from(ENTRIES, _BEFORE, and_(_BEFORE.c.wallet_id == _E.wallet_id, _BEFORE.c.sequence == _E.sequence - 1))
    .where(_E.sequence > 1, _BEFORE.c.balance_after.is_distinct_from(_E.balance_before))
    .limit(LIMIT)
)

unposted_transactions = (
    select(
        _T.id.label("transaction_id"), _T.amount, _SOURCE.c.amount.label("taken"), _DESTINATION.c.amount.label("given")
    )
    .outerjoin_from(
        TRANSACTIONS,
        _SOURCE,
        and_(_SOURCE.c.transaction_id == _T.id, _SOURCE.c.wallet_id == _T.source_wallet_id),
    )
    .outerjoin(
        _DESTINATION,
        and_(_DESTINATION.c.transaction_id == _T.id, _DESTINATION.c.wallet_id == _T.destination_wallet_id),
    )
    .where(
        _MOVED,
        or_(_SOURCE.c.amount.is_distinct_from(-_T.amount), _DESTINATION.c.amount.is_distinct_from(_T.amount)),
    )
    .limit(LIMIT)
)

stray_entries = (
    select(_E.wallet_id, _E.sequence, _E.transaction_id, _T.status)
    .join_from(ENTRIES, TRANSACTIONS, _T.id == _E.transaction_id)
    .where(or_(not_(_MOVED), _E.wallet_id.not_in((_T.source_wallet_id, _T.destination_wallet_id))))
    .limit(LIMIT)
)

_PROMISED = (
    select(_H.wallet_id, func.sum(_H.amount).label("promised"))
    .where(_H.status == literal_column(f"'{HoldStatus.ACTIVE}'"))
    .group_by(_H.wallet_id)
    .subquery("promises")
)
wallets_off_their_holds = (
    select(_W.id.label("wallet_id"), _W.held, _PROMISED.c.promised)
    .outerjoin_from(WALLETS, _PROMISED, _PROMISED.c.wallet_id == _W.id)
    .where(func.coalesce(_PROMISED.c.promised, 0) != _W.held)
    .limit(LIMIT)
)

# The hold of a pending transaction is active, that of a cancelled or failed one released, that of a moved one captured.
_AGREED = or_(
    and_(_among(_H.status, HoldStatus.ACTIVE), _among(_T.status, TransactionStatus.PENDING), _H.amount == _T.amount),
    and_(
        _among(_H.status, HoldStatus.RELEASED), _among(_T.status, TransactionStatus.CANCELLED, TransactionStatus.FAILED)
    ),
    and_(_among(_H.status, HoldStatus.CAPTURED), _MOVED, _H.amount >= _T.amount),
)
holds_off_their_transactions = (
    select(_H.id.label("hold_id"), _H.status, _T.id.label("transaction_id"), _T.status.label("transaction_status"))
    .join_from(HOLDS, TRANSACTIONS, _T.id == _H.transaction_id)
    .where(or_(not_(_AGREED), _H.wallet_id != _T.source_wallet_id))
    .limit(LIMIT)
)

pending_without_hold = (
    select(_T.id.label("transaction_id"), _T.amount)
    .where(_T.status == literal_column(f"'{TransactionStatus.PENDING}'"), ~exists().where(_H.transaction_id == _T.id))
    .limit(LIMIT)
)

_REFUND = TRANSACTIONS.alias("refund")
_DONE = _among(_REFUND.c.status, TransactionStatus.COMPLETED)
wrong_refunds = (
    select(_REFUND.c.id.label("refund_id"), _T.id.label("transaction_id"), _T.status, _REFUND.c.amount)
    .join_from(_REFUND, TRANSACTIONS, _T.id == _REFUND.c.reverses_id)
    .where(
        _DONE,
        or_(
            _T.status != literal_column(f"'{TransactionStatus.REVERSED}'"),
            _REFUND.c.amount > _T.amount,
            _REFUND.c.source_wallet_id != _T.destination_wallet_id,
            _REFUND.c.destination_wallet_id != _T.source_wallet_id,
        ),
    )
    .limit(LIMIT)
)

reversed_without_refund = (
    select(_T.id.label("transaction_id"), _T.amount)
    .where(_among(_T.status, TransactionStatus.REVERSED), ~exists().where(_REFUND.c.reverses_id == _T.id, _DONE))
    .limit(LIMIT)
)

_OF = TRANSACTIONS.alias("parent")
wrong_fees = (
    select(_T.id.label("fee_id"), _OF.c.id.label("transaction_id"), _OF.c.status)
    .join_from(TRANSACTIONS, _OF, _OF.c.id == _T.fee_of_id)
    .where(
        or_(
            not_(_among(_OF.c.status, TransactionStatus.COMPLETED, TransactionStatus.REVERSED)),
            _OF.c.source_wallet_id != _T.source_wallet_id,
            _OF.c.user_id != _T.user_id,
        )
    )
    .limit(LIMIT)
)

_FROM, _TO = WALLETS.alias("source"), WALLETS.alias("destination")
_IN = _among(_T.kind, TransactionKind.DEPOSIT)
wrong_routes = (
    select(_T.id.label("transaction_id"), _T.kind, ACCOUNTS.c.user_id, ACCOUNTS.c.platform_id)
    .join_from(TRANSACTIONS, ACCOUNTS, ACCOUNTS.c.id == _T.platform_account_id)
    .join(_FROM, _FROM.c.id == _T.source_wallet_id)
    .join(_TO, _TO.c.id == _T.destination_wallet_id)
    .where(
        or_(
            func.coalesce(_FROM.c.platform_id, _TO.c.platform_id).is_distinct_from(ACCOUNTS.c.platform_id),
            func.coalesce(_FROM.c.user_id, _TO.c.user_id).is_distinct_from(ACCOUNTS.c.user_id),
            and_(_IN, _FROM.c.platform_id.is_(None)),
            and_(not_(_IN), _TO.c.platform_id.is_(None)),
        )
    )
    .limit(LIMIT)
)

_NIGHTLY, _SOME = 1 / 86_400, {"limit": [100]}

QUERIES = (
    Query("unbalanced currencies", unbalanced_currencies, _NIGHTLY, _SOME),
    Query("wallets off their ledger", wallets_off_their_ledger, _NIGHTLY, _SOME),
    Query("broken chains", broken_chains, _NIGHTLY, _SOME),
    Query("unposted transactions", unposted_transactions, _NIGHTLY, _SOME),
    Query("stray entries", stray_entries, _NIGHTLY, _SOME),
    Query("wallets off their holds", wallets_off_their_holds, _NIGHTLY, _SOME),
    Query("holds off their transactions", holds_off_their_transactions, _NIGHTLY, _SOME),
    Query("pending without hold", pending_without_hold, _NIGHTLY, _SOME),
    Query("wrong refunds", wrong_refunds, _NIGHTLY, _SOME),
    Query("reversed without refund", reversed_without_refund, _NIGHTLY, _SOME),
    Query("wrong fees", wrong_fees, _NIGHTLY, _SOME),
    Query("wrong routes", wrong_routes, _NIGHTLY, _SOME),
)
