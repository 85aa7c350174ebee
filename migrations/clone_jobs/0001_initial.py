"""Create users, clone_jobs, clone_assets, subscriptions, payments and audit_logs.

The downgrade drops the six tables with all that is in them.
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
WORD = sa.String(20)
EMPTY, ZERO = sa.text("('{}')"), sa.text("0")
NEWEST = sa.text("created_at DESC")

ID = "UUIDv7: unique everywhere, and sorts by creation time"
WRITTEN = "When the row was written"
CHANGED = "When the row was last changed"
DELETED = "When the row was deleted; NULL while it lives"

PASSWORD_HASH = "password_hash LIKE '$argon2id$v=%$m=%,t=%,p=%$%$%' OR password_hash LIKE '$2_$__$%'"  # noqa: S105
LEASED = (
    "(status = 'running' AND lease_id IS NOT NULL AND worker IS NOT NULL AND locked_until IS NOT NULL) OR "
    "(status <> 'running' AND lease_id IS NULL AND worker IS NULL AND locked_until IS NULL)"
)
FINISHED = (
    "(status IN ('pending', 'running') AND finished_at IS NULL) OR "
    "(status NOT IN ('pending', 'running') AND finished_at IS NOT NULL)"
)
CANCELLED = "(status = 'cancelled' AND cancelled_at IS NOT NULL) OR (status <> 'cancelled' AND cancelled_at IS NULL)"
WEB = "url LIKE 'http://_%' OR url LIKE 'https://_%'"


def upgrade() -> None:
    create_users()
    create_clone_jobs()
    create_clone_assets()
    create_subscriptions()
    create_payments()
    create_audit_logs()


def downgrade() -> None:
    for table in ("audit_logs", "payments", "subscriptions", "clone_assets", "clone_jobs", "users"):
        op.drop_table(table)


def column(name: str, kind: sa.types.TypeEngine, comment: str, default: sa.TextClause | None = None) -> sa.Column:
    return sa.Column(name, kind, server_default=default, nullable=False, comment=comment)


def optional(name: str, kind: sa.types.TypeEngine, comment: str) -> sa.Column:
    return sa.Column(name, kind, comment=comment)


def key() -> sa.Column:
    return column("id", sa.Uuid(), ID)


def stamp(name: str, comment: str) -> sa.Column:
    return sa.Column(name, INSTANT, server_default=sa.func.now(), nullable=False, comment=comment)


def created_at() -> sa.Column:
    return stamp("created_at", WRITTEN)


def updated_at() -> sa.Column:
    return stamp("updated_at", CHANGED)


def reference(table: str, name: str, to: str, on_delete: str) -> sa.ForeignKeyConstraint:
    key = op.f(f"fk_{table}_{name}_{to}")
    return sa.ForeignKeyConstraint([name], [f"{to}.id"], name=key, ondelete=on_delete)


def primary_key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def unique(table: str, *names: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*names, name=op.f(f"uq_{table}_{'_'.join(names)}"))


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def partial_index(name: str, table: str, columns: list, condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, postgresql_where=where, sqlite_where=where)


def create_users() -> None:
    op.create_table(
        "users",
        key(),
        created_at(),
        updated_at(),
        column("email", sa.String(254), "E-mail address in lower case"),
        optional("name", sa.String(200), "The name they go by; NULL where they gave none"),
        optional("email_verified", INSTANT, "When they proved that the address is theirs; NULL until then"),
        optional("image", sa.Text(), "URL of their picture; NULL where they gave none"),
        optional("password_hash", sa.String(255), "Argon2id or bcrypt, salt included; NULL once the person is erased"),
        column("role", WORD, "What they may do: user, support or admin", sa.text("'user'")),
        optional("deleted_at", INSTANT, DELETED),
        optional(
            "erased_at",
            INSTANT,
            "When address, name, picture and password were erased for good; NULL while they are there",
        ),
        primary_key("users"),
        check("users", "email_form", "email LIKE '_%@_%' AND email = lower(email)"),
        check("users", "email_length", "length(email) BETWEEN 3 AND 254"),
        check("users", "name_length", "length(name) BETWEEN 1 AND 200"),
        check("users", "image_length", "length(image) BETWEEN 1 AND 2000"),
        check("users", "role_known", "role IN ('user', 'support', 'admin')"),
        check("users", "password_hash_form", PASSWORD_HASH),
        check("users", "password_hash_length", "length(password_hash) BETWEEN 60 AND 255"),
        check("users", "password_unless_erased", "password_hash IS NOT NULL OR erased_at IS NOT NULL"),
        check("users", "erased_is_deleted", "erased_at IS NULL OR deleted_at IS NOT NULL"),
        comment="People who have websites cloned, one row per account",
    )
    partial_index("ix_users_email", "users", ["email"], "deleted_at IS NULL", unique=True)
    partial_index("ix_users_deleted_at", "users", ["deleted_at"], "deleted_at IS NOT NULL AND erased_at IS NULL")


def create_clone_jobs() -> None:
    op.create_table(
        "clone_jobs",
        key(),
        created_at(),
        updated_at(),
        column("user_id", sa.Uuid(), "Who asked for it"),
        column("url", sa.String(2048), "The page that cloning begins at, http or https"),
        column("options", DOCUMENT, "How to clone, such as max_depth and respect_robots", EMPTY),
        column("status", WORD, "Where it is: pending, running, or how it ended", sa.text("'pending'")),
        column("priority", sa.SmallInteger(), "0 to 9; the higher is claimed first", ZERO),
        column("run_after", INSTANT, "From when on it may be claimed: now, or after a pause"),
        column("attempts", sa.SmallInteger(), "How often it was claimed", ZERO),
        column("max_attempts", sa.SmallInteger(), "How often it may be claimed before it has failed", sa.text("3")),
        optional("lease_id", sa.Uuid(), "The claim that may report now; NULL while nobody works on it"),
        optional("worker", sa.String(100), "Who works on it, such as host and process"),
        optional("locked_until", INSTANT, "From when on another worker may take it over; each report moves it on"),
        column("progress", sa.SmallInteger(), "Part that is done, in percent", ZERO),
        optional("error", sa.Text(), "Why the last attempt failed; NULL where none did"),
        column("asset_count", sa.BigInteger(), "Files of the clone, counted at its end", ZERO),
        column("size_bytes", sa.BigInteger(), "Size of the clone, added up at its end", ZERO),
        optional("started_at", INSTANT, "When the last attempt began; NULL before the first"),
        optional("finished_at", INSTANT, "When it was completed, failed for good or was cancelled; NULL before"),
        optional("deleted_at", INSTANT, DELETED),
        primary_key("clone_jobs"),
        reference("clone_jobs", "user_id", "users", "CASCADE"),
        *checks_of_clone_jobs(),
        comment="Websites to clone: the queue, and the record of what became of each",
    )
    op.create_index("ix_clone_jobs_user_id_created_at", "clone_jobs", ["user_id", NEWEST])
    due = [sa.text("priority DESC"), "run_after"]
    partial_index("ix_clone_jobs_due", "clone_jobs", due, "status = 'pending'")
    partial_index("ix_clone_jobs_leased", "clone_jobs", ["locked_until"], "status = 'running'")
    partial_index("ix_clone_jobs_deleted_at", "clone_jobs", ["deleted_at"], "deleted_at IS NOT NULL")


def checks_of_clone_jobs() -> list[sa.CheckConstraint]:
    conditions = {
        "status_known": "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')",
        "url_web": WEB,
        "url_length": "length(url) BETWEEN 8 AND 2048",
        "priority_range": "priority BETWEEN 0 AND 9",
        "progress_range": "progress BETWEEN 0 AND 100",
        "max_attempts_range": "max_attempts BETWEEN 1 AND 20",
        "attempts_range": "attempts BETWEEN 0 AND max_attempts",
        "pending_has_attempts": "status <> 'pending' OR attempts < max_attempts",
        "worker_length": "length(worker) BETWEEN 1 AND 100",
        "error_length": "length(error) BETWEEN 1 AND 2000",
        "asset_count_not_negative": "asset_count >= 0",
        "size_bytes_not_negative": "size_bytes >= 0",
        "leased_while_running": LEASED,
        "started_if_tried": "status IN ('pending', 'cancelled') OR started_at IS NOT NULL",
        "finished_if_over": FINISHED,
        "finished_after_start": "finished_at >= started_at",
        "completed_is_whole": "status <> 'completed' OR progress = 100",
        "failed_has_error": "status <> 'failed' OR error IS NOT NULL",
        "deleted_is_over": "deleted_at IS NULL OR finished_at IS NOT NULL",
    }
    return [check("clone_jobs", name, condition) for name, condition in conditions.items()]


def create_clone_assets() -> None:
    op.create_table(
        "clone_assets",
        key(),
        created_at(),
        column("job_id", sa.Uuid(), "The job that fetched it"),
        column("path", sa.String(1024), "Where it lies in the clone, such as css/site.css"),
        column("url", sa.String(2048), "Where it was fetched"),
        column("kind", WORD, "What it is to a page, such as html or image"),
        column("content_type", sa.String(255), "Media type in lower case, such as text/css"),
        column("size_bytes", sa.BigInteger(), "Its size"),
        column("sha256", sa.String(64), "SHA-256 of its content, in hexadecimal digits"),
        primary_key("clone_assets"),
        reference("clone_assets", "job_id", "clone_jobs", "CASCADE"),
        unique("clone_assets", "job_id", "path"),
        check("clone_assets", "kind_known", "kind IN ('html', 'css', 'script', 'image', 'font', 'other')"),
        check("clone_assets", "path_length", "length(path) BETWEEN 1 AND 1024"),
        check("clone_assets", "path_relative", "path NOT LIKE '/%'"),
        check("clone_assets", "url_web", WEB),
        check("clone_assets", "url_length", "length(url) BETWEEN 8 AND 2048"),
        check("clone_assets", "content_type_length", "length(content_type) BETWEEN 3 AND 255"),
        check("clone_assets", "content_type_lower_case", "content_type = lower(content_type)"),
        check("clone_assets", "size_bytes_not_negative", "size_bytes >= 0"),
        check("clone_assets", "sha256_length", "length(sha256) = 64"),
        check("clone_assets", "sha256_lower_case", "sha256 = lower(sha256)"),
        comment="Files of clones, one row per path and job",
    )


def create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        key(),
        created_at(),
        updated_at(),
        column("user_id", sa.Uuid(), "Who subscribes"),
        column("plan", WORD, "What they may use now, such as pro"),
        optional("next_plan", WORD, "What follows at the end of the period; NULL where the plan goes on"),
        column("status", WORD, "How it stands: trialing, active, past_due or cancelled"),
        column(
            "billing_anchor", INSTANT, "The instant that months are counted from: the start, or the end of the trial"
        ),
        column("current_period_start", INSTANT, "When the month or trial that runs began"),
        column("current_period_end", INSTANT, "When it ends and the next one begins"),
        column("cancel_at_period_end", sa.Boolean(), "Whether no period follows this one", sa.text("false")),
        optional("cancelled_at", INSTANT, "When it ended; NULL while it lives"),
        optional(
            "provider",
            sa.String(50),
            "Who collects the money, in lower case, such as stripe; NULL where nobody does",
        ),
        optional(
            "provider_subscription_id",
            sa.String(255),
            "The subscription's id at the provider; NULL where there is no provider",
        ),
        primary_key("subscriptions"),
        reference("subscriptions", "user_id", "users", "RESTRICT"),
        unique("subscriptions", "id", "user_id"),
        *checks_of_subscriptions(),
        comment="Subscriptions, ended ones included; a user has one that lives",
    )
    live = "status <> 'cancelled'"
    op.create_index("ix_subscriptions_user_id_created_at", "subscriptions", ["user_id", NEWEST])
    partial_index("ix_subscriptions_user_id_live", "subscriptions", ["user_id"], live, unique=True)
    partial_index("ix_subscriptions_period_end", "subscriptions", ["current_period_end"], live)
    partial_index(
        "ix_subscriptions_provider_subscription_id",
        "subscriptions",
        ["provider", "provider_subscription_id"],
        "provider_subscription_id IS NOT NULL",
        unique=True,
    )


def checks_of_subscriptions() -> list[sa.CheckConstraint]:
    conditions = {
        "plan_known": "plan IN ('free', 'starter', 'pro', 'enterprise')",
        "next_plan_known": "next_plan IN ('free', 'starter', 'pro', 'enterprise')",
        "status_known": "status IN ('trialing', 'active', 'past_due', 'cancelled')",
        "next_plan_differs": "next_plan <> plan",
        "next_plan_if_it_goes_on": "next_plan IS NULL OR NOT cancel_at_period_end",
        "period_ends_after_start": "current_period_end > current_period_start",
        "cancelled_has_time": CANCELLED,
        "provider_lower_case": "provider = lower(provider)",
        "provider_length": "length(provider) BETWEEN 1 AND 50",
        "provider_subscription_id_length": "length(provider_subscription_id) BETWEEN 1 AND 255",
        "provider_with_id": "(provider IS NULL AND provider_subscription_id IS NULL) OR "
        "(provider IS NOT NULL AND provider_subscription_id IS NOT NULL)",
    }
    return [check("subscriptions", name, condition) for name, condition in conditions.items()]


def create_payments() -> None:
    op.create_table(
        "payments",
        key(),
        created_at(),
        updated_at(),
        column("user_id", sa.Uuid(), "Who pays"),
        optional("subscription_id", sa.Uuid(), "What for; NULL for a single purchase"),
        column("provider", sa.String(50), "Who collects, in lower case, such as stripe"),
        column("provider_payment_id", sa.String(255), "The payment's id at the provider"),
        column("amount", sa.BigInteger(), "In the currency's smallest unit: cents for USD, yen for JPY"),
        column("currency", sa.String(3), "ISO 4217 code, such as USD"),
        column("refunded_amount", sa.BigInteger(), "What of it was given back", ZERO),
        column("status", WORD, "How it stands: pending, succeeded, failed or refunded"),
        optional(
            "failure_reason",
            sa.String(200),
            "Why it failed, in the provider's words; NULL where it did not or none were given",
        ),
        column("occurred_at", INSTANT, "When, by the provider's clock, it came to stand so"),
        primary_key("payments"),
        reference("payments", "user_id", "users", "RESTRICT"),
        sa.ForeignKeyConstraint(
            ["subscription_id", "user_id"],
            ["subscriptions.id", "subscriptions.user_id"],
            name=op.f("fk_payments_subscription_id_user_id_subscriptions"),
            ondelete="RESTRICT",
        ),
        unique("payments", "provider", "provider_payment_id"),
        check("payments", "status_known", "status IN ('pending', 'succeeded', 'failed', 'refunded')"),
        check("payments", "provider_lower_case", "provider = lower(provider)"),
        check("payments", "provider_length", "length(provider) BETWEEN 1 AND 50"),
        check("payments", "provider_payment_id_length", "length(provider_payment_id) BETWEEN 1 AND 255"),
        check("payments", "amount_positive", "amount > 0"),
        check("payments", "currency_length", "length(currency) = 3"),
        check("payments", "currency_upper_case", "currency = upper(currency)"),
        check("payments", "refunded_amount_range", "refunded_amount BETWEEN 0 AND amount"),
        check("payments", "refund_of_success", "refunded_amount = 0 OR status IN ('succeeded', 'refunded')"),
        check("payments", "refunded_is_whole", "status <> 'refunded' OR refunded_amount = amount"),
        check("payments", "reason_only_if_failed", "failure_reason IS NULL OR status = 'failed'"),
        check("payments", "failure_reason_length", "length(failure_reason) BETWEEN 1 AND 200"),
        comment="Payments, each once, however often its provider tells of it",
    )
    op.create_index("ix_payments_user_id_created_at", "payments", ["user_id", NEWEST])
    latest = ["subscription_id", "user_id", sa.text("occurred_at DESC")]
    op.create_index("ix_payments_subscription_id_user_id_occurred_at", "payments", latest)


def create_audit_logs() -> None:
    op.create_table(
        "audit_logs",
        key(),
        created_at(),
        optional("actor_id", sa.Uuid(), "Who did it; NULL for workers, webhooks and schedules"),
        column("action", sa.String(100), "What was done, such as job.cancel"),
        column("subject_type", WORD, "What it was done to"),
        column("subject_id", sa.Uuid(), "The key of what it was done to, which may be gone"),
        optional("old_values", DOCUMENT, "The changed fields before; NULL for a new row"),
        optional("new_values", DOCUMENT, "The changed fields after; NULL for a purged row"),
        primary_key("audit_logs"),
        reference("audit_logs", "actor_id", "users", "RESTRICT"),
        check("audit_logs", "action_length", "length(action) BETWEEN 1 AND 100"),
        check("audit_logs", "subject_type_known", "subject_type IN ('user', 'clone_job', 'subscription', 'payment')"),
        check("audit_logs", "says_what_changed", "old_values IS NOT NULL OR new_values IS NOT NULL"),
        comment="Who changed what: rows are added and never changed",
    )
    op.create_index("ix_audit_logs_subject_id_created_at", "audit_logs", ["subject_id", NEWEST])
    partial_index("ix_audit_logs_actor_id_created_at", "audit_logs", ["actor_id", NEWEST], "actor_id IS NOT NULL")
