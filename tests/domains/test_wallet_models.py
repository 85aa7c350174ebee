import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.wallet import PLAN
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
    StatusChange,
    Transaction,
    TransactionKind,
    TransactionStatus,
    User,
    UserStatus,
    Wallet,
    WalletStatus,
)

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
STAMPED = ("id", "created_at", "updated_at")
FIELDS = {
    "users": {*STAMPED, "email", "name", "email_verified", "image", "status", "closed_at"},
    "currencies": {"code", "created_at", "name", "kind", "minor_units", "active"},
    "platforms": {*STAMPED, "slug", "name", "kind", "status"},
    "platform_accounts": {*STAMPED, "user_id", "platform_id", "external_id", "status", "credentials"},
    "wallets": {
        *(*STAMPED, "user_id", "platform_id", "currency_code", "label", "balance", "held", "overdraft_limit"),
        *("last_sequence", "status"),
    },
    "transactions": {
        *("id", "created_at", "user_id", "idempotency_key", "fingerprint", "kind", "status", "source_wallet_id"),
        *("destination_wallet_id", "currency_code", "amount", "failure_reason", "finished_at", "platform_account_id"),
        *("external_id", "reverses_id", "fee_of_id", "description", "metadata"),
    },
    "entries": {
        *("wallet_id", "sequence", "created_at", "transaction_id", "amount", "balance_before", "balance_after"),
    },
    "holds": {
        *("id", "created_at", "wallet_id", "idempotency_key", "fingerprint", "amount", "status", "expires_at"),
        *("finished_at", "transaction_id", "description"),
    },
    "status_changes": {"id", "created_at", "wallet_id", "user_id", "old_status", "new_status", "reason"},
}
NULLABLE = {
    ("users", "name"),
    ("users", "email_verified"),
    ("users", "image"),
    ("users", "closed_at"),
    ("platform_accounts", "credentials"),
    ("wallets", "user_id"),
    ("wallets", "platform_id"),
    ("transactions", "idempotency_key"),
    ("transactions", "fingerprint"),
    ("transactions", "failure_reason"),
    ("transactions", "finished_at"),
    ("transactions", "platform_account_id"),
    ("transactions", "external_id"),
    ("transactions", "reverses_id"),
    ("transactions", "fee_of_id"),
    ("transactions", "description"),
    ("holds", "idempotency_key"),
    ("holds", "fingerprint"),
    ("holds", "expires_at"),
    ("holds", "finished_at"),
    ("holds", "transaction_id"),
    ("holds", "description"),
}


def test_the_tables_have_these_fields_and_no_others():
    assert {table.name: set(table.columns.keys()) for table in PLAN.tables} == FIELDS


def test_what_is_required_is_not_null():
    assert {(t.name, c.name) for t in PLAN.tables for c in t.columns if c.nullable} == NULLABLE


def test_nothing_goes_with_anything():
    assert {fk.ondelete for t in PLAN.tables for fk in t.foreign_keys} == {"RESTRICT"}


def test_amounts_are_bigints_wherever_they_stand():
    amounts = {"amount", "balance", "held", "overdraft_limit", "balance_before", "balance_after"}
    kinds = {type(c.type).__name__ for t in PLAN.tables for c in t.columns if c.name in amounts}
    assert kinds == {"BigInteger"}


@pytest.fixture
def there(engine):
    """Two users with wallets in euros and dollars, a bank with its settlement wallet, and a transfer."""
    with transaction(engine) as session:
        ada, bob = User(email="ada@x.org"), User(email="bob@x.org")
        sepa = Platform(slug="sepa", name="SEPA", kind=PlatformKind.BANK)
        session.add_all([ada, bob, sepa])
        session.add_all(Currency(code=c, name=c, kind=CurrencyKind.FIAT, minor_units=2) for c in ("EUR", "USD"))
        session.flush()
        account = PlatformAccount(user_id=ada.id, platform_id=sepa.id, external_id="DE1")
        euros, theirs, dollars, bank = (
            Wallet(user_id=ada.id, currency_code="EUR"),
            Wallet(user_id=bob.id, currency_code="EUR"),
            Wallet(user_id=ada.id, currency_code="USD"),
            Wallet(platform_id=sepa.id, currency_code="EUR", label="settlement", overdraft_limit=1000),
        )
        session.add_all([account, euros, theirs, dollars, bank])
        session.flush()
        ids = {"ada": ada, "bob": bob, "sepa": sepa, "account": account}
        ids |= {"euros": euros, "theirs": theirs, "dollars": dollars, "bank": bank}
        made = SimpleNamespace(**{name: row.id for name, row in ids.items()})
        session.add(moved := movement(made))
        session.flush()
        made.moved = moved.id
        return made


