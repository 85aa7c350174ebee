"""Twenty at once: no limit is passed, no reset lost, and what counts once counts once."""

import datetime as dt
from collections import Counter

import pytest
from sqlalchemy import delete, func, select, update

from dbplan.connection import transaction
from dbplan.domains.transcription import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.transcription.models import Account, Session, User, UserUsage, VerificationToken

THREADS = 20
JUNE = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that stands still, so that no month ends while twenty are at work."""
    at = {"now": JUNE}
    monkeypatch.setattr(operations, "now", lambda: at["now"])
    return lambda instant: at.update(now=instant)


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        return operations.create_user(session, "ada@example.com").id


def work(engine, verb, *arguments, times=1, refused=(), **named):
    """Return work for a thread: `times` calls, each in its own transaction; of a refusal it gives the error's class."""

    def once():
        try:
            with transaction(engine) as session:
                return verb(session, *arguments, **named)
        except refused as error:
            return type(error)

    return lambda _: [once() for _ in range(times)]


def flat(answers):
    return [answer for some in answers for answer in some]


def usage(engine):
    with transaction(engine) as session:
        return session.scalars(select(UserUsage)).one()


def count(engine, model):
    with transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(model))


def test_fifty_of_a_hundred_summaries_are_counted_where_the_limit_is_fifty(engine, at_once, user_id):
    answers = flat(at_once(work(engine, operations.track_user_usage, user_id, times=5, limit=50)))
    assert Counter(answer.allowed for answer in answers) == {True: 50, False: 50}
    assert sorted(answer.used for answer in answers if answer.allowed) == list(range(1, 51))
    assert {answer.used for answer in answers if not answer.allowed} == {50}
    assert usage(engine).summary_count == 50


def test_twenty_browsers_of_one_user_share_one_limit(engine, at_once, user_id):
    with transaction(engine) as session:
        tokens = [operations.create_session(session, user_id).token for _ in range(THREADS)]
    track = operations.track_user_usage
    answers = flat(at_once(lambda n: work(engine, track, tokens[n], times=2, limit=30)(n)))
    assert Counter(answer.allowed for answer in answers) == {True: 30, False: 10}
    assert usage(engine).summary_count == 30


@pytest.mark.parametrize("limit", [7, 50])
def test_a_new_month_begins_once_and_loses_no_count(engine, at_once, user_id, clock, limit):
    with transaction(engine) as session:
        full = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
        session.execute(update(UserUsage).values(period_start=full, summary_count=limit, last_used=full))
    answers = flat(at_once(work(engine, operations.track_user_usage, user_id, limit=limit)))
    allowed = [answer for answer in answers if answer.allowed]
    assert sorted(answer.used for answer in allowed) == list(range(1, min(limit, THREADS) + 1))
    assert {answer.usage.period_start for answer in answers} == {dt.datetime(2026, 6, 1, tzinfo=dt.UTC)}
    assert usage(engine).summary_count == min(limit, THREADS)


def test_servers_whose_clocks_differ_at_the_turn_of_a_month_agree_on_it(engine, at_once, user_id, monkeypatch):
    from threading import local

    mine, july = local(), dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
    monkeypatch.setattr(operations, "now", lambda: getattr(mine, "now", JUNE))
    with transaction(engine) as session:
        session.execute(update(UserUsage).values(summary_count=3))

    def track(n):
        mine.now = july + dt.timedelta(milliseconds=n - THREADS / 2)
        return work(engine, operations.track_user_usage, user_id, times=2, limit=200)(n)

    answers = flat(at_once(track))
    assert all(answer.allowed for answer in answers)
    counted = Counter(answer.usage.period_start for answer in answers)
    assert usage(engine).period_start == july
    assert usage(engine).summary_count == counted[july]
    assert sorted(a.used for a in answers if a.usage.period_start == july) == list(range(1, counted[july] + 1))


def test_counts_and_refunds_interleave_without_a_gap(engine, at_once, user_id):
    def track_and_fail(n):
        answers = flat([work(engine, operations.track_user_usage, user_id, limit=1000)(n) for _ in range(4)])
        given_back = [work(engine, operations.refund_usage, answer)(n) for answer in answers[: n % 5]]
        return flat(given_back)

    given_back = flat(at_once(track_and_fail))
    assert given_back == [True] * 40
    assert usage(engine).summary_count == THREADS * 4 - 40


def test_twenty_begin_to_count_for_a_user_of_before_counting_began(engine, at_once, user_id):
    with transaction(engine) as session:
        session.execute(delete(UserUsage))
    answers = flat(at_once(work(engine, operations.track_user_usage, user_id, limit=15)))
    assert Counter(answer.allowed for answer in answers) == {True: 15, False: 5}
    assert usage(engine).summary_count == 15


