import datetime as dt
import uuid

import pytest
from sqlalchemy import Enum, UniqueConstraint, delete, func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session as Database

from dbplan.columns import UtcDateTime, new_id
from dbplan.connection import transaction
from dbplan.domains.clone_jobs import PLAN
from dbplan.domains.clone_jobs.models import (
    AssetKind,
    AuditLog,
    CloneAsset,
    CloneJob,
    JobStatus,
    Payment,
    PaymentStatus,
    Subject,
    Subscription,
    SubscriptionStatus,
    Tier,
    User,
)

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
BCRYPT = "$2b$12$" + "a" * 53
ARGON2 = "$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 22 + "$" + "b" * 43
FIELDS = {
    "users": {
        *("id", "email", "name", "email_verified", "image", "password_hash", "role"),
        *("created_at", "updated_at", "deleted_at", "erased_at"),
    },
    "clone_jobs": {
        *("id", "user_id", "url", "options", "status", "priority", "run_after", "attempts", "max_attempts"),
        *("lease_id", "worker", "locked_until", "progress", "error", "asset_count", "size_bytes"),
        *("started_at", "finished_at", "created_at", "updated_at", "deleted_at"),
    },
    "clone_assets": {
        *("id", "job_id", "path", "url", "kind", "content_type", "size_bytes", "sha256", "created_at"),
    },
    "subscriptions": {
        *("id", "user_id", "plan", "next_plan", "status", "billing_anchor", "current_period_start"),
        *("current_period_end", "cancel_at_period_end", "cancelled_at", "provider", "provider_subscription_id"),
        *("created_at", "updated_at"),
    },
    "payments": {
        *("id", "user_id", "subscription_id", "provider", "provider_payment_id", "amount", "currency"),
        *("refunded_amount", "status", "failure_reason", "occurred_at", "created_at", "updated_at"),
    },
    "audit_logs": {
        *("id", "actor_id", "action", "subject_type", "subject_id", "old_values", "new_values", "created_at"),
    },
}
NULLABLE = {
    "users": {"name", "email_verified", "image", "password_hash", "deleted_at", "erased_at"},
    "clone_jobs": {"lease_id", "worker", "locked_until", "error", "started_at", "finished_at", "deleted_at"},
    "clone_assets": set(),
    "subscriptions": {"next_plan", "cancelled_at", "provider", "provider_subscription_id"},
    "payments": {"subscription_id", "failure_reason"},
    "audit_logs": {"actor_id", "old_values", "new_values"},
}


def test_the_six_models_of_the_requirement_have_these_fields():
    assert {table.name: set(table.columns.keys()) for table in PLAN.tables} == FIELDS


def test_what_is_required_is_not_null():
    assert {t.name: {c.name for c in t.columns if c.nullable} for t in PLAN.tables} == NULLABLE


def test_what_is_unique_is_so_among_the_rows_that_count():
    constraints = {
        (t.name, *(column.name for column in c.columns), "")
        for t in PLAN.tables
        for c in t.constraints
        if isinstance(c, UniqueConstraint)
    }
    partial = {
        (t.name, *index.columns.keys(), str(index.dialect_options[on]["where"]))
        for t in PLAN.tables
        for index in t.indexes
        if index.unique
        for on in ("postgresql", "sqlite")
    }
    assert constraints == {
        ("clone_assets", "job_id", "path", ""),
        ("payments", "provider", "provider_payment_id", ""),
        ("subscriptions", "id", "user_id", ""),
    }
    assert partial == {
        ("users", "email", "deleted_at IS NULL"),
        ("subscriptions", "user_id", "status <> 'cancelled'"),
        ("subscriptions", "provider", "provider_subscription_id", "provider_subscription_id IS NOT NULL"),
    }


def test_jobs_and_assets_go_with_what_they_belong_to_and_books_stay():
    found = {(str(fk.parent), fk.target_fullname, fk.ondelete) for t in PLAN.tables for fk in t.foreign_keys}
    assert found == {
        ("clone_jobs.user_id", "users.id", "CASCADE"),
        ("clone_assets.job_id", "clone_jobs.id", "CASCADE"),
        ("subscriptions.user_id", "users.id", "RESTRICT"),
        ("payments.user_id", "users.id", "RESTRICT"),
        ("payments.subscription_id", "subscriptions.id", "RESTRICT"),
        ("payments.user_id", "subscriptions.user_id", "RESTRICT"),
        ("audit_logs.actor_id", "users.id", "RESTRICT"),
    }


