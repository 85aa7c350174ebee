import dataclasses
import datetime as dt
import itertools

import pytest
from sqlalchemy import delete, event, func, select, update
from sqlalchemy.exc import IntegrityError

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.calls import NotThere
from dbplan.domains.clone_jobs import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.clone_jobs.models import (
    AssetKind,
    AuditLog,
    CloneAsset,
    CloneJob,
    JobStatus,
    Payment,
    PaymentStatus,
    Role,
    Subject,
    Subscription,
    SubscriptionStatus,
    Tier,
    User,
)
from dbplan.domains.clone_jobs.operations.subscriptions import months_on, period
from dbplan.errors import UsageError

HASH = "$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 22 + "$" + "b" * 43
BCRYPT = "$2b$12$" + "a" * 53
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
URL = "https://example.com/"


@pytest.fixture
def do(engine):
    """Do one thing in a transaction of its own."""

    def run(verb, *arguments, **named):
        with transaction(engine) as session:
            return verb(session, *arguments, **named)

    return run


@pytest.fixture
def user_id(do):
    return do(operations.create_user, "ada@example.com", HASH, name="Ada")


@pytest.fixture
def job_id(do, user_id):
    return do(operations.enqueue, user_id, URL)


@pytest.fixture
def lease(do, job_id):
    return do(operations.claim_next, "worker-1")


def write(engine, model, **values):
    """Write values into every row of a model, past the operations."""
    with transaction(engine) as session:
        session.execute(update(model).values(**values))


def actions(do, subject, key):
    return [entry.action for entry in do(operations.history, subject, key)][::-1]


def file(path, **changes):
    values = {
        "url": URL + path,
        "kind": AssetKind.CSS,
        "content_type": "text/css",
        "size_bytes": 10,
        "sha256": "a" * 64,
    }
    return operations.Asset(path, **(values | changes))


# People


def test_a_user_signs_up_and_in(do):
    user_id = do(operations.create_user, " Ada@Example.COM ", HASH, name=" Ada ")
    person = do(operations.user, user_id)
    assert (person.email, person.name, person.role, person.email_verified) == (
        "ada@example.com",
        "Ada",
        Role.USER,
        None,
    )
    assert do(operations.credentials, "ADA@example.com") == (user_id, HASH)
    (entry,) = do(operations.history, Subject.USER, user_id)
    assert (entry.actor_id, entry.action, entry.old_values, entry.new_values) == (
        user_id, "user.create", None, {"role": "user"},
    )  # fmt: skip


def test_an_address_belongs_to_one_user_whatever_its_case(do, user_id):
    with pytest.raises(operations.EmailTaken, match=r"ada@example\.com belongs to another"):
        do(operations.create_user, "ADA@EXAMPLE.COM", HASH)


def test_a_refused_sign_up_leaves_the_work_before_it(engine, do, user_id):
    with transaction(engine) as session:
        made = operations.create_user(session, "grace@example.com", HASH)
        with pytest.raises(operations.EmailTaken):
            operations.create_user(session, "ada@example.com", HASH)
    assert do(operations.user, made).email == "grace@example.com"


def test_a_password_a_role_and_a_proof_of_the_address_are_kept_and_noted(do, user_id):
    admin = do(operations.create_user, "admin@example.com", BCRYPT, role=Role.ADMIN)
    do(operations.set_password, user_id, BCRYPT)
    assert do(operations.credentials, "ada@example.com").password_hash == BCRYPT
    assert do(operations.verify_email, user_id, "Ada@example.com")
    assert not do(operations.verify_email, user_id, "ada@example.com")
    assert not do(operations.verify_email, user_id, "grace@example.com")
    do(operations.set_role, user_id, Role.SUPPORT, by=admin)
    person = do(operations.user, user_id)
    assert person.role == Role.SUPPORT
    assert person.email_verified
    (deed, *_) = do(operations.deeds, admin)
    assert (deed.old_values, deed.new_values) == ({"role": "user"}, {"role": "support"})
    assert actions(do, Subject.USER, user_id) == [
        "user.create", "user.set-password", "user.verify-email", "user.set-role",
    ]  # fmt: skip


def test_the_audit_log_holds_nothing_that_is_to_be_erased(engine, do, user_id, lease):
    do(operations.set_password, user_id, BCRYPT)
    do(operations.fail, lease, f"HTTP 403 for {URL}")
    do(operations.delete_job, lease.job_id)
    do(operations.purge_jobs, kept=-DAY)
    do(operations.delete_user, user_id)
    with transaction(engine) as session:
        said = str([(e.old_values, e.new_values) for e in session.scalars(select(AuditLog))])
    assert not [secret for secret in ("ada@", "Ada", "$argon2", "$2b", URL, "403") if secret in said]
    assert "job.purge" in actions(do, Subject.CLONE_JOB, lease.job_id)


# The queue