def movement(there, **changes):
    values = {
        "user_id": there.ada, "idempotency_key": str(new_id()), "fingerprint": "{}", "kind": TransactionKind.TRANSFER,
        "status": TransactionStatus.COMPLETED, "source_wallet_id": there.euros,
        "destination_wallet_id": there.theirs, "currency_code": "EUR", "amount": 5, "created_at": NOW,
        "finished_at": NOW,
    }  # fmt: skip
    return Transaction(**(values | changes))


def withdrawal(there, **changes):
    values = {"kind": TransactionKind.WITHDRAWAL, "destination_wallet_id": there.bank}
    return movement(there, **(values | {"platform_account_id": there.account} | changes))


def entry(there, **changes):
    values = {"wallet_id": there.euros, "transaction_id": there.moved, "sequence": 1, "amount": 5}
    return Entry(**(values | {"balance_before": 0, "balance_after": 5} | changes))


def hold(there, **changes):
    values = {"wallet_id": there.euros, "idempotency_key": "h", "fingerprint": "{}", "amount": 5}
    return Hold(**(values | {"created_at": NOW, "expires_at": NOW + HOUR} | changes))


def change(there, **changes):
    values = {"wallet_id": there.euros, "user_id": there.ada, "old_status": "active", "new_status": "frozen"}
    return StatusChange(**(values | {"reason": "why"} | changes))


def user(**changes):
    return User(**({"email": "new@x.org"} | changes))


def currency(**changes):
    return Currency(**({"code": "JPY", "name": "Yen", "kind": CurrencyKind.FIAT, "minor_units": 0} | changes))


def platform(**changes):
    return Platform(**({"slug": "new", "name": "New", "kind": PlatformKind.CARD} | changes))


def account(there, **changes):
    return PlatformAccount(**({"user_id": there.ada, "platform_id": there.sepa, "external_id": "DE2"} | changes))


def wallet(there, **changes):
    return Wallet(**({"user_id": there.ada, "currency_code": "EUR", "label": "more"} | changes))


def refund(there, **changes):
    values = {"kind": TransactionKind.REFUND, "reverses_id": there.moved}
    return movement(
        there, **(values | {"source_wallet_id": there.theirs, "destination_wallet_id": there.euros} | changes)
    )


