"""Twenty at once: every job is done once, a lease has one holder, an event is one payment, one subscription lives."""

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest
from sqlalchemy import func, select, update

from dbplan.connection import transaction
from dbplan.domains.clone_jobs import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
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

THREADS = 20
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
HASH = "$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 22 + "$" + "b" * 43
URL = "https://example.com/"


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        return operations.create_user(session, "ada@example.com", HASH)


@pytest.fixture
def queue(engine, user_id):
    """Two hundred jobs that are due."""
    with transaction(engine) as session:
        session.add_all(
            CloneJob(user_id=user_id, url=f"{URL}{n}", run_after=LONG_AGO, priority=n % 3) for n in range(200)
        )


def attempted(engine, verb, *arguments, refused=(), **named):
    """Do one thing in its own transaction; of a refusal give the error's class."""
    try:
        with transaction(engine) as session:
            return verb(session, *arguments, **named)
    except refused as error:
        return type(error)


def counted(engine, *columns):
    with transaction(engine) as session:
        return dict(map(tuple, session.execute(select(*columns, func.count()).group_by(*columns))))


def total(engine, model):
    with transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(model))


def rewrite(engine, model, **values):
    with transaction(engine) as session:
        session.execute(update(model).values(**values))


def test_twenty_workers_do_every_job_of_the_queue_once(engine, at_once, queue):
    page = operations.Asset("index.html", URL, AssetKind.HTML, "text/html", 10, "a" * 64)

    def work(n):
        done = []
        while lease := attempted(engine, operations.claim_next, f"worker-{n}"):
            attempted(engine, operations.add_assets, lease, [page])
            attempted(engine, operations.finish, lease)
            done.append(lease.job_id)
        return done

    done = [job for some in at_once(work) for job in some]
    assert len(done) == len(set(done)) == 200
    assert counted(engine, CloneJob.status) == {JobStatus.COMPLETED: 200}
    assert counted(engine, CloneJob.attempts) == {1: 200}
    assert set(counted(engine, CloneAsset.job_id).values()) == {1}
    assert counted(engine, AuditLog.action) == {"user.create": 1, "job.claim": 200, "job.finish": 200}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_claims_that_are_open_at_once_are_of_different_jobs(engine, at_once, queue):
    """The claim is not committed while others look, so that they must pass over it; SQLite has one writer at a time."""
    from threading import Barrier

    together = Barrier(THREADS)

    def claim(n):
        with transaction(engine) as session:
            lease = operations.claim_next(session, f"worker-{n}")
            together.wait(timeout=30)
            return lease.job_id

    assert len(set(at_once(claim))) == THREADS


def test_leases_that_ran_out_are_taken_over_once_and_their_old_holders_are_refused(engine, at_once, queue):
    first = [attempted(engine, operations.claim_next, "dead") for _ in range(30)]
    with transaction(engine) as session:
        session.execute(update(CloneJob).where(CloneJob.status == JobStatus.RUNNING).values(locked_until=LONG_AGO))
        waiting = update(CloneJob).where(CloneJob.status == JobStatus.PENDING)
        session.execute(waiting.values(status=JobStatus.CANCELLED, finished_at=LONG_AGO))

    def take_over(n):
        taken = []
        while lease := attempted(engine, operations.claim_next, f"worker-{n}"):
            taken.append(lease)
        return taken

    taken = [lease for some in at_once(take_over) for lease in some]
    assert Counter(lease.job_id for lease in taken) == dict.fromkeys((lease.job_id for lease in first), 1)
    assert {lease.attempt for lease in taken} == {2}
    refused = operations.LeaseLost
    assert {attempted(engine, operations.finish, lease, refused=refused) for lease in first} == {refused}
    assert {attempted(engine, operations.finish, lease) for lease in taken} == {None}