def test_a_job_goes_from_the_queue_to_its_end(do, user_id, job_id):
    lease = do(operations.claim_next, " worker-1 ")
    assert (lease.job_id, lease.user_id, lease.url, lease.options, lease.attempt) == (job_id, user_id, URL, {}, 1)
    job = do(operations.job, job_id)
    assert (job.status, job.worker, job.attempts, job.lease_id) == (JobStatus.RUNNING, "worker-1", 1, lease.lease_id)
    assert job.locked_until == lease.locked_until
    assert job.started_at >= job.created_at
    do(operations.report_progress, lease, 40)
    assert do(operations.job, job_id).progress == 40
    do(operations.add_assets, lease, [file("css/a.css"), file("css/b.css", size_bytes=32)])
    do(operations.finish, lease)
    job = do(operations.job, job_id)
    assert (job.status, job.progress, job.asset_count, job.size_bytes) == (JobStatus.COMPLETED, 100, 2, 42)
    assert (job.lease_id, job.worker, job.locked_until) == (None, None, None)
    assert job.finished_at >= job.started_at
    assert actions(do, Subject.CLONE_JOB, job_id) == ["job.enqueue", "job.claim", "job.finish"]


def test_an_empty_queue_has_nothing_to_claim(do, job_id):
    assert do(operations.claim_next, "worker-1")
    assert do(operations.claim_next, "worker-2") is None


def test_the_highest_priority_is_claimed_first_and_of_that_what_is_due_longest(engine, do, user_id):
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    plan = [(0, 1), (5, 3), (0, 0), (5, 2), (9, 4)]
    for priority, minute in plan:
        instant = start + dt.timedelta(minutes=minute)
        do(operations.enqueue, user_id, URL + str(minute), priority=priority, run_after=instant)
    order = [do(operations.claim_next, "worker-1").url.removeprefix(URL) for _ in plan]
    assert order == ["4", "2", "3", "0", "1"]


def test_a_job_is_not_claimed_before_its_time(engine, do, user_id):
    job_id = do(operations.enqueue, user_id, URL, run_after=dt.datetime.now(dt.UTC) + DAY, priority=9)
    assert do(operations.claim_next, "worker-1") is None
    assert do(operations.backlog) == (0, None)
    write(engine, CloneJob, run_after=LONG_AGO)
    assert do(operations.backlog) == (1, LONG_AGO)
    assert do(operations.claim_next, "worker-1").job_id == job_id


def test_a_failed_attempt_is_tried_again_after_a_pause_that_doubles_until_none_is_left(engine, do, job_id):
    pauses = []
    for attempt in (1, 2):
        lease = do(operations.claim_next, "worker-1")
        assert lease.attempt == attempt
        before = dt.datetime.now(dt.UTC)
        assert do(operations.fail, lease, "no answer") == JobStatus.PENDING
        job = do(operations.job, job_id)
        assert (job.status, job.error, job.lease_id, job.finished_at) == (JobStatus.PENDING, "no answer", None, None)
        pauses.append(round((job.run_after - before).total_seconds()))
        assert do(operations.claim_next, "worker-1") is None
        write(engine, CloneJob, run_after=LONG_AGO)
    assert pauses == [30, 60]
    assert do(operations.fail, do(operations.claim_next, "worker-1"), "x" * 5000) == JobStatus.FAILED
    job = do(operations.job, job_id)
    assert (job.status, job.attempts, len(job.error)) == (JobStatus.FAILED, 3, 2000)
    entries = do(operations.history, Subject.CLONE_JOB, job_id)[::-1]
    assert [entry.action for entry in entries[-4:]] == ["job.claim", "job.postpone", "job.claim", "job.fail"]
    assert [entry.old_values["status"] for entry in entries[-4:]] == ["pending", "running", "pending", "running"]


def test_a_failure_for_good_is_not_tried_again(do, lease):
    assert do(operations.fail, lease, "robots.txt forbids it", for_good=True) == JobStatus.FAILED
    assert do(operations.job, lease.job_id).attempts == 1


def test_the_longest_pause_is_an_hour(engine, do, user_id):
    job_id = do(operations.enqueue, user_id, URL, max_attempts=20)
    write(engine, CloneJob, attempts=18)
    do(operations.fail, do(operations.claim_next, "worker-1"), "no answer")
    pause = do(operations.job, job_id).run_after - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=59) < pause <= dt.timedelta(hours=1)


REPORTS = {
    "heartbeat": operations.heartbeat,
    "report_progress": lambda s, lease: operations.report_progress(s, lease, 50),
    "add_assets": lambda s, lease: operations.add_assets(s, lease, [file("a.css")]),
    "finish": operations.finish,
    "fail": lambda s, lease: operations.fail(s, lease, "why"),
}


@pytest.mark.parametrize("how", ["taken over", "cancelled", "finished", "deleted"])
def test_only_the_holder_of_the_lease_may_report(engine, do, lease, how, subtests):
    if how == "taken over":
        write(engine, CloneJob, locked_until=LONG_AGO)
        assert do(operations.claim_next, "worker-2").lease_id != lease.lease_id
    verbs = {"cancelled": operations.cancel, "deleted": operations.delete_job}
    if how in verbs:
        do(verbs[how], lease.job_id)
    if how == "finished":
        do(operations.finish, lease)
    with transaction(engine) as session:
        before = session.execute(select(CloneJob.__table__)).all()
    for name, report in REPORTS.items():
        with subtests.test(name), pytest.raises(operations.LeaseLost, match=str(lease.lease_id)):
            do(report, lease)
    with transaction(engine) as session:
        assert session.execute(select(CloneJob.__table__)).all() == before
        assert session.scalar(select(func.count()).select_from(CloneAsset)) == 0


