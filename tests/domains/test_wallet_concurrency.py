"""Twenty at once: no money is lost or made, nobody goes below zero, nobody waits for ever, and a key counts once."""

import datetime as dt
import random
from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, update

from dbplan.connection import transaction
from dbplan.domains.wallet import PLAN, operations  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.wallet.models import (
    CurrencyKind,
    Entry,
    FailureReason,
    Hold,
    HoldStatus,
    PlatformKind,
    Transaction,
    TransactionKind,
    TransactionStatus,
    User,
    Wallet,
    WalletStatus,
)
from dbplan.domains.wallet.operations import Fee

THREADS = 20
EACH = 1_000
"""What each of the wallets holds at the start."""


@pytest.fixture
def at(engine):
    """Four users with a wallet each, a bank, and the house; whatever a test does, the books are right afterwards."""
    with transaction(engine) as session:
        operations.add_currency(session, "EUR", "Euro", CurrencyKind.FIAT, minor_units=2)
        bank = operations.add_platform(session, "bank", "Bank", PlatformKind.BANK)
        house = operations.add_platform(session, "house", "House", PlatformKind.INTERNAL)
        settlement = operations.open_platform_wallet(
            session, bank, "EUR", label="settlement", overdraft_limit=1_000_000
        )
        fees = operations.open_platform_wallet(session, house, "EUR", label="fees")
        users, wallets, accounts = [], [], []
        for n in range(4):
            users.append(user := operations.create_user(session, f"{n}@x.org"))
            wallets.append(wallet := operations.open_wallet(session, user, "EUR"))
            accounts.append(account := operations.link_platform_account(session, user, bank, f"DE{n}"))
            operations.deposit(session, wallet, EACH, platform_account_id=account, key="opening")
    yield SimpleNamespace(users=users, wallets=wallets, accounts=accounts, settlement=settlement, fees=fees)
    assert_books_are_right(engine)


def assert_books_are_right(engine):
    """Check what verify_books says against the rows themselves, so that one does not vouch for the other."""
    with transaction(engine) as session:
        assert [str(violation) for violation in operations.verify_books(session)] == []
        wallets = session.scalars(select(Wallet)).all()
        assert sum(wallet.balance for wallet in wallets) == 0
        assert all(wallet.balance >= wallet.held >= 0 for wallet in wallets if wallet.user_id)
        for wallet in wallets:
            lines = session.scalars(select(Entry).where(Entry.wallet_id == wallet.id).order_by(Entry.sequence)).all()
            assert [line.sequence for line in lines] == list(range(1, wallet.last_sequence + 1))
            assert all(after.balance_before == before.balance_after for before, after in pairwise(lines))
            assert all(after.created_at >= before.created_at for before, after in pairwise(lines))
            assert wallet.balance == sum(line.amount for line in lines)
            promised = select(func.coalesce(func.sum(Hold.amount), 0)).where(
                Hold.wallet_id == wallet.id, Hold.status == HoldStatus.ACTIVE
            )
            assert wallet.held == session.scalar(promised)


def balance(engine, wallet_id):
    with transaction(engine) as session:
        return operations.wallet(session, wallet_id).balance


def test_random_transfers_among_few_wallets_keep_every_cent(engine, at, at_once):
    def work(n):
        chance, done = random.Random(n), Counter()
        for turn in range(8):
            # Every other worker goes the opposite way of the one before it, so that pairs of wallets cross.
            source, destination = chance.sample(at.wallets, 2) if n % 3 else at.wallets[:2][:: 1 if n % 2 else -1]
            fee = Fee(at.fees, 1) if turn % 4 == 0 else None
            with transaction(engine) as session:
                amount = chance.randint(1, 600)
                receipt = operations.transfer(session, source, destination, amount, key=f"{n}-{turn}", fee=fee)
                done[receipt.ok, receipt.failure] += 1
        return done

    done = sum(at_once(work), Counter())
    assert sum(done.values()) == THREADS * 8
    assert done.keys() <= {(True, None), (False, FailureReason.INSUFFICIENT_FUNDS)}
    with transaction(engine) as session:
        users = sum(operations.wallet(session, wallet_id).balance for wallet_id in at.wallets)
        fees = operations.wallet(session, at.fees).balance
        paid = session.scalar(select(func.count()).where(Transaction.kind == TransactionKind.FEE))
    assert users + fees == 4 * EACH
    assert fees == paid > 0


