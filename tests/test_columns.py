import datetime as dt
import hashlib
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, create_engine, func, insert, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, configure_mappers

from dbplan import encryption
from dbplan.columns import (
    EMAIL,
    TYPES,
    AccountType,
    Created,
    Digest,
    EmailToken,
    Encrypted,
    Hashed,
    Identified,
    JsonDocument,
    Key,
    Money,
    Person,
    SignInAccount,
    SignInSession,
    SoftDeleted,
    Updated,
    UtcDateTime,
    WrongValue,
    clock,
    lower_case,
    named_metadata,
    new_id,
    one_of,
    sealed,
    sized,
    words,
)
from dbplan.connection import new_engine
from dbplan.encryption import EncryptionError
from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

zones = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
instants = st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(9999, 12, 30), timezones=zones)


@pytest.fixture(scope="module")
def moments():
    engine = create_engine("sqlite://")
    table = Table("moments", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcDateTime()))
    table.create(engine)
    with engine.connect() as connection:
        yield connection, table
    engine.dispose()


@given(st.lists(instants, min_size=1, max_size=5))
def test_an_instant_comes_back_from_sqlite_aware_and_in_order(moments, values):
    connection, table = moments
    with connection.begin():
        connection.execute(insert(table), [{"at": value} for value in values])
        found = connection.scalars(select(table.c.at).order_by(table.c.at)).all()
        connection.execute(table.delete())
    assert found == sorted(values)
    assert all(value.tzinfo is dt.UTC for value in found)


def test_a_naive_datetime_is_refused_with_the_mend(moments):
    connection, table = moments
    with (
        pytest.raises(WrongValue, match="^2026-01-01 00:00:00 has no time zone; give an aware datetime"),
        connection.begin(),
    ):
        connection.execute(insert(table), {"at": dt.datetime(2026, 1, 1)})


def test_the_clock_is_read_at_the_statement_and_in_utc(moments):
    connection, _ = moments
    with connection.begin():
        read = connection.scalar(select(clock()))
    assert abs(dt.datetime.now(dt.UTC) - read) < dt.timedelta(seconds=5)


def test_an_instant_of_the_clock_is_equal_to_itself_once_it_was_read(moments):
    connection, table = moments
    with connection.begin():
        connection.execute(insert(table).values(at=clock()))
        read = connection.scalar(select(table.c.at))
        found = connection.scalars(select(table.c.at).where(table.c.at == read)).all()
        connection.execute(table.delete())
    assert found == [read]


def test_the_clock_of_each_dialect():
    said = {d.name: str(clock().compile(dialect=d)) for d in (postgresql.dialect(), mysql.dialect(), sqlite.dialect())}
    assert said["postgresql"] == "clock_timestamp()"
    assert said["mysql"] == "CURRENT_TIMESTAMP(6)"
    assert said["sqlite"].startswith("strftime(")


def test_ids_ascend_within_a_thread_and_never_meet_across_threads():
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert all(a < b for run in runs for a, b in pairwise(run))
    assert len({i for run in runs for i in run}) == 4000
    assert all(i.version == 7 for run in runs for i in run)


def test_none_is_null_and_not_the_document_null():
    engine = create_engine("sqlite://")
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("d", JsonDocument, nullable=False))
    table.create(engine)
    with engine.begin() as connection, pytest.raises(IntegrityError, match="NOT NULL"):
        connection.execute(insert(table), {"d": None})
    engine.dispose()


def test_json_is_binary_on_postgresql_alone():
    assert str(JsonDocument.compile(dialect=postgresql.dialect())) == "JSONB"
    assert str(JsonDocument.compile(dialect=sqlite.dialect())) == "JSON"


def test_every_constraint_gets_a_name():
    from sqlalchemy import ForeignKey, Index, UniqueConstraint

    metadata = named_metadata()
    Table("parents", metadata, Column("id", Integer, primary_key=True))
    child = Table(
        "children",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("parent_id", ForeignKey("parents.id")),
        UniqueConstraint("parent_id", "id"),
    )
    names = {constraint.name for constraint in child.constraints}
    assert names == {"pk_children", "fk_children_parent_id_parents", "uq_children_parent_id_id"}
    assert Index(None, child.c.parent_id).name == "ix_children_parent_id"