def test_a_sign_of_life_keeps_the_lease(engine, do, lease):
    for report in (operations.heartbeat, REPORTS["report_progress"]):
        write(engine, CloneJob, locked_until=LONG_AGO)
        do(report, lease)
        assert do(operations.job, lease.job_id).locked_until >= lease.locked_until
        assert do(operations.claim_next, "worker-2") is None


def test_a_late_worker_may_report_while_nobody_has_taken_over(engine, do, lease):
    write(engine, CloneJob, locked_until=LONG_AGO)
    do(operations.finish, lease)
    assert do(operations.job, lease.job_id).status == JobStatus.COMPLETED


def test_the_job_of_a_silent_worker_goes_to_another_first_of_all_and_starts_anew(engine, do, user_id, lease):
    do(operations.add_assets, lease, [file("a.css")])
    do(operations.report_progress, lease, 70)
    do(operations.enqueue, user_id, URL, priority=9)
    write(engine, CloneJob, locked_until=case_running())
    second = do(operations.claim_next, "worker-2")
    assert (second.job_id, second.attempt) == (lease.job_id, 2)
    job = do(operations.job, lease.job_id)
    assert (job.worker, job.progress) == ("worker-2", 0)
    assert do(operations.assets, lease.job_id) == []
    assert do(operations.history, Subject.CLONE_JOB, lease.job_id)[0].old_values == {"status": "running"}


def case_running():
    """Return an expired lease for jobs that have one."""
    from sqlalchemy import case, literal

    return case((CloneJob.status == JobStatus.RUNNING, literal(LONG_AGO, CloneJob.locked_until.type)))


def test_a_job_whose_worker_fell_silent_in_the_last_attempt_has_failed(engine, do, user_id):
    spent = do(operations.enqueue, user_id, URL, max_attempts=1)
    do(operations.claim_next, "worker-1")
    assert do(operations.fail_spent) == []
    write(engine, CloneJob, locked_until=LONG_AGO)
    assert do(operations.claim_next, "worker-2") is None
    assert do(operations.fail_spent) == [spent]
    assert do(operations.fail_spent) == []
    job = do(operations.job, spent)
    assert (job.status, job.error) == (JobStatus.FAILED, "the worker fell silent")


# Assets


def test_files_are_paged_by_path_and_told_by_kind(do, lease):
    files = [file(f"css/{n}.css") for n in range(5)]
    do(operations.add_assets, lease, files)
    page = file("index.html", kind=AssetKind.HTML, content_type="text/html")
    do(operations.add_assets, lease, [page, file("css/0.css", size_bytes=7)])
    seen, after = [], ""
    while found := do(operations.assets, lease.job_id, after=after, limit=2):
        seen += found
        after = found[-1].path
    assert [asset.path for asset in seen] == [f"css/{n}.css" for n in range(5)] + ["index.html"]
    assert seen[0].size_bytes == 7
    assert do(operations.assets_by_kind, lease.job_id) == [(AssetKind.CSS, 5, 47), (AssetKind.HTML, 1, 10)]


def test_a_batch_with_a_file_that_cannot_be_adds_nothing(engine, do, lease):
    with pytest.raises(IntegrityError, match="path_relative"):
        do(operations.add_assets, lease, [file("a.css"), file("/etc/passwd")])
    assert do(operations.assets, lease.job_id) == []


def test_files_of_a_deleted_job_are_hidden_with_it(do, lease):
    do(operations.add_assets, lease, [file("a.css")])
    do(operations.delete_job, lease.job_id)
    assert do(operations.assets, lease.job_id) == []
    assert do(operations.assets_by_kind, lease.job_id) == []
    do(operations.restore_job, lease.job_id)
    assert [asset.path for asset in do(operations.assets, lease.job_id)] == ["a.css"]


# Jobs as their users see them


def test_a_job_that_waits_or_runs_can_be_cancelled_and_tried_again(do, user_id, job_id):
    do(operations.cancel, job_id, by=user_id)
    job = do(operations.job, job_id)
    assert (job.status, job.started_at) == (JobStatus.CANCELLED, None)
    assert job.finished_at
    do(operations.retry, job_id, by=user_id)
    lease = do(operations.claim_next, "worker-1")
    do(operations.cancel, job_id, by=user_id)
    assert do(operations.job, job_id).status == JobStatus.CANCELLED
    with pytest.raises(operations.LeaseLost):
        do(operations.finish, lease)
    assert actions(do, Subject.CLONE_JOB, job_id) == [
        "job.enqueue", "job.cancel", "job.retry", "job.claim", "job.cancel",
    ]  # fmt: skip


def test_a_job_that_is_over_cannot_be_cancelled_and_one_that_went_well_not_be_retried(do, lease):
    with pytest.raises(operations.WrongState, match="is running; only one that failed"):
        do(operations.retry, lease.job_id)
    do(operations.finish, lease)
    with pytest.raises(operations.WrongState, match="is completed; only one that is pending"):
        do(operations.cancel, lease.job_id)
    with pytest.raises(operations.WrongState, match="is completed; only one that failed"):
        do(operations.retry, lease.job_id)


def test_a_retry_gives_all_attempts_back(do, lease):
    do(operations.fail, lease, "why", for_good=True)
    do(operations.retry, lease.job_id)
    job = do(operations.job, lease.job_id)
    assert (job.status, job.attempts, job.error, job.finished_at) == (JobStatus.PENDING, 0, None, None)
    assert do(operations.claim_next, "worker-1").attempt == 1