def test_resets_and_counts_leave_what_was_counted_after_the_last_reset(engine, at_once, user_id):
    def mixed(n):
        verb, named = (operations.reset_usage, {}) if n % 4 == 0 else (operations.track_user_usage, {"limit": 1000})
        return work(engine, verb, user_id, times=3, **named)(n)

    answers = [answer for answer in flat(at_once(mixed)) if answer is not None]
    assert all(answer.allowed for answer in answers)
    left = usage(engine).summary_count
    assert 0 <= left <= len(answers)
    # Every count from 1 up to what is left was handed out after the last reset.
    assert set(range(1, left + 1)) <= {answer.used for answer in answers}


def test_one_address_makes_one_user(engine, at_once):
    def create(n):
        address = ("Ada@Example.com", "ada@example.com", " ADA@example.com")[n % 3]
        return work(engine, operations.create_user, address, refused=operations.EmailTaken)(n)

    answers = flat(at_once(create))
    assert answers.count(operations.EmailTaken) == THREADS - 1
    assert (count(engine, User), count(engine, UserUsage)) == (1, 1)


def test_one_address_is_taken_over_by_one_user(engine, at_once):
    with transaction(engine) as session:
        users = [operations.create_user(session, f"{n}@example.com").id for n in range(THREADS)]

    def change(n):
        verb = operations.update_user
        return work(engine, verb, users[n], email="the-same@example.com", refused=operations.EmailTaken)(n)

    assert flat(at_once(change)).count(operations.EmailTaken) == THREADS - 1
    with transaction(engine) as session:
        addresses = Counter(session.scalars(select(User.email)))
    assert len(addresses) == THREADS
    assert addresses["the-same@example.com"] == 1


def test_changes_of_different_things_do_not_undo_each_other(engine, at_once, user_id):
    changes = {"name": "Ada", "image": "https://example.com/a.png", "email_verified": JUNE}

    def change(n):
        name = list(changes)[n % 3]
        return work(engine, operations.update_user, user_id, **{name: changes[name]})(n)

    at_once(change)
    with transaction(engine) as session:
        user = operations.find_user_by_id(session, user_id)
    assert {name: getattr(user, name) for name in changes} == changes


def test_one_account_lets_one_user_in(engine, at_once):
    with transaction(engine) as session:
        users = [operations.create_user(session, f"{n}@example.com").id for n in range(THREADS)]

    def link(n):
        verb = operations.link_account
        return work(engine, verb, users[n], "google", "118", refused=operations.AccountTaken)(n)

    assert flat(at_once(link)).count(operations.AccountTaken) == THREADS - 1
    assert count(engine, Account) == 1


def test_a_token_shown_twenty_times_proves_its_address_once(engine, at_once):
    with transaction(engine) as session:
        token = operations.create_verification_token(session, "ada@example.com").token
    answers = flat(at_once(work(engine, operations.use_verification_token, "ada@example.com", token)))
    assert Counter(answers) == {True: 1, False: THREADS - 1}
    assert count(engine, VerificationToken) == 0


def test_cleaners_at_once_delete_each_session_once_and_no_live_one(engine, at_once, user_id, clock):
    with transaction(engine) as session:
        for n in range(200):
            operations.create_session(session, user_id, lasts=DAY + n * dt.timedelta(minutes=1))
        live = operations.create_session(session, user_id).token
    clock(JUNE + 2 * DAY)
    answers = flat(at_once(work(engine, operations.cleanup_expired_sessions, limit=15)))
    assert sum(answers) == 200
    assert max(answers) <= 15
    with transaction(engine) as session:
        assert operations.find_session(session, live) is not None
    assert count(engine, Session) == 1


def test_one_browser_signs_out_once(engine, at_once, user_id):
    with transaction(engine) as session:
        token = operations.create_session(session, user_id).token
    answers = flat(at_once(work(engine, operations.delete_session, token)))
    assert Counter(answers) == {True: 1, False: THREADS - 1}


def test_a_user_who_is_deleted_meanwhile_leaves_nothing_behind(engine, at_once, user_id):
    def mixed(n):
        if n == 0:
            return work(engine, operations.delete_user, user_id)(n)
        verb = (operations.create_session, operations.track_user_usage, operations.create_user_usage)[n % 3]
        return work(engine, verb, user_id, times=3, refused=operations.NoSuchUser)(n)

    at_once(mixed)
    assert [count(engine, model) for model in (User, Session, UserUsage)] == [0, 0, 0]