SELF = new_id()
ENDED = {"status": HoldStatus.RELEASED, "finished_at": NOW}
REFUSED = {
    "ck_users_email_form": lambda _: user(email="New@x.org"),
    "ck_users_email_length": lambda _: user(email=f"{'x' * 250}@x.org"),
    "ck_users_name_length": lambda _: user(name=""),
    "ck_users_image_length": lambda _: user(image=""),
    "ck_users_closed_has_time": lambda _: user(status=UserStatus.CLOSED),
    "ck_currencies_code_form": lambda _: currency(code="jpy"),
    "ck_currencies_name_length": lambda _: currency(name=""),
    "ck_currencies_minor_units_fit": lambda _: currency(minor_units=9),
    "ck_platforms_slug_form": lambda _: platform(slug="New"),
    "ck_platforms_name_length": lambda _: platform(name=""),
    "ck_platform_accounts_external_id_length": lambda at: account(at, external_id=""),
    "ck_platform_accounts_revoked_has_no_credentials": lambda at: account(
        at, status=LinkStatus.REVOKED, credentials="token"
    ),
    "ck_wallets_one_owner": lambda at: wallet(at, platform_id=at.sepa),
    "ck_wallets_label_form": lambda at: wallet(at, label="More"),
    "ck_wallets_balance_fits": lambda at: wallet(at, balance=BOUND + 1),
    "ck_wallets_held_not_negative": lambda at: wallet(at, held=-1),
    "ck_wallets_balance_covers_held": lambda at: wallet(at, balance=4, held=5),
    "ck_wallets_overdraft_limit_fits": lambda at: wallet(at, user_id=None, platform_id=at.sepa, overdraft_limit=2**62),
    "ck_wallets_users_have_no_overdraft": lambda at: wallet(at, overdraft_limit=1),
    "ck_wallets_last_sequence_not_negative": lambda at: wallet(at, last_sequence=-1),
    "ck_wallets_closed_is_empty": lambda at: wallet(at, status=WalletStatus.CLOSED, balance=1),
    "ck_transactions_idempotency_key_length": lambda at: movement(at, idempotency_key=""),
    "ck_transactions_key_has_fingerprint": lambda at: movement(at, fingerprint=None),
    "ck_transactions_request_has_key": lambda at: movement(at, idempotency_key=None, fingerprint=None),
    "ck_transactions_wallets_differ": lambda at: movement(at, destination_wallet_id=at.euros),
    "ck_transactions_amount_in_range": lambda at: movement(at, amount=MOST + 1),
    "ck_transactions_failed_has_reason": lambda at: movement(at, status=TransactionStatus.FAILED),
    "ck_transactions_finished_unless_pending": lambda at: withdrawal(at, status=TransactionStatus.PENDING),
    "ck_transactions_finished_after_creation": lambda at: movement(at, finished_at=NOW - HOUR),
    "ck_transactions_only_withdrawals_wait": lambda at: movement(at, status=TransactionStatus.CANCELLED),
    "ck_transactions_platform_account_by_kind": lambda at: movement(at, platform_account_id=at.account),
    "ck_transactions_external_id_has_account": lambda at: movement(at, external_id="P1"),
    "ck_transactions_external_id_length": lambda at: withdrawal(at, external_id=""),
    "ck_transactions_refund_reverses": lambda at: movement(at, kind=TransactionKind.REFUND),
    "ck_transactions_reverses_another": lambda at: refund(at, id=SELF, reverses_id=SELF),
    "ck_transactions_fee_of_only_for_fees": lambda at: movement(
        at, fee_of_id=at.moved, idempotency_key=None, fingerprint=None
    ),
    "ck_transactions_fee_of_another": lambda at: movement(
        at, id=SELF, fee_of_id=SELF, idempotency_key=None, fingerprint=None, kind=TransactionKind.FEE
    ),
    "ck_transactions_description_length": lambda at: movement(at, description=""),
    "ck_entries_sequence_from_one": lambda at: entry(at, sequence=0),
    "ck_entries_first_from_zero": lambda at: entry(at, balance_before=1, balance_after=6),
    "ck_entries_amount_in_range": lambda at: entry(at, amount=0, balance_after=0),
    "ck_entries_balance_adds_up": lambda at: entry(at, balance_after=6),
    "ck_holds_idempotency_key_length": lambda at: hold(at, idempotency_key=""),
    "ck_holds_key_has_fingerprint": lambda at: hold(at, fingerprint=None),
    "ck_holds_asked_for": lambda at: hold(at, idempotency_key=None, fingerprint=None, expires_at=None),
    "ck_holds_amount_in_range": lambda at: hold(at, amount=0),
    "ck_holds_request_expires": lambda at: hold(at, expires_at=None),
    "ck_holds_expires_after_creation": lambda at: hold(at, expires_at=NOW),
    "ck_holds_finished_unless_active": lambda at: hold(at, finished_at=NOW),
    "ck_holds_finished_after_creation": lambda at: hold(at, **ENDED | {"finished_at": NOW - HOUR}),
    "ck_holds_captured_has_transaction": lambda at: hold(at, **ENDED | {"status": HoldStatus.CAPTURED}),
    "ck_holds_expired_had_an_end": lambda at: hold(
        at, **ENDED | {"status": HoldStatus.EXPIRED}, idempotency_key=None, fingerprint=None, expires_at=None,
        transaction_id=at.moved,
    ),
    "ck_holds_description_length": lambda at: hold(at, description=""),
    "ck_status_changes_status_changes": lambda at: change(at, new_status=WalletStatus.ACTIVE),
    "ck_status_changes_closed_stays_closed": lambda at: change(at, old_status=WalletStatus.CLOSED),
    "ck_status_changes_reason_length": lambda at: change(at, reason=""),
}  # fmt: skip
BEYOND_THE_ORM = ("_known", "_digest", "_sealed")
"""What the types of the models let nobody write: tried in SQL below."""


