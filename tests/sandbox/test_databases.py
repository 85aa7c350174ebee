"""A database is dropped by others only when its name proves that dbplan made it and nobody holds its token."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.sandbox import databases, names, postgresql


@given(st.text())
def test_every_plan_name_makes_a_slug_that_fits_a_name(name):
    made = names.name_for(name, 1, "0123abcd")
    assert names.token_of(made) == "0123abcd"
    assert len(made) < 63


@given(st.text(), st.from_regex(r"dbplan_[a-z0-9_]{1,32}_[0-9a-f]{16}", fullmatch=True))
def test_names_that_only_look_alike_are_not_ours(text, similar):
    assert names.token_of(text) is None
    assert names.token_of(similar) is None


@pytest.fixture
def maintenance():
    with postgresql.connect() as connection:
        yield connection


@pytest.fixture
def database(maintenance):
    made = []

    def create(name, comment=None):
        maintenance.execute(f'CREATE DATABASE "{name}"')
        made.append(name)
        if comment:
            maintenance.execute(f"COMMENT ON DATABASE \"{name}\" IS '{comment}'")
        return name

    yield create
    for name in made:
        maintenance.execute(f'DROP DATABASE IF EXISTS "{name}"')


def own_name(token):
    return names.name_for("x", 1, token)


def test_forsaken_databases_are_dropped_marked_or_not(maintenance, database):
    token = os.urandom(4).hex()
    unmarked = database(own_name(token))
    marked = database(own_name(os.urandom(4).hex()), databases.COMMENT)
    databases.sweep(maintenance)
    left = postgresql.status().databases
    assert unmarked not in left
    assert marked not in left


def test_what_is_not_ours_or_not_forsaken_stays(maintenance, database):
    other = os.urandom(4).hex()
    kept = [
        database(f"dbplan_x_1_{other}{other}"),
        database(f"dbplan_production_{os.getpid()}"),
        database(own_name(other), "the payroll"),
    ]
    with databases.lease(postgresql.connect(), postgresql.connect) as lease, lease.database("x") as held:
        databases.sweep(maintenance)
        assert {*kept, held} <= set(postgresql.status().databases)
    databases.sweep(maintenance)
    left = postgresql.status().databases
    assert held not in left
    assert set(kept) <= set(left)


def test_a_token_of_any_value_makes_a_lock_that_is_seen(maintenance, database, monkeypatch):
    for token in ("00000000", "7fffffff", "80000000", "ffffffff"):
        monkeypatch.setattr(databases.secrets, "token_hex", lambda _, token=token: token)
        with databases.lease(postgresql.connect(), postgresql.connect) as lease, lease.database("edge") as name:
            assert name not in databases.sweep(maintenance)
            assert name in postgresql.status().databases