def test_one_of_names_each_value_once():
    assert one_of("status", ["success", "failed"]) == "status IN ('success', 'failed')"


amounts = st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@pytest.fixture(autouse=True)
def _development_key(monkeypatch):
    monkeypatch.setenv(encryption.VARIABLE, encryption.DEVELOPMENT)


@pytest.fixture(scope="module")
def kept():
    """Tables with a column of each type, on both servers."""
    metadata = MetaData()
    Table("money", metadata, Column("id", Integer, primary_key=True), Column("value", Money()))
    Table("secrets", metadata, Column("id", Integer, primary_key=True), Column("value", Encrypted("secrets.value")))
    Table("keys", metadata, Column("id", Integer, primary_key=True), Column("value", Key))
    Table("moments", metadata, Column("id", Integer, primary_key=True), Column("value", UtcDateTime()))
    Table("digests", metadata, Column("id", Integer, primary_key=True), Column("value", Digest))
    plan = Plan("types", metadata)
    with sandbox(plan, on="sqlite") as light, sandbox(plan, on="postgresql") as heavy:
        yield metadata, [light.engine, heavy.engine]


def through(kept, name, values):
    """Return values as they come back from each server, in the server's order of them."""
    metadata, engines = kept
    table = metadata.tables[name]
    for engine in engines:
        with engine.connect() as connection, connection.begin() as work:
            connection.execute(insert(table), [{"id": n, "value": value} for n, value in enumerate(values)])
            yield connection, table
            work.rollback()


@given(st.lists(amounts, min_size=1, max_size=8))
def test_an_amount_comes_back_exact_sorted_and_summed(kept, values):
    for connection, table in through(kept, "money", values):
        found = connection.scalars(select(table.c.value).order_by(table.c.value)).all()
        assert found == sorted(values)
        assert all(type(value) is Decimal and value.as_tuple().exponent == -2 for value in found)
        assert connection.scalar(select(func.sum(table.c.value))) == sum(values)
        assert connection.scalar(select(func.count()).where(table.c.value == values[0])) == values.count(values[0])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Decimal("0.005"), "0.005 is not within ±99999999.99 with two decimals"),
        (0.1 + 0.2, "0.30000000000000004 is not within ±99999999.99 with two decimals"),
        ("1.999", "1.999 is not within ±99999999.99 with two decimals"),
        (10**8, "100000000 is not within ±99999999.99"),
        (Decimal("-100000000"), "-100000000 is not within"),
        (float("nan"), "nan is not within"),
        (Decimal("Infinity"), "Infinity is not within"),
        ("cheap", "an amount is a text that is no number; give a Decimal"),
    ],
    ids=str,
)
def test_what_is_no_amount_is_refused_before_a_server_rounds_it(kept, value, said):
    for connection, table in through(kept, "money", [0]):
        with pytest.raises(WrongValue, match=f"^{said}"):
            connection.execute(insert(table), {"id": 9, "value": value})


@pytest.mark.parametrize("value", [1, 1.5, "1.50", Decimal("1.500"), 0.1])
def test_an_amount_may_be_given_as_any_number_of_two_decimals(kept, value):
    for connection, table in through(kept, "money", [value]):
        assert connection.scalar(select(table.c.value)) == Decimal(str(value))


def test_a_key_comes_back_and_a_text_is_refused_on_every_server_and_never_repeated(kept):
    key = new_id()
    for connection, table in through(kept, "keys", [key, None]):
        assert connection.scalars(select(table.c.value).order_by(table.c.id)).all() == [key, None]
        for wrong, said in (
            (str(key), "a text"),
            ("hunter2", "a text"),
            (key.bytes, "of type bytes"),
            (7, "of type int"),
        ):
            with pytest.raises(WrongValue, match=f"^an id is {said}; give a uuid.UUID, as in uuid.UUID") as refused:
                connection.execute(select(table.c.id).where(table.c.value == wrong))
            assert isinstance(refused.value, UsageError)
        assert connection.scalar(select(table.c.id).where(table.c.value == key)) == 0


