"""Clone jobs: who has websites cloned, the queue of their jobs, what was fetched, and what they pay for it."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import (
    EMAIL,
    TYPES,
    Created,
    Identified,
    Person,
    SoftDeleted,
    Updated,
    lower_case,
    named_metadata,
    one_of,
    sized,
    words,
)

EMPTY = text("('{}')")
ZERO = text("0")

# What argon2 and bcrypt write; nothing that a person would type looks like it.
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


class Role(StrEnum):
    """What a person may do."""

    USER = "user"
    SUPPORT = "support"
    ADMIN = "admin"


class JobStatus(StrEnum):
    """Where a clone job is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AssetKind(StrEnum):
    """What a fetched file is to a page."""

    HTML = "html"
    CSS = "css"
    SCRIPT = "script"
    IMAGE = "image"
    FONT = "font"
    OTHER = "other"


class Tier(StrEnum):
    """What can be subscribed to, from the least to the most."""

    FREE = "free"
    STARTER = "starter"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class SubscriptionStatus(StrEnum):
    """How a subscription stands."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """How a payment stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"


class Subject(StrEnum):
    """What an audit entry speaks of."""

    USER = "user"
    CLONE_JOB = "clone_job"
    SUBSCRIPTION = "subscription"
    PAYMENT = "payment"


class Base(DeclarativeBase):
    """The tables of this plan."""

    metadata = named_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = dict(TYPES)


class User(Identified, Created, Updated, Person, SoftDeleted, Base):
    """Somebody who has websites cloned."""

    __tablename__ = "users"

    password_hash: Mapped[str | None] = mapped_column(
        String(255), sort_order=1, comment="Argon2id or bcrypt, salt included; NULL once the person is erased"
    )
    role: Mapped[Role] = mapped_column(
        words(Role), server_default=text("'user'"), sort_order=1, comment="What they may do: user, support or admin"
    )
    erased_at: Mapped[dt.datetime | None] = mapped_column(
        sort_order=2, comment="When address, name, picture and password were erased for good; NULL while they are there"
    )

    jobs: WriteOnlyMapped[CloneJob] = relationship(back_populates="user", passive_deletes=True)
    subscriptions: WriteOnlyMapped[Subscription] = relationship(back_populates="user", passive_deletes="all")
    payments: WriteOnlyMapped[Payment] = relationship(back_populates="user", passive_deletes="all")

    __table_args__ = (
        CheckConstraint(EMAIL, name="email_form"),
        CheckConstraint(sized("email", 3, 254), name="email_length"),
        CheckConstraint(sized("name", 1, 200), name="name_length"),
        CheckConstraint(sized("image", 1, 2000), name="image_length"),
        CheckConstraint(one_of("role", Role), name="role_known"),
        CheckConstraint(PASSWORD_HASH, name="password_hash_shape"),
        CheckConstraint(sized("password_hash", 60, 255), name="password_hash_length"),
        CheckConstraint("password_hash IS NOT NULL OR erased_at IS NOT NULL", name="password_unless_erased"),
        CheckConstraint("erased_at IS NULL OR deleted_at IS NOT NULL", name="erased_is_deleted"),
        {
            "comment": "People who have websites cloned, one row per account",
            "info": {
                "decisions": (
                    "The fields were left open; these are what signing in needs. The address is kept in lower case "
                    "and unique among those who are not deleted, so that whoever left may sign up anew.",
                    "A password is never kept: a CHECK wants the shape of an Argon2id or a bcrypt hash. The latter "
                    "come along from the files that accounts lived in; the next sign-in may replace them.",
                    "email_verified says when, which a boolean would not; for who has not it is NULL.",
                    "Soft delete was asked for. A deleted person can be restored for a month, then is erased: "
                    "address, name, picture and password go. The row stays: payments and the audit log refer to it.",
                    "The index on deleted_at holds only those who wait to be erased.",
                ),
            },
        },
    )


