import datetime as dt
import uuid
from itertools import pairwise

import pytest
from sqlalchemy import event, func, select, update

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.credits import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.credits.models import AuditLog, IdempotencyRecord, Status, Transaction, User
from dbplan.errors import UsageError


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        return operations.create_user(session, opening=100)


def in_one(engine, verb, *arguments, **named):
    """Do one thing in a transaction of its own."""
    with transaction(engine) as session:
        return verb(session, *arguments, **named)


def assert_books_are_right(engine, user_id):
    with transaction(engine) as session:
        ledger = operations.history(session, user_id, limit=1000)[::-1]
        balance = operations.account(session, user_id).credits
    assert sum(entry.amount for entry in ledger) == balance
    assert all(after.balance_before == before.balance_after for before, after in pairwise(ledger))
    assert not ledger or (ledger[0].balance_before, ledger[-1].balance_after) == (0, balance)


def test_a_charge_takes_credits_and_says_before_and_after(engine, user_id):
    receipt = in_one(engine, operations.charge, user_id, "generate-post", 30, key="a", details={"post": 1})
    assert receipt.ok
    assert (receipt.amount, receipt.balance_before, receipt.balance_after) == (-30, 100, 70)
    with transaction(engine) as session:
        newest = operations.history(session, user_id)[0]
        assert (newest.id, newest.action, newest.details) == (receipt.transaction_id, "generate-post", {"post": 1})
        (entry,) = operations.audit_trail(session, user_id)
        assert (entry.status, entry.action, entry.error_message) == (Status.SUCCESS, "generate-post", None)
    assert_books_are_right(engine, user_id)


def test_a_refund_and_a_top_up_give_credits(engine, user_id):
    in_one(engine, operations.charge, user_id, "generate-post", 30, key="a")
    assert in_one(engine, operations.refund, user_id, "generate-post", 30, key="b").balance_after == 100
    assert in_one(engine, operations.top_up, user_id, 50, key="c").balance_after == 150
    assert_books_are_right(engine, user_id)


def test_a_charge_past_the_balance_fails_leaves_a_trace_and_may_be_tried_again(engine, user_id):
    receipt = in_one(engine, operations.charge, user_id, "generate-film", 101, key="a")
    assert (receipt.ok, receipt.transaction_id, receipt.balance_after) == (False, None, 100)
    with transaction(engine) as session:
        (failure,) = operations.failures(session)
        assert failure.error_message == receipt.error == "insufficient credits: 101 wanted, 100 there"
        assert len(operations.history(session, user_id)) == 1
    in_one(engine, operations.top_up, user_id, 1, key="b")
    assert in_one(engine, operations.charge, user_id, "generate-film", 101, key="a").balance_after == 0
    assert_books_are_right(engine, user_id)


def test_a_request_sent_twice_is_done_once(engine, user_id):
    first = in_one(engine, operations.charge, user_id, "generate-post", 30, key="a", details={"n": 1})
    second = in_one(engine, operations.charge, user_id, "generate-post", 30, key="a", details={"n": 1})
    assert second.replayed
    assert second.transaction_id == first.transaction_id
    assert in_one(engine, operations.account, user_id).credits == 70
    assert type(second.user_id) is uuid.UUID
    assert second.status is Status.SUCCESS


def test_a_key_does_not_serve_another_request(engine, user_id):
    in_one(engine, operations.charge, user_id, "generate-post", 30, key="a")
    other = in_one(engine, operations.create_user, opening=100)
    for verb, who, action, amount in (
        (operations.charge, user_id, "generate-post", 31),
        (operations.charge, user_id, "generate-film", 30),
        (operations.refund, user_id, "generate-post", 30),
        (operations.charge, other, "generate-post", 30),
    ):
        with pytest.raises(operations.KeyReused, match='"a" already stands for another request'):
            in_one(engine, verb, who, action, amount, key="a")
    assert in_one(engine, operations.account, user_id).credits == 70
    assert in_one(engine, operations.account, other).credits == 100


def test_an_expired_key_is_free_again(engine, user_id):
    in_one(engine, operations.charge, user_id, "generate-post", 30, key="a")
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    with transaction(engine) as session:
        session.execute(update(IdempotencyRecord).values(created_at=past, expires_at=past + dt.timedelta(days=1)))
    assert not in_one(engine, operations.charge, user_id, "generate-post", 30, key="a").replayed
    assert in_one(engine, operations.account, user_id).credits == 40


def test_an_error_after_a_charge_undoes_it(engine, user_id):
    with pytest.raises(RuntimeError), transaction(engine) as session:
        operations.charge(session, user_id, "generate-post", 30, key="a")
        raise RuntimeError
    assert in_one(engine, operations.account, user_id).credits == 100
    assert not in_one(engine, operations.charge, user_id, "generate-post", 30, key="a").replayed