@pytest.mark.parametrize("wrong", ["2026-01-01", dt.date(2026, 1, 1), 1767225600])
def test_what_is_no_instant_is_refused_on_every_server(kept, wrong):
    for connection, table in through(kept, "moments", [None]):
        with pytest.raises(WrongValue, match="^an instant is .*; give an aware datetime, as in datetime.now"):
            connection.execute(insert(table), {"id": 9, "value": wrong})


@given(st.lists(texts, min_size=1, max_size=5))
def test_a_secret_comes_back_and_is_sealed_meanwhile(kept, values):
    for connection, table in through(kept, "secrets", values):
        assert connection.scalars(select(table.c.value).order_by(table.c.id)).all() == values
        for stored in connection.scalars(text("SELECT value FROM secrets")):
            assert stored.startswith(encryption.PREFIX)
        assert connection.scalar(select(func.count()).where(table.c.value == values[0])) == values.count(values[0])


def test_no_secret_is_null_and_a_null_is_no_secret(kept):
    for connection, table in through(kept, "secrets", [None, ""]):
        assert connection.scalars(select(table.c.value).order_by(table.c.id)).all() == [None, ""]
        assert connection.scalar(select(func.count()).where(table.c.value.is_(None))) == 1


def test_a_secret_moved_to_another_column_does_not_open():
    engine = new_engine("sqlite://")
    columns = [Column(name, Encrypted(f"t.{name}")) for name in ("a", "b")]
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), *columns)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table), {"a": "same", "b": "same"})
        assert connection.scalar(text("SELECT a = b FROM t")) == 0
        connection.execute(text("UPDATE t SET b = a"))
        with pytest.raises(EncryptionError, match=r"the secret of t\.b was changed"):
            connection.execute(select(table.c.b)).all()
    engine.dispose()


def test_the_check_of_a_sealed_column_refuses_clear_text_and_lets_null_pass():
    engine = create_engine("sqlite://")
    table = Table("t", MetaData(), Column("a", Encrypted("t.a")), CheckConstraint(sealed("a"), name="a_sealed"))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"a": "secret"}, {"a": None}])
        with pytest.raises(IntegrityError, match="a_sealed"):
            connection.execute(text("INSERT INTO t (a) VALUES ('secret')"))
    engine.dispose()


@given(texts)
def test_a_token_is_kept_as_its_digest_and_found_by_itself(kept, token):
    for connection, table in through(kept, "digests", [token]):
        found = connection.scalar(select(table.c.value).where(table.c.value == token))
        assert (
            found == connection.scalar(text("SELECT value FROM digests")) == hashlib.sha256(token.encode()).hexdigest()
        )


def test_a_digest_that_was_read_is_one_and_a_text_that_looks_like_one_is_a_token(kept):
    for connection, table in through(kept, "digests", ["token", None]):
        found = connection.scalar(select(table.c.value).where(table.c.value.is_not(None)))
        assert isinstance(found, Hashed)
        for searched, times in ((found, 1), (Hashed(found), 1), (str(found), 0), ("token", 1)):
            assert connection.scalar(select(func.count()).where(table.c.value == searched)) == times
        connection.execute(insert(table), {"id": 9, "value": found})
        connection.execute(insert(table), {"id": 10, "value": str(found)})
        assert connection.scalar(select(func.count()).where(table.c.value == "token")) == 2
        assert connection.scalar(select(func.count()).where(table.c.value == str(found))) == 1


def test_conditions_read_as_sql():
    assert sized("name", 1, 200) == "length(name) BETWEEN 1 AND 200"
    assert lower_case("slug") == "slug = lower(slug)"
    assert sealed("api_key") == "api_key LIKE 'sealed:%'"
    assert one_of("type", AccountType) == "type IN ('oauth', 'oidc', 'email', 'credentials', 'webauthn')"