class CloneJob(Identified, Created, Updated, SoftDeleted, Base):
    """One website to clone: what was asked for, its place in the queue, and how it ended."""

    __tablename__ = "clone_jobs"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), comment="Who asked for it")
    url: Mapped[str] = mapped_column(String(2048), comment="The page that cloning begins at, http or https")
    options: Mapped[dict[str, Any]] = mapped_column(
        server_default=EMPTY, default=dict, comment="How to clone, such as max_depth and respect_robots"
    )
    status: Mapped[JobStatus] = mapped_column(
        words(JobStatus), server_default=text("'pending'"), comment="Where it is: pending, running, or how it ended"
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger, server_default=ZERO, comment="0 to 9; the higher is claimed first"
    )
    run_after: Mapped[dt.datetime] = mapped_column(comment="From when on it may be claimed: now, or after a pause")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO, comment="How often it was claimed")
    max_attempts: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("3"), comment="How often it may be claimed before it has failed"
    )
    lease_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="The claim that may report now; NULL while nobody works on it"
    )
    worker: Mapped[str | None] = mapped_column(String(100), comment="Who works on it, such as host and process")
    locked_until: Mapped[dt.datetime | None] = mapped_column(
        comment="From when on another worker may take it over; each report moves it on"
    )
    progress: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO, comment="Part that is done, in percent")
    error: Mapped[str | None] = mapped_column(Text, comment="Why the last attempt failed; NULL where none did")
    asset_count: Mapped[int] = mapped_column(server_default=ZERO, comment="Files of the clone, counted at its end")
    size_bytes: Mapped[int] = mapped_column(server_default=ZERO, comment="Size of the clone, added up at its end")
    started_at: Mapped[dt.datetime | None] = mapped_column(comment="When the last attempt began; NULL before the first")
    finished_at: Mapped[dt.datetime | None] = mapped_column(
        comment="When it was completed, failed for good or was cancelled; NULL before"
    )

    user: Mapped[User] = relationship(back_populates="jobs")
    assets: WriteOnlyMapped[CloneAsset] = relationship(back_populates="job", passive_deletes=True)

    __table_args__ = (
        CheckConstraint(one_of("status", JobStatus), name="status_known"),
        CheckConstraint("url LIKE 'http://_%' OR url LIKE 'https://_%'", name="url_web"),
        CheckConstraint(sized("url", 8, 2048), name="url_length"),
        CheckConstraint("priority BETWEEN 0 AND 9", name="priority_range"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_range"),
        CheckConstraint("max_attempts BETWEEN 1 AND 20", name="max_attempts_range"),
        CheckConstraint("attempts BETWEEN 0 AND max_attempts", name="attempts_range"),
        CheckConstraint("status <> 'pending' OR attempts < max_attempts", name="pending_has_attempts"),
        CheckConstraint(sized("worker", 1, 100), name="worker_length"),
        CheckConstraint(sized("error", 1, 2000), name="error_length"),
        CheckConstraint("asset_count >= 0", name="asset_count_not_negative"),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        CheckConstraint(LEASED, name="leased_while_running"),
        CheckConstraint("status IN ('pending', 'cancelled') OR started_at IS NOT NULL", name="started_if_tried"),
        CheckConstraint(FINISHED, name="finished_if_over"),
        CheckConstraint("finished_at >= started_at", name="finished_after_start"),
        CheckConstraint("status <> 'completed' OR progress = 100", name="completed_is_whole"),
        CheckConstraint("status <> 'failed' OR error IS NOT NULL", name="failed_has_error"),
        CheckConstraint("deleted_at IS NULL OR finished_at IS NOT NULL", name="deleted_is_over"),
        {
            "comment": "Websites to clone: the queue, and the record of what became of each",
            "info": {
                "decisions": (
                    "The fields were left open. The table is the queue as well: a job and its state change in one "
                    "transaction, which a queue beside the database cannot promise.",
                    "A worker holds a job by lease_id, new at each claim. Only that claim may report: a worker that "
                    "was thought dead finds its lease gone, whatever its clock says. locked_until brings the jobs of "
                    "dead workers back.",
                    "A job that is deleted is over (CHECK): deleting one that waits or runs cancels it. So the "
                    "indexes of the queue need no word on deleted_at.",
                    "Three partial indexes carry the queue: jobs that are due, leases, deleted jobs. Each holds a few "
                    "thousand rows of millions, and leaves a job behind as it ends.",
                    "asset_count and size_bytes are written once, at the end: a list of jobs need not count assets.",
                    "A job goes with its user and takes its assets along (CASCADE, as asked for). What must survive "
                    "stands in the way: whoever has an audit log or a payment is not deleted at all.",
                ),
            },
        },
    )


class CloneAsset(Identified, Created, Base):
    """One file of a clone."""

    __tablename__ = "clone_assets"

    job_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("clone_jobs.id", ondelete="CASCADE"), comment="The job that fetched it"
    )
    path: Mapped[str] = mapped_column(String(1024), comment="Where it lies in the clone, such as css/site.css")
    url: Mapped[str] = mapped_column(String(2048), comment="Where it was fetched")
    kind: Mapped[AssetKind] = mapped_column(words(AssetKind), comment="What it is to a page, such as html or image")
    content_type: Mapped[str] = mapped_column(String(255), comment="Media type in lower case, such as text/css")
    size_bytes: Mapped[int] = mapped_column(comment="Its size")
    sha256: Mapped[str] = mapped_column(String(64), comment="SHA-256 of its content, in hexadecimal digits")

    job: Mapped[CloneJob] = relationship(back_populates="assets")

    __table_args__ = (
        UniqueConstraint("job_id", "path"),
        CheckConstraint(one_of("kind", AssetKind), name="kind_known"),
        CheckConstraint(sized("path", 1, 1024), name="path_length"),
        CheckConstraint("path NOT LIKE '/%'", name="path_relative"),
        CheckConstraint("url LIKE 'http://_%' OR url LIKE 'https://_%'", name="url_web"),
        CheckConstraint(sized("url", 8, 2048), name="url_length"),
        CheckConstraint(sized("content_type", 3, 255), name="content_type_length"),
        CheckConstraint(lower_case("content_type"), name="content_type_lower_case"),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        CheckConstraint("length(sha256) = 64", name="sha256_length"),
        CheckConstraint(lower_case("sha256"), name="sha256_lower_case"),
        {
            "comment": "Files of clones, one row per path and job",
            "info": {
                "decisions": (
                    "The content lies in object storage under the job's id and the path; here is what is known of it. "
                    "Files in rows would make the table that is largest anyway a hundred times as large.",
                    "(job_id, path) is unique: two files cannot lie in one place. The one index serves the pages of a "
                    "job's assets, the cascade and the uniqueness; 150 million rows carry no second one beside the "
                    "primary key. The same URL under two paths is allowed.",
                    "No soft delete: assets are hidden with their job, and go with it (CASCADE, as asked for).",
                ),
            },
        },
    )