def test_expired_records_go_in_batches_and_live_ones_stay(engine):
    now = dt.datetime.now(dt.UTC)
    with transaction(engine) as session:
        for n in range(7):
            start = now - dt.timedelta(days=2) if n < 5 else now
            day = dt.timedelta(days=1)
            session.add(IdempotencyRecord(key=str(n), created_at=start, expires_at=start + day, result={}))
    counts = [in_one(engine, operations.expire_idempotency_records, limit=2) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    with transaction(engine) as session:
        assert set(session.scalars(select(IdempotencyRecord.key))) == {"5", "6"}


def test_pages_of_history_miss_nothing_even_where_instants_are_equal(engine, user_id):
    instant = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with transaction(engine) as session:
        rows = [(n % 3, n) for n in range(10)]
        session.add_all(
            Transaction(
                user_id=user_id, action="x", amount=1, balance_before=n, balance_after=n + 1,
                created_at=instant + dt.timedelta(seconds=second),
            )
            for second, n in rows
        )  # fmt: skip
    seen, cursor = [], operations.TOP
    with transaction(engine) as session:
        while page := operations.history(session, user_id, before=cursor, limit=3):
            seen += page
            cursor = operations.Cursor.of(page[-1])
    assert len({entry.id for entry in seen}) == len(seen) == 11
    assert [(e.created_at, e.id) for e in seen] == sorted(((e.created_at, e.id) for e in seen), reverse=True)


def test_transactions_by_action_are_those_of_all_users(engine, user_id):
    other = in_one(engine, operations.create_user, opening=10)
    in_one(engine, operations.charge, user_id, "generate-post", 1, key="a")
    in_one(engine, operations.charge, other, "generate-post", 2, key="b")
    with transaction(engine) as session:
        found = operations.transactions_by_action(session, "generate-post")
        assert [entry.user_id for entry in found] == [other, user_id]


def test_a_membership_is_set_listed_ended_and_audited(engine, user_id):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    in_one(engine, operations.set_membership, user_id, " Pro ", later)
    (member,) = in_one(engine, operations.members, "pro")
    assert member == in_one(engine, operations.account, user_id)
    assert (member.membership_tier, member.membership_expires_at) == ("pro", later)
    assert in_one(engine, operations.members, "pro", after=user_id) == []
    in_one(engine, operations.set_membership, user_id, None)
    assert in_one(engine, operations.members, "pro") == []
    with transaction(engine) as session:
        assert [e.details["tier"] for e in operations.audit_trail(session, user_id)] == [None, "pro"]


def test_a_member_past_the_end_is_no_member(engine, user_id):
    in_one(engine, operations.set_membership, user_id, "pro", dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert in_one(engine, operations.members, "pro") == []


def test_a_change_of_membership_moves_updated_at(engine, user_id):
    old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    with transaction(engine) as session:
        session.execute(update(User).values(updated_at=old))
    in_one(engine, operations.set_membership, user_id, "pro")
    with transaction(engine) as session:
        assert session.get_one(User, user_id).updated_at > old


def test_a_user_is_erased_with_all_that_speaks_of_them(engine, user_id):
    other = in_one(engine, operations.create_user, opening=5)
    in_one(engine, operations.charge, user_id, "generate-post", 1, key="a")
    in_one(engine, operations.erase_user, user_id)
    with transaction(engine) as session:
        assert session.scalars(select(User.id)).all() == [other]
        assert session.scalar(select(func.count()).select_from(AuditLog)) == 0
        assert [entry.user_id for entry in session.scalars(select(Transaction))] == [other]


def test_a_stranger_is_named_and_nothing_is_written(engine):
    stranger = new_id()
    for verb, arguments in (
        (operations.account, ()),
        (operations.set_membership, ("pro",)),
        (operations.erase_user, ()),
    ):
        with pytest.raises(operations.NoSuchUser, match=str(stranger)):
            in_one(engine, verb, stranger, *arguments)
    with pytest.raises(operations.NoSuchUser):
        in_one(engine, operations.charge, stranger, "x", 1, key="a")


NAIVE = dt.datetime(2026, 1, 1)
WRONG = {
    "the amount of credits is 0; it is a whole number, 1 to": lambda s, u: operations.charge(s, u, "x", 0, key="a"),
    "the amount of credits is -5": lambda s, u: operations.top_up(s, u, -5, key="a"),
    "the amount of credits is 1.5": lambda s, u: operations.charge(s, u, "x", 1.5, key="a"),
    "the amount of credits is True": lambda s, u: operations.refund(s, u, "x", True, key="a"),
    "the amount of credits is of type str": lambda s, u: operations.top_up(s, u, "5", key="a"),
    "the opening balance is -1": lambda s, _: operations.create_user(s, opening=-1),
    "the opening balance is 0.5": lambda s, _: operations.create_user(s, opening=0.5),
    "the idempotency key has 0 characters": lambda s, u: operations.charge(s, u, "x", 1, key=""),
    "the idempotency key has 201 characters": lambda s, u: operations.charge(s, u, "x", 1, key="k" * 201),
    "the action has 0 characters": lambda s, u: operations.charge(s, u, "", 1, key="a"),
    "the membership tier has 51 characters": lambda s, u: operations.set_membership(s, u, "x" * 51),
    "needs a tier": lambda s, u: operations.set_membership(s, u, None, dt.datetime.now(dt.UTC)),
    "the limit is 0": lambda s, u: operations.history(s, u, limit=0),
    "the limit is 1001": lambda s, u: operations.history(s, u, limit=1001),
    "the limit is 2.5": lambda s, u: operations.audit_trail(s, u, limit=2.5),
    "2026-01-01 00:00:00 has no time zone": lambda s, u: operations.set_membership(s, u, "pro", NAIVE),
    "give a uuid.UUID": lambda s, u: operations.account(s, str(u)),
}


def test_a_senseless_call_is_refused_before_it_reaches_the_server(engine, user_id, subtests):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    with transaction(engine) as session:
        for message, call in WRONG.items():
            with subtests.test(message), pytest.raises(UsageError, match=message):
                call(session, user_id)
        assert set(sent) <= {"BEGIN IMMEDIATE"}
        operations.account(session, user_id)
        assert set(sent) - {"BEGIN IMMEDIATE"}