def test_the_enumerations_hold_these_words():
    words = {f"{t.name}.{c.name}": c.type.enums for t in PLAN.tables for c in t.columns if isinstance(c.type, Enum)}
    assert words == {
        "users.role": ["user", "support", "admin"],
        "clone_jobs.status": ["pending", "running", "completed", "failed", "cancelled"],
        "clone_assets.kind": ["html", "css", "script", "image", "font", "other"],
        "subscriptions.plan": ["free", "starter", "pro", "enterprise"],
        "subscriptions.next_plan": ["free", "starter", "pro", "enterprise"],
        "subscriptions.status": ["trialing", "active", "past_due", "cancelled"],
        "payments.status": ["pending", "succeeded", "failed", "refunded"],
        "audit_logs.subject_type": ["user", "clone_job", "subscription", "payment"],
    }


def test_every_time_is_an_instant():
    instants = {c.name for t in PLAN.tables for c in t.columns if isinstance(c.type, UtcDateTime)}
    assert instants == {
        *("created_at", "updated_at", "deleted_at", "erased_at", "email_verified", "run_after", "locked_until"),
        *("started_at", "finished_at", "billing_anchor", "current_period_start", "current_period_end"),
        *("cancelled_at", "occurred_at"),
    }


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        session.add(user := person())
        session.flush()
        return user.id


@pytest.fixture
def job_id(engine, user_id):
    with transaction(engine) as session:
        session.add(made := job(user_id))
        session.flush()
        return made.id


def person(**changes):
    return User(**({"email": "ada@example.com", "password_hash": ARGON2} | changes))


def other(**changes):
    return person(**({"email": "grace@example.com"} | changes))


def job(user_id, **changes):
    return CloneJob(**({"user_id": user_id, "url": "https://example.com/", "run_after": START} | changes))


def running(user_id, **changes):
    lease = {"lease_id": new_id(), "worker": "w", "locked_until": START, "started_at": START, "attempts": 1}
    return job(user_id, **({"status": JobStatus.RUNNING} | lease | changes))


def over(user_id, status=JobStatus.COMPLETED, **changes):
    values = {"status": status, "progress": 100, "started_at": START, "finished_at": START, "attempts": 1}
    return job(user_id, **(values | changes))


def asset(job_id, **changes):
    values = {"job_id": job_id, "path": "index.html", "url": "https://example.com/", "kind": AssetKind.HTML}
    return CloneAsset(**(values | {"content_type": "text/html", "size_bytes": 10, "sha256": "a" * 64} | changes))


def subscription(user_id, **changes):
    values = {"user_id": user_id, "plan": Tier.PRO, "status": SubscriptionStatus.ACTIVE, "billing_anchor": START}
    period = {"current_period_start": START, "current_period_end": START + 31 * DAY}
    return Subscription(**(values | period | changes))


def at_stripe(user_id, **changes):
    ended = {"status": SubscriptionStatus.CANCELLED, "cancelled_at": START}
    return subscription(user_id, **({"provider": "stripe", "provider_subscription_id": "sub_1"} | ended | changes))


def payment(user_id, **changes):
    values = {"user_id": user_id, "provider": "stripe", "provider_payment_id": "pi_1", "amount": 2900}
    state = {"currency": "USD", "status": PaymentStatus.SUCCEEDED, "occurred_at": START}
    return Payment(**(values | state | changes))


def log(user_id, **changes):
    values = {"actor_id": user_id, "action": "job.cancel", "subject_type": Subject.CLONE_JOB, "subject_id": new_id()}
    return AuditLog(**(values | {"new_values": {"status": "cancelled"}} | changes))