class Subscription(Identified, Created, Updated, Base):
    """What somebody pays for, month by month, from its start to its end."""

    __tablename__ = "subscriptions"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), comment="Who subscribes")
    plan: Mapped[Tier] = mapped_column(words(Tier), comment="What they may use now, such as pro")
    next_plan: Mapped[Tier | None] = mapped_column(
        words(Tier), comment="What follows at the end of the period; NULL where the plan goes on"
    )
    status: Mapped[SubscriptionStatus] = mapped_column(
        words(SubscriptionStatus), comment="How it stands: trialing, active, past_due or cancelled"
    )
    billing_anchor: Mapped[dt.datetime] = mapped_column(
        comment="The instant that months are counted from: the start, or the end of the trial"
    )
    current_period_start: Mapped[dt.datetime] = mapped_column(comment="When the month or trial that runs began")
    current_period_end: Mapped[dt.datetime] = mapped_column(comment="When it ends and the next one begins")
    cancel_at_period_end: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Whether no period follows this one"
    )
    cancelled_at: Mapped[dt.datetime | None] = mapped_column(comment="When it ended; NULL while it lives")
    provider: Mapped[str | None] = mapped_column(
        String(50), comment="Who collects the money, in lower case, such as stripe; NULL where nobody does"
    )
    provider_subscription_id: Mapped[str | None] = mapped_column(
        String(255), comment="The subscription's id at the provider; NULL where there is no provider"
    )

    user: Mapped[User] = relationship(back_populates="subscriptions")
    payments: WriteOnlyMapped[Payment] = relationship(
        back_populates="subscription", passive_deletes="all", overlaps="payments,user"
    )

    __table_args__ = (
        UniqueConstraint("id", "user_id"),
        CheckConstraint(one_of("plan", Tier), name="plan_known"),
        CheckConstraint(one_of("next_plan", Tier), name="next_plan_known"),
        CheckConstraint(one_of("status", SubscriptionStatus), name="status_known"),
        CheckConstraint("next_plan <> plan", name="next_plan_differs"),
        CheckConstraint("next_plan IS NULL OR NOT cancel_at_period_end", name="next_plan_if_it_goes_on"),
        CheckConstraint("current_period_end > current_period_start", name="period_ends_after_start"),
        CheckConstraint(CANCELLED, name="cancelled_has_time"),
        CheckConstraint(lower_case("provider"), name="provider_lower_case"),
        CheckConstraint(sized("provider", 1, 50), name="provider_length"),
        CheckConstraint(sized("provider_subscription_id", 1, 255), name="provider_subscription_id_length"),
        CheckConstraint(
            "(provider IS NULL AND provider_subscription_id IS NULL) OR "
            "(provider IS NOT NULL AND provider_subscription_id IS NOT NULL)",
            name="provider_with_id",
        ),
        {
            "comment": "Subscriptions, ended ones included; a user has one that lives",
            "info": {
                "decisions": (
                    "A user has one subscription that is not cancelled: a partial unique index holds it against two "
                    "requests at once. Those that ended stay, since payments refer to them.",
                    "A downgrade and a cancellation wait for the end of the period that is paid for (next_plan, "
                    "cancel_at_period_end); an upgrade is there at once.",
                    "Months are counted from billing_anchor: from period to period, one that began on 31 January "
                    "would end on the 28th for ever after.",
                    "The provider's id is unique where there is one; NULLs are those of the free plan. A partial "
                    "index says so, and a CHECK keeps the pair whole.",
                    "No soft delete: cancelled is the end, and books are not hidden. A user with a subscription "
                    "cannot be deleted (RESTRICT).",
                ),
            },
        },
    )