def is_postgresql(engine):
    return engine.dialect.name == "postgresql"


def test_a_row_that_cannot_be_true_is_refused(engine, there, subtests):
    for constraint, row in REFUSED.items():
        # A text that is too long for its VARCHAR is refused by its type on PostgreSQL.
        said = "too long" if constraint == "ck_users_email_length" and is_postgresql(engine) else rf"\b{constraint}\b"
        refusal = pytest.raises(DBAPIError, match=said)
        with subtests.test(constraint), refusal, transaction(engine) as session:
            session.add(row(there))


def test_every_check_is_tried():
    checks = {str(c.name) for t in PLAN.tables for c in t.constraints if c.name.startswith("ck_")}
    assert {check for check in checks - REFUSED.keys() if not check.endswith(BEYOND_THE_ORM)} == set()
    assert REFUSED.keys() <= checks


def rows_as_they_stand(session, there):
    session.add_all([entry(there), hold(there, **ENDED), change(there), account(there, credentials="token")])
    session.add(withdrawal(there, status=TransactionStatus.FAILED, failure_reason=FailureReason.PLATFORM_REFUSED))
    session.flush()


def test_a_word_a_secret_and_a_digest_are_known_to_the_server_too(engine, there, subtests):
    with transaction(engine) as session:
        rows_as_they_stand(session, there)
    checks = {(t.name, str(c.name)) for t in PLAN.tables for c in t.constraints if str(c.name).endswith(BEYOND_THE_ORM)}
    assert len(checks) == 15
    for table, check in sorted(checks):
        column = check.removeprefix(f"ck_{table}_").rpartition("_")[0]
        with subtests.test(check), pytest.raises(DBAPIError, match=check), engine.begin() as connection:
            connection.execute(text(f"UPDATE {table} SET {column} = 'maybe' WHERE {column} IS NOT NULL"))


UNIQUE = {
    "users.email": lambda _: user(email="ada@x.org"),
    "platforms.slug": lambda _: platform(slug="sepa"),
    "platform_accounts.platform_id": lambda at: account(at),
    "wallets.user_id": lambda at: wallet(at, label="main"),
    "wallets.platform_id": lambda at: wallet(at, user_id=None, platform_id=at.sepa, label="settlement"),
    "transactions.user_id": lambda at: movement(at, idempotency_key="twice"),
    "transactions.platform_account_id": lambda at: withdrawal(at, external_id="P1"),
    "transactions.fee_of_id": lambda at: movement(
        at, kind=TransactionKind.FEE, fee_of_id=at.moved, idempotency_key=None, fingerprint=None
    ),
    "transactions.reverses_id": refund,
    "entries.wallet_id": lambda at: entry(at, transaction_id=at.moved),
    "holds.wallet_id": hold,
    "holds.transaction_id": lambda at: hold(at, idempotency_key=str(new_id()), transaction_id=at.moved),
}


def test_what_is_there_once_is_refused_twice(engine, there, subtests):
    for place, row in UNIQUE.items():
        table = place.partition(".")[0]
        with subtests.test(place):
            with transaction(engine) as session:
                if not place.startswith(("users", "platform", "wallets")) or "account" in place:
                    session.add(row(there))
                    session.flush()
            refusal = pytest.raises(IntegrityError, match=rf"(uq|ix|pk)_{table}|UNIQUE constraint failed: {table}")
            with refusal, transaction(engine) as session:
                session.add(row(there))


def test_a_second_line_of_a_transaction_in_one_wallet_is_refused(engine, there):
    with transaction(engine) as session:
        session.add(entry(there))
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.add(entry(there, sequence=2, balance_before=5, balance_after=10))


def test_a_refund_that_failed_stands_beside_the_one_that_did_not(engine, there):
    failed = {"status": TransactionStatus.FAILED, "failure_reason": FailureReason.INSUFFICIENT_FUNDS}
    with transaction(engine) as session:
        session.add_all([refund(there, **failed), refund(there, **failed), refund(there)])