def test_a_retried_job_brings_nothing_of_its_first_life(do, lease):
    do(operations.add_assets, lease, [file("old.css")])
    do(operations.fail, lease, "why", for_good=True)
    do(operations.retry, lease.job_id)
    again = do(operations.claim_next, "worker-1")
    do(operations.add_assets, again, [file("new.css")])
    do(operations.finish, again)
    assert [asset.path for asset in do(operations.assets, lease.job_id)] == ["new.css"]
    assert do(operations.job, lease.job_id).asset_count == 1


def test_a_deleted_job_is_cancelled_hidden_and_can_be_restored(do, user_id, job_id):
    do(operations.delete_job, job_id, by=user_id)
    assert do(operations.jobs, user_id) == []
    assert do(operations.claim_next, "worker-1") is None
    for verb in (operations.job, operations.cancel, operations.delete_job, operations.retry):
        with pytest.raises(operations.NoSuchJob, match=str(job_id)):
            do(verb, job_id)
    do(operations.restore_job, job_id, by=user_id)
    assert do(operations.job, job_id).status == JobStatus.CANCELLED
    with pytest.raises(operations.WrongState, match="not deleted"):
        do(operations.restore_job, job_id)
    (restored, deleted, _) = do(operations.history, Subject.CLONE_JOB, job_id)
    assert (deleted.old_values, deleted.new_values) == (
        {"status": "pending", "deleted": False}, {"status": "cancelled", "deleted": True},
    )  # fmt: skip
    assert restored.action == "job.restore"


def test_jobs_are_paged_newest_first(engine, do, user_id):
    do(operations.start_subscription, user_id, Tier.PRO)
    instant = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with transaction(engine) as session:
        session.add_all(
            CloneJob(user_id=user_id, url=URL, run_after=instant, created_at=instant + DAY * (n % 3)) for n in range(7)
        )
    seen, cursor = [], operations.TOP
    while page := do(operations.jobs, user_id, before=cursor, limit=2):
        seen += page
        cursor = operations.Cursor.of(page[-1])
    assert len({job.id for job in seen}) == len(seen) == 7
    assert [(j.created_at, j.id) for j in seen] == sorted(((j.created_at, j.id) for j in seen), reverse=True)


def test_jobs_deleted_long_ago_are_purged_with_their_files_and_leave_an_entry(engine, do, user_id):
    old = [do(operations.enqueue, user_id, URL) for _ in range(3)]
    for _ in old:
        lease = do(operations.claim_next, "worker-1")
        do(operations.add_assets, lease, [file("a.css")])
        do(operations.delete_job, lease.job_id)
    write(engine, CloneJob, deleted_at=LONG_AGO)
    kept = do(operations.enqueue, user_id, URL)
    fresh = do(operations.enqueue, user_id, URL)
    do(operations.delete_job, fresh)
    batches = [do(operations.purge_jobs, limit=2) for _ in range(3)]
    assert [len(batch) for batch in batches] == [2, 1, 0]
    assert sorted(itertools.chain(*batches)) == sorted(old)
    with transaction(engine) as session:
        assert set(session.scalars(select(CloneJob.id))) == {kept, fresh}
        assert session.scalar(select(func.count()).select_from(CloneAsset)) == 0
    entry = do(operations.history, Subject.CLONE_JOB, old[0])[0]
    assert (entry.action, entry.actor_id, entry.new_values) == ("job.purge", None, None)
    assert entry.old_values == {"user_id": str(user_id)}
    with pytest.raises(operations.NoSuchJob):
        do(operations.restore_job, old[0])


def test_a_plan_has_so_many_jobs_and_a_deleted_one_makes_no_room(engine, do, user_id):
    for _ in range(operations.ALLOWANCE[Tier.FREE]):
        job_id = do(operations.enqueue, user_id, URL)
    do(operations.delete_job, job_id)
    with pytest.raises(operations.AllowanceUsed, match="the 5 jobs that plan free has since"):
        do(operations.enqueue, user_id, URL)
    do(operations.start_subscription, user_id, Tier.STARTER)
    do(operations.enqueue, user_id, URL)
    write(engine, Subscription, status=SubscriptionStatus.PAST_DUE)
    with pytest.raises(operations.AllowanceUsed):
        do(operations.enqueue, user_id, URL)
    write(engine, CloneJob, created_at=LONG_AGO)
    do(operations.enqueue, user_id, URL)


def test_the_largest_plan_has_no_end(engine, do, user_id):
    do(operations.start_subscription, user_id, Tier.ENTERPRISE)
    for _ in range(operations.ALLOWANCE[Tier.FREE] + 1):
        do(operations.enqueue, user_id, URL)


# Subscriptions


def test_months_are_counted_from_the_anchor():
    anchor = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    assert [months_on(anchor, n).strftime("%m-%d") for n in range(5)] == ["01-31", "02-28", "03-31", "04-30", "05-31"]
    assert months_on(anchor, 25) == dt.datetime(2028, 2, 29, 12, tzinfo=dt.UTC)
    march = dt.datetime(2026, 3, 30, tzinfo=dt.UTC)
    assert [d.strftime("%m-%d") for d in period(anchor, march)] == ["02-28", "03-31"]
    assert period(anchor, anchor) == (anchor, months_on(anchor, 1))
    assert period(anchor, months_on(anchor, 1)) == (months_on(anchor, 1), months_on(anchor, 2))
    before = months_on(anchor, 1) - dt.timedelta(microseconds=1)
    assert period(anchor, before) == (anchor, months_on(anchor, 1))