class Payment(Identified, Created, Updated, Base):
    """One payment, as the provider tells of it."""

    __tablename__ = "payments"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), comment="Who pays")
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(comment="What for; NULL for a single purchase")
    provider: Mapped[str] = mapped_column(String(50), comment="Who collects, in lower case, such as stripe")
    provider_payment_id: Mapped[str] = mapped_column(String(255), comment="The payment's id at the provider")
    amount: Mapped[int] = mapped_column(comment="In the currency's smallest unit: cents for USD, yen for JPY")
    currency: Mapped[str] = mapped_column(String(3), comment="ISO 4217 code, such as USD")
    refunded_amount: Mapped[int] = mapped_column(server_default=ZERO, comment="What of it was given back")
    status: Mapped[PaymentStatus] = mapped_column(
        words(PaymentStatus), comment="How it stands: pending, succeeded, failed or refunded"
    )
    failure_reason: Mapped[str | None] = mapped_column(
        String(200), comment="Why it failed, in the provider's words; NULL where it did not or none were given"
    )
    occurred_at: Mapped[dt.datetime] = mapped_column(comment="When, by the provider's clock, it came to stand so")

    user: Mapped[User] = relationship(back_populates="payments", overlaps="payments")
    subscription: Mapped[Subscription | None] = relationship(back_populates="payments", overlaps="payments,user")

    __table_args__ = (
        UniqueConstraint("provider", "provider_payment_id"),
        ForeignKeyConstraint(
            ["subscription_id", "user_id"], ["subscriptions.id", "subscriptions.user_id"], ondelete="RESTRICT"
        ),
        CheckConstraint(one_of("status", PaymentStatus), name="status_known"),
        CheckConstraint(lower_case("provider"), name="provider_lower_case"),
        CheckConstraint(sized("provider", 1, 50), name="provider_length"),
        CheckConstraint(sized("provider_payment_id", 1, 255), name="provider_payment_id_length"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("length(currency) = 3", name="currency_length"),
        CheckConstraint("currency = upper(currency)", name="currency_upper_case"),
        CheckConstraint("refunded_amount BETWEEN 0 AND amount", name="refunded_amount_range"),
        CheckConstraint("refunded_amount = 0 OR status IN ('succeeded', 'refunded')", name="refund_of_success"),
        CheckConstraint("status <> 'refunded' OR refunded_amount = amount", name="refunded_is_whole"),
        CheckConstraint("failure_reason IS NULL OR status = 'failed'", name="reason_only_if_failed"),
        CheckConstraint(sized("failure_reason", 1, 200), name="failure_reason_length"),
        {
            "comment": "Payments, each once, however often its provider tells of it",
            "info": {
                "decisions": (
                    "Amounts are whole numbers of the currency's smallest unit, as providers send them. Two decimals "
                    "would be wrong for JPY, which has none, and for KWD, which has three.",
                    "(provider, provider_payment_id) is unique: an event that a webhook delivers twice is one "
                    "payment. The same id with another amount, currency or user is refused.",
                    "refunded_amount is the sum given back so far, as providers state it, so that this event too may "
                    "come twice. Part of a payment may be refunded; it is refunded when all of it is.",
                    "currency is text of three letters: a char(3) pads what is shorter and compares by rules of its "
                    "own. Codes come and go, so that they are no enum.",
                    "Books outlive what they speak of: neither a user nor a subscription with payments can be deleted "
                    "(RESTRICT). user_id stands beside subscription_id since a single purchase has no subscription; "
                    "the reference is to the pair, so that nobody pays for a stranger's. A NULL in it means none.",
                ),
            },
        },
    )


class AuditLog(Identified, Created, Base):
    """One change: who made it, to what, and what was there before and after."""

    __tablename__ = "audit_logs"

    actor_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), comment="Who did it; NULL for workers, webhooks and schedules"
    )
    action: Mapped[str] = mapped_column(String(100), comment="What was done, such as job.cancel")
    subject_type: Mapped[Subject] = mapped_column(words(Subject), comment="What it was done to")
    subject_id: Mapped[uuid.UUID] = mapped_column(comment="The key of what it was done to, which may be gone")
    old_values: Mapped[dict[str, Any] | None] = mapped_column(comment="The changed fields before; NULL for a new row")
    new_values: Mapped[dict[str, Any] | None] = mapped_column(comment="The changed fields after; NULL for a purged row")

    actor: Mapped[User | None] = relationship()

    __table_args__ = (
        CheckConstraint(sized("action", 1, 100), name="action_length"),
        CheckConstraint(one_of("subject_type", Subject), name="subject_type_known"),
        CheckConstraint("old_values IS NOT NULL OR new_values IS NOT NULL", name="says_what_changed"),
        {
            "comment": "Who changed what: rows are added and never changed",
            "info": {
                "decisions": (
                    "Append-only: no statement of this plan updates or deletes an entry. GRANT the application INSERT "
                    "and SELECT on it and nothing else.",
                    "An entry outlives its subject, so that subject_id is no foreign key. Keys are UUIDv7, unique "
                    "over all tables, and an index on subject_id alone finds the history of a row.",
                    "The actor must exist and cannot be deleted (RESTRICT): users are erased, their row stays.",
                    "Addresses, names and password hashes are never written here: what is erased from users must not "
                    "live on in the log.",
                    "Progress, heartbeats and fetched assets are not logged: they are a job's work, and its claim and "
                    "its end are. Entries of workers have no actor and stay out of the index on actor_id.",
                ),
                "lint": {"fk-polymorphic": "an entry outlives what it speaks of, so that no reference could hold"},
            },
        },
    )


