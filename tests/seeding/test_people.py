"""People: what one row tells of a person is of one person, and addresses differ by construction."""

import re

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint

from dbplan.columns import EMAIL
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed
from dbplan.seeding.run import prepare
from dbplan.seeding.values.people import HOSTS, folded
from dbplan.seeding.values.words import pool


def plan(path=None):
    m = MetaData()
    Table(
        "users", m,
        Column("id", Integer, primary_key=True), Column("name", String(200)),
        Column("email", String(254), CheckConstraint(EMAIL), nullable=False, unique=True),
    )  # fmt: skip
    Table(
        "staff", m,
        Column("id", Integer, primary_key=True), Column("first_name", String(40), nullable=False),
        Column("last_name", String(40), nullable=False), Column("username", String(60), unique=True, nullable=False),
        Column("full_name", String(90), nullable=False),
    )  # fmt: skip
    Table(
        "orders", m,
        Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("users.id"), nullable=False),
        Column("customer_name", String(100), nullable=False), Column("customer_email", String(100), nullable=False),
        Column("email", String(100), nullable=False), Column("status", String(10), nullable=False),
        UniqueConstraint("user_id", "customer_email"),
    )  # fmt: skip
    Table(
        "readers", m,
        Column("id", Integer, primary_key=True), Column("email", String(20), nullable=False),
        Column("name", String(80), unique=True, nullable=False),
        Column("username", String(60), nullable=False),
        CheckConstraint("username ~ '^[a-z0-9]+$'").ddl_if(dialect="postgresql"),
    )  # fmt: skip
    return Plan("people", m, recipe=path)


ADDRESS = re.compile(r"[a-z]+\.[a-z]+\d*@example\.(com|net|org)")


def rows(subject, table, *columns, count=500):
    made, _ = prepare(subject, count, 7)
    source = made.sources[table]
    frame = source.frame(source.order)
    cells = [frame[name] for name in columns]
    lists = [[None if n else v for v, n in zip(c.values.tolist(), c.null.tolist(), strict=True)] for c in cells]
    return list(zip(*lists, strict=True))


def address(name):
    first, _, last = name.partition(" ")
    return f"{folded(first)}.{folded(last)}"


@pytest.mark.parametrize("count", [500, 120_000])
def test_an_address_is_made_of_the_rows_own_name(count):
    found = rows(plan(), "users", "name", "email", count=count)
    assert len({email for _, email in found}) == count
    for name, email in found:
        local, _, host = email.partition("@")
        assert host in HOSTS
        assert name is None or re.sub(r"\d+$", "", local) == address(name)
    assert any(re.search(r"\d@", email) for _, email in found) == (count > 100_000)
    assert 0.1 < sum(name is None for name, _ in found) / count < 0.2


def test_all_parts_of_a_name_agree():
    for first, last, user, full in rows(plan(), "staff", "first_name", "last_name", "username", "full_name"):
        assert full == f"{first} {last}"
        assert user == f"{folded(first)}_{folded(last)}"


def test_whose_name_it_is_says_whose_address():
    found = rows(plan(), "orders", "customer_name", "customer_email", "email")
    assert all(address(name) == re.sub(r"\d*@.*", "", email) for name, email, _ in found)
    assert all(ADDRESS.fullmatch(other) for *_, other in found)
    assert sum(address(name) == re.sub(r"\d*@.*", "", other) for name, _, other in found) < 5


def test_columns_that_cannot_agree_are_words_of_their_own():
    found = rows(plan(), "readers", "email", "name", "username")
    assert not any(address(name) in email for email, name, _ in found)
    assert len({name for _, name, _ in found}) == 500
    assert {user for *_, user in found} <= set(pool("user_name"))


def test_a_rule_for_one_leaves_the_other_alone(tmp_path):
    path = tmp_path / "people.toml"
    path.write_text('[tables.users.columns]\nname = { values = ["Ann"] }\n')
    assert all(ADDRESS.fullmatch(email) for (email,) in rows(plan(path), "users", "email"))
    path.write_text("[tables.users.columns]\nname = { null = 0 }\n")
    assert all(address(name) == email.partition("@")[0] for name, email in rows(plan(path), "users", "name", "email"))


def test_a_smaller_run_is_the_start_of_a_larger_one():
    few, many = (rows(plan(), "users", "name", "email", count=count) for count in (100, 400))
    assert many[:100] == few


def test_a_fixed_address_is_nobodys_elses(tmp_path):
    taken = rows(plan(), "users", "email")[4][0]
    path = tmp_path / "people.toml"
    path.write_text(f'[[tables.users.fixed]]\nemail = "{taken}"\n')
    found = [email for (email,) in rows(plan(path), "users", "email")]
    assert taken not in found
    assert len(set(found)) == 500


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_the_servers_agree(on):
    with sandbox(plan(), on) as stage:
        assert seed(stage, rows=800).ok


def test_explain_says_so():
    assert "address of the row's person, each once" in str(explain(plan()).blocks)


@pytest.mark.parametrize("more", ["name", "first_name", "username"])
def test_another_part_that_comes_along_changes_no_address(more):
    def addresses(*others):
        metadata = MetaData()
        columns = [Column(name, String(60)) for name in others]
        Table("guests", metadata, Column("id", Integer, primary_key=True), *columns, Column("email", String(90)))
        return rows(Plan("guests", metadata), "guests", "email")

    assert addresses() == addresses(more)
