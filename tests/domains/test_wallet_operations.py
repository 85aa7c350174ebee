import datetime as dt
import tomllib
import uuid
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, event, func, insert, select, text, update

from dbplan.columns import Key, new_id
from dbplan.connection import transaction
from dbplan.domains.wallet import PLAN, operations
from dbplan.domains.wallet.models import (
    BOUND,
    MOST,
    Currency,
    CurrencyKind,
    Entry,
    FailureReason,
    Hold,
    HoldStatus,
    LinkStatus,
    Platform,
    PlatformAccount,
    PlatformKind,
    PlatformStatus,
    Transaction,
    TransactionKind,
    TransactionStatus,
    User,
    UserStatus,
    Wallet,
    WalletStatus,
)
from dbplan.domains.wallet.operations import Fee
from dbplan.errors import UsageError

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def soon():
    return dt.datetime.now(dt.UTC) + HOUR


def in_one(engine, verb, *arguments, **named):
    """Do one thing in a transaction of its own."""
    with transaction(engine) as session:
        return verb(session, *arguments, **named)


@pytest.fixture
def at(engine, request):
    """Ada with 100.00 euros, Bob with none, a bank for both, and the house with its fees; sound books at the end."""
    yield opened(engine)
    if "broken" not in request.node.name:
        assert [str(violation) for violation in in_one(engine, operations.verify_books)] == []


def opened(engine):
    with transaction(engine) as session:
        operations.add_currency(session, "EUR", "Euro", CurrencyKind.FIAT, minor_units=2)
        operations.add_currency(session, "JPY", "Yen", CurrencyKind.FIAT, minor_units=0)
        house = operations.add_platform(session, "house", "The house", PlatformKind.INTERNAL)
        sepa = operations.add_platform(session, "sepa", "SEPA", PlatformKind.BANK)
        ada, bob = (operations.create_user(session, f"{name}@x.org") for name in ("ada", "bob"))
        made = SimpleNamespace(
            ada=ada, bob=bob, house=house, sepa=sepa,
            bank=operations.open_platform_wallet(session, sepa, "EUR", label="settlement", overdraft_limit=1_000_000),
            fees=operations.open_platform_wallet(session, house, "EUR", label="fees"),
            hers=operations.open_wallet(session, ada, "EUR"), his=operations.open_wallet(session, bob, "EUR"),
            yen=operations.open_wallet(session, ada, "JPY"),
            account=operations.link_platform_account(session, ada, sepa, "DE1"),
            his_account=operations.link_platform_account(session, bob, sepa, "DE2"),
        )  # fmt: skip
        operations.deposit(session, made.hers, 10_000, platform_account_id=made.account, key="opening")
        return made


def balances(engine, *wallet_ids):
    with transaction(engine) as session:
        return tuple(operations.wallet(session, wallet_id).balance for wallet_id in wallet_ids)


def status_of(engine, transaction_id):
    return in_one(engine, operations.transaction, transaction_id).status


def test_a_deposit_comes_from_the_settlement_wallet_of_its_platform(engine, at):
    receipt = in_one(
        engine, operations.deposit, at.hers, 250, platform_account_id=at.account, key="d", external_id="P1"
    )
    assert (receipt.ok, receipt.kind, receipt.status) == (True, TransactionKind.DEPOSIT, TransactionStatus.COMPLETED)
    assert (receipt.user_id, receipt.source_id, receipt.destination_id) == (at.ada, at.bank, at.hers)
    assert balances(engine, at.hers, at.bank) == (10_250, -10_250)
    assert in_one(engine, operations.payment, at.account, "P1") == receipt
    assert in_one(engine, operations.payment, at.account, "P2") is None


def test_a_payment_that_is_reported_twice_is_booked_once(engine, at):
    in_one(engine, operations.deposit, at.hers, 250, platform_account_id=at.account, key="d", external_id="P1")
    with pytest.raises(operations.AlreadyBooked, match='payment "P1"'):
        in_one(engine, operations.deposit, at.hers, 250, platform_account_id=at.account, key="e", external_id="P1")
    assert balances(engine, at.hers) == (10_250,)


def test_a_transfer_moves_money_and_each_ledger_says_so(engine, at):
    receipt = in_one(engine, operations.transfer, at.hers, at.his, 2_500, key="t", description="Dinner")
    assert (receipt.ok, receipt.user_id, receipt.currency_code, receipt.fee) == (True, at.ada, "EUR", 0)
    assert balances(engine, at.hers, at.his) == (7_500, 2_500)
    with transaction(engine) as session:
        newest, opening = operations.statement(session, at.hers)
        (his,) = operations.statement(session, at.his)
    assert (newest.sequence, newest.amount, newest.balance_after) == (2, -2_500, 7_500)
    assert (newest.kind, newest.description) == (TransactionKind.TRANSFER, "Dinner")
    assert (opening.sequence, opening.amount, opening.balance_after) == (1, 10_000, 10_000)
    assert (his.transaction_id, his.sequence, his.amount) == (newest.transaction_id, 1, 2_500)


def test_a_fee_goes_with_its_transfer_or_not_at_all(engine, at):
    receipt = in_one(engine, operations.transfer, at.hers, at.his, 9_900, key="t", fee=Fee(at.fees, 100))
    assert (receipt.amount, receipt.fee) == (9_900, 100)
    assert balances(engine, at.hers, at.his, at.fees) == (0, 9_900, 100)
    with transaction(engine) as session:
        fee = session.scalars(select(Transaction).where(Transaction.kind == TransactionKind.FEE)).one()
        assert (fee.fee_of_id, fee.idempotency_key, fee.user_id) == (receipt.transaction_id, None, at.ada)
    refused = in_one(engine, operations.transfer, at.his, at.hers, 9_900, key="t", fee=Fee(at.fees, 1))
    assert (refused.failure, refused.fee) == (FailureReason.INSUFFICIENT_FUNDS, 0)
    assert balances(engine, at.his, at.fees) == (9_900, 100)


