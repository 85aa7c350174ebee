"""Users spend credits: balances that cannot go below zero, a ledger, an audit log,
retries done once.
"""

from dbplan.columns import new_id
from peewee import (
    SQL,
    BigIntegerField,
    CharField,
    Check,
    DatabaseProxy,
    Default,
    ForeignKeyField,
    Model,
    TextField,
    UUIDField,
)
from playhouse.postgres_ext import BinaryJSONField, DateTimeTZField

database = DatabaseProxy()

STATUS = [("success", "Success"), ("failed", "Failed")]


class BaseModel(Model):
    class Meta:
        database = database


class User(BaseModel):
    """Accounts that hold credits, one row per user."""

    id = UUIDField(
        primary_key=True,
        default=new_id,
        help_text="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = DateTimeTZField(
        constraints=[Default("now()")],
        help_text="When the row was written",
    )
    updated_at = DateTimeTZField(
        constraints=[Default("now()")],
        help_text="When the row was last changed",
    )
    credits = BigIntegerField(
        constraints=[Default("0")],
        help_text="Balance now, in credits; never below zero",
    )
    membership_expires_at = DateTimeTZField(
        null=True,
        help_text="When the membership ends; NULL for one without an end, or for none",
    )
    membership_tier = CharField(
        max_length=50,
        null=True,
        help_text="Membership in lower case, such as pro; NULL for none",
    )

    class Meta:
        table_name = "users"
        constraints = [
            Check("credits >= 0", "ck_users_credits_not_negative"),
            Check(
                "length(membership_tier) BETWEEN 1 AND 50",
                "ck_users_membership_tier_length",
            ),
            Check(
                "membership_tier = lower(membership_tier)",
                "ck_users_membership_tier_lower_case",
            ),
            Check(
                "membership_tier IS NOT NULL OR membership_expires_at IS NULL",
                "ck_users_expiry_has_tier",
            ),
        ]


User.add_index(
    User.membership_tier,
    User.id,
    name="ix_users_membership_tier",
    where=SQL("membership_tier IS NOT NULL"),
)


class Transaction(BaseModel):
    """The ledger: every movement of credits, oldest to newest an unbroken chain per
    user.
    """

    id = UUIDField(
        primary_key=True,
        default=new_id,
        help_text="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = DateTimeTZField(
        constraints=[Default("now()")],
        help_text="When the row was written",
    )
    user = ForeignKeyField(
        User,
        backref="transactions",
        on_delete="RESTRICT",
        constraint_name="fk_transactions_user_id_users",
        index=False,
        help_text="Whose credits moved",
    )
    amount = BigIntegerField(
        help_text="Credits added, or taken where negative; never zero",
    )
    balance_before = BigIntegerField(
        help_text="Balance before the movement, in credits",
    )
    balance_after = BigIntegerField(
        help_text="Balance after it: balance_before + amount",
    )
    action = CharField(
        max_length=100,
        help_text="What the credits moved for, such as generate-post",
    )
    details = BinaryJSONField(
        column_name="metadata",
        default=dict,
        constraints=[Default("('{}')")],
        help_text="What else the application wants to keep",
        index=False,
    )

    class Meta:
        table_name = "transactions"
        constraints = [
            Check("amount <> 0", "ck_transactions_amount_not_zero"),
            Check("balance_before >= 0", "ck_transactions_balance_before_not_negative"),
            Check("balance_after >= 0", "ck_transactions_balance_after_not_negative"),
            Check(
                "balance_after = balance_before + amount",
                "ck_transactions_balance_adds_up",
            ),
            Check("length(action) BETWEEN 1 AND 100", "ck_transactions_action_length"),
        ]


Transaction.add_index(
    Transaction.action,
    Transaction.created_at.desc(),
    name="ix_transactions_action_created_at",
)
Transaction.add_index(
    Transaction.user,
    Transaction.created_at.desc(),
    name="ix_transactions_user_id_created_at",
)


class AuditLog(BaseModel):
    """Who tried what and how it ended, failures included."""

    id = UUIDField(
        primary_key=True,
        default=new_id,
        help_text="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = DateTimeTZField(
        constraints=[Default("now()")],
        help_text="When the row was written",
    )
    user = ForeignKeyField(
        User,
        backref="audit_logs",
        on_delete="RESTRICT",
        constraint_name="fk_audit_logs_user_id_users",
        index=False,
        help_text="Who tried",
    )
    action = CharField(
        max_length=100,
        help_text="What was tried, such as generate-post",
    )
    status = CharField(
        max_length=20,
        choices=STATUS,
        help_text="How it ended: success or failed",
    )
    details = BinaryJSONField(
        column_name="metadata",
        default=dict,
        constraints=[Default("('{}')")],
        help_text="What else the application wants to keep",
        index=False,
    )
    error_message = TextField(
        null=True,
        help_text="Why it failed; NULL where it did not",
    )

    class Meta:
        table_name = "audit_logs"
        constraints = [
            Check("status IN ('success', 'failed')", "ck_audit_logs_status_known"),
            Check(
                "status = 'failed' OR error_message IS NULL",
                "ck_audit_logs_error_only_if_failed",
            ),
            Check("length(action) BETWEEN 1 AND 100", "ck_audit_logs_action_length"),
            Check(
                "length(error_message) <= 2000",
                "ck_audit_logs_error_message_length",
            ),
        ]


AuditLog.add_index(
    AuditLog.created_at.desc(),
    name="ix_audit_logs_failed",
    where=SQL("status = 'failed'"),
)
AuditLog.add_index(
    AuditLog.user,
    AuditLog.created_at.desc(),
    name="ix_audit_logs_user_id_created_at",
)


class IdempotencyRecord(BaseModel):
    """Answers kept so that a request sent twice is done once."""

    key = CharField(max_length=200, primary_key=True, help_text="The caller's key")
    created_at = DateTimeTZField(
        constraints=[Default("now()")],
        help_text="When the row was written",
    )
    expires_at = DateTimeTZField(help_text="From when on the key may be used anew")
    result = BinaryJSONField(
        help_text=(
            "The answer under receipt, and under fingerprint the hash of the request "
            "that it answers"
        ),
        index=False,
    )

    class Meta:
        table_name = "idempotency_records"
        constraints = [
            Check("length(key) BETWEEN 1 AND 200", "ck_idempotency_records_key_length"),
            Check(
                "expires_at > created_at",
                "ck_idempotency_records_expires_after_creation",
            ),
        ]


IdempotencyRecord.add_index(
    IdempotencyRecord.expires_at,
    name="ix_idempotency_records_expires_at",
)


MODELS = [User, Transaction, AuditLog, IdempotencyRecord]