FAILED = PaymentStatus.FAILED
REFUSED = {
    "ix_users_email": lambda *_: person(),
    "users_email_form": lambda *_: other(email="no-address"),
    "email_form": lambda *_: other(email="Grace@example.com"),
    "users_email_length": lambda *_: other(email="a" * 249 + "@ab.cd"),
    "name_length": lambda *_: other(name=""),
    "image_length": lambda *_: other(image="x" * 2001),
    "password_hash_form": lambda *_: other(password_hash="correct horse battery staple" * 3),
    "password_hash_length": lambda *_: other(password_hash="$2b$12$short"),
    "password_unless_erased": lambda *_: other(password_hash=None),
    "erased_is_deleted": lambda *_: other(erased_at=START),
    "clone_jobs_url_web": lambda user, _: job(user, url="ftp://example.com/"),
    "clone_jobs_url_length": lambda user, _: job(user, url="https://" + "x" * 2048),
    "priority_range": lambda user, _: job(user, priority=10),
    "progress_range": lambda user, _: job(user, progress=101),
    "max_attempts_range": lambda user, _: job(user, max_attempts=21),
    "attempts_range": lambda user, _: job(user, attempts=4),
    "pending_has_attempts": lambda user, _: job(user, attempts=3),
    "worker_length": lambda user, _: running(user, worker=""),
    "error_length": lambda user, _: job(user, error=""),
    "asset_count_not_negative": lambda user, _: job(user, asset_count=-1),
    "clone_jobs_size_bytes_not_negative": lambda user, _: job(user, size_bytes=-1),
    "leased_while_running": lambda user, _: running(user, lease_id=None),
    "started_if_tried": lambda user, _: over(user, started_at=None),
    "finished_if_over": lambda user, _: over(user, finished_at=None),
    "finished_after_start": lambda user, _: over(user, finished_at=START - DAY),
    "completed_is_whole": lambda user, _: over(user, progress=99),
    "failed_has_error": lambda user, _: over(user, JobStatus.FAILED),
    "deleted_is_over": lambda user, _: job(user, deleted_at=START),
    "uq_clone_assets_job_id_path": lambda _, job: [asset(job), asset(job)],
    "path_length": lambda _, job: asset(job, path=""),
    "path_relative": lambda _, job: asset(job, path="/etc/passwd"),
    "clone_assets_url_web": lambda _, job: asset(job, url="data:text/plain,x"),
    "clone_assets_url_length": lambda _, job: asset(job, url="https://" + "x" * 2048),
    "content_type_length": lambda _, job: asset(job, content_type="x"),
    "content_type_lower_case": lambda _, job: asset(job, content_type="Text/HTML"),
    "clone_assets_size_bytes_not_negative": lambda _, job: asset(job, size_bytes=-1),
    "sha256_length": lambda _, job: asset(job, sha256="a"),
    "sha256_lower_case": lambda _, job: asset(job, sha256="A" * 64),
    "ix_subscriptions_user_id_live": lambda user, _: [
        subscription(user),
        subscription(user, status=SubscriptionStatus.PAST_DUE),
    ],
    "ix_subscriptions_provider_subscription_id": lambda user, _: [at_stripe(user), at_stripe(user)],
    "next_plan_differs": lambda user, _: subscription(user, next_plan=Tier.PRO),
    "next_plan_if_it_goes_on": lambda user, _: subscription(user, next_plan=Tier.FREE, cancel_at_period_end=True),
    "period_ends_after_start": lambda user, _: subscription(user, current_period_end=START),
    "cancelled_has_time": lambda user, _: subscription(user, status=SubscriptionStatus.CANCELLED),
    "subscriptions_provider_lower_case": lambda user, _: at_stripe(user, provider="Stripe"),
    "subscriptions_provider_length": lambda user, _: at_stripe(user, provider=""),
    "provider_subscription_id_length": lambda user, _: at_stripe(user, provider_subscription_id=""),
    "provider_with_id": lambda user, _: subscription(user, provider="stripe"),
    "uq_payments_provider_provider_payment_id": lambda user, _: [payment(user), payment(user)],
    "payments_provider_lower_case": lambda user, _: payment(user, provider="Stripe"),
    "payments_provider_length": lambda user, _: payment(user, provider=""),
    "provider_payment_id_length": lambda user, _: payment(user, provider_payment_id=""),
    "amount_positive": lambda user, _: payment(user, amount=0),
    "currency_length": lambda user, _: payment(user, currency="US"),
    "currency_upper_case": lambda user, _: payment(user, currency="usd"),
    "refunded_amount_range": lambda user, _: payment(user, refunded_amount=2901),
    "refund_of_success": lambda user, _: payment(user, refunded_amount=1, status=FAILED),
    "refunded_is_whole": lambda user, _: payment(user, refunded_amount=1, status=PaymentStatus.REFUNDED),
    "reason_only_if_failed": lambda user, _: payment(user, failure_reason="card_declined"),
    "failure_reason_length": lambda user, _: payment(user, failure_reason="", status=FAILED),
    "action_length": lambda user, _: log(user, action=""),
    "says_what_changed": lambda user, _: log(user, new_values=None),
}
UNKNOWN = ("role", "kind", "plan", "next_plan", "status", "subject_type")
"""Columns of words; the ORM would refuse an unknown one first."""