def test_opposite_transfers_of_one_pair_wait_for_each_other_and_all_succeed(engine, at, at_once):
    first, second = at.wallets[:2]

    def work(n):
        source, destination = (first, second) if n % 2 else (second, first)
        for turn in range(10):
            with transaction(engine) as session:
                assert operations.transfer(session, source, destination, 10, key=f"{n}-{turn}").ok

    at_once(work)
    assert (balance(engine, first), balance(engine, second)) == (EACH, EACH)
    with transaction(engine) as session:
        assert operations.wallet(session, first).balance == EACH
        assert len(operations.statement(session, first, limit=1000)) == 1 + THREADS * 10


def test_withdrawals_take_what_is_there_to_the_last_cent_and_no_more(engine, at, at_once):
    def work(n):
        receipts = []
        for turn in range(2):
            with transaction(engine) as session:
                receipts.append(
                    operations.withdraw(
                        session, at.wallets[0], 50, platform_account_id=at.accounts[0], key=f"{n}-{turn}",
                        waits=bool(n % 2),
                    )
                )  # fmt: skip
        return receipts

    receipts = [receipt for some in at_once(work) for receipt in some]
    assert Counter(receipt.ok for receipt in receipts) == {True: 20, False: 20}
    waiting = [receipt for receipt in receipts if receipt.status is TransactionStatus.PENDING]
    assert_books_are_right(engine)
    with transaction(engine) as session:
        state = operations.wallet(session, at.wallets[0])
        assert (state.available, state.held) == (0, 50 * len(waiting))
        for receipt in waiting:
            operations.complete_withdrawal(session, receipt.transaction_id)
    assert balance(engine, at.wallets[0]) == 0


def test_one_key_used_twenty_times_moves_money_once(engine, at, at_once):
    def work(_):
        with transaction(engine) as session:
            return operations.transfer(session, at.wallets[0], at.wallets[1], 100, key="the-same", fee=Fee(at.fees, 5))

    receipts = at_once(work)
    assert len({receipt.transaction_id for receipt in receipts}) == 1
    assert Counter(receipt.replayed for receipt in receipts) == {True: THREADS - 1, False: 1}
    assert {receipt.fee for receipt in receipts} == {5}
    assert balance(engine, at.wallets[0]) == EACH - 105


def test_one_key_for_two_requests_serves_one_of_them(engine, at, at_once):
    with transaction(engine) as session:
        more = operations.open_wallet(session, at.users[0], "EUR", label="more")
        operations.transfer(session, at.wallets[0], more, 500, key="before")

    def work(n):
        # Different wallets of one user: no lock is shared, and only the unique key can tell.
        pair = (at.wallets[0], at.wallets[1]) if n % 2 else (more, at.wallets[2])
        try:
            with transaction(engine) as session:
                return operations.transfer(session, *pair, 10, key="the-same").transaction_id
        except operations.KeyReused:
            return None

    served = at_once(work)
    assert len(set(served) - {None}) == 1
    assert served.count(None) == THREADS // 2
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).where(Transaction.idempotency_key == "the-same")) == 1


def test_one_payment_reported_under_twenty_keys_is_booked_once(engine, at, at_once):
    def work(n):
        try:
            with transaction(engine) as session:
                return operations.deposit(
                    session, at.wallets[0], 70, platform_account_id=at.accounts[0], key=str(n), external_id="P1"
                ).ok
        except operations.AlreadyBooked:
            return False

    assert Counter(at_once(work)) == {True: 1, False: THREADS - 1}
    assert balance(engine, at.wallets[0]) == EACH + 70


def test_one_transfer_is_refunded_once_whoever_asks(engine, at, at_once):
    with transaction(engine) as session:
        paid = operations.transfer(session, at.wallets[0], at.wallets[1], 300, key="paid").transaction_id

    def work(n):
        try:
            with transaction(engine) as session:
                return operations.refund(session, paid, user_id=at.users[n % 4], key=str(n)).ok
        except operations.NotRefundable:
            return False

    assert Counter(at_once(work)) == {True: 1, False: THREADS - 1}
    assert balance(engine, at.wallets[0]) == balance(engine, at.wallets[1]) == EACH


def test_a_withdrawal_that_is_paid_and_cancelled_at_once_ends_one_way(engine, at, at_once):
    with transaction(engine) as session:
        waiting = operations.withdraw(
            session, at.wallets[0], 400, platform_account_id=at.accounts[0], key="w", waits=True
        ).transaction_id
    verbs = (operations.complete_withdrawal, operations.cancel_withdrawal, operations.fail_withdrawal)

    def work(n):
        try:
            with transaction(engine) as session:
                receipt = verbs[n % 3](session, waiting)
                return receipt.status, receipt.replayed
        except operations.NotPending:
            return None

    ends = [end for end in at_once(work) if end]
    assert len({status for status, _ in ends}) == 1
    assert [replayed for _, replayed in ends].count(False) == 1
    left = {TransactionStatus.COMPLETED: EACH - 400}.get(ends[0][0], EACH)
    assert balance(engine, at.wallets[0]) == left