def test_an_address_is_free_again_once_its_user_has_left(engine, there):
    with transaction(engine) as session:
        ada = session.get_one(User, there.ada)
        ada.status, ada.closed_at = UserStatus.CLOSED, NOW
        session.flush()
        session.add(user(email="ada@x.org"))


def test_no_row_moves_money_between_currencies(engine, there, subtests):
    for side in ("source_wallet_id", "destination_wallet_id"):
        with subtests.test(side), pytest.raises(IntegrityError), transaction(engine) as session:
            session.add(movement(there, **{side: there.dollars}))


def test_nothing_that_the_books_name_is_deleted(engine, there, subtests):
    with transaction(engine) as session:
        rows_as_they_stand(session, there)
    for kind in (User, Currency, Platform, PlatformAccount, Wallet, Transaction):
        with subtests.test(kind.__name__), pytest.raises(IntegrityError), transaction(engine) as session:
            session.execute(delete(kind))


def test_the_server_fills_what_is_left_out(engine, there):
    key = new_id()
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO wallets (id, user_id, currency_code, label) VALUES (:id, :user, 'USD', 'more')"),
            {"id": key.hex, "user": there.bob.hex},
        )
        connection.execute(text("INSERT INTO users (id, email) VALUES (:id, 'new@x.org')"), {"id": key.hex})
        connection.execute(
            text("INSERT INTO platforms (id, slug, name, kind) VALUES (:id, 'n', 'N', 'bank')"), {"id": key.hex}
        )
    with transaction(engine) as session:
        made = session.get_one(Wallet, key)
        assert (made.balance, made.held, made.overdraft_limit, made.last_sequence) == (0, 0, 0, 0)
        assert made.status is WalletStatus.ACTIVE
        assert abs(dt.datetime.now(dt.UTC) - made.created_at) < dt.timedelta(seconds=5)
        assert session.get_one(User, key).status is UserStatus.ACTIVE
        assert session.get_one(Platform, key).status == "active"
        assert session.get_one(Currency, "EUR").active is True


def test_a_change_moves_updated_at_and_nothing_else_does(engine, there):
    with transaction(engine) as session:
        session.execute(update(Wallet).values(updated_at=NOW, created_at=NOW))
    with transaction(engine) as session:
        session.get_one(Wallet, there.euros).balance = 7
    with transaction(engine) as session:
        changed, other = session.get_one(Wallet, there.euros), session.get_one(Wallet, there.theirs)
        assert (changed.created_at, other.updated_at) == (NOW, NOW)
        assert changed.updated_at > NOW


def test_rows_are_reached_from_their_owners_without_loading_all_of_them(engine, there):
    with transaction(engine) as session:
        rows_as_they_stand(session, there)
    with transaction(engine) as session:
        ada, euros = session.get_one(User, there.ada), session.get_one(Wallet, there.euros)
        moved, sepa = session.get_one(Transaction, there.moved), session.get_one(Platform, there.sepa)
        counts = {
            "wallets": ada.wallets, "accounts": ada.platform_accounts, "transactions": ada.transactions,
            "entries": euros.entries, "holds": euros.holds, "changes": euros.status_changes,
            "lines": moved.entries, "settlement": sepa.wallets, "linked": sepa.accounts,
        }  # fmt: skip
        found = {
            name: session.scalar(select(func.count()).select_from(rows.select().subquery()))
            for name, rows in counts.items()
        }
    assert found == {
        "wallets": 2, "accounts": 2, "transactions": 2, "entries": 1, "holds": 1, "changes": 1, "lines": 1,
        "settlement": 1, "linked": 2,
    }  # fmt: skip


def test_credentials_are_sealed_in_the_database_and_in_clear_for_the_application(engine, there):
    with transaction(engine) as session:
        session.add(account(there, credentials="token"))
    with transaction(engine) as session:
        stored = session.scalars(text("SELECT credentials FROM platform_accounts WHERE external_id = 'DE2'")).one()
        assert stored.startswith("sealed:")
        assert "token" not in stored
        assert session.scalars(select(PlatformAccount).filter_by(external_id="DE2")).one().credentials == "token"
