import datetime as dt
import hashlib
import uuid

import pytest
from sqlalchemy import Enum, UniqueConstraint, func, insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session as Database

from dbplan.columns import AccountType, UtcDateTime, new_id
from dbplan.connection import transaction
from dbplan.domains.transcription import PLAN
from dbplan.domains.transcription.models import Account, Session, User, UserUsage, VerificationToken

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
FIELDS = {
    "users": {"id", "email", "name", "email_verified", "image", "created_at", "updated_at"},
    "accounts": {
        *("id", "user_id", "type", "provider", "provider_account_id", "refresh_token", "access_token"),
        *("expires_at", "token_type", "scope", "id_token", "session_state"),
    },
    "sessions": {"id", "session_token", "user_id", "expires"},
    "verification_tokens": {"identifier", "token", "expires"},
    "user_usage": {"id", "user_id", "summary_count", "last_used", "created_at", "updated_at"} | {"period_start"},
}
NULLABLE = {("users", column) for column in ("name", "email_verified", "image")} | {
    ("accounts", column)
    for column in (
        *("refresh_token", "access_token", "expires_at", "token_type", "scope", "id_token", "session_state"),
    )
}


def test_every_field_of_the_requirement_is_there_and_the_start_of_the_period_besides():
    assert {table.name: set(table.columns.keys()) for table in PLAN.tables} == FIELDS


def test_what_is_required_is_not_null():
    assert {(t.name, c.name) for t in PLAN.tables for c in t.columns if c.nullable} == NULLABLE


def test_what_was_asked_to_be_unique_is():
    unique = {
        (t.name, *(column.name for column in constraint.columns))
        for t in PLAN.tables
        for constraint in t.constraints
        if isinstance(constraint, UniqueConstraint)
    }
    assert unique == {
        ("users", "email"),
        ("accounts", "provider", "provider_account_id"),
        ("sessions", "session_token"),
        ("user_usage", "user_id"),
    }
    assert [column.name for column in PLAN.table("verification_tokens").primary_key] == ["token"]


def test_everything_goes_with_its_user():
    found = {(fk.parent.table.name, fk.target_fullname, fk.ondelete) for t in PLAN.tables for fk in t.foreign_keys}
    assert found == {(name, "users.id", "CASCADE") for name in ("accounts", "sessions", "user_usage")}


def test_every_time_is_an_instant_and_every_type_a_word():
    types = {(t.name, c.name): c.type for t in PLAN.tables for c in t.columns}
    instants = {key for key, kind in types.items() if isinstance(kind, UtcDateTime)}
    assert {name for _, name in instants} == {
        *("created_at", "updated_at", "email_verified", "expires_at", "expires", "last_used", "period_start"),
    }
    assert isinstance(types["accounts", "type"], Enum)
    assert types["accounts", "type"].enums == ["oauth", "oidc", "email", "credentials", "webauthn"]


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        session.add(user := person())
        session.flush()
        return user.id


def person(**changes):
    return User(**({"email": "ada@example.com"} | changes))


def account(user_id, **changes):
    values = {"user_id": user_id, "type": AccountType.OIDC, "provider": "google", "provider_account_id": "1"}
    return Account(**(values | changes))


def browser(user_id, **changes):
    return Session(**({"user_id": user_id, "session_token": "t", "expires": START} | changes))


def usage(user_id, **changes):
    return UserUsage(**({"user_id": user_id, "period_start": START, "last_used": START} | changes))


def token(**changes):
    return VerificationToken(**({"identifier": "ada@example.com", "token": "t", "expires": START} | changes))


