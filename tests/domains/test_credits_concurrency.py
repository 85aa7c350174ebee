"""Twenty at once: no credit is lost, none invented, and a key counts once."""

from collections import Counter
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from dbplan.connection import transaction
from dbplan.domains.credits import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.credits.models import AuditLog, IdempotencyRecord, Status, Transaction

THREADS = 20


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        return operations.create_user(session, opening=500)


def ledger(engine, user_id):
    with transaction(engine) as session:
        balance = operations.account(session, user_id).credits
        return operations.history(session, user_id, limit=1000)[::-1], balance


def assert_chain_is_unbroken(entries, balance):
    assert all(after.balance_before == before.balance_after for before, after in pairwise(entries))
    assert sum(entry.amount for entry in entries) == balance == entries[-1].balance_after


def test_chargers_take_what_is_there_and_no_more(engine, at_once, user_id):
    def charge(n):
        receipts = []
        for turn in range(5):
            with transaction(engine) as session:
                receipts.append(operations.charge(session, user_id, "generate-post", 10, key=f"{n}-{turn}"))
        return receipts

    receipts = [receipt for some in at_once(charge) for receipt in some]
    assert Counter(receipt.status for receipt in receipts) == {Status.SUCCESS: 50, Status.FAILED: 50}
    entries, balance = ledger(engine, user_id)
    assert balance == 0
    assert len(entries) == 51
    assert_chain_is_unbroken(entries, balance)
    with transaction(engine) as session:
        counts = session.execute(select(AuditLog.status, func.count()).group_by(AuditLog.status)).all()
        assert dict(map(tuple, counts)) == {Status.SUCCESS: 50, Status.FAILED: 50}


def test_charges_refunds_and_top_ups_interleave_without_a_gap(engine, at_once, user_id):
    verbs = (
        lambda s, key: operations.charge(s, user_id, "generate-post", 7, key=key),
        lambda s, key: operations.refund(s, user_id, "generate-post", 3, key=key),
        lambda s, key: operations.top_up(s, user_id, 11, key=key),
    )

    def work(n):
        done = []
        for turn in range(4):
            with transaction(engine) as session:
                done.append(verbs[(n + turn) % 3](session, f"{n}-{turn}"))
        return done

    receipts = [receipt for some in at_once(work) for receipt in some]
    entries, balance = ledger(engine, user_id)
    assert balance == 500 + sum(receipt.amount for receipt in receipts if receipt.ok)
    assert len(entries) == 1 + THREADS * 4
    assert_chain_is_unbroken(entries, balance)


def test_one_key_used_twenty_times_charges_once(engine, at_once, user_id):
    def charge(_):
        with transaction(engine) as session:
            return operations.charge(session, user_id, "generate-post", 10, key="the-same")

    receipts = at_once(charge)
    assert len({receipt.transaction_id for receipt in receipts}) == 1
    assert Counter(receipt.replayed for receipt in receipts) == {True: THREADS - 1, False: 1}
    entries, balance = ledger(engine, user_id)
    assert (len(entries), balance) == (2, 490)


def test_one_key_used_by_twenty_users_serves_one_of_them(engine, at_once):
    with transaction(engine) as session:
        users = [operations.create_user(session, opening=10) for _ in range(THREADS)]

    def charge(n):
        try:
            with transaction(engine) as session:
                return operations.charge(session, users[n], "generate-post", 10, key="the-same").ok
        except operations.KeyReused:
            return False

    assert Counter(at_once(charge)) == {True: 1, False: THREADS - 1}
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).where(Transaction.amount < 0)) == 1
        assert session.scalar(select(func.count()).select_from(IdempotencyRecord)) == 1


def test_cleaners_at_once_delete_each_record_once(engine, at_once, user_id):
    import datetime as dt

    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    with transaction(engine) as session:
        session.add_all(
            IdempotencyRecord(key=str(n), created_at=past, expires_at=past + dt.timedelta(days=1), result={})
            for n in range(200)
        )

    def clean(_):
        with transaction(engine) as session:
            return operations.expire_idempotency_records(session, limit=15)

    assert sum(at_once(clean)) == 200