# SQLite names the columns of a unique constraint and not the constraint; a too long text is refused by its type.
SAID = {
    "sqlite": {
        "ix_users_email": r"users\.email",
        "uq_clone_assets_job_id_path": r"clone_assets\.job_id, clone_assets\.path",
        "ix_subscriptions_user_id_live": r"subscriptions\.user_id",
        "ix_subscriptions_provider_subscription_id": r"subscriptions\.provider_subscription_id",
        "uq_payments_provider_provider_payment_id": r"payments\.provider, payments\.provider_payment_id",
    },
    "postgresql": dict.fromkeys(
        ("users_email_length", "clone_jobs_url_length", "clone_assets_url_length"), "too long for type"
    ),
}


def test_a_row_that_cannot_be_true_is_refused(engine, user_id, job_id, subtests):
    for constraint, row in REFUSED.items():
        said = SAID[engine.dialect.name].get(constraint, constraint)
        with (
            subtests.test(constraint),
            pytest.raises((IntegrityError, DataError), match=said),
            transaction(engine) as session,
        ):
            made = row(user_id, job_id)
            session.add_all(made if isinstance(made, list) else [made])


def test_an_unknown_word_is_refused_by_the_server_too(engine, user_id, job_id, subtests):
    with transaction(engine) as session:
        session.add_all([asset(job_id), subscription(user_id), payment(user_id), log(user_id)])
    words = [(t.name, c.name) for t in PLAN.tables for c in t.columns if isinstance(c.type, Enum)]
    assert {column for _, column in words} == set(UNKNOWN)
    # Whatever is not pending or running must have ended; else that CHECK would speak first.
    more = {"clone_jobs": ", started_at = created_at, finished_at = created_at"}
    for table, column in words:
        with (
            subtests.test(f"{table}.{column}"),
            pytest.raises(IntegrityError, match=f"ck_{table}_{column}_known"),
            engine.begin() as connection,
        ):
            connection.execute(text(f"UPDATE {table} SET {column} = 'unknown'{more.get(table, '')}"))


def test_every_check_is_tried_above():
    checks = {str(c.name) for t in PLAN.tables for c in t.constraints if c.name.startswith("ck_")}
    known = tuple(f"{column}_known" for column in UNKNOWN)
    assert {check for check in checks if not check.endswith((*REFUSED, *known))} == set()


def test_rows_at_the_edge_of_what_is_allowed_are_kept(engine, user_id):
    erased = {"password_hash": None, "deleted_at": START, "erased_at": START}
    with transaction(engine) as session:
        session.add_all(
            [
                other(password_hash=BCRYPT),
                other(email="a@b", **erased),
                running(user_id, attempts=3, worker="w" * 100),
                over(user_id, deleted_at=START),
                over(user_id, JobStatus.FAILED, error="x" * 2000, progress=0),
                over(user_id, JobStatus.CANCELLED, started_at=None, attempts=0),
                subscription(user_id, next_plan=Tier.FREE),
                at_stripe(user_id, cancel_at_period_end=True),
                subscription(user_id, status=SubscriptionStatus.CANCELLED, cancelled_at=START),
                payment(user_id, refunded_amount=1, currency="JPY"),
                payment(user_id, provider_payment_id="pi_2", refunded_amount=2900, status=PaymentStatus.REFUNDED),
                log(None, new_values=None, old_values={}),
            ]
        )


def test_an_address_is_free_again_once_its_user_is_deleted(engine, user_id):
    with transaction(engine) as session:
        session.execute(update(User).values(deleted_at=START))
        session.add_all([person(), person(deleted_at=START)])
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.execute(update(User).where(User.id == user_id).values(deleted_at=None))


def test_a_user_takes_jobs_and_their_files_along_and_nobody_elses(engine, user_id, job_id):
    with transaction(engine) as session:
        session.add(stranger := other())
        session.flush()
        session.add(theirs := job(stranger.id))
        session.flush()
        session.add_all([asset(job_id), asset(theirs.id)])
    with transaction(engine) as session:
        session.delete(session.get_one(User, user_id))
    with transaction(engine) as session:
        assert session.scalars(select(CloneJob.id)).all() == [theirs.id]
        assert session.scalars(select(CloneAsset.job_id)).all() == [theirs.id]