REFUSED = {
    "uq_users_email": lambda _: person(),
    "users_email_form": lambda _: person(email="no-address"),
    "email_form": lambda _: person(email="Grace@example.com"),
    "users_email_length": lambda _: person(email="a" * 249 + "@ab.cd"),
    "name_length": lambda _: person(email="b@example.com", name=""),
    "image_length": lambda _: person(email="b@example.com", image="x" * 2001),
    "provider_lower_case": lambda user: account(user, provider="Google"),
    "accounts_provider_length": lambda user: account(user, provider=""),
    "provider_account_id_length": lambda user: account(user, provider_account_id=""),
    "token_type_length": lambda user: account(user, token_type=""),
    "scope_length": lambda user: account(user, scope="x" * 2001),
    "session_state_length": lambda user: account(user, session_state=""),
    "uq_user_usage_user_id": lambda user: [usage(user), usage(user)],
    "uq_sessions_session_token": lambda user: [browser(user), browser(user)],
    "uq_accounts_provider_provider_account_id": lambda user: [account(user), account(user)],
    "pk_verification_tokens": lambda _: [token(), token(identifier="b@example.com")],
    "summary_count_not_negative": lambda user: usage(user, summary_count=-1),
    "used_in_period": lambda user: usage(user, summary_count=1, last_used=START - DAY),
    "identifier_lower_case": lambda _: token(identifier="Ada@example.com"),
    "identifier_length": lambda _: token(identifier=""),
}
IN_CLEAR = {
    "type_known": ("accounts", {"type": "password"}),
    "refresh_token_sealed": ("accounts", {"refresh_token": "1//clear"}),
    "access_token_sealed": ("accounts", {"access_token": "clear"}),
    "id_token_sealed": ("accounts", {"id_token": "eyJ"}),
    "session_token_digest": ("sessions", {"session_token": "clear"}),
    "token_digest": ("verification_tokens", {"token": "clear"}),
}
"""CHECK → what a program that does not go through the models may try to write."""

# SQLite names the columns of a unique constraint and not the constraint, and a too long text is refused by its type.
SAID = {
    "sqlite": {
        "uq_users_email": "users.email",
        "uq_user_usage_user_id": "user_usage.user_id",
        "uq_sessions_session_token": "sessions.session_token",
        "uq_accounts_provider_provider_account_id": "accounts.provider, accounts.provider_account_id",
        "pk_verification_tokens": "verification_tokens.token",
    },
    "postgresql": {"users_email_length": "too long for type character varying"},
}


def test_a_row_that_cannot_be_true_is_refused(engine, user_id, subtests):
    for constraint, row in REFUSED.items():
        said = SAID[engine.dialect.name].get(constraint, constraint)
        with (
            subtests.test(constraint),
            pytest.raises((IntegrityError, DataError), match=said),
            transaction(engine) as session,
        ):
            made = row(user_id)
            session.add_all(made if isinstance(made, list) else [made])


def test_a_secret_in_clear_and_an_unknown_word_are_refused_whoever_writes_them(engine, user_id, subtests):
    rows = {"accounts": account(user_id), "sessions": browser(user_id), "verification_tokens": token()}
    with transaction(engine) as session:
        session.add_all(rows.values())
    for constraint, (table, values) in IN_CLEAR.items():
        (column,) = values
        statement = text(f"UPDATE {table} SET {column} = :{column}")
        with subtests.test(constraint), pytest.raises(IntegrityError, match=constraint), engine.begin() as connection:
            connection.execute(statement, values)


def test_every_check_is_tried_above():
    checks = {str(c.name) for t in PLAN.tables for c in t.constraints if c.name.startswith("ck_")}
    assert {check for check in checks if not check.endswith((*REFUSED, *IN_CLEAR))} == set()


@pytest.mark.parametrize("make", [account, browser, usage])
def test_a_reference_leads_to_a_user(engine, make):
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), transaction(engine) as session:
        session.add(make(uuid.uuid4()))


