"""Users spend credits: balances that cannot go below zero, a ledger, an audit log,
retries done once.
"""

from enum import StrEnum

from dbplan.columns import new_id
from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Status(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"


class User(Model):
    """Accounts that hold credits, one row per user."""

    id = fields.UUIDField(
        primary_key=True,
        default=new_id,
        description="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = fields.DatetimeField(
        db_default=fields.SqlDefault("now()"),
        description="When the row was written",
    )
    updated_at = fields.DatetimeField(
        db_default=fields.SqlDefault("now()"),
        description="When the row was last changed",
    )
    credits = fields.BigIntField(
        db_default=0,
        description="Balance now, in credits; never below zero",
    )
    membership_expires_at = fields.DatetimeField(
        null=True,
        description=(
            "When the membership ends; NULL for one without an end, or for none"
        ),
    )
    membership_tier = fields.CharField(
        max_length=50,
        null=True,
        description="Membership in lower case, such as pro; NULL for none",
    )

    class Meta:
        table = "users"
        table_description = "Accounts that hold credits, one row per user"


class Transaction(Model):
    """The ledger: every movement of credits, oldest to newest an unbroken chain per
    user.
    """

    id = fields.UUIDField(
        primary_key=True,
        default=new_id,
        description="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = fields.DatetimeField(
        db_default=fields.SqlDefault("now()"),
        description="When the row was written",
    )
    user = fields.ForeignKeyField(
        "models.User",
        related_name="transactions",
        on_delete=fields.RESTRICT,
        description="Whose credits moved",
    )
    amount = fields.BigIntField(
        description="Credits added, or taken where negative; never zero",
    )
    balance_before = fields.BigIntField(
        description="Balance before the movement, in credits",
    )
    balance_after = fields.BigIntField(
        description="Balance after it: balance_before + amount",
    )
    action = fields.CharField(
        max_length=100,
        description="What the credits moved for, such as generate-post",
    )
    details = fields.JSONField(
        source_field="metadata",
        default=dict,
        db_default=fields.SqlDefault("('{}')"),
        description="What else the application wants to keep",
    )

    class Meta:
        table = "transactions"
        table_description = (
            "The ledger: every movement of credits, oldest to newest an unbroken chain "
            "per user"
        )


class AuditLog(Model):
    """Who tried what and how it ended, failures included."""

    id = fields.UUIDField(
        primary_key=True,
        default=new_id,
        description="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = fields.DatetimeField(
        db_default=fields.SqlDefault("now()"),
        description="When the row was written",
    )
    user = fields.ForeignKeyField(
        "models.User",
        related_name="audit_logs",
        on_delete=fields.RESTRICT,
        description="Who tried",
    )
    action = fields.CharField(
        max_length=100,
        description="What was tried, such as generate-post",
    )
    status = fields.CharEnumField(
        enum_type=Status,
        max_length=20,
        description="How it ended: success or failed",
    )
    details = fields.JSONField(
        source_field="metadata",
        default=dict,
        db_default=fields.SqlDefault("('{}')"),
        description="What else the application wants to keep",
    )
    error_message = fields.TextField(
        null=True,
        description="Why it failed; NULL where it did not",
    )

    class Meta:
        table = "audit_logs"
        table_description = "Who tried what and how it ended, failures included"


class IdempotencyRecord(Model):
    """Answers kept so that a request sent twice is done once."""

    key = fields.CharField(
        primary_key=True,
        max_length=200,
        description="The caller's key",
    )
    created_at = fields.DatetimeField(
        db_default=fields.SqlDefault("now()"),
        description="When the row was written",
    )
    expires_at = fields.DatetimeField(
        description="From when on the key may be used anew",
    )
    result = fields.JSONField(
        description=(
            "The answer under receipt, and under fingerprint the hash of the request "
            "that it answers"
        ),
    )

    class Meta:
        table = "idempotency_records"
        table_description = "Answers kept so that a request sent twice is done once"
        indexes = [
            Index(fields=["expires_at"], name="ix_idempotency_records_expires_at"),
        ]