def test_words_are_text_and_know_their_values():
    kind = words(AccountType, length=30)
    assert kind.name == "account_type"
    assert kind.enums == [str(member) for member in AccountType]
    assert kind.compile(dialect=postgresql.dialect()) == "VARCHAR(30)"
    assert not kind.native_enum
    assert not kind.create_constraint


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("ada@example.com", True),
        ("a@b", True),
        ("@example.com", False),
        ("ada@", False),
        ("ada", False),
        ("Ada@example.com", False),
    ],
)
def test_the_condition_on_an_address(address, fits):
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        assert connection.scalar(text(f"SELECT {EMAIL} FROM (SELECT :address AS email)"), {"address": address}) == fits
    engine.dispose()


def sign_in():
    """Return a fresh declarative base with the tables by which people sign in."""

    class Base(DeclarativeBase):
        metadata = named_metadata()
        type_annotation_map = dict(TYPES)

    class User(Identified, Created, Updated, SoftDeleted, Person, Base):
        __tablename__ = "users"

    class Account(Identified, SignInAccount, Base):
        __tablename__ = "accounts"

    class Session(Identified, SignInSession, Base):
        __tablename__ = "sessions"

    class Token(EmailToken, Base):
        __tablename__ = "verification_tokens"

    configure_mappers()
    return Base.metadata


def test_two_plans_may_let_people_in_each_in_its_own_tables():
    first, second = sign_in(), sign_in()
    for table in first.tables.values():
        twin = second.tables[table.name]
        assert {c.name for c in table.constraints} == {c.name for c in twin.constraints}
        assert not table.constraints & twin.constraints
        assert not set(table.columns) & set(twin.columns)
        assert all(fk.column.table is first.tables["users"] for fk in table.foreign_keys)


def test_the_columns_of_sign_in_are_those_of_auth_js_in_a_readable_order():
    tables = sign_in().tables
    assert {name: tables[name].columns.keys() for name in tables} == {
        "users": [
            *("id", "created_at", "updated_at", "email", "name", "email_verified", "image", "deleted_at"),
        ],
        "accounts": [
            *("id", "user_id", "type", "provider", "provider_account_id", "refresh_token", "access_token"),
            *("expires_at", "token_type", "scope", "id_token", "session_state"),
        ],
        "sessions": ["id", "session_token", "user_id", "expires"],
        "verification_tokens": ["token", "identifier", "expires"],
    }
    assert all(column.comment for table in tables.values() for column in table.columns)


def test_constraints_and_indexes_of_sign_in_are_named_and_say_why():
    tables = sign_in().tables
    for name in ("accounts", "sessions", "verification_tokens"):
        table = tables[name]
        assert table.comment
        assert all(sentence.endswith(".") for sentence in table.info["decisions"])
        assert all(str(c.name).split("_")[0] in ("pk", "fk", "uq", "ck") and name in c.name for c in table.constraints)
        assert all(i.name.startswith(f"ix_{name}_") for i in table.indexes)
        assert all(fk.ondelete == "CASCADE" for fk in table.foreign_keys)
        first = {next(iter(i.columns)).name for i in table.indexes}
        assert {fk.parent.name for fk in table.foreign_keys} <= first


def test_every_secret_of_sign_in_is_bound_to_its_column_and_checked():
    for table in sign_in().tables.values():
        checks = {str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)}
        for column in table.columns:
            if isinstance(column.type, Encrypted):
                assert column.type.place == f"{table.name}.{column.name}"
                assert sealed(column.name) in checks
            if isinstance(column.type, Digest):
                assert f"length({column.name}) = 64" in checks


def test_every_bounded_text_of_sign_in_is_bounded_by_a_check_too():
    for name in ("accounts", "verification_tokens"):
        table = sign_in().tables[name]
        checks = " ".join(str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint))
        texts = {c.name for c in table.columns if c.type.__class__.__name__ in ("String", "Text")}
        assert {column for column in texts if f"length({column})" not in checks} == set()