def test_a_subscription_starts_with_a_month_or_a_trial(do, user_id):
    with pytest.raises(operations.NotSubscribed, match=str(user_id)):
        do(operations.subscription, user_id)
    made = do(operations.start_subscription, user_id, Tier.PRO, provider="Stripe", reference="sub_1")
    assert (made.plan, made.status) == (Tier.PRO, SubscriptionStatus.ACTIVE)
    assert made.current_period_end == months_on(made.current_period_start, 1)
    assert do(operations.subscription_at_provider, "stripe", "sub_1").id == made.id
    assert do(operations.subscription_at_provider, "stripe", "sub_2") is None
    other = do(operations.create_user, "grace@example.com", HASH)
    tried = do(operations.start_subscription, other, Tier.STARTER, trial=14 * DAY)
    assert tried.status == SubscriptionStatus.TRIALING
    assert tried.current_period_end == tried.billing_anchor == tried.current_period_start + 14 * DAY


def test_a_user_has_one_subscription_that_lives_and_a_reference_one_owner(do, user_id):
    do(operations.start_subscription, user_id, Tier.PRO, provider="stripe", reference="sub_1")
    with pytest.raises(operations.AlreadySubscribed, match=str(user_id)):
        do(operations.start_subscription, user_id, Tier.FREE)
    other = do(operations.create_user, "grace@example.com", HASH)
    with pytest.raises(operations.AlreadySubscribed, match="stripe sub_1"):
        do(operations.start_subscription, other, Tier.PRO, provider="stripe", reference="sub_1")
    do(operations.cancel_subscription, user_id, at_once=True)
    do(operations.start_subscription, user_id, Tier.FREE)
    assert [held.plan for held in do(operations.subscriptions, user_id)] == [Tier.FREE, Tier.PRO]


def test_a_larger_plan_is_there_at_once_a_smaller_one_waits_and_the_same_takes_it_back(do, user_id):
    do(operations.start_subscription, user_id, Tier.STARTER)
    larger = do(operations.change_plan, user_id, Tier.ENTERPRISE)
    assert (larger.plan, larger.next_plan) == (Tier.ENTERPRISE, None)
    smaller = do(operations.change_plan, user_id, Tier.FREE)
    assert (smaller.plan, smaller.next_plan) == (Tier.ENTERPRISE, Tier.FREE)
    do(operations.cancel_subscription, user_id)
    ending = do(operations.subscription, user_id)
    assert (ending.plan, ending.next_plan, ending.cancel_at_period_end) == (Tier.ENTERPRISE, None, True)
    same = do(operations.change_plan, user_id, Tier.ENTERPRISE)
    assert (same.plan, same.next_plan, same.cancel_at_period_end) == (Tier.ENTERPRISE, None, False)
    entry = do(operations.history, Subject.SUBSCRIPTION, same.id)[0]
    assert entry.actor_id == user_id
    assert entry.old_values == {"plan": "enterprise", "next_plan": None, "cancel_at_period_end": True}
    assert entry.new_values == {"plan": "enterprise", "next_plan": None, "cancel_at_period_end": False}


def past(engine, **values):
    """Let the period of every subscription have ended; it began on 31 January 2020 and is years behind."""
    anchor = dt.datetime(2020, 1, 31, tzinfo=dt.UTC)
    ends = {"current_period_start": anchor, "current_period_end": months_on(anchor, 1), "billing_anchor": anchor}
    write(engine, Subscription, **(ends | values))
    return anchor


def test_a_period_that_has_ended_rolls_to_the_one_that_runs_with_the_plan_that_was_to_come(engine, do, user_id):
    do(operations.start_subscription, user_id, Tier.PRO)
    assert do(operations.renew_due) == []
    do(operations.change_plan, user_id, Tier.STARTER)
    anchor = past(engine)
    (renewed,) = do(operations.renew_due)
    held = do(operations.subscription, user_id)
    assert (held.id, held.plan, held.next_plan, held.status) == (renewed, Tier.STARTER, None, SubscriptionStatus.ACTIVE)
    now = dt.datetime.now(dt.UTC)
    assert held.current_period_start <= now < held.current_period_end
    assert (held.current_period_start, held.current_period_end) == period(anchor, now)
    assert do(operations.renew_due) == []
    entry = do(operations.history, Subject.SUBSCRIPTION, renewed)[0]
    assert (entry.action, entry.actor_id) == ("subscription.renew", None)


@pytest.mark.parametrize("values", [{"cancel_at_period_end": True}, {"status": SubscriptionStatus.PAST_DUE}])
def test_one_that_was_cancelled_or_not_paid_ends_with_its_period(engine, do, user_id, values):
    made = do(operations.start_subscription, user_id, Tier.PRO)
    past(engine, **values)
    assert do(operations.renew_due) == [made.id]
    (held,) = do(operations.subscriptions, user_id)
    assert held.status == SubscriptionStatus.CANCELLED
    assert held.cancelled_at
    assert actions(do, Subject.SUBSCRIPTION, made.id)[-1] == "subscription.end"


