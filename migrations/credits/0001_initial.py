"""Create users, transactions, audit_logs and idempotency_records.

The downgrade drops the four tables with all that is in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
EMPTY = sa.text("('{}')")
# An expression, not text: key is a reserved word in SQLite and MySQL, and each dialect quotes its own.
KEY_LENGTH = sa.func.length(sa.column("key")).between(sa.literal_column("1"), sa.literal_column("200"))

ID = "UUIDv7: unique everywhere, and sorts by creation time"
WRITTEN = "When the row was written"
DETAILS = "What else the application wants to keep"


def upgrade() -> None:
    create_users()
    create_transactions()
    create_audit_logs()
    create_idempotency_records()


def downgrade() -> None:
    for table in ("idempotency_records", "audit_logs", "transactions", "users"):
        op.drop_table(table)


def created_at() -> sa.Column:
    return sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False, comment=WRITTEN)


def reference_to_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="RESTRICT")


def check(table: str, name: str, condition: str | sa.ColumnElement[bool]) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False, comment=ID),
        created_at(),
        sa.Column(
            "updated_at", INSTANT, server_default=sa.func.now(), nullable=False, comment="When the row was last changed"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        comment="Accounts that hold credits, one row per user",
    )


def create_transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("id", sa.Uuid(), nullable=False, comment=ID),
        created_at(),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose credits moved"),
        sa.Column(
            "amount", sa.BigInteger(), nullable=False, comment="Credits added, or taken where negative; never zero"
        ),
        sa.Column("balance_before", sa.BigInteger(), nullable=False, comment="Balance before the movement, in credits"),
        sa.Column(
            "balance_after", sa.BigInteger(), nullable=False, comment="Balance after it: balance_before + amount"
        ),
        sa.Column(
            "action", sa.String(100), nullable=False, comment="What the credits moved for, such as generate-post"
        ),
        sa.Column("metadata", DOCUMENT, server_default=EMPTY, nullable=False, comment=DETAILS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        reference_to_user("transactions"),
        check("transactions", "amount_not_zero", "amount <> 0"),
        check("transactions", "balance_before_not_negative", "balance_before >= 0"),
        check("transactions", "balance_after_not_negative", "balance_after >= 0"),
        check("transactions", "balance_adds_up", "balance_after = balance_before + amount"),
        check("transactions", "action_length", "length(action) BETWEEN 1 AND 100"),
        comment="The ledger: every movement of credits, oldest to newest an unbroken chain per user",
    )
    newest_first = sa.text("created_at DESC")
    op.create_index("ix_transactions_user_id_created_at", "transactions", ["user_id", newest_first])
    op.create_index("ix_transactions_action_created_at", "transactions", ["action", newest_first])


def create_audit_logs() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Uuid(), nullable=False, comment=ID),
        created_at(),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Who tried"),
        sa.Column("action", sa.String(100), nullable=False, comment="What was tried, such as generate-post"),
        sa.Column("status", sa.String(20), nullable=False, comment="How it ended: success or failed"),
        sa.Column("metadata", DOCUMENT, server_default=EMPTY, nullable=False, comment=DETAILS),
        sa.Column("error_message", sa.Text(), comment="Why it failed; NULL where it did not"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
        reference_to_user("audit_logs"),
        check("audit_logs", "status_known", "status IN ('success', 'failed')"),
        check("audit_logs", "error_only_if_failed", "status = 'failed' OR error_message IS NULL"),
        check("audit_logs", "action_length", "length(action) BETWEEN 1 AND 100"),
        check("audit_logs", "error_message_length", "length(error_message) <= 2000"),
        comment="Who tried what and how it ended, failures included",
    )
    newest_first, failed = sa.text("created_at DESC"), sa.text("status = 'failed'")
    op.create_index("ix_audit_logs_user_id_created_at", "audit_logs", ["user_id", newest_first])
    op.create_index("ix_audit_logs_failed", "audit_logs", [newest_first], postgresql_where=failed, sqlite_where=failed)


def create_idempotency_records() -> None:
    op.create_table(
        "idempotency_records",
        sa.Column("key", sa.String(200), nullable=False, comment="The caller's key"),
        created_at(),
        sa.Column("expires_at", INSTANT, nullable=False, comment="From when on the key may be used anew"),
        sa.Column(
            "result",
            DOCUMENT,
            nullable=False,
            comment="The answer under receipt, and under fingerprint the hash of the request that it answers",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_records")),
        check("idempotency_records", "key_length", KEY_LENGTH),
        check("idempotency_records", "expires_after_creation", "expires_at > created_at"),
        comment="Answers kept so that a request sent twice is done once",
    )
    op.create_index("ix_idempotency_records_expires_at", "idempotency_records", ["expires_at"])