def test_a_transfer_of_everything_leaves_zero_and_one_more_fails_and_leaves_a_trace(engine, at):
    assert in_one(engine, operations.transfer, at.hers, at.his, 10_000, key="all").ok
    receipt = in_one(engine, operations.transfer, at.hers, at.his, 1, key="more")
    assert (receipt.ok, receipt.failure) == (False, FailureReason.INSUFFICIENT_FUNDS)
    assert balances(engine, at.hers, at.his) == (0, 10_000)
    with transaction(engine) as session:
        newest = operations.transactions(session, at.ada)[0]
        assert (newest.id, newest.status) == (receipt.transaction_id, TransactionStatus.FAILED)
        assert newest.finished_at >= newest.created_at


REQUESTS = {
    "deposit": lambda s, at, **more: operations.deposit(
        s, at.hers, 250, **{"platform_account_id": at.account, "key": "k", "external_id": "P1"} | more
    ),
    "withdraw": lambda s, at, **more: operations.withdraw(
        s, at.hers, 250, **{"platform_account_id": at.account, "key": "k"} | more
    ),
    "withdraw and wait": lambda s, at, **more: operations.withdraw(
        s, at.hers, 250, **{"platform_account_id": at.account, "key": "k", "waits": True} | more
    ),
    "transfer": lambda s, at, **more: operations.transfer(s, at.hers, at.his, 250, **{"key": "k"} | more),
    "transfer with a fee": lambda s, at, **more: operations.transfer(
        s, at.hers, at.his, 250, **{"key": "k", "fee": Fee(at.fees, 5)} | more
    ),
    "transfer that fails": lambda s, at, **more: operations.transfer(s, at.hers, at.his, 99_999, **{"key": "k"} | more),
    "adjust": lambda s, at, **more: operations.adjust(
        s, at.bank, at.hers, 250, **{"user_id": at.ada, "key": "k", "description": "Goodwill"} | more
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_sent_again_gets_the_same_receipt_and_moves_nothing(engine, at, name):
    first = in_one(engine, REQUESTS[name], at)
    before = balances(engine, at.hers, at.his, at.bank, at.fees)
    again = in_one(engine, REQUESTS[name], at)
    assert again == operations.Receipt(**vars(first) | {"replayed": True})
    assert not first.replayed
    assert balances(engine, at.hers, at.his, at.bank, at.fees) == before
    with transaction(engine) as session:
        rows = session.scalar(select(func.count()).where(Transaction.fee_of_id.is_(None)))
    assert rows == 2


@pytest.mark.parametrize("name", REQUESTS)
def test_a_key_that_stands_for_another_request_is_refused(engine, at, name):
    in_one(engine, REQUESTS[name], at)
    with pytest.raises(operations.KeyReused, match='"k" already stands for another request'):
        in_one(engine, REQUESTS[name], at, description="Something else")


def test_a_key_of_one_verb_answers_no_other(engine, at):
    in_one(engine, REQUESTS["transfer"], at)
    for name in REQUESTS.keys() - {"transfer"}:
        with pytest.raises(operations.KeyReused):
            in_one(engine, REQUESTS[name], at)


def test_two_users_may_use_the_same_key(engine, at):
    assert in_one(engine, operations.transfer, at.hers, at.his, 500, key="k").ok
    assert in_one(engine, operations.transfer, at.his, at.hers, 500, key="k").ok
    assert balances(engine, at.hers, at.his) == (10_000, 0)


def test_an_error_after_a_transfer_undoes_it(engine, at):
    with pytest.raises(RuntimeError), transaction(engine) as session:
        operations.transfer(session, at.hers, at.his, 500, key="k")
        raise RuntimeError
    assert balances(engine, at.hers, at.his) == (10_000, 0)
    assert not in_one(engine, operations.transfer, at.hers, at.his, 500, key="k").replayed


def test_a_withdrawal_takes_all_that_is_there_and_no_more(engine, at):
    receipt = in_one(engine, operations.withdraw, at.hers, 10_000, platform_account_id=at.account, key="w")
    assert (receipt.kind, receipt.status) == (TransactionKind.WITHDRAWAL, TransactionStatus.COMPLETED)
    assert balances(engine, at.hers, at.bank) == (0, 0)
    refused = in_one(engine, operations.withdraw, at.hers, 1, platform_account_id=at.account, key="x")
    assert refused.failure is FailureReason.INSUFFICIENT_FUNDS


@pytest.fixture
def waiting(engine, at):
    return in_one(
        engine, operations.withdraw, at.hers, 4_000, platform_account_id=at.account, key="w", waits=True
    ).transaction_id


def test_a_withdrawal_that_waits_holds_its_money(engine, at, waiting):
    with transaction(engine) as session:
        state = operations.wallet(session, at.hers)
        assert (state.balance, state.held, state.available) == (10_000, 4_000, 6_000)
        (hold,) = operations.active_holds(session, at.hers)
        assert (hold.transaction_id, hold.amount, hold.expires_at) == (waiting, 4_000, None)
        (pending,) = operations.pending_withdrawals(session, soon())
        assert pending.id == waiting
        assert operations.pending_withdrawals(session, LONG_AGO) == []
    assert not in_one(engine, operations.transfer, at.hers, at.his, 6_001, key="t").ok
    assert in_one(engine, operations.transfer, at.hers, at.his, 6_000, key="u").ok


ENDS = {
    "complete": (operations.complete_withdrawal, TransactionStatus.COMPLETED, HoldStatus.CAPTURED, 6_000),
    "fail": (operations.fail_withdrawal, TransactionStatus.FAILED, HoldStatus.RELEASED, 10_000),
    "cancel": (operations.cancel_withdrawal, TransactionStatus.CANCELLED, HoldStatus.RELEASED, 10_000),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_withdrawal_that_waits_ends_once(engine, at, waiting, name):
    verb, status, hold_status, left = ENDS[name]
    receipt = in_one(engine, verb, waiting)
    assert (receipt.status, receipt.replayed) == (status, False)
    with transaction(engine) as session:
        state = operations.wallet(session, at.hers)
        assert (state.balance, state.held) == (left, 0)
        assert session.scalars(select(Hold.status)).one() is hold_status
        assert session.scalars(select(Transaction.failure_reason).where(Transaction.id == waiting)).one() == (
            FailureReason.PLATFORM_REFUSED if name == "fail" else None
        )
    assert in_one(engine, verb, waiting).replayed
    for other in ENDS.keys() - {name}:
        with pytest.raises(operations.NotPending, match=f"is {status}"):
            in_one(engine, ENDS[other][0], waiting)
    assert balances(engine, at.hers) == (left,)


def test_a_withdrawal_that_was_paid_is_booked_though_the_wallet_is_frozen_by_then(engine, at, waiting):
    in_one(engine, operations.freeze_wallet, at.hers, user_id=at.bob, reason="Court order")
    assert in_one(engine, operations.complete_withdrawal, waiting, external_id="OUT1").ok
    assert balances(engine, at.hers) == (6_000,)
    assert in_one(engine, operations.payment, at.account, "OUT1").transaction_id == waiting


@pytest.fixture
def paid(engine, at):
    return in_one(engine, operations.transfer, at.hers, at.his, 2_500, key="paid").transaction_id


def test_a_refund_moves_the_amount_back_and_marks_what_it_reverses(engine, at, paid):
    receipt = in_one(engine, operations.refund, paid, user_id=at.bob, key="r")
    assert (receipt.ok, receipt.kind, receipt.amount, receipt.reverses_id) == (True, "refund", 2_500, paid)
    assert balances(engine, at.hers, at.his) == (10_000, 0)
    assert status_of(engine, paid) is TransactionStatus.REVERSED
    assert in_one(engine, operations.refund, paid, user_id=at.bob, key="r").replayed
    with transaction(engine) as session:
        assert [row.id for row in operations.refunds(session, paid)] == [receipt.transaction_id]


def test_a_refund_happens_once_and_of_no_more_than_was_moved(engine, at, paid):
    with pytest.raises(UsageError, match="2501 to take back of 2500"):
        in_one(engine, operations.refund, paid, user_id=at.bob, key="r", amount=2_501)
    receipt = in_one(engine, operations.refund, paid, user_id=at.bob, key="r", amount=1_000)
    assert balances(engine, at.hers, at.his) == (8_500, 1_500)
    with pytest.raises(operations.NotRefundable, match=f"{paid} is reversed"):
        in_one(engine, operations.refund, paid, user_id=at.bob, key="s", amount=1_000)
    with pytest.raises(operations.NotRefundable, match="is a refund itself"):
        in_one(engine, operations.refund, receipt.transaction_id, user_id=at.ada, key="t")
    assert balances(engine, at.hers, at.his) == (8_500, 1_500)


def test_a_refund_of_money_that_is_spent_fails_and_may_be_tried_again(engine, at, paid):
    in_one(engine, operations.withdraw, at.his, 2_500, platform_account_id=at.his_account, key="w")
    failed = in_one(engine, operations.refund, paid, user_id=at.bob, key="r")
    assert failed.failure is FailureReason.INSUFFICIENT_FUNDS
    assert status_of(engine, paid) is TransactionStatus.COMPLETED
    assert balances(engine, at.hers, at.his) == (7_500, 0)
    in_one(engine, operations.deposit, at.his, 2_500, platform_account_id=at.his_account, key="d")
    assert in_one(engine, operations.refund, paid, user_id=at.bob, key="r").failure is not None
    assert in_one(engine, operations.refund, paid, user_id=at.bob, key="again").ok
    with transaction(engine) as session:
        assert [row.status for row in operations.refunds(session, paid)] == ["completed", "failed"]


def test_what_never_moved_is_not_refunded(engine, at, waiting):
    failed = in_one(engine, operations.transfer, at.hers, at.his, 99_999, key="t").transaction_id
    for transaction_id, status in ((failed, "failed"), (waiting, "pending")):
        with pytest.raises(operations.NotRefundable, match=f"is {status}"):
            in_one(engine, operations.refund, transaction_id, user_id=at.bob, key="r")


def test_deposits_and_withdrawals_are_refunded_by_their_platform(engine, at):
    put_in = in_one(engine, operations.deposit, at.his, 300, platform_account_id=at.his_account, key="d")
    taken = in_one(engine, operations.withdraw, at.hers, 400, platform_account_id=at.account, key="w")
    for receipt in (put_in, taken):
        assert in_one(engine, operations.refund, receipt.transaction_id, user_id=receipt.user_id, key="r").ok
    assert balances(engine, at.hers, at.his, at.bank) == (10_000, 0, -10_000)


def test_an_adjustment_is_at_the_cost_of_a_platform(engine, at):
    receipt = in_one(engine, operations.adjust, at.bank, at.hers, 5, user_id=at.bob, key="a", description="Rounding")
    assert (receipt.kind, receipt.user_id) == (TransactionKind.ADJUSTMENT, at.bob)
    assert balances(engine, at.hers, at.bank) == (10_005, -10_005)
    with pytest.raises(UsageError, match="both wallets belong to users"):
        in_one(engine, operations.adjust, at.hers, at.his, 5, user_id=at.bob, key="b", description="Rounding")


def test_a_platform_holds_no_more_than_its_limit(engine, at):
    left = 1_000_000 - 10_000
    over = in_one(engine, operations.deposit, at.his, left + 1, platform_account_id=at.his_account, key="over")
    assert over.failure is FailureReason.LIMIT_EXCEEDED
    assert in_one(engine, operations.deposit, at.his, left, platform_account_id=at.his_account, key="just").ok


def test_a_hold_promises_money_that_is_then_spent_on_nothing_else(engine, at):
    until = soon()
    receipt = in_one(engine, operations.place_hold, at.hers, 6_000, key="h", until=until, description="Hotel")
    assert (receipt.ok, receipt.status, receipt.expires_at) == (True, HoldStatus.ACTIVE, until)
    state = in_one(engine, operations.wallet, at.hers)
    assert (state.balance, state.held, state.available) == (10_000, 6_000, 4_000)
    assert in_one(engine, operations.transfer, at.hers, at.his, 4_001, key="t").failure is not None
    refused = in_one(engine, operations.place_hold, at.hers, 4_001, key="i", until=until)
    assert (refused.ok, refused.hold_id, refused.failure) == (False, None, FailureReason.INSUFFICIENT_FUNDS)
    again = in_one(engine, operations.place_hold, at.hers, 6_000, key="h", until=until, description="Hotel")
    assert (again.hold_id, again.replayed) == (receipt.hold_id, True)
    with pytest.raises(operations.KeyReused):
        in_one(engine, operations.place_hold, at.hers, 5_000, key="h", until=until, description="Hotel")
    assert in_one(engine, operations.transfer, at.hers, at.his, 4_000, key="u").ok
    assert in_one(engine, operations.place_hold, at.hers, 1, key="i", until=until).ok is False


@pytest.fixture
def held(engine, at):
    return in_one(engine, operations.place_hold, at.hers, 6_000, key="h", until=soon()).hold_id


def test_a_hold_is_captured_once_and_what_is_left_over_is_free(engine, at, held):
    receipt = in_one(engine, operations.capture_hold, held, at.his, key="c", amount=5_000)
    assert (receipt.ok, receipt.kind, receipt.amount) == (True, TransactionKind.TRANSFER, 5_000)
    state = in_one(engine, operations.wallet, at.hers)
    assert (state.balance, state.held) == (5_000, 0)
    assert in_one(engine, operations.capture_hold, held, at.his, key="c", amount=5_000).replayed
    for verb in (
        lambda s: operations.capture_hold(s, held, at.his, key="d"),
        lambda s: operations.release_hold(s, held),
    ):
        with pytest.raises(operations.HoldEnded, match="is captured"):
            in_one(engine, verb)
    with transaction(engine) as session:
        hold = session.get_one(Hold, held)
        assert (hold.status, hold.transaction_id) == (HoldStatus.CAPTURED, receipt.transaction_id)
    assert balances(engine, at.hers, at.his) == (5_000, 5_000)


def test_a_capture_of_everything_there_is_succeeds(engine, at):
    hold = in_one(engine, operations.place_hold, at.hers, 10_000, key="h", until=soon())
    assert in_one(engine, operations.capture_hold, hold.hold_id, at.his, key="c").ok
    assert balances(engine, at.hers, at.his) == (0, 10_000)


def test_a_capture_of_more_than_is_held_is_refused(engine, at, held):
    with pytest.raises(UsageError, match="6001 to capture of 6000 held"):
        in_one(engine, operations.capture_hold, held, at.his, key="c", amount=6_001)


def test_a_capture_that_fails_leaves_the_hold(engine, at, held):
    in_one(engine, operations.freeze_wallet, at.hers, user_id=at.bob, reason="Fraud")
    assert in_one(engine, operations.capture_hold, held, at.his, key="c").failure is FailureReason.WALLET_FROZEN
    assert in_one(engine, operations.wallet, at.hers).held == 6_000
    in_one(engine, operations.unfreeze_wallet, at.hers, user_id=at.bob, reason="Settled")
    assert in_one(engine, operations.capture_hold, held, at.his, key="d").ok


def test_a_hold_that_is_released_is_free_again(engine, at, held):
    assert in_one(engine, operations.release_hold, held).status is HoldStatus.RELEASED
    assert in_one(engine, operations.wallet, at.hers).held == 0
    assert in_one(engine, operations.release_hold, held).replayed
    with pytest.raises(operations.HoldEnded, match="is released"):
        in_one(engine, operations.capture_hold, held, at.his, key="c")


def age(engine, *hold_ids):
    """Let holds have been placed, and have ended, long ago."""
    with transaction(engine) as session:
        past = {"created_at": LONG_AGO, "expires_at": LONG_AGO + HOUR}
        session.execute(update(Hold).where(Hold.id.in_(hold_ids)).values(past))


def test_holds_whose_time_is_over_expire_in_batches_and_others_stay(engine, at):
    def place(n):
        return in_one(engine, operations.place_hold, at.hers, 100 + n, key=str(n), until=soon()).hold_id

    over, live = [place(n) for n in range(5)], place(9)
    age(engine, *over)
    with pytest.raises(operations.HoldEnded, match="was until"):
        in_one(engine, operations.capture_hold, over[0], at.his, key="c")
    assert [in_one(engine, operations.expire_holds, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert in_one(engine, operations.wallet, at.hers).held == 109
    with transaction(engine) as session:
        assert [hold.id for hold in operations.active_holds(session, at.hers)] == [live]
    with pytest.raises(operations.HoldEnded, match="is expired"):
        in_one(engine, operations.release_hold, over[0])


def test_the_hold_of_a_withdrawal_ends_with_it_alone(engine, at, waiting):
    with transaction(engine) as session:
        (hold,) = operations.active_holds(session, at.hers)
    for verb in (
        lambda s: operations.release_hold(s, hold.id),
        lambda s: operations.capture_hold(s, hold.id, at.his, key="c"),
    ):
        with pytest.raises(operations.HoldEnded, match=f"ends with transaction {waiting}"):
            in_one(engine, verb)
    assert in_one(engine, operations.expire_holds) == 0


def test_out_of_a_frozen_wallet_goes_nothing_and_into_it_something(engine, at):
    assert in_one(engine, operations.freeze_wallet, at.hers, user_id=at.bob, reason=" Court order ")
    assert not in_one(engine, operations.freeze_wallet, at.hers, user_id=at.bob, reason="again")
    for receipt in (
        in_one(engine, operations.transfer, at.hers, at.his, 1, key="t"),
        in_one(engine, operations.withdraw, at.hers, 1, platform_account_id=at.account, key="w"),
        in_one(engine, operations.place_hold, at.hers, 1, key="h", until=soon()),
    ):
        assert receipt.failure is FailureReason.WALLET_FROZEN
    assert in_one(engine, operations.deposit, at.hers, 1, platform_account_id=at.account, key="d").ok
    assert in_one(engine, operations.unfreeze_wallet, at.hers, user_id=at.ada, reason="Settled")
    assert in_one(engine, operations.transfer, at.hers, at.his, 1, key="u").ok
    with transaction(engine) as session:
        changes = operations.status_changes(session, at.hers)
        assert [(c.old_status, c.new_status, c.user_id, c.reason) for c in changes] == [
            ("frozen", "active", at.ada, "Settled"),
            ("active", "frozen", at.bob, "Court order"),
        ]


def test_a_wallet_is_closed_when_it_is_empty_and_for_ever(engine, at, held):
    with pytest.raises(operations.NotEmpty, match="has 10000 minor units, 6000 of them held"):
        in_one(engine, operations.close_wallet, at.hers, user_id=at.ada, reason="Leaving")
    in_one(engine, operations.capture_hold, held, at.his, key="c")
    in_one(engine, operations.transfer, at.hers, at.his, 4_000, key="t")
    assert in_one(engine, operations.close_wallet, at.hers, user_id=at.ada, reason="Leaving")
    for receipt in (
        in_one(engine, operations.deposit, at.hers, 1, platform_account_id=at.account, key="d"),
        in_one(engine, operations.transfer, at.his, at.hers, 1, key="u"),
        in_one(engine, operations.place_hold, at.hers, 1, key="i", until=soon()),
    ):
        assert receipt.failure is FailureReason.WALLET_CLOSED
    for verb in (operations.freeze_wallet, operations.unfreeze_wallet):
        with pytest.raises(operations.NotOpen, match="is closed, for ever"):
            in_one(engine, verb, at.hers, user_id=at.ada, reason="Back")
    assert in_one(engine, operations.wallet, at.hers).status is WalletStatus.CLOSED


def test_a_suspended_user_starts_nothing_and_is_paid(engine, at, paid):
    in_one(engine, operations.suspend_user, at.bob)
    for receipt in (
        in_one(engine, operations.transfer, at.his, at.hers, 1, key="t"),
        in_one(engine, operations.withdraw, at.his, 1, platform_account_id=at.his_account, key="w"),
        in_one(engine, operations.place_hold, at.his, 1, key="h", until=soon()),
    ):
        assert receipt.failure is FailureReason.USER_SUSPENDED
    assert in_one(engine, operations.deposit, at.his, 1, platform_account_id=at.his_account, key="d").ok
    assert in_one(engine, operations.transfer, at.hers, at.his, 1, key="u").ok
    assert in_one(engine, operations.refund, paid, user_id=at.ada, key="r").ok
    in_one(engine, operations.reinstate_user, at.bob)
    assert in_one(engine, operations.transfer, at.his, at.hers, 1, key="v").ok


def test_who_leaves_closes_their_wallets_first_and_their_accounts_are_revoked(engine, at):
    with transaction(engine) as session:
        operations.link_platform_account(session, at.bob, at.sepa, "DE2", credentials="token")
    with pytest.raises(operations.NotEmpty, match=f"has 1 wallets that are not closed, such as {at.his}"):
        in_one(engine, operations.close_user, at.bob)
    in_one(engine, operations.close_wallet, at.his, user_id=at.bob, reason="Leaving")
    in_one(engine, operations.close_user, at.bob)
    with transaction(engine) as session:
        bob = session.get_one(User, at.bob)
        assert (bob.status, bob.closed_at is not None) == (UserStatus.CLOSED, True)
        (account,) = operations.platform_accounts(session, at.bob)
        assert (account.status, account.credentials) == (LinkStatus.REVOKED, None)
        assert operations.user_by_email(session, "bob@x.org") is None
    for verb, arguments in (
        (operations.close_user, ()),
        (operations.suspend_user, ()),
        (operations.reinstate_user, ()),
        (operations.open_wallet, ("EUR",)),
        (operations.link_platform_account, (at.sepa, "DE3")),
    ):
        with pytest.raises(operations.NotOpen, match=f"user {at.bob} has left"):
            in_one(engine, verb, at.bob, *arguments)
    again = in_one(engine, operations.create_user, "Bob@x.org", name="Bob")
    assert in_one(engine, operations.user_by_email, " BOB@x.org") == (again, "bob@x.org", "Bob", UserStatus.ACTIVE)


def test_an_account_at_a_platform_belongs_to_one_user(engine, at):
    with pytest.raises(operations.AlreadyThere, match="linked to somebody else"):
        in_one(engine, operations.link_platform_account, at.bob, at.sepa, "DE1")
    assert in_one(engine, operations.unlink_platform_account, at.account)
    assert not in_one(engine, operations.unlink_platform_account, new_id())
    assert in_one(engine, operations.link_platform_account, at.ada, at.sepa, "DE1", credentials="new") == at.account
    with transaction(engine) as session:
        account = session.get_one(PlatformAccount, at.account)
        assert (account.status, account.credentials) == (LinkStatus.ACTIVE, "new")


def test_money_goes_out_by_active_accounts_of_active_platforms_and_comes_in_by_any(engine, at):
    in_one(engine, operations.unlink_platform_account, at.account)
    with transaction(engine) as session:
        session.get_one(Platform, at.sepa).status = PlatformStatus.PAUSED
    for wallet_id, account_id, said in ((at.hers, at.account, "is revoked"), (at.his, at.his_account, "paused")):
        with pytest.raises(operations.NotReachable, match=said):
            in_one(engine, operations.withdraw, wallet_id, 1, platform_account_id=account_id, key="w")
        assert in_one(engine, operations.deposit, wallet_id, 1, platform_account_id=account_id, key="d").ok


def test_money_goes_through_an_account_of_the_owner_to_a_platform_with_a_wallet_for_it(engine, at):
    with pytest.raises(operations.NotTheirs, match="belong to different owners"):
        in_one(engine, operations.deposit, at.hers, 1, platform_account_id=at.his_account, key="d")
    with pytest.raises(operations.NotReachable, match='no wallet "settlement" in the currency'):
        in_one(engine, operations.deposit, at.yen, 1, platform_account_id=at.account, key="d")


def test_wallets_of_different_currencies_do_not_meet(engine, at):
    with pytest.raises(operations.CurrenciesDiffer, match="EUR and JPY"):
        in_one(engine, operations.transfer, at.hers, at.yen, 1, key="t")


def test_wallets_are_listed_and_a_label_is_there_once(engine, at):
    savings = in_one(engine, operations.open_wallet, at.ada, "EUR", label=" Savings ")
    with transaction(engine) as session:
        assert [w.id for w in operations.wallets(session, at.ada)] == [at.hers, savings, at.yen]
    with pytest.raises(operations.AlreadyThere, match='a wallet "savings" in EUR'):
        in_one(engine, operations.open_wallet, at.ada, "EUR", label="savings")
    with transaction(engine) as session:
        session.get_one(Currency, "JPY").active = False
    with pytest.raises(operations.NotOpen, match="currency JPY is retired"):
        in_one(engine, operations.open_wallet, at.bob, "JPY")


def test_what_is_unique_is_made_once_and_the_work_before_it_stays(engine, at):
    with transaction(engine) as session:
        made = operations.create_user(session, "eve@x.org")
        for verb in (
            lambda: operations.create_user(session, "ADA@x.org"),
            lambda: operations.add_currency(session, "eur", "Euro", CurrencyKind.FIAT, minor_units=2),
            lambda: operations.add_platform(session, "SEPA", "Again", PlatformKind.BANK),
        ):
            with pytest.raises(operations.AlreadyThere, match="exists"):
                verb()
    assert in_one(engine, operations.user_by_email, "eve@x.org").id == made
    assert in_one(engine, operations.platform, "sepa").id == at.sepa
    assert in_one(engine, operations.currency, "EUR").minor_units == 2


def test_what_went_out_and_came_in_since_then_is_added_up(engine, at, paid, waiting):
    in_one(engine, operations.transfer, at.hers, at.his, 99_999, key="fails")
    with transaction(engine) as session:
        assert operations.paid_out(session, at.hers, LONG_AGO) == 2_500
        assert operations.paid_in(session, at.hers, LONG_AGO) == 10_000
        assert operations.paid_in(session, at.his, LONG_AGO) == 2_500
        assert operations.paid_out(session, at.his, LONG_AGO) == 0
        assert operations.paid_in(session, at.hers, soon()) == 0


def test_pages_of_a_statement_and_of_transactions_miss_nothing(engine, at):
    for n in range(9):
        in_one(engine, operations.transfer, at.hers, at.his, 10 + n, key=str(n))
    lines, last = [], operations.NEWEST_LINE
    with transaction(engine) as session:
        while page := operations.statement(session, at.hers, before=last, limit=4):
            lines += page
            last = page[-1].sequence
        asked, cursor = [], operations.TOP
        while rows := operations.transactions(session, at.ada, before=cursor, limit=4):
            asked += rows
            cursor = operations.Cursor.of(rows[-1])
    assert [line.sequence for line in lines] == list(range(10, 0, -1))
    assert len({row.id for row in asked}) == 10
    assert {line.transaction_id for line in lines} == {row.id for row in asked}


def test_a_stranger_is_named(engine, at):
    stranger, by = new_id(), {"platform_account_id": at.account, "key": "w"}
    for error, call in (
        (operations.NoSuchUser, lambda s: operations.open_wallet(s, stranger, "EUR")),
        (operations.NoSuchUser, lambda s: operations.suspend_user(s, stranger)),
        (operations.NoSuchWallet, lambda s: operations.wallet(s, stranger)),
        (operations.NoSuchWallet, lambda s: operations.transfer(s, at.hers, stranger, 1, key="t")),
        (operations.NoSuchWallet, lambda s: operations.freeze_wallet(s, stranger, user_id=at.ada, reason="x")),
        (
            operations.NoSuchWallet,
            lambda s: operations.deposit(s, stranger, 1, **by),
        ),
        (operations.NoSuchAccount, lambda s: operations.deposit(s, at.hers, 1, platform_account_id=stranger, key="d")),
        (operations.NoSuchTransaction, lambda s: operations.refund(s, stranger, user_id=at.ada, key="r")),
        (operations.NoSuchTransaction, lambda s: operations.cancel_withdrawal(s, stranger)),
        (operations.NoSuchHold, lambda s: operations.release_hold(s, stranger)),
        (operations.NoSuchPlatform, lambda s: operations.link_platform_account(s, at.ada, stranger, "DE9")),
    ):
        with pytest.raises(error, match=str(stranger)):
            in_one(engine, call)
    for error, call in (
        (operations.NoSuchCurrency, lambda s: operations.open_wallet(s, at.ada, "XXX")),
        (operations.NoSuchPlatform, lambda s: operations.platform(s, "nowhere")),
    ):
        with pytest.raises(error, match="XXX|nowhere"):
            in_one(engine, call)


NAIVE = dt.datetime(2026, 1, 1)
WRONG = {
    f"the amount in minor units is 0; it is a whole number, 1 to {MOST}": lambda s, at: operations.transfer(
        s, at.hers, at.his, 0, key="k"
    ),
    "the amount in minor units is -5": lambda s, at: operations.withdraw(
        s, at.hers, -5, platform_account_id=at.account, key="k"
    ),
    f"the amount in minor units is {MOST + 1}": lambda s, at: operations.deposit(
        s, at.hers, MOST + 1, platform_account_id=at.account, key="k"
    ),
    "the amount in minor units is 10.5": lambda s, at: operations.deposit(
        s, at.hers, 10.5, platform_account_id=at.account, key="k"
    ),
    "the amount in minor units is 1.5": lambda s, at: operations.transfer(s, at.hers, at.his, 1.5, key="k"),
    "the amount in minor units is 0.5": lambda s, at: operations.transfer(
        s, at.hers, at.his, 1, key="k", fee=Fee(at.fees, 0.5)
    ),
    "the amount in minor units is 2.5": lambda s, at: operations.place_hold(s, at.hers, 2.5, key="k", until=soon()),
    "the amount in minor units is 3.5": lambda s, at: operations.capture_hold(s, new_id(), at.his, key="k", amount=3.5),
    "the amount in minor units is 4.5": lambda s, at: operations.refund(
        s, new_id(), user_id=at.ada, key="k", amount=4.5
    ),
    "the amount in minor units is 5.5": lambda s, at: operations.adjust(
        s, at.bank, at.hers, 5.5, user_id=at.ada, key="k", description="Goodwill"
    ),
    "the amount in minor units is True": lambda s, at: operations.withdraw(
        s, at.hers, True, platform_account_id=at.account, key="k"
    ),
    "the sequence to start before is 1.5": lambda s, at: operations.statement(s, at.hers, before=1.5),
    "the overdraft limit in minor units is 0.5": lambda s, at: operations.open_platform_wallet(
        s, at.sepa, "JPY", label="settlement", overdraft_limit=0.5
    ),
    "the number of decimals is 2.0": lambda s, _: operations.add_currency(
        s, "ETH", "Ether", CurrencyKind.CRYPTO, minor_units=2.0
    ),
    "2026-01-01 00:00:00 has no time zone": lambda s, at: operations.place_hold(s, at.hers, 1, key="k", until=NAIVE),
    "2026-01-02 00:00:00 has no time zone": lambda s, at: operations.paid_out(s, at.hers, NAIVE + 24 * HOUR),
    "an id is a text": lambda s, at: operations.transfer(s, str(at.hers), at.his, 1, key="k"),
    "a hold until .* is past": lambda s, at: operations.place_hold(s, at.hers, 1, key="k", until=LONG_AGO),
    "the idempotency key has 0 characters": lambda s, at: operations.place_hold(s, at.hers, 1, key=" ", until=soon()),
    "the description has 501 characters": lambda s, at: operations.place_hold(
        s, at.hers, 1, key="k", until=soon(), description="x" * 501
    ),
    "on both sides": lambda s, at: operations.adjust(
        s, at.bank, at.bank, 1, user_id=at.ada, key="k", description="Nothing"
    ),
    "the idempotency key has 201 characters": lambda s, at: operations.adjust(
        s, at.bank, at.hers, 1, user_id=at.ada, key="k" * 201, description="Goodwill"
    ),
    "the overdraft limit in minor units is -1": lambda s, at: operations.open_platform_wallet(
        s, at.sepa, "JPY", label="settlement", overdraft_limit=-1
    ),
    "the number of decimals is 9": lambda s, _: operations.add_currency(
        s, "ETH", "Ether", CurrencyKind.CRYPTO, minor_units=9
    ),
    "is no e-mail address": lambda s, _: operations.create_user(s, "ada"),
    "the reason has 0 characters": lambda s, at: operations.freeze_wallet(s, at.hers, user_id=at.ada, reason=" "),
    "the limit is 1001": lambda s, at: operations.statement(s, at.hers, limit=1001),
    "the limit is 0": lambda s, _: operations.verify_books(s, limit=0),
}


def test_a_senseless_call_is_refused_before_it_reaches_the_server(engine, at, subtests):
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    with transaction(engine) as session:
        for message, call in WRONG.items():
            with subtests.test(message), pytest.raises(UsageError, match=message):
                call(session, at)
        assert set(sent) <= {"BEGIN IMMEDIATE"}
        operations.wallet(session, at.hers)
        assert set(sent) - {"BEGIN IMMEDIATE"}


OWNERS = {
    "belongs to a platform; adjust": lambda s, at: operations.transfer(s, at.bank, at.hers, 1, key="k"),
    "fees go to a platform's wallet": lambda s, at: operations.transfer(
        s, at.hers, at.his, 1, key="k", fee=Fee(at.his, 1)
    ),
    "money is held for users": lambda s, at: operations.place_hold(s, at.bank, 1, key="k", until=soon()),
}


@pytest.mark.parametrize("message", OWNERS)
def test_a_wallet_of_the_wrong_owner_is_refused(engine, at, message):
    with pytest.raises(UsageError, match=message):
        in_one(engine, OWNERS[message], at)


def test_a_wallet_that_would_be_too_full_is_spared(engine, at):
    with transaction(engine) as session:
        full = operations.open_platform_wallet(session, at.house, "EUR", label="full")
        session.execute(update(Wallet).where(Wallet.id == full).values(balance=BOUND))
    assert in_one(engine, operations.transfer, at.hers, full, 1, key="t").failure is FailureReason.LIMIT_EXCEEDED
    with transaction(engine) as session:
        session.execute(update(Wallet).where(Wallet.id == full).values(balance=0))


BREAKS = {
    "the balances of a currency add up to zero": lambda at, _: (
        update(Wallet).where(Wallet.id == at.his).values(balance=1)
    ),
    "a wallet's balance is that of its newest entry": lambda at, _: (
        update(Wallet).where(Wallet.id == at.hers).values(last_sequence=Wallet.last_sequence + 1)
    ),
    "each entry begins where the one before it ends": lambda at, _: (
        update(Entry)
        .where(Entry.wallet_id == at.hers, Entry.sequence == 2)
        .values(balance_before=Entry.balance_before + 1, balance_after=Entry.balance_after + 1)
    ),
    "what moved stands twice in the ledger": lambda at, ids: delete(Entry).where(
        Entry.transaction_id == ids.paid, Entry.wallet_id == at.his
    ),
    "the ledger holds nothing else": lambda _, ids: (
        update(Transaction)
        .where(Transaction.id == ids.paid)
        .values(status=TransactionStatus.FAILED, failure_reason=FailureReason.WALLET_CLOSED)
    ),
    "what is held is the sum of the active holds": lambda at, _: (
        update(Wallet).where(Wallet.id == at.hers).values(held=Wallet.held + 1)
    ),
    "a hold ends as its transaction does": lambda _, ids: (
        update(Hold).where(Hold.transaction_id == ids.waiting).values(status=HoldStatus.RELEASED, finished_at=soon())
    ),
    "what is pending is held": lambda _, ids: delete(Hold).where(Hold.transaction_id == ids.waiting),
    "a refund takes back no more than was moved": lambda _, ids: (
        update(Transaction).where(Transaction.id == ids.refund).values(amount=99_999)
    ),
    "what is reversed has a refund": lambda _, ids: (
        update(Transaction).where(Transaction.id == ids.paid).values(status=TransactionStatus.REVERSED)
    ),
    "a fee goes with what it is the fee of": lambda at, _: (
        update(Transaction).where(Transaction.kind == TransactionKind.FEE).values(user_id=at.bob)
    ),
    "deposits and withdrawals go by the owner's account": lambda at, _: (
        update(Transaction)
        .where(Transaction.kind == TransactionKind.DEPOSIT)
        .values(platform_account_id=at.his_account)
    ),
}


@pytest.fixture
def busy(engine, at):
    """Books in which everything has happened."""
    paid = in_one(engine, operations.transfer, at.hers, at.his, 1_000, key="1", fee=Fee(at.fees, 10))
    back = in_one(engine, operations.transfer, at.hers, at.his, 500, key="2")
    refund = in_one(engine, operations.refund, back.transaction_id, user_id=at.bob, key="3")
    waiting = in_one(engine, operations.withdraw, at.hers, 50, platform_account_id=at.account, key="4", waits=True)
    in_one(engine, operations.place_hold, at.hers, 60, key="5", until=soon())
    names = {"paid": paid, "back": back, "refund": refund, "waiting": waiting}
    return SimpleNamespace(**{name: receipt.transaction_id for name, receipt in names.items()})


@pytest.mark.parametrize("invariant", BREAKS)
def test_broken_books_are_found(engine, at, busy, invariant):
    with transaction(engine) as session:
        assert operations.verify_books(session) == []
        session.execute(BREAKS[invariant](at, busy))
        found = operations.verify_books(session)
    assert invariant in {violation.invariant for violation in found}
    assert str(found[0]).startswith(f"{found[0].invariant}, but: ")


def test_every_invariant_is_broken_once_above():
    assert BREAKS.keys() == operations.INVARIANTS.keys()


def test_a_line_that_nobody_counted_is_found_in_broken_books(engine, at):
    with transaction(engine) as session:
        session.execute(update(Wallet).where(Wallet.id == at.hers).values(last_sequence=0, balance=0))
        session.execute(update(Wallet).where(Wallet.id == at.bank).values(balance=0))
        (violation, _) = operations.verify_books(session)
    assert violation.invariant == "a wallet's balance is that of its newest entry"


def test_the_first_rows_of_many_that_are_broken_are_found(engine, at):
    with transaction(engine) as session:
        session.execute(update(Wallet).where(Wallet.user_id.is_not(None)).values(balance=3))
        assert len(operations.verify_books(session, limit=1)) == 2


def test_the_fingerprint_is_kept_and_not_the_request(engine, at):
    in_one(engine, operations.transfer, at.hers, at.his, 5, key="t", description="Between us")
    with transaction(engine) as session:
        kept = session.scalars(text("SELECT fingerprint FROM transactions WHERE idempotency_key = 't'")).one()
    assert len(kept) == 64
    assert int(kept, 16)


def fixed(table):
    """Return the rows that the recipe writes as they stand, with their UUIDs."""
    recipe = tomllib.loads(PLAN.recipe.read_text("utf-8"))
    keys = {column.name for column in table.columns if isinstance(column.type, Key)}
    return [
        {name: uuid.UUID(value) if name in keys else value for name, value in row.items()}
        for row in recipe["tables"][table.name].get("fixed", ())
    ]


def test_the_fixed_rows_of_the_recipe_are_books_that_are_right(engine):
    with transaction(engine) as session:
        for table in PLAN.metadata.sorted_tables:
            for row in fixed(table):
                session.execute(insert(table).values(row))
    with transaction(engine) as session:
        ada = operations.user_by_email(session, "ada@example.com")
        (euros,) = (w for w in operations.wallets(session, ada.id) if w.currency_code == "EUR")
        assert operations.verify_books(session) == []
        assert [line.amount for line in operations.statement(session, euros.id)] == [500, -25, -2_500, 10_000]
        assert operations.transfer(session, euros.id, fixed(PLAN.table("wallets"))[1]["id"], 100, key="new").ok
        assert operations.verify_books(session) == []