def test_subscriptions_are_renewed_in_batches_those_that_ended_first_before(engine, do):
    for n in range(3):
        user = do(operations.create_user, f"{n}@example.com", HASH)
        do(operations.start_subscription, user, Tier.PRO)
    past(engine)
    assert [len(do(operations.renew_due, limit=2)) for _ in range(3)] == [2, 1, 0]


# Payments


@pytest.fixture
def paying(do, user_id):
    return do(operations.start_subscription, user_id, Tier.PRO, provider="stripe", reference="sub_1")


def told(user_id, **changes):
    values = {"provider": "stripe", "reference": "pi_1", "amount": 2900, "currency": "USD"}
    state = {"status": PaymentStatus.SUCCEEDED, "occurred_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}
    return operations.PaymentEvent(user_id, **(values | state | changes))


def test_an_event_told_twice_is_one_payment(engine, do, user_id, paying):
    event_ = told(user_id, subscription_id=paying.id, currency=" usd", provider="Stripe")
    first, second = (do(operations.record_payment, event_) for _ in range(2))
    assert first.id == second.id
    assert (first.amount, first.currency, first.status) == (2900, "USD", PaymentStatus.SUCCEEDED)
    (only,) = do(operations.payments, user_id)
    assert only.id == first.id
    assert actions(do, Subject.PAYMENT, first.id) == ["payment.record"]


@pytest.mark.parametrize(
    "changes", [{"amount": 3900}, {"currency": "EUR"}, {"subscription_id": None}, {"user_id": "grace"}], ids=str
)
def test_an_event_that_contradicts_the_payment_is_refused(do, user_id, paying, changes):
    do(operations.record_payment, told(user_id, subscription_id=paying.id))
    if "user_id" in changes:
        changes = {"user_id": do(operations.create_user, "grace@example.com", HASH), "subscription_id": None}
    values = {"user_id": user_id, "subscription_id": paying.id} | changes
    with pytest.raises(operations.PaymentMismatch, match='"pi_1" of stripe is recorded with another'):
        do(operations.record_payment, told(**values))
    (only,) = do(operations.payments, user_id)
    assert (only.amount, only.currency) == (2900, "USD")


def test_events_in_any_order_lead_to_the_same_payment(engine, do, user_id):
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    events = [
        told(user_id, status=PaymentStatus.PENDING, occurred_at=start),
        told(user_id, status=PaymentStatus.FAILED, occurred_at=start + DAY, failure_reason="card_declined"),
        told(user_id, status=PaymentStatus.SUCCEEDED, occurred_at=start + 2 * DAY),
    ]
    for order in itertools.permutations(events):
        with transaction(engine) as session:
            session.execute(delete(Payment))
        for event_ in order:
            do(operations.record_payment, event_)
        (payment,) = do(operations.payments, user_id)
        assert (payment.status, payment.failure_reason) == (PaymentStatus.SUCCEEDED, None)
        assert payment.occurred_at == start + 2 * DAY


def test_the_newest_payment_says_how_its_subscription_stands(do, user_id, paying):
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def pay(reference, status, day):
        at = {"occurred_at": start + DAY * day, "subscription_id": paying.id}
        do(operations.record_payment, told(user_id, reference=reference, status=status, **at))
        return do(operations.subscription, user_id).status

    assert pay("pi_1", PaymentStatus.FAILED, 1) == SubscriptionStatus.PAST_DUE
    assert pay("pi_0", PaymentStatus.SUCCEEDED, 0) == SubscriptionStatus.PAST_DUE
    assert pay("pi_2", PaymentStatus.PENDING, 2) == SubscriptionStatus.PAST_DUE
    assert pay("pi_2", PaymentStatus.SUCCEEDED, 3) == SubscriptionStatus.ACTIVE
    assert pay("pi_1", PaymentStatus.FAILED, 2) == SubscriptionStatus.ACTIVE
    do(operations.cancel_subscription, user_id, at_once=True)
    do(operations.record_payment, told(user_id, reference="pi_9", subscription_id=paying.id))
    (held,) = do(operations.subscriptions, user_id)
    assert held.status == SubscriptionStatus.CANCELLED


def test_a_refund_is_recorded_by_its_sum_and_goes_one_way(do, user_id):
    payment = do(operations.record_payment, told(user_id, amount=1000))
    for refunded, status in ((300, "succeeded"), (300, "succeeded"), (200, "succeeded"), (1000, "refunded")):
        got = do(operations.record_refund, "Stripe", "pi_1", refunded)
        assert got.status == status
    assert got.refunded_amount == 1000
    assert do(operations.record_refund, "stripe", "pi_1", 300).status == PaymentStatus.REFUNDED
    assert actions(do, Subject.PAYMENT, payment.id) == ["payment.record", "payment.refund", "payment.refund"]
    again = do(operations.record_payment, told(user_id, amount=1000, occurred_at=LONG_AGO + 9999 * DAY))
    assert again.status == PaymentStatus.REFUNDED


def test_what_did_not_succeed_or_is_not_there_cannot_be_refunded(do, user_id):
    with pytest.raises(operations.NoSuchPayment, match='no payment "pi_1" of stripe'):
        do(operations.record_refund, "stripe", "pi_1", 1)
    do(operations.record_payment, told(user_id, status=PaymentStatus.PENDING))
    with pytest.raises(operations.WrongState, match="is pending"):
        do(operations.record_refund, "stripe", "pi_1", 1)
    do(operations.record_payment, told(user_id, occurred_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC)))
    with pytest.raises(UsageError, match="a refund of 2901 in all, and 2900 were paid"):
        do(operations.record_refund, "stripe", "pi_1", 2901)


