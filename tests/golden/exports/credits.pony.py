"""Users spend credits: balances that cannot go below zero, a ledger, an audit log,
retries done once.
"""

from datetime import datetime
from uuid import UUID

from dbplan.columns import new_id
from pony.orm import Database, Json, Optional, PrimaryKey, Required, Set

db = Database()


class AuditLog(db.Entity):
    """Who tried what and how it ended, failures included."""

    _table_ = "audit_logs"

    id = PrimaryKey(UUID, default=new_id)
    created_at = Required(
        datetime,
        sql_type="TIMESTAMP WITH TIME ZONE",
        sql_default="now()",
    )
    user = Required("User", column="user_id", reverse="audit_logs", index=False)
    action = Required(str, 100)
    status = Required(str, 20)
    details = Required(Json, column="metadata", default=dict, sql_default="('{}')")
    error_message = Optional(str, nullable=True)


class IdempotencyRecord(db.Entity):
    """Answers kept so that a request sent twice is done once."""

    _table_ = "idempotency_records"

    key = PrimaryKey(str, 200)
    created_at = Required(
        datetime,
        sql_type="TIMESTAMP WITH TIME ZONE",
        sql_default="now()",
    )
    expires_at = Required(
        datetime,
        sql_type="TIMESTAMP WITH TIME ZONE",
        index="ix_idempotency_records_expires_at",
    )
    result = Required(Json)


class Transaction(db.Entity):
    """The ledger: every movement of credits, oldest to newest an unbroken chain per
    user.
    """

    _table_ = "transactions"

    id = PrimaryKey(UUID, default=new_id)
    created_at = Required(
        datetime,
        sql_type="TIMESTAMP WITH TIME ZONE",
        sql_default="now()",
    )
    user = Required("User", column="user_id", reverse="transactions", index=False)
    amount = Required(int, size=64)
    balance_before = Required(int, size=64)
    balance_after = Required(int, size=64)
    action = Required(str, 100)
    details = Required(Json, column="metadata", default=dict, sql_default="('{}')")


class User(db.Entity):
    """Accounts that hold credits, one row per user."""

    _table_ = "users"

    id = PrimaryKey(UUID, default=new_id)
    created_at = Required(
        datetime,
        sql_type="TIMESTAMP WITH TIME ZONE",
        sql_default="now()",
    )
    updated_at = Required(
        datetime,
        sql_type="TIMESTAMP WITH TIME ZONE",
        sql_default="now()",
    )
    credits = Required(int, size=64, sql_default="0")
    membership_expires_at = Optional(datetime, sql_type="TIMESTAMP WITH TIME ZONE")
    membership_tier = Optional(str, 50, nullable=True)
    audit_logs = Set("AuditLog", reverse="user", cascade_delete=False)
    transactions = Set("Transaction", reverse="user", cascade_delete=False)
