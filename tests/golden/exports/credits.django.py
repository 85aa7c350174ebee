"""Users spend credits: balances that cannot go below zero, a ledger, an audit log,
retries done once.
"""

from dbplan.columns import new_id
from django.db import models


class LongIndex(models.Index):
    """An index whose name may be as long as the server's are."""

    max_name_length = 63


def in_sql(template, field=None):
    """Return an expression in the words of the server."""
    return models.Func(template=template, output_field=field or models.BooleanField())


class Status(models.TextChoices):
    SUCCESS = "success"
    FAILED = "failed"


class User(models.Model):
    """Accounts that hold credits, one row per user."""

    id = models.UUIDField(
        primary_key=True,
        default=new_id,
        db_comment="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = models.DateTimeField(
        db_default=in_sql("now()", models.DateTimeField()),
        db_comment="When the row was written",
    )
    updated_at = models.DateTimeField(
        db_default=in_sql("now()", models.DateTimeField()),
        db_comment="When the row was last changed",
    )
    credits = models.BigIntegerField(
        db_default=0,
        db_comment="Balance now, in credits; never below zero",
    )
    membership_expires_at = models.DateTimeField(
        null=True,
        blank=True,
        db_comment="When the membership ends; NULL for one without an end, or for none",
    )
    membership_tier = models.CharField(
        max_length=50,
        null=True,
        blank=True,
        db_comment="Membership in lower case, such as pro; NULL for none",
    )

    class Meta:
        db_table = "users"
        db_table_comment = "Accounts that hold credits, one row per user"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(credits__gte=0),
                name="ck_users_credits_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(in_sql("length(membership_tier) BETWEEN 1 AND 50")),
                name="ck_users_membership_tier_length",
            ),
            models.CheckConstraint(
                condition=models.Q(in_sql("membership_tier = lower(membership_tier)")),
                name="ck_users_membership_tier_lower_case",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(membership_tier__isnull=False)
                    | models.Q(membership_expires_at__isnull=True)
                ),
                name="ck_users_expiry_has_tier",
            ),
        ]
        indexes = [
            models.Index(
                name="ix_users_membership_tier",
                fields=["membership_tier", "id"],
                condition=models.Q(membership_tier__isnull=False),
            ),
        ]


class Transaction(models.Model):
    """The ledger: every movement of credits, oldest to newest an unbroken chain per
    user.
    """

    id = models.UUIDField(
        primary_key=True,
        default=new_id,
        db_comment="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = models.DateTimeField(
        db_default=in_sql("now()", models.DateTimeField()),
        db_comment="When the row was written",
    )
    user = models.ForeignKey(
        "User",
        on_delete=models.PROTECT,
        related_name="transactions",
        db_index=False,
        db_comment="Whose credits moved",
    )
    amount = models.BigIntegerField(
        db_comment="Credits added, or taken where negative; never zero",
    )
    balance_before = models.BigIntegerField(
        db_comment="Balance before the movement, in credits",
    )
    balance_after = models.BigIntegerField(
        db_comment="Balance after it: balance_before + amount",
    )
    action = models.CharField(
        max_length=100,
        db_comment="What the credits moved for, such as generate-post",
    )
    details = models.JSONField(
        db_column="metadata",
        default=dict,
        db_default=in_sql("('{}')", models.JSONField()),
        db_comment="What else the application wants to keep",
    )

    class Meta:
        db_table = "transactions"
        db_table_comment = (
            "The ledger: every movement of credits, oldest to newest an unbroken chain "
            "per user"
        )
        constraints = [
            models.CheckConstraint(
                condition=models.Q(in_sql("amount <> 0")),
                name="ck_transactions_amount_not_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(balance_before__gte=0),
                name="ck_transactions_balance_before_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(balance_after__gte=0),
                name="ck_transactions_balance_after_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(in_sql("balance_after = balance_before + amount")),
                name="ck_transactions_balance_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(in_sql("length(action) BETWEEN 1 AND 100")),
                name="ck_transactions_action_length",
            ),
        ]
        indexes = [
            LongIndex(
                name="ix_transactions_action_created_at",
                fields=["action", "-created_at"],
            ),
            LongIndex(
                name="ix_transactions_user_id_created_at",
                fields=["user", "-created_at"],
            ),
        ]


class AuditLog(models.Model):
    """Who tried what and how it ended, failures included."""

    id = models.UUIDField(
        primary_key=True,
        default=new_id,
        db_comment="UUIDv7: unique everywhere, and sorts by creation time",
    )
    created_at = models.DateTimeField(
        db_default=in_sql("now()", models.DateTimeField()),
        db_comment="When the row was written",
    )
    user = models.ForeignKey(
        "User",
        on_delete=models.PROTECT,
        related_name="audit_logs",
        db_index=False,
        db_comment="Who tried",
    )
    action = models.CharField(
        max_length=100,
        db_comment="What was tried, such as generate-post",
    )
    status = models.CharField(
        max_length=20,
        choices=Status.choices,
        db_comment="How it ended: success or failed",
    )
    details = models.JSONField(
        db_column="metadata",
        default=dict,
        db_default=in_sql("('{}')", models.JSONField()),
        db_comment="What else the application wants to keep",
    )
    error_message = models.TextField(
        null=True,
        blank=True,
        db_comment="Why it failed; NULL where it did not",
    )

    class Meta:
        db_table = "audit_logs"
        db_table_comment = "Who tried what and how it ended, failures included"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["success", "failed"]),
                name="ck_audit_logs_status_known",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(status="failed") | models.Q(error_message__isnull=True)
                ),
                name="ck_audit_logs_error_only_if_failed",
            ),
            models.CheckConstraint(
                condition=models.Q(in_sql("length(action) BETWEEN 1 AND 100")),
                name="ck_audit_logs_action_length",
            ),
            models.CheckConstraint(
                condition=models.Q(in_sql("length(error_message) <= 2000")),
                name="ck_audit_logs_error_message_length",
            ),
        ]
        indexes = [
            models.Index(
                name="ix_audit_logs_failed",
                fields=["-created_at"],
                condition=models.Q(status="failed"),
            ),
            LongIndex(
                name="ix_audit_logs_user_id_created_at",
                fields=["user", "-created_at"],
            ),
        ]


class IdempotencyRecord(models.Model):
    """Answers kept so that a request sent twice is done once."""

    key = models.CharField(
        max_length=200,
        primary_key=True,
        db_comment="The caller's key",
    )
    created_at = models.DateTimeField(
        db_default=in_sql("now()", models.DateTimeField()),
        db_comment="When the row was written",
    )
    expires_at = models.DateTimeField(
        db_comment="From when on the key may be used anew",
    )
    result = models.JSONField(
        db_comment=(
            "The answer under receipt, and under fingerprint the hash of the request "
            "that it answers"
        ),
    )

    class Meta:
        db_table = "idempotency_records"
        db_table_comment = "Answers kept so that a request sent twice is done once"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(in_sql("length(key) BETWEEN 1 AND 200")),
                name="ck_idempotency_records_key_length",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="ck_idempotency_records_expires_after_creation",
            ),
        ]
        indexes = [
            LongIndex(name="ix_idempotency_records_expires_at", fields=["expires_at"]),
        ]