def test_the_money_of_who_has_left_counts_still(do, user_id):
    do(operations.delete_user, user_id)
    assert do(operations.record_payment, told(user_id)).amount == 2900


# Leaving


def test_who_leaves_is_hidden_with_jobs_cancelled_and_the_subscription_ended(do, user_id, paying, job_id):
    lease = do(operations.claim_next, "worker-1")
    waiting = do(operations.enqueue, user_id, URL)
    do(operations.delete_user, user_id)
    for verb, argument in ((operations.user, user_id), (operations.credentials, "ada@example.com")):
        with pytest.raises(operations.NoSuchUser):
            do(verb, argument)
    assert {do(operations.job, key).status for key in (job_id, waiting)} == {JobStatus.CANCELLED}
    with pytest.raises(operations.LeaseLost):
        do(operations.finish, lease)
    (held,) = do(operations.subscriptions, user_id)
    assert held.status == SubscriptionStatus.CANCELLED
    for verb, arguments in (
        (operations.enqueue, (URL,)),
        (operations.start_subscription, (Tier.FREE,)),
        (operations.set_password, (HASH,)),
        (operations.delete_user, ()),
    ):
        with pytest.raises(operations.NoSuchUser):
            do(verb, user_id, *arguments)
    with pytest.raises(operations.NoSuchUser):
        do(operations.retry, waiting)
    entry = do(operations.history, Subject.USER, user_id)[0]
    assert entry.new_values == {"deleted": True, "cancelled_jobs": 2}


def test_who_left_may_come_back_unless_the_address_has_gone(do, user_id):
    do(operations.delete_user, user_id)
    do(operations.restore_user, user_id)
    assert do(operations.user, user_id).email == "ada@example.com"
    with pytest.raises(operations.WrongState, match="is not deleted"):
        do(operations.restore_user, user_id)
    do(operations.delete_user, user_id)
    second = do(operations.create_user, "ada@example.com", HASH)
    with pytest.raises(operations.EmailTaken):
        do(operations.restore_user, user_id)
    assert do(operations.credentials, "ada@example.com").user_id == second


def test_who_left_long_ago_is_erased_and_the_books_stay(engine, do, user_id, paying):
    jobs = {do(operations.enqueue, user_id, URL) for _ in range(2)}
    lease = do(operations.claim_next, "worker-1")
    do(operations.add_assets, lease, [file("a.css")])
    do(operations.record_payment, told(user_id, subscription_id=paying.id))
    do(operations.delete_user, user_id)
    assert do(operations.erase_users) == []
    other = do(operations.create_user, "grace@example.com", HASH)
    with transaction(engine) as session:
        session.execute(update(User).where(User.id == user_id).values(deleted_at=LONG_AGO))
    ((erased, gone),) = do(operations.erase_users)
    assert (erased, set(gone)) == (user_id, jobs)
    assert do(operations.erase_users) == []
    with transaction(engine) as session:
        person = session.get_one(User, user_id)
        assert (person.email, person.name, person.password_hash) == (f"{user_id}@erased.invalid", None, None)
        assert session.get_one(User, other).email == "grace@example.com"
        assert session.scalar(select(func.count()).select_from(CloneJob)) == 0
        assert session.scalar(select(func.count()).select_from(CloneAsset)) == 0
        assert "ada@" not in str(session.execute(select(User.__table__)).all()).lower()
    assert [payment.amount for payment in do(operations.payments, user_id)] == [2900]
    assert actions(do, Subject.USER, user_id) == ["user.create", "user.delete", "user.erase"]
    with pytest.raises(operations.WrongState, match="erased for good"):
        do(operations.restore_user, user_id)


# All of them


def test_every_change_writes_an_entry_in_its_own_transaction(engine, do, user_id, subtests):
    """A change that is undone leaves no entry, one that stays leaves one at least."""
    changes = {
        "enqueue": lambda s: operations.enqueue(s, user_id, URL),
        "set password": lambda s: operations.set_password(s, user_id, BCRYPT),
        "start subscription": lambda s: operations.start_subscription(s, user_id, Tier.PRO),
        "record payment": lambda s: operations.record_payment(s, told(user_id)),
        "delete user": lambda s: operations.delete_user(s, user_id),
    }

    def entries():
        with transaction(engine) as session:
            return session.scalar(select(func.count()).select_from(AuditLog))

    for name, change in changes.items():
        before = entries()
        with subtests.test(f"{name}, undone"):
            with pytest.raises(RuntimeError), transaction(engine) as session:
                change(session)
                raise RuntimeError
            assert entries() == before
        with subtests.test(name):
            do(change)
            assert entries() > before