def _partial(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


Index("ix_users_email", User.email, unique=True, **_partial("deleted_at IS NULL"))
Index("ix_users_deleted_at", User.deleted_at, **_partial("deleted_at IS NOT NULL AND erased_at IS NULL"))
Index("ix_clone_jobs_user_id_created_at", CloneJob.user_id, CloneJob.created_at.desc())
Index("ix_clone_jobs_due", CloneJob.priority.desc(), CloneJob.run_after, **_partial("status = 'pending'"))
Index("ix_clone_jobs_leased", CloneJob.locked_until, **_partial("status = 'running'"))
Index("ix_clone_jobs_deleted_at", CloneJob.deleted_at, **_partial("deleted_at IS NOT NULL"))
Index("ix_subscriptions_user_id_created_at", Subscription.user_id, Subscription.created_at.desc())
Index("ix_subscriptions_user_id_live", Subscription.user_id, unique=True, **_partial("status <> 'cancelled'"))
Index("ix_subscriptions_period_end", Subscription.current_period_end, **_partial("status <> 'cancelled'"))
Index(
    "ix_subscriptions_provider_subscription_id",
    Subscription.provider,
    Subscription.provider_subscription_id,
    unique=True,
    **_partial("provider_subscription_id IS NOT NULL"),
)
Index("ix_payments_user_id_created_at", Payment.user_id, Payment.created_at.desc())
Index(
    "ix_payments_subscription_id_user_id_occurred_at",
    Payment.subscription_id,
    Payment.user_id,
    Payment.occurred_at.desc(),
)
Index("ix_audit_logs_subject_id_created_at", AuditLog.subject_id, AuditLog.created_at.desc())
Index(
    "ix_audit_logs_actor_id_created_at",
    AuditLog.actor_id,
    AuditLog.created_at.desc(),
    **_partial("actor_id IS NOT NULL"),
)
