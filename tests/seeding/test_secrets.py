"""Secrets: believable in clear, sealed in the database, by CHECKs that speak of what is stored."""

import os

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, Text, bindparam, select
from sqlalchemy.types import TypeDecorator

from dbplan.benchmarking import benchmark
from dbplan.columns import Digest, Encrypted, sealed, sized
from dbplan.encryption import PREFIX, VARIABLE, new_key, rehearsal, unseal
from dbplan.plan import Plan, Query
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed


class Lowered(TypeDecorator):
    """A text that its type writes in small letters."""

    impl = String(60)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value if value is None else value.lower()


def vault():
    m = MetaData()
    Table(
        "keys", m,
        Column("id", Integer, primary_key=True),
        Column("state", String(10), CheckConstraint("state IN ('live', 'gone')"), nullable=False),
        Column("api_key", Encrypted("keys.api_key"), unique=True),
        Column("email", Encrypted("keys.email"), nullable=False),
        Column("token", Digest, nullable=False, unique=True),
        Column("nick", Lowered, nullable=False),
        CheckConstraint(sealed("api_key"), name="api_key_sealed"),
        CheckConstraint(f"{sealed('email')} AND length(email) > 40", name="email_sealed"),
        CheckConstraint("length(token) = 64", name="token_digest"),
        CheckConstraint(f"(state = 'gone' AND api_key IS NULL) OR ({sealed('api_key')})", name="gone_without"),
        CheckConstraint("nick = lower(nick)", name="nick_lower"),
        CheckConstraint(sized("nick", 3, 60), name="nick_size"),
    )  # fmt: skip
    t = m.tables["keys"]
    statement = select(t.c.id, t.c.api_key).where(t.c.token == bindparam("token"), t.c.email == bindparam("email"))
    return Plan(name="vault", metadata=m, queries=(Query("key_of", statement),), rows={"keys": 60})


def stored(stage, what="api_key, email, token, nick, state"):
    with stage.engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT {what} FROM keys ORDER BY id").all()


def test_a_report_shows_secrets_sealed():
    with sandbox(vault(), "sqlite") as stage:
        samples = seed(stage, rows=60).frames["keys"]
    assert samples["email"].str.startswith(PREFIX).all()
    assert samples["nick"].notna().all()


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_checks_on_what_is_stored_ask_nothing_of_what_is_given(on, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with sandbox(vault(), on) as stage:
        assert seed(stage, rows=60).ok
        rows = stored(stage)
        assert VARIABLE not in os.environ
    with rehearsal():
        keys = [unseal(row.api_key, "keys.api_key") for row in rows if row.api_key is not None]
        mails = [unseal(row.email, "keys.email") for row in rows]
    assert len({*keys}) == len(keys) > 30
    assert all(len(key) == 32 and key.isalnum() for key in keys)
    assert all("@" in mail and not mail.startswith(PREFIX) for mail in mails)
    assert len({row.token for row in rows}) == 60
    assert {row.state for row in rows} == {"live", "gone"}
    assert all(row.nick == row.nick.lower() and len(row.nick) >= 3 for row in rows)


def test_the_key_that_is_set_seals(monkeypatch):
    monkeypatch.setenv(VARIABLE, new_key())
    with sandbox(vault(), "sqlite") as stage:
        seed(stage, rows=10)
        mail = stored(stage, "email")[0][0]
    assert "@" in unseal(mail, "keys.email")
    monkeypatch.delenv(VARIABLE)
    with rehearsal(), pytest.raises(Exception, match="sealed with key"):
        unseal(mail, "keys.email")


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_benchmark_needs_no_key(on, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with sandbox(vault(), on) as stage:
        seed(stage, rows=60)
        report = benchmark(stage, seconds=0.5)
    assert [fact.query for fact in report.evidence if hasattr(fact, "query")], report.blocks
    assert "key_of" in str(report.blocks)
    assert "DBPLAN_ENCRYPTION_KEY" not in str(report.blocks)


def test_explain_needs_no_key_either(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "random texts of 32 characters" in str(explain(vault()).blocks)


def test_a_condition_that_a_type_does_not_hold_shapes_the_values():
    m = MetaData()
    Table(
        "t", m, Column("id", Integer, primary_key=True), Column("code", Lowered, nullable=False),
        Column("plain", Text, nullable=False),
        CheckConstraint("code LIKE 'k-%'", name="k"), CheckConstraint("plain LIKE 'sealed:%'", name="p"),
    )  # fmt: skip
    with sandbox(Plan("t", m), "sqlite") as stage:
        assert seed(stage, rows=20).ok
