"""Users spend credits: balances that cannot go below zero, a ledger, an audit log,
retries done once.
"""

from enum import StrEnum

from dbplan.columns import new_id
from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    ForeignKey,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.defaults import TimestamptzNow
from piccolo.columns.defaults.base import Default
from piccolo.constraints import Check
from piccolo.querystring import QueryString
from piccolo.table import Table


class InSql:
    """A column whose default may be a ServerDefault, whatever its type is."""

    def _validate_default(self, *_, **__):
        return True


class ServerDefault(Default):
    """What the server fills in, and what the application does where that is more."""

    def __init__(self, sql="null", make=None):
        self.sql, self.make = sql, make

    @property
    def postgres(self):
        return self.sql

    sqlite = cockroach = postgres

    def python(self):
        if self.make is not None:
            return self.make()
        return QueryString(self.sql.replace("{", "{{").replace("}", "}}"))


class Status(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"


class SqlJSONB(InSql, JSONB):
    """A JSONB with a default of the server."""


class SqlUUID(InSql, UUID):
    """A UUID with a default of the server."""

    column_type = "UUID"


class User(
    Table,
    tablename="users",
    help_text="Accounts that hold credits, one row per user",
):
    """Accounts that hold credits, one row per user."""

    id = SqlUUID(
        primary_key=True,
        default=ServerDefault(make=new_id),
        help_text="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = Timestamptz(
        default=TimestamptzNow(),
        help_text="When the row was written",
    )
    updated_at = Timestamptz(
        default=TimestamptzNow(),
        help_text="When the row was last changed",
    )
    credits = BigInt(default=0, help_text="Balance now, in credits; never below zero")
    membership_expires_at = Timestamptz(
        default=None,
        null=True,
        help_text="When the membership ends; NULL for one without an end, or for none",
    )
    membership_tier = Varchar(
        length=50,
        default=None,
        null=True,
        help_text="Membership in lower case, such as pro; NULL for none",
    )

    ck_users_credits_not_negative = Check("credits >= 0")
    ck_users_membership_tier_length = Check("length(membership_tier) BETWEEN 1 AND 50")
    ck_users_membership_tier_lower_case = Check(
        "membership_tier = lower(membership_tier)",
    )
    ck_users_expiry_has_tier = Check(
        "membership_tier IS NOT NULL OR membership_expires_at IS NULL",
    )


class Transaction(
    Table,
    tablename="transactions",
    help_text=(
        "The ledger: every movement of credits, oldest to newest an unbroken chain per "
        "user"
    ),
):
    """The ledger: every movement of credits, oldest to newest an unbroken chain per
    user.
    """

    id = SqlUUID(
        primary_key=True,
        default=ServerDefault(make=new_id),
        help_text="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = Timestamptz(
        default=TimestamptzNow(),
        help_text="When the row was written",
    )
    user_id = ForeignKey(
        references=User,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.no_action,
        help_text="Whose credits moved",
        null=False,
    )
    amount = BigInt(
        default=None,
        help_text="Credits added, or taken where negative; never zero",
    )
    balance_before = BigInt(
        default=None,
        help_text="Balance before the movement, in credits",
    )
    balance_after = BigInt(
        default=None,
        help_text="Balance after it: balance_before + amount",
    )
    action = Varchar(
        length=100,
        default=None,
        help_text="What the credits moved for, such as generate-post",
    )
    metadata = SqlJSONB(
        default=ServerDefault("('{}')", make=dict),
        help_text="What else the application wants to keep",
    )

    ck_transactions_amount_not_zero = Check("amount <> 0")
    ck_transactions_balance_before_not_negative = Check("balance_before >= 0")
    ck_transactions_balance_after_not_negative = Check("balance_after >= 0")
    ck_transactions_balance_adds_up = Check("balance_after = balance_before + amount")
    ck_transactions_action_length = Check("length(action) BETWEEN 1 AND 100")


class AuditLog(
    Table,
    tablename="audit_logs",
    help_text="Who tried what and how it ended, failures included",
):
    """Who tried what and how it ended, failures included."""

    id = SqlUUID(
        primary_key=True,
        default=ServerDefault(make=new_id),
        help_text="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = Timestamptz(
        default=TimestamptzNow(),
        help_text="When the row was written",
    )
    user_id = ForeignKey(
        references=User,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.no_action,
        help_text="Who tried",
        null=False,
    )
    action = Varchar(
        length=100,
        default=None,
        help_text="What was tried, such as generate-post",
    )
    status = Varchar(
        length=20,
        choices=Status,
        default=None,
        help_text="How it ended: success or failed",
    )
    metadata = SqlJSONB(
        default=ServerDefault("('{}')", make=dict),
        help_text="What else the application wants to keep",
    )
    error_message = Text(
        default=None,
        null=True,
        help_text="Why it failed; NULL where it did not",
    )

    ck_audit_logs_status_known = Check("status IN ('success', 'failed')")
    ck_audit_logs_error_only_if_failed = Check(
        "status = 'failed' OR error_message IS NULL",
    )
    ck_audit_logs_action_length = Check("length(action) BETWEEN 1 AND 100")
    ck_audit_logs_error_message_length = Check("length(error_message) <= 2000")


class IdempotencyRecord(
    Table,
    tablename="idempotency_records",
    help_text="Answers kept so that a request sent twice is done once",
):
    """Answers kept so that a request sent twice is done once."""

    key = Varchar(
        length=200,
        primary_key=True,
        default=None,
        help_text="The caller's key",
    )
    created_at = Timestamptz(
        default=TimestamptzNow(),
        help_text="When the row was written",
    )
    expires_at = Timestamptz(
        index=True,
        default=None,
        help_text="From when on the key may be used anew",
    )
    result = JSONB(
        default=None,
        help_text=(
            "The answer under receipt, and under fingerprint the hash of the request "
            "that it answers"
        ),
    )

    ck_idempotency_records_key_length = Check("length(key) BETWEEN 1 AND 200")
    ck_idempotency_records_expires_after_creation = Check("expires_at > created_at")
