"""A stranger's database: nothing of anybody in the copy, every key intact, the same twice, on PostgreSQL and SQLite."""

from contextlib import contextmanager

import pytest
from seeding_stranger import PEOPLE, address, fill, plan
from sqlalchemy import select, text

from dbplan.sandbox import sandbox
from dbplan.seeding.anonymising import anonymise

KEPT = {
    "User": ["id", "mentor", "status", "active", "created_at", "label"],
    "mail": ["id", "kind", "amount"],
    "team": ["country", "no", "head"],
    "visit": ["id", "tags", "seen", "position"],
}


@contextmanager
def sides(on="postgresql"):
    """Give a filled source on PostgreSQL and an empty target."""
    own = plan(on)
    with sandbox(own, create=False) as source, sandbox(own, on=on, create=False) as target:
        for stage in (source, target):
            with stage.engine.begin() as connection:
                if on == "postgresql":
                    connection.execute(text("CREATE SEQUENCE visit_position"))
                own.metadata.create_all(connection)
        with source.engine.begin() as connection:
            fill(connection, own.metadata, on)
        yield source, target


@pytest.fixture(scope="module")
def copied():
    with sides() as (source, target):
        report = anonymise(source, target)
        yield rows_of(source), rows_of(target), report, target


def rows_of(stage):
    """Return every row of every table, by table."""
    with stage.engine.connect() as connection:
        tables = stage.plan.tables
        return {t.key: connection.execute(select(t).order_by(*t.primary_key.columns)).mappings().all() for t in tables}


def test_nothing_of_anybody_is_left(copied):
    _, after, _, _ = copied
    told = repr(after)
    assert "real" not in told.lower()
    assert "corp-secret" not in told.lower()


def test_every_row_is_there_and_no_constraint_is_broken(copied):
    before, after, report, _ = copied
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    assert report.ok
    assert "0 violations" in report.verdict


def test_an_address_is_the_same_wherever_it_stands(copied):
    before, after, _, _ = copied
    new = {old["recipient"]: made["recipient"] for old, made in zip(before["mail"], after["mail"], strict=True)}
    assert len(set(new.values())) == PEOPLE
    for old, made in zip(before["mail"], after["mail"], strict=True):
        assert made["recipient"] == made["identifier"] == new[old["recipient"]]
    for old, made in zip(before["User"], after["User"], strict=True):
        if old["email"].lower() in new:
            assert made["email"].lower() == new[old["email"].lower()] == made["profile"]["email"].lower()
            assert (made["email"] == made["email"].lower()) == (old["email"] == old["email"].lower())
    assert set(new.values()) == {row["email"] for row in after["subscriber"]}
    assert after["visit"][4]["emails"][0] == new[address(4)]


def test_a_person_is_one_person(copied):
    _, after, _, _ = copied
    for row in after["User"]:
        first, last = row["firstName"], row["lastName"]
        assert row["full name"] == f"{first or row['full name'].split()[0]} {last}"
        parts = row["email"].lower().split("@")[0].split(".")
        assert parts[:2] == [plain(row["full name"].split()[0]), plain(last)]
        assert row["user_name"].endswith(f"_{parts[2]}")
        assert f"{parts[0]}_{parts[1]}".startswith(row["user_name"][:-13])


def plain(name):
    from dbplan.seeding.values.people import folded

    return folded(name)


def test_nulls_and_what_is_nobodys_stay(copied):
    before, after, _, _ = copied
    for name, kept in KEPT.items():
        for old, made in zip(before[name], after[name], strict=True):
            assert {c: old[c] for c in kept} == {c: made[c] for c in kept}
            assert all(made[c] is None for c, value in old.items() if value is None)
    assert after["User"][1]["profile"]["nested"][0]["status"] == "on"
    assert {row["words"] for row in after["visit"]} == {None}


def test_lengths_years_and_forms_hold(copied):
    before, after, _, _ = copied
    for old, made in zip(before["User"], after["User"], strict=True):
        assert made["birth_date"].year == old["birth_date"].year
        assert len(made["bio"]) == len(old["bio"])
        assert made["password"].startswith("$2b$12$A")
        assert (made["order"][:4], len(made["order"])) == ("cus_", 10)
    assert {len(row["raw"]) for row in after["visit"]} == {len(row["raw"]) for row in before["visit"]}


def test_the_next_row_has_a_free_number(copied):
    _, _, _, target = copied
    with target.engine.connect() as connection:
        made = connection.execute(text("INSERT INTO \"User\" (email) VALUES ('x@y.z') RETURNING id")).scalar_one()
        place = connection.execute(text("SELECT nextval('visit_position')")).scalar_one()
    assert made == PEOPLE + 1
    assert place == 21


def test_the_report_says_what_became_of_each_column_and_shows_only_what_is_new(copied):
    _, _, report, _ = copied
    said = str(report)
    assert "real" not in said.lower().replace("really", "")
    assert "Replaced because nothing says" in said
    assert "User.bio" in said
    assert "DBPLAN_ANONYMISE_KEY is not set" in said


def test_the_same_twice_and_other_values_under_a_key(copied, monkeypatch):
    _, after, _, _ = copied
    with sides() as (source, target):
        anonymise(source, target)
        assert rows_of(target) == after
        monkeypatch.setenv("DBPLAN_ANONYMISE_KEY", "a secret")
        report = anonymise(source, target, truncate=True)
        assert rows_of(target) != after
        assert f"User: {PEOPLE:,} rows were removed first." in str(report)


def test_sqlite_gets_what_postgresql_gets():
    with sides("sqlite") as (source, target), sandbox(plan("sqlite")) as other:
        anonymise(source, target)
        anonymise(source, other)
        assert rows_of(target) == rows_of(other)
        assert "real" not in repr(rows_of(target)).lower()
        with sandbox(plan("sqlite"), on="sqlite") as third:
            before = rows_of(target)
            anonymise(target, third)  # from SQLite too
            assert [r["id"] for r in rows_of(third)["User"]] == [r["id"] for r in before["User"]]
            assert rows_of(third)["User"] != before["User"]