def soon():
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


def test_holds_are_placed_captured_and_released_beside_transfers(engine, at, at_once):
    def work(n):
        chance = random.Random(n)
        for turn in range(4):
            source, destination = chance.sample(at.wallets, 2)
            with transaction(engine) as session:
                hold = operations.place_hold(session, source, chance.randint(1, 400), key=f"{n}-{turn}", until=soon())
            with transaction(engine) as session:
                operations.transfer(session, destination, source, chance.randint(1, 400), key=f"t-{n}-{turn}")
            if not hold.ok or turn == 3:
                continue
            with transaction(engine) as session:
                if turn % 2:
                    operations.release_hold(session, hold.hold_id)
                else:
                    part = max(1, hold.amount // 2)
                    assert operations.capture_hold(
                        session, hold.hold_id, destination, key=f"c-{n}-{turn}", amount=part
                    ).ok

    at_once(work)
    with transaction(engine) as session:
        assert sum(operations.wallet(session, wallet_id).balance for wallet_id in at.wallets) == 4 * EACH
        assert set(session.scalars(select(Hold.status))) >= {HoldStatus.CAPTURED, HoldStatus.RELEASED}


def test_one_hold_captured_and_released_by_twenty_ends_once(engine, at, at_once):
    with transaction(engine) as session:
        hold_id = operations.place_hold(session, at.wallets[0], 600, key="h", until=soon()).hold_id

    def work(n):
        try:
            with transaction(engine) as session:
                if n % 2:
                    return operations.capture_hold(session, hold_id, at.wallets[1], key=str(n)).kind
                return operations.release_hold(session, hold_id).replayed
        except operations.HoldEnded:
            return None

    done = Counter(at_once(work))
    assert done[TransactionKind.TRANSFER] + done[False] == 1
    assert balance(engine, at.wallets[0]) == EACH - 600 * done[TransactionKind.TRANSFER]


def test_cleaners_at_once_end_each_hold_once(engine, at, at_once):
    past = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with transaction(engine) as session:
        for n in range(60):
            operations.place_hold(session, at.wallets[n % 4], 10, key=str(n), until=soon())
        session.execute(update(Hold).values(created_at=past, expires_at=past + dt.timedelta(hours=1)))

    def work(n):
        with transaction(engine) as session:
            operations.transfer(session, at.wallets[n % 4], at.wallets[(n + 1) % 4], 1, key=f"t{n}")
        with transaction(engine) as session:
            return operations.expire_holds(session, limit=15)

    ended = sum(at_once(work))
    while more := _expire(engine):
        ended += more
    assert ended == 60
    with transaction(engine) as session:
        assert set(session.scalars(select(Wallet.held))) == {0}


def _expire(engine):
    with transaction(engine) as session:
        return operations.expire_holds(session)


def test_a_wallet_is_closed_or_paid_and_never_both(engine, at, at_once):
    with transaction(engine) as session:
        empty = operations.open_wallet(session, at.users[0], "EUR", label="empty")

    def work(n):
        with transaction(engine) as session:
            if n == 7:
                try:
                    return operations.close_wallet(session, empty, user_id=at.users[0], reason="Leaving")
                except operations.NotEmpty:
                    return False
            return operations.transfer(session, at.wallets[n % 4], empty, 5, key=f"k{n}").ok

    at_once(work)
    with transaction(engine) as session:
        state = operations.wallet(session, empty)
    assert (state.status is WalletStatus.CLOSED) == (state.balance == 0)


def test_a_user_is_closed_or_gets_wallets_and_never_both(engine, at, at_once):
    with transaction(engine) as session:
        leaving = [operations.create_user(session, f"leaving-{n}@x.org") for n in range(10)]

    def work(n):
        done = []
        for turn, user in enumerate(leaving):
            try:
                with transaction(engine) as session:
                    if n % 10 == turn:
                        operations.close_user(session, user)
                    elif n % 10 == (turn + 1) % 10:
                        operations.open_wallet(session, user, "EUR", label=str(n))
                    done.append(user)
            except (operations.NotOpen, operations.NotEmpty):
                continue
        return done

    at_once(work)
    with transaction(engine) as session:
        states = [(session.get_one(User, user).closed_at, len(operations.wallets(session, user))) for user in leaving]
    assert all((closed_at is None) == (opened > 0) for closed_at, opened in states)
