"""What the revisions of credits do to rows that are there."""

from collections import Counter

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from dbplan.columns import new_id
from dbplan.connection import new_engine, transaction
from dbplan.domains.credits import PLAN, operations
from dbplan.domains.credits.models import Transaction, User
from dbplan.sandbox import sandbox


def add_users_as_of_0001(engine, n, ledgers=0):
    """Add users, of whom the first `ledgers` have two ledger rows and end at 7 credits."""
    ids = [new_id() for _ in range(n)]
    users = Table("users", MetaData(), Column("id", User.__table__.c.id.type))
    with engine.begin() as connection:
        if ids:
            connection.execute(insert(users), [{"id": key} for key in ids])
        for key in ids[:ledgers]:
            for amount, before in ((10, 0), (-3, 10)):
                row = {"user_id": key, "amount": amount, "balance_before": before, "balance_after": before + amount}
                connection.execute(insert(Transaction), row | {"action": "x"})
    return ids


def balances(engine):
    with engine.connect() as connection:
        return dict(map(tuple, connection.execute(select(User.id, User.credits))))


def ledger(engine):
    columns = [column for column in Transaction.__table__.c if column.name != "created_at"]
    with engine.connect() as connection:
        return Counter(map(str, connection.execute(select(*columns))))


def test_existing_users_start_with_100_or_with_what_their_ledger_says(bare, move):
    move(bare, "0001")
    ids = add_users_as_of_0001(bare, 30, ledgers=10)
    move(bare, "head")
    assert balances(bare) == dict.fromkeys(ids[:10], 7) | dict.fromkeys(ids[10:], 100)
    with transaction(bare) as session:
        for key in ids:
            assert sum(entry.amount for entry in operations.history(session, key)) == balances(bare)[key]


def test_down_and_up_again_keeps_every_balance_and_ledger_row(bare, move):
    move(bare, "0001")
    ids = add_users_as_of_0001(bare, 20, ledgers=5)
    before = ledger(bare)
    move(bare, "head")
    after = ledger(bare)
    move(bare, "-1")
    assert ledger(bare) == before
    move(bare, "head")
    assert ledger(bare) == after
    with transaction(bare) as session:
        operations.charge(session, ids[-1], "generate-post", 30, key="a")
        operations.create_user(session)
        operations.create_user(session, opening=5)
    spent, entries = balances(bare), ledger(bare)
    for _ in range(2):
        move(bare, "-1")
        move(bare, "head")
        assert balances(bare) == spent
    assert sorted(spent.values()) == [0, 5] + [7] * 5 + [70] + [100] * 14
    assert ledger(bare) == entries


def test_a_rebuilt_users_table_keeps_what_refers_to_it(bare, move):
    move(bare, "0001")
    ids = add_users_as_of_0001(bare, 3, ledgers=3)
    move(bare, "head")
    with bare.begin() as connection:
        assert len(connection.execute(select(Transaction.user_id)).all()) == 6
        if bare.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    assert set(balances(bare)) == set(ids)


def test_the_backfill_leaves_updated_at_alone(bare, move):
    move(bare, "0001")
    add_users_as_of_0001(bare, 3)
    with bare.connect() as connection:
        before = connection.execute(text("SELECT id, updated_at FROM users ORDER BY id")).all()
    move(bare, "head")
    with bare.connect() as connection:
        assert connection.execute(text("SELECT id, updated_at FROM users ORDER BY id")).all() == before


@pytest.fixture
def postgresql():
    with sandbox(PLAN, create=False) as stage:
        made = new_engine(stage.url)
        yield made
        made.dispose()


STOP_AT = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
    CREATE TRIGGER stop BEFORE INSERT ON transactions
    FOR EACH ROW WHEN (NEW.user_id = '%s') EXECUTE FUNCTION refuse()"""


def test_the_backfill_goes_past_one_batch_and_may_be_stopped_and_run_again(postgresql, move):
    move(postgresql, "0001")
    ids = add_users_as_of_0001(postgresql, 5100)
    with postgresql.begin() as connection:
        connection.exec_driver_sql(STOP_AT % ids[-1])
    with pytest.raises(DBAPIError, match="stopped"):
        move(postgresql, "head")
    assert Counter(balances(postgresql).values()) == {100: 5000, 0: 100}
    with postgresql.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER stop ON transactions; DROP FUNCTION refuse")
    move(postgresql, "head")
    assert Counter(balances(postgresql).values()) == {100: 5100}
    assert ledger(postgresql).total() == 5100


def test_an_update_of_one_user_meets_the_new_checks(bare, move):
    move(bare, "0001")
    add_users_as_of_0001(bare, 1)
    move(bare, "head")
    with pytest.raises(IntegrityError, match="credits_not_negative"), bare.begin() as connection:
        connection.execute(update(User).values(credits=-1))