@pytest.mark.parametrize("make", [subscription, payment, log])
def test_books_keep_their_user_from_being_deleted(engine, user_id, job_id, make):
    with transaction(engine) as session:
        session.add(make(user_id))
    with pytest.raises(IntegrityError, match=r"(?i)foreign key|violates RESTRICT"), transaction(engine) as session:
        session.execute(delete(User))
    with transaction(engine) as session:
        assert session.get(CloneJob, job_id)


def test_a_payment_keeps_its_subscription_from_being_deleted(engine, user_id):
    with transaction(engine) as session:
        session.add(paid := subscription(user_id))
        session.flush()
        session.add(payment(user_id, subscription_id=paid.id))
    with pytest.raises(IntegrityError, match=r"(?i)foreign key|violates RESTRICT"), transaction(engine) as session:
        session.execute(delete(Subscription))


def test_nobody_pays_for_a_subscription_of_somebody_else(engine, user_id):
    with transaction(engine) as session:
        session.add_all([stranger := other(), theirs := subscription(user_id)])
        session.flush()
        keys = {"subscription_id": theirs.id, "user_id": stranger.id}
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), transaction(engine) as session:
        session.add(payment(**keys))


@pytest.mark.parametrize("make", [job, asset, subscription, payment, log])
def test_a_reference_leads_somewhere(engine, make):
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), transaction(engine) as session:
        session.add(make(uuid.uuid4()))


def test_an_audit_entry_outlives_what_it_speaks_of(engine, user_id, job_id):
    with transaction(engine) as session:
        session.add(log(user_id, subject_id=job_id))
        session.execute(delete(CloneJob))
    with transaction(engine) as session:
        assert session.scalars(select(AuditLog.subject_id)).one() == job_id


def test_the_server_fills_what_is_left_out(engine, user_id):
    statement = text(
        "INSERT INTO clone_jobs (id, user_id, url, run_after) VALUES (:id, :user, 'https://example.com/', :start)"
    )
    with engine.begin() as connection:
        connection.execute(statement, {"id": new_id().hex, "user": user_id.hex, "start": "2020-01-01 00:00:00.000000"})
        made = Database(connection).scalars(select(CloneJob)).one()
        assert (made.status, made.options, made.priority, made.max_attempts) == (JobStatus.PENDING, {}, 0, 3)
        assert (made.attempts, made.progress, made.asset_count, made.size_bytes) == (0, 0, 0, 0)
        for instant in (made.created_at, made.updated_at):
            assert abs(dt.datetime.now(dt.UTC) - instant) < dt.timedelta(seconds=5)
    with transaction(engine) as session:
        session.add_all([subscription(user_id), payment(user_id)])
        session.flush()
        assert session.scalar(select(Subscription.cancel_at_period_end)) is False
        assert session.scalar(select(Payment.refunded_amount)) == 0
        assert session.get_one(User, user_id).role == "user"


def test_a_change_moves_updated_at_and_nothing_else_does(engine, user_id):
    with transaction(engine) as session:
        session.execute(update(User).values(updated_at=START, created_at=START))
    with transaction(engine) as session:
        session.get_one(User, user_id).name = "Ada"
    with transaction(engine) as session:
        user = session.get_one(User, user_id)
        assert user.created_at == START
        assert dt.datetime.now(dt.UTC) - user.updated_at < dt.timedelta(seconds=5)


def test_rows_reach_each_other_without_loading_all_of_them(engine, user_id, job_id):
    with transaction(engine) as session:
        session.add(paid := subscription(user_id))
        session.flush()
        session.add_all([asset(job_id), payment(user_id, subscription_id=paid.id), log(user_id)])
    with transaction(engine) as session:
        user = session.get_one(User, user_id)
        made = session.scalars(user.jobs.select().limit(1)).one()
        assert made.user is user
        assert session.scalars(made.assets.select()).one().job is made
        (held,) = session.scalars(user.subscriptions.select())
        assert held.user is user
        assert session.scalars(held.payments.select()).one().subscription is held
        assert session.scalars(user.payments.select()).one().user is user
        assert session.scalars(select(AuditLog)).one().actor is user
        assert session.scalar(select(func.count()).select_from(user.jobs.select().subquery())) == 1