def test_a_stranger_is_named_and_nothing_is_written(engine, do, subtests):
    stranger = new_id()
    calls = {
        "user": lambda s: operations.user(s, stranger),
        "credentials": lambda s: operations.credentials(s, f"{stranger}@example.com"),
        "set_password": lambda s: operations.set_password(s, stranger, HASH),
        "set_role": lambda s: operations.set_role(s, stranger, Role.ADMIN, by=stranger),
        "enqueue": lambda s: operations.enqueue(s, stranger, URL),
        "job": lambda s: operations.job(s, stranger),
        "cancel": lambda s: operations.cancel(s, stranger),
        "retry": lambda s: operations.retry(s, stranger),
        "delete_job": lambda s: operations.delete_job(s, stranger),
        "restore_job": lambda s: operations.restore_job(s, stranger),
        "start_subscription": lambda s: operations.start_subscription(s, stranger, Tier.PRO),
        "change_plan": lambda s: operations.change_plan(s, stranger, Tier.PRO),
        "cancel_subscription": lambda s: operations.cancel_subscription(s, stranger),
        "record_payment": lambda s: operations.record_payment(s, told(stranger)),
        "delete_user": lambda s: operations.delete_user(s, stranger),
        "restore_user": lambda s: operations.restore_user(s, stranger),
    }
    for name, call in calls.items():
        with subtests.test(name), pytest.raises(NotThere, match=str(stranger)):
            do(call)
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(AuditLog)) == 0


def test_a_payment_is_not_for_the_subscription_of_a_stranger(do, user_id, paying):
    other = do(operations.create_user, "grace@example.com", HASH)
    with pytest.raises(UsageError, match="has no subscription"):
        do(operations.record_payment, told(other, subscription_id=paying.id))


NAIVE = dt.datetime(2026, 1, 1)
WRONG = {
    "the e-mail address has 0 characters": lambda s, _u, _l: operations.create_user(s, "", HASH),
    "is no e-mail address": lambda s, _u, _l: operations.create_user(s, "ada", HASH),
    "hash the password first": lambda s, _u, _l: operations.create_user(s, "a@b", "correct horse"),
    "no Argon2id or bcrypt": lambda s, u, _l: operations.set_password(s, u, "5f4dcc3b5aa765d61d8327deb882cf99"),
    "the name has 0 characters": lambda s, _u, _l: operations.create_user(s, "a@b", HASH, name=" "),
    "the URL has 0 characters": lambda s, u, _l: operations.enqueue(s, u, ""),
    "the URL has 2049 characters": lambda s, u, _l: operations.enqueue(s, u, "https://" + "x" * 2041),
    "is no page to clone": lambda s, u, _l: operations.enqueue(s, u, "ftp://example.com/"),
    '"https://" is no page': lambda s, u, _l: operations.enqueue(s, u, "https://"),
    "the priority is 10": lambda s, u, _l: operations.enqueue(s, u, URL, priority=10),
    "the priority is 1.5": lambda s, u, _l: operations.enqueue(s, u, URL, priority=1.5),
    "the priority is True": lambda s, u, _l: operations.enqueue(s, u, URL, priority=True),
    "the number of attempts is 0": lambda s, u, _l: operations.enqueue(s, u, URL, max_attempts=0),
    "the worker has 0 characters": lambda s, _u, _l: operations.claim_next(s, ""),
    "the progress in percent is 101": lambda s, _u, lease: operations.report_progress(s, lease, 101),
    "the progress in percent is 99.5": lambda s, _u, lease: operations.report_progress(s, lease, 99.5),
    "the error has 0 characters": lambda s, _u, lease: operations.fail(s, lease, " "),
    "the number of assets is 0": lambda s, _u, lease: operations.add_assets(s, lease, []),
    'the size of "a" in bytes is 0.5': lambda s, _u, lease: operations.add_assets(
        s, lease, [dataclasses.replace(file("a"), size_bytes=0.5)]
    ),
    "two assets have the same path": lambda s, _u, lease: operations.add_assets(s, lease, [file("a"), file("a")]),
    "the limit is 1001": lambda s, u, _l: operations.jobs(s, u, limit=1001),
    "both or neither": lambda s, u, _l: operations.start_subscription(s, u, Tier.PRO, provider="stripe"),
    "a trial of -1 day": lambda s, u, _l: operations.start_subscription(s, u, Tier.PRO, trial=-DAY),
    "the amount in the currency's smallest unit is 0": lambda _s, u, _l: told(u, amount=0),
    "the amount in the currency's smallest unit is 29.5": lambda _s, u, _l: told(u, amount=29.5),
    "the refund in the currency's smallest unit is 1.5": lambda s, _u, _l: operations.record_refund(s, "a", "b", 1.5),
    "an id is a text": lambda s, u, _l: operations.job(s, str(u)),
    "2026-01-01 00:00:00 has no time zone": lambda s, u, _l: operations.record_payment(s, told(u, occurred_at=NAIVE)),
    '"US" is no currency': lambda _s, u, _l: told(u, currency="US"),
    "call record_refund": lambda _s, u, _l: told(u, status=PaymentStatus.REFUNDED),
    "no reason for a failure": lambda _s, u, _l: told(u, failure_reason="x"),
    "the provider has 0 characters": lambda _s, u, _l: told(u, provider=""),
    "the reference has 256 characters": lambda _s, u, _l: told(u, reference="x" * 256),
}


def test_a_senseless_call_is_refused_before_it_reaches_the_server(engine, user_id, lease, subtests):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    with transaction(engine) as session:
        for message, call in WRONG.items():
            with subtests.test(message), pytest.raises(UsageError, match=message):
                call(session, user_id, lease)
        assert set(sent) <= {"BEGIN IMMEDIATE"}
        operations.user(session, user_id)
        assert set(sent) - {"BEGIN IMMEDIATE"}
