"""Every statement that the credits plan runs, defined once: `operations` executes them, the plan's queries are them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    Table,
    bindparam,
    delete,
    exists,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from dbplan.columns import clock, new_id, now
from dbplan.domains.credits.models import AuditLog, Status, Transaction, User
from dbplan.domains.paging import FIRST_ID, LAST_ID, LIMIT, NEWEST, newest_first
from dbplan.plan import Query

USERS: Table = User.metadata.tables["users"]
TRANSACTIONS: Table = User.metadata.tables["transactions"]
AUDIT_LOGS: Table = User.metadata.tables["audit_logs"]
RECORDS: Table = User.metadata.tables["idempotency_records"]

_ACCOUNT = select(USERS.c.id, USERS.c.credits, USERS.c.membership_tier, USERS.c.membership_expires_at)


account = _ACCOUNT.where(USERS.c.id == bindparam("user_id"))

# NO KEY: rows that merely refer to the user, such as a new audit entry, need not wait for the charge.
lock_account = account.with_for_update(key_share=True)

# Whereas nobody may refer to a user who is being erased.
seal_account = account.with_for_update()

create_user = insert(USERS).values(id=bindparam("new_id"), credits=bindparam("opening"))

set_balance = update(USERS).where(USERS.c.id == bindparam("user_id")).values(credits=bindparam("balance"))

set_membership = (
    update(USERS)
    .where(USERS.c.id == bindparam("user_id"))
    .values(membership_tier=bindparam("tier"), membership_expires_at=bindparam("until"))
)

_BALANCE, _CREDITS = bindparam("balance", type_=BigInteger), bindparam("credits", type_=BigInteger)

# The sum is the server's, so that no row can be written that does not add up.
post = insert(TRANSACTIONS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    user_id=bindparam("owner"),
    action=bindparam("what"),
    amount=_CREDITS,
    balance_before=_BALANCE,
    balance_after=_BALANCE + _CREDITS,
    metadata=bindparam("details"),
)

audit = insert(AUDIT_LOGS).values(
    id=bindparam("new_id"),
    created_at=clock(),
    user_id=bindparam("owner"),
    action=bindparam("what"),
    status=bindparam("outcome"),
    error_message=bindparam("error"),
    metadata=bindparam("details"),
)

history = newest_first(select(Transaction).where(TRANSACTIONS.c.user_id == bindparam("user_id")), TRANSACTIONS)

by_action = newest_first(select(Transaction).where(TRANSACTIONS.c.action == bindparam("action")), TRANSACTIONS)

audit_trail = newest_first(select(AuditLog).where(AUDIT_LOGS.c.user_id == bindparam("user_id")), AUDIT_LOGS)

# The word stands in the statement: a partial index serves only a query that shows its predicate.
failures = newest_first(select(AuditLog).where(AUDIT_LOGS.c.status == literal_column(f"'{Status.FAILED}'")), AUDIT_LOGS)

members = (
    _ACCOUNT.where(
        USERS.c.membership_tier == bindparam("tier"),
        or_(USERS.c.membership_expires_at.is_(None), USERS.c.membership_expires_at > bindparam("now")),
        USERS.c.id > bindparam("after"),
    )
    .order_by(USERS.c.id)
    .limit(LIMIT)
)

recall = select(RECORDS.c.result, RECORDS.c.expires_at).where(RECORDS.c.key == bindparam("idempotency_key"))

remember = insert(RECORDS).values(
    key=bindparam("idempotency_key"),
    created_at=bindparam("now"),
    expires_at=bindparam("until"),
    result=bindparam("answer"),
)

forget = delete(RECORDS).where(RECORDS.c.key == bindparam("idempotency_key"), RECORDS.c.expires_at <= bindparam("now"))

# Two cleaners at once take different rows; the inner name is for MariaDB, which allows no LIMIT within IN.
_expired = (
    select(RECORDS.c.key)
    .where(RECORDS.c.expires_at <= bindparam("now"))
    .order_by(RECORDS.c.expires_at)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
    .subquery("expired")
)
expire = delete(RECORDS).where(RECORDS.c.key.in_(select(_expired.c.key)))

erase_transactions = delete(TRANSACTIONS).where(TRANSACTIONS.c.user_id == bindparam("user_id"))

erase_audit_logs = delete(AUDIT_LOGS).where(AUDIT_LOGS.c.user_id == bindparam("user_id"))

erase_user = delete(USERS).where(
    USERS.c.id == bindparam("user_id"),
    ~exists().where(TRANSACTIONS.c.user_id == USERS.c.id),
    ~exists().where(AUDIT_LOGS.c.user_id == USERS.c.id),
)


def _tomorrow() -> dt.datetime:
    return now() + dt.timedelta(days=1)


def _key() -> str:
    return str(new_id())


_TOP = {"before": [NEWEST], "before_id": [LAST_ID], "limit": [20]}
_BELOW = {"before": TRANSACTIONS.c.created_at, "before_id": TRANSACTIONS.c.id, "limit": [20]}
_ENTRY = {"new_id": new_id, "owner": USERS.c.id, "what": ["generate-post", "generate-image"], "details": [{}]}

QUERIES = (
    Query("account", account, 50),
    Query("lock account", lock_account, 4),
    Query("set balance", set_balance, 4, {"balance": USERS.c.credits}),
    Query("post transaction", post, 4, _ENTRY | {"balance": USERS.c.credits, "credits": [5, 10, 100]}),
    Query("audit", audit, 5, _ENTRY | {"outcome": [Status.SUCCESS], "error": [None]}),
    Query("recall", recall, 4),
    Query("remember", remember, 4, {"idempotency_key": _key, "now": now, "until": _tomorrow, "answer": [{}]}),
    Query("history", history, 20, {"user_id": TRANSACTIONS.c.user_id} | _TOP),
    Query("history, next page", history, 2, {"user_id": TRANSACTIONS.c.user_id} | _BELOW),
    Query("transactions by action", by_action, 0.1, {"action": TRANSACTIONS.c.action} | _TOP),
    Query("audit trail", audit_trail, 1, {"user_id": AUDIT_LOGS.c.user_id} | _TOP),
    Query("failures", failures, 0.1, _TOP),
    Query("members", members, 0.1, {"tier": ["pro", "basic", "team"], "now": now, "after": [FIRST_ID], "limit": [100]}),
    Query("create user", create_user, 0.05, {"new_id": new_id, "opening": [0]}),
    Query("set membership", set_membership, 0.05, {"tier": ["pro"], "until": _tomorrow}),
    Query("forget", forget, 0.01, {"now": now}),
    Query("expire", expire, 0.01, {"now": now, "limit": [1000]}),
    Query("seal account", seal_account, 0.001),
    Query("erase transactions", erase_transactions, 0.001),
    Query("erase audit logs", erase_audit_logs, 0.001),
    Query("erase user", erase_user, 0.001),
)
"""The statements with their calls per second, as planned for a million users and four charges a second."""