def test_a_user_takes_along_what_is_theirs_and_nobody_elses(engine, user_id):
    with transaction(engine) as session:
        session.add(other := person(email="grace@example.com"))
        session.flush()
        for number, owner in enumerate((user_id, other.id)):
            session.add_all(
                [account(owner, provider_account_id=str(number)), browser(owner, session_token=str(number))]
            )
            session.add(usage(owner))
    with transaction(engine) as session:
        session.delete(session.get_one(User, user_id))
    with transaction(engine) as session:
        for model in (Account, Session, UserUsage):
            assert session.scalars(select(model.user_id)).all() == [other.id]


def test_the_server_fills_what_is_left_out(engine, user_id):
    statement = text("INSERT INTO user_usage (id, user_id, period_start) VALUES (:id, :user, :start)")
    with engine.begin() as connection:
        connection.execute(statement, {"id": new_id().hex, "user": user_id.hex, "start": "2020-01-01 00:00:00.000000"})
        made = Database(connection).scalars(select(UserUsage)).one()
        assert made.summary_count == 0
        for instant in (made.last_used, made.created_at, made.updated_at):
            assert abs(dt.datetime.now(dt.UTC) - instant) < dt.timedelta(seconds=5)


def test_a_change_moves_updated_at_and_nothing_else_does(engine, user_id):
    with transaction(engine) as session:
        session.execute(update(User).values(updated_at=START, created_at=START))
    with transaction(engine) as session:
        session.get_one(User, user_id).name = "Ada"
    with transaction(engine) as session:
        user = session.get_one(User, user_id)
        assert user.created_at == START
        assert dt.datetime.now(dt.UTC) - user.updated_at < dt.timedelta(seconds=5)


def test_a_user_reaches_their_rows_and_the_rows_their_user(engine, user_id):
    with transaction(engine) as session:
        session.add_all([account(user_id), browser(user_id), usage(user_id)])
    with transaction(engine) as session:
        user = session.get_one(User, user_id)
        assert session.scalars(user.accounts.select()).one().user is user
        assert session.scalars(user.sessions.select()).one().user is user
        assert user.usage.user is user
        assert session.scalar(select(func.count()).select_from(user.sessions.select().subquery())) == 1


def test_the_database_holds_neither_a_token_nor_a_secret_in_clear(engine, user_id):
    secrets = {"refresh_token": "1//secret", "access_token": "ya29.secret", "id_token": "eyJ.secret"}
    with transaction(engine) as session:
        session.add_all([account(user_id, **secrets), browser(user_id, session_token="secret"), token(token="secret")])
    digest = hashlib.sha256(b"secret").hexdigest()
    with engine.connect() as connection:
        for table in PLAN.tables:
            for row in connection.execute(text(f"SELECT * FROM {table.name}")):
                assert "secret" not in str(row)
        for column in ("sessions.session_token", "verification_tokens.token"):
            table, _, name = column.partition(".")
            assert connection.scalar(text(f"SELECT {name} FROM {table}")) == digest
    with transaction(engine) as session:
        found = session.scalars(select(Account)).one()
        assert {name: getattr(found, name) for name in secrets} == secrets


def test_a_secret_of_one_column_does_not_open_in_another(engine, user_id):
    from dbplan.encryption import EncryptionError

    with transaction(engine) as session:
        session.add(account(user_id, refresh_token="1//secret"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET access_token = refresh_token"))
    with pytest.raises(EncryptionError, match=r"accounts\.access_token"), transaction(engine) as session:
        session.execute(select(Account.access_token)).all()


def test_a_row_that_was_read_can_be_written_and_found_again(engine, user_id):
    with transaction(engine) as session:
        session.add(browser(user_id, session_token="cookie"))
    with transaction(engine) as session:
        digest = session.scalars(select(Session.session_token)).one()
        session.execute(insert(VerificationToken).values(identifier="a@example.com", token=digest, expires=START))
        for searched in ("cookie", digest):
            assert session.scalar(select(func.count()).where(Session.session_token == searched)) == 1
            assert session.scalar(select(func.count()).where(VerificationToken.token == searched)) == 1
        assert session.scalar(select(func.count()).where(Session.session_token == str(digest))) == 0