def test_a_lease_is_either_kept_or_taken_over_never_both(engine, at_once, user_id):
    """While ten take over what ran out, its holders report: each job has one holder afterwards, who can finish it."""
    with transaction(engine) as session:
        session.add_all(CloneJob(user_id=user_id, url=URL, run_after=LONG_AGO) for _ in range(10))
    held = [attempted(engine, operations.claim_next, "old") for _ in range(10)]
    rewrite(engine, CloneJob, locked_until=LONG_AGO)

    def work(n):
        if n % 2:
            return attempted(engine, operations.claim_next, f"worker-{n}")
        return attempted(engine, operations.finish, held[n // 2], refused=operations.LeaseLost)

    answers = at_once(work)
    kept = sum(answer is None for answer in answers[::2])
    taken = [lease for lease in answers[1::2] if lease]
    assert kept + len(taken) == 10
    assert counted(engine, CloneJob.status) == {
        status: n for status, n in ((JobStatus.COMPLETED, kept), (JobStatus.RUNNING, len(taken))) if n
    }
    assert all(attempted(engine, operations.finish, lease) is None for lease in taken)


def test_jobs_that_are_spent_fail_once(engine, at_once, queue):
    rewrite(engine, CloneJob, max_attempts=1)
    while attempted(engine, operations.claim_next, "dead"):
        pass
    rewrite(engine, CloneJob, locked_until=LONG_AGO)
    gone = [job for some in at_once(lambda _: attempted(engine, operations.fail_spent, limit=15)) for job in some]
    assert len(gone) == len(set(gone))
    while more := attempted(engine, operations.fail_spent, limit=15):
        gone += more
    assert len(gone) == len(set(gone)) == 200
    assert counted(engine, CloneJob.status) == {JobStatus.FAILED: 200}


def test_a_job_that_is_cancelled_while_it_ends_is_one_or_the_other(engine, at_once, user_id):
    job_id = attempted(engine, operations.enqueue, user_id, URL)
    lease = attempted(engine, operations.claim_next, "worker")

    def work(n):
        if n % 2:
            return attempted(engine, operations.finish, lease, refused=operations.LeaseLost)
        return attempted(engine, operations.cancel, job_id, refused=operations.WrongState)

    assert at_once(work).count(None) == 1
    ends = {"job.finish": 1, "job.cancel": 1}
    actions = counted(engine, AuditLog.action)
    assert sum(actions.get(action, 0) for action in ends) == 1


def test_the_last_jobs_of_an_allowance_are_made_once(engine, at_once, user_id):
    refused = operations.AllowanceUsed
    answers = at_once(lambda n: attempted(engine, operations.enqueue, user_id, f"{URL}{n}", refused=refused))
    assert answers.count(refused) == THREADS - 5
    assert total(engine, CloneJob) == 5


def test_an_address_is_given_once(engine, at_once):
    refused = operations.EmailTaken
    answers = at_once(lambda _: attempted(engine, operations.create_user, "ada@example.com", HASH, refused=refused))
    assert answers.count(refused) == THREADS - 1
    assert total(engine, User) == total(engine, AuditLog) == 1


def test_twenty_deliveries_of_one_event_are_one_payment(engine, at_once, user_id):
    held = attempted(engine, operations.start_subscription, user_id, Tier.PRO)
    event = operations.PaymentEvent(
        user_id, "stripe", "pi_1", 2900, "USD", PaymentStatus.FAILED, LONG_AGO, held.id, "card_declined"
    )
    payments = at_once(lambda _: attempted(engine, operations.record_payment, event))
    assert len({payment.id for payment in payments}) == 1
    assert total(engine, Payment) == 1
    actions = counted(engine, AuditLog.action)
    assert (actions["payment.record"], actions["subscription.set-standing"]) == (1, 1)
    assert counted(engine, Subscription.status) == {SubscriptionStatus.PAST_DUE: 1}


def test_one_reference_told_of_twenty_users_is_the_payment_of_one(engine, at_once):
    with transaction(engine) as session:
        users = [operations.create_user(session, f"{n}@example.com", HASH) for n in range(THREADS)]

    def deliver(n):
        event = operations.PaymentEvent(users[n], "stripe", "pi_1", 2900, "USD", PaymentStatus.SUCCEEDED, LONG_AGO)
        return attempted(engine, operations.record_payment, event, refused=operations.PaymentMismatch)

    assert at_once(deliver).count(operations.PaymentMismatch) == THREADS - 1
    assert total(engine, Payment) == 1


def test_events_of_one_payment_in_any_order_end_where_it_ended(engine, at_once, user_id):
    def deliver(n):
        status = PaymentStatus.SUCCEEDED if n == 7 else (PaymentStatus.PENDING, PaymentStatus.FAILED)[n % 2]
        instant = LONG_AGO + dt.timedelta(hours=30 if n == 7 else n)
        attempted(
            engine, operations.record_payment, operations.PaymentEvent(user_id, "s", "p", 5, "USD", status, instant)
        )

    at_once(deliver)
    assert counted(engine, Payment.status) == {PaymentStatus.SUCCEEDED: 1}


def test_a_refund_told_twenty_times_is_given_once(engine, at_once, user_id):
    event = operations.PaymentEvent(user_id, "stripe", "pi_1", 2900, "USD", PaymentStatus.SUCCEEDED, LONG_AGO)
    attempted(engine, operations.record_payment, event)
    at_once(lambda n: attempted(engine, operations.record_refund, "stripe", "pi_1", 100 + n % 2))
    assert counted(engine, Payment.refunded_amount) == {101: 1}
    assert counted(engine, AuditLog.action)["payment.refund"] in (1, 2)


def test_twenty_starts_and_changes_leave_one_subscription_that_lives(engine, at_once, user_id):
    refused = (operations.AlreadySubscribed, operations.NotSubscribed)

    def work(n):
        if n % 2:
            return attempted(engine, operations.change_plan, user_id, list(Tier)[n % 4], refused=refused)
        return attempted(engine, operations.start_subscription, user_id, Tier.FREE, refused=refused)

    answers = at_once(work)
    started = [answer for answer in answers[::2] if answer is not operations.AlreadySubscribed]
    assert len(started) == 1
    assert total(engine, Subscription) == 1
    with transaction(engine) as session:
        held = operations.subscription(session, user_id)
    changes = [answer for answer in answers[1::2] if answer is not operations.NotSubscribed]
    assert counted(engine, AuditLog.action).get("subscription.change-plan", 0) == len(changes)
    assert held.plan == max([Tier.FREE, *(change.plan for change in changes)], key=list(Tier).index)


def test_each_change_of_a_plan_knows_the_one_before(engine, at_once, user_id):
    held = attempted(engine, operations.start_subscription, user_id, Tier.STARTER)

    def work(n):
        for turn in range(3):
            if (n + turn) % 4:
                attempted(engine, operations.change_plan, user_id, list(Tier)[(n + turn) % 4])
            else:
                attempted(engine, operations.cancel_subscription, user_id)

    at_once(work)
    with transaction(engine) as session:
        entries = operations.history(session, Subject.SUBSCRIPTION, held.id, limit=100)[::-1][1:]
        end = operations.subscription(session, user_id)
    assert len(entries) == THREADS * 3
    assert all(after.old_values == before.new_values for before, after in pairwise(entries))
    assert entries[-1].new_values == {
        name: getattr(end, name) for name in ("plan", "next_plan", "cancel_at_period_end")
    }  # fmt: skip


def test_starts_and_ends_in_turn_never_leave_two(engine, at_once, user_id):
    refused = (operations.AlreadySubscribed, operations.NotSubscribed)

    def work(n):
        for _ in range(3):
            if n % 2:
                attempted(engine, operations.cancel_subscription, user_id, at_once=True, refused=refused)
            else:
                attempted(engine, operations.start_subscription, user_id, Tier.PRO, refused=refused)

    at_once(work)
    counts = counted(engine, Subscription.status)
    assert counts.get(SubscriptionStatus.ACTIVE, 0) in (0, 1)
    actions = counted(engine, AuditLog.action)
    assert actions["subscription.start"] == sum(counts.values())
    assert actions.get("subscription.end", 0) == counts.get(SubscriptionStatus.CANCELLED, 0)


def test_a_period_is_rolled_once(engine, at_once):
    with transaction(engine) as session:
        for n in range(60):
            user = operations.create_user(session, f"{n}@example.com", HASH)
            operations.start_subscription(session, user, Tier.PRO)
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    rewrite(engine, Subscription, current_period_start=start - dt.timedelta(31), current_period_end=start)
    renewed = [one for some in at_once(lambda _: attempted(engine, operations.renew_due, limit=5)) for one in some]
    while more := attempted(engine, operations.renew_due):
        renewed += more
    assert len(renewed) == len(set(renewed)) == 60
    assert counted(engine, AuditLog.action)["subscription.renew"] == 60


def test_who_leaves_while_jobs_are_made_leaves_none_that_waits(engine, at_once, user_id):
    def work(n):
        if n == 10:
            return attempted(engine, operations.delete_user, user_id)
        refused = (operations.NoSuchUser, operations.AllowanceUsed)
        return attempted(engine, operations.enqueue, user_id, URL, refused=refused)

    at_once(work)
    assert set(counted(engine, CloneJob.status)) <= {JobStatus.CANCELLED}


def test_cleaners_at_once_purge_each_job_once(engine, at_once, queue):
    rewrite(engine, CloneJob, status=JobStatus.CANCELLED, finished_at=LONG_AGO, deleted_at=LONG_AGO)
    gone = [job for some in at_once(lambda _: attempted(engine, operations.purge_jobs, limit=15)) for job in some]
    assert len(gone) == len(set(gone)) == 200 - total(engine, CloneJob)
    assert counted(engine, AuditLog.action)["job.purge"] == len(gone)


def test_erasers_at_once_erase_each_user_once(engine, at_once):
    with transaction(engine) as session:
        for n in range(60):
            user = operations.create_user(session, f"{n}@example.com", HASH)
            operations.enqueue(session, user, URL)
            operations.delete_user(session, user)
    rewrite(engine, User, deleted_at=LONG_AGO)
    erased = [one for some in at_once(lambda _: attempted(engine, operations.erase_users, limit=5)) for one in some]
    while more := attempted(engine, operations.erase_users):
        erased += more
    assert len(erased) == len({one.user_id for one in erased}) == 60
    assert {len(one.jobs) for one in erased} == {1}
    assert total(engine, CloneJob) == 0
