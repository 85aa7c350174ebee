"""pg, Postgres.js and Drizzle on PostgreSQL: values at the edges, many clients, and what their errors tell."""

from dataclasses import asdict
from datetime import datetime

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    insert,
    select,
)

from dbplan import Plan, sandbox
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.installing import command
from dbplan.orms.preparing import prepare
from dbplan.orms.process import Process
from dbplan.orms.relations import schema_of
from dbplan.orms.scenarios import Link, Scenario, Study

METADATA = MetaData()
OWNER = Table(
    "Owner", METADATA, Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("paid", Numeric(40, 15)), Column("at", DateTime), Column("words", ARRAY(Text)),
    Column("name", Text, unique=True),
)  # fmt: skip
THING = Table(
    "thing", METADATA, Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", ForeignKey("Owner.id", ondelete="CASCADE"), nullable=False), Column("mark", LargeBinary),
)  # fmt: skip
LARGE = 2**60 + 1
DIGITS = "1234567890123456789012345.678901234567891"
COLUMNS = ("id", "paid", "at", "words", "name")
ROW = {
    "id": str(LARGE), "paid": DIGITS, "at": "2026-03-29T02:30:00.123",
    "words": ['a "b"', "", "c,d", "NULL", "{}", "\\"], "name": "Zoë",
}  # fmt: skip
NAMES = ["pg", "postgres", "drizzle"]


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("edges", METADATA)) as opened:
        with opened.engine.begin() as connection:  # a server of New York must not shift what a timestamp holds
            name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET timezone = "America/New_York"')
        opened.engine.dispose()
        yield opened


@pytest.fixture(scope="module", params=NAMES)
def ask(request, stage, tmp_path_factory):
    """Return a function that asks a contestant, with rows that are there anew."""
    contestant = CONTESTANTS[request.param]
    folder = tmp_path_factory.mktemp("models")
    prepare(contestant, stage.plan, folder)
    process = Process(command(contestant))
    process.ask("open", 60, study=study(stage, folder))

    def asked(do, scenario, **given):
        assert process.ask("bind", 20, scenario=asdict(scenario)) == {"ok": True}
        return process.ask(do, 60, **given)

    asked.name = request.param
    yield asked
    process.close()


@pytest.fixture(autouse=True)
def rows(stage):
    with stage.engine.begin() as connection:
        connection.execute(THING.delete())
        connection.execute(OWNER.delete())
        at = datetime(2026, 3, 29, 2, 30, 0, 123456)
        connection.execute(insert(OWNER).values(id=LARGE, paid=DIGITS, at=at, words=ROW["words"], name="Zoë"))
        connection.execute(insert(OWNER).values(id=1))
        connection.execute(insert(THING), [{"id": LARGE + n, "owner": LARGE, "mark": b"\x00\xff"} for n in range(3)])


def study(stage, folder):
    url = stage.engine.url
    told = {"host": url.query.get("host", url.host), "port": int(url.query.get("port", url.port or 5432))}
    told |= {"user": url.username, "password": url.password, "database": url.database}
    with stage.engine.connect() as connection:
        tables = schema_of(stage.plan, connection).facts()
    return asdict(Study("edges", "postgresql", told, str(folder), 10, tables))


def stored(stage, where):
    with stage.engine.connect() as connection:
        return connection.execute(select(OWNER).where(where)).one()


def test_values_at_the_edges_are_read_as_they_are(ask):
    scenario = Scenario("point_read", "Owner", COLUMNS)
    keys = [{"key": {"id": key}} for key in (str(LARGE), 1, 404)]
    empty = dict.fromkeys(COLUMNS) | {"id": 1}
    assert ask("check", scenario, params=keys)["results"] == [ROW, empty, None]


def test_values_at_the_edges_are_written_as_they_are(ask, stage):
    scenario = Scenario("insert_one", "Owner", COLUMNS)
    given = ROW | {"id": str(LARGE + 7), "name": "other"}
    assert ask("check", scenario, params=[{"row": given}])["results"] == [given]
    row = stored(stage, OWNER.c.id == LARGE + 7)
    assert (str(row.paid), row.at, row.words) == (DIGITS, datetime(2026, 3, 29, 2, 30, 0, 123000), ROW["words"])


def test_upserts_and_updates_change_one_row(ask, stage):
    upsert = Scenario("upsert", "Owner", COLUMNS, update="paid")
    assert ask("check", upsert, params=[{"row": ROW | {"paid": "1.5"}}])["results"] == [1]
    assert str(stored(stage, OWNER.c.id == LARGE).paid).rstrip("0") == "1.5"
    update = Scenario("update_one", "Owner", COLUMNS, update="at")
    params = [{"key": {"id": 1}, "value": "2026-03-08T02:30:00.000"}, {"key": {"id": 404}, "value": None}]
    assert ask("check", update, params=params)["results"] == [1, 0]
    assert stored(stage, OWNER.c.id == 1).at == datetime(2026, 3, 8, 2, 30)


def test_children_of_large_keys(ask):
    """Drizzle reads relations as JSON, whose large numbers JavaScript rounds: rows that the comparison finds wrong."""
    children = Link("thing", ("id", "owner", "mark"), (("id", "owner"),), ("id",))
    scenario = Scenario("nested_include", "Owner", COLUMNS, children=children)
    [[one, large]] = ask("check", scenario, params=[{"keys": [{"id": str(LARGE)}, {"id": 1}]}])["results"]
    assert (one["id"], one["children"]) == (1, [])
    due = [{"id": str(LARGE + n), "owner": str(LARGE), "mark": "00ff"} for n in range(3)]
    assert [child["mark"] for child in large["children"]] == ["00ff"] * 3
    assert (large["children"] == due) == (ask.name != "drizzle")


def test_twenty_clients_write_at_once(ask, stage):
    scenario = Scenario("insert_one", "Owner", COLUMNS)
    params = [{"row": ROW | {"id": 1000 + n, "name": f"n{n}"}} for n in range(200)]
    told = ask("load", scenario, params=params, clients=20)
    assert (told["done"], told["errors"]) == (200, {})
    with stage.engine.connect() as connection:
        assert len(connection.execute(select(OWNER.c.id).where(OWNER.c.id.between(1000, 1199))).all()) == 200


def test_a_transaction_that_fails_changes_nothing(ask, stage):
    scenario = Scenario("transaction", "Owner", COLUMNS, update="paid", insert=Link("thing", ("id", "owner"), ()))
    taken = {"key": {"id": 1}, "value": "7", "row": {"id": str(LARGE), "owner": 1}}
    told = ask("load", scenario, params=[taken, taken | {"key": {"id": 404}}], clients=1)
    assert len(told["errors"]) == 2
    assert any("the row is gone" in text for text in told["errors"])
    assert stored(stage, OWNER.c.id == 1).paid is None
    good = taken | {"row": {"id": 5, "owner": 1}}
    assert ask("check", scenario, params=[good])["results"] == [dict.fromkeys(COLUMNS) | {"id": 1}]
    assert stored(stage, OWNER.c.id == 1).paid == 7


def test_an_error_names_the_constraint(ask):
    scenario = Scenario("insert_one", "Owner", COLUMNS)
    told = ask("violate", scenario, params=[{"row": ROW | {"id": 77}}])
    assert (told["raised"], told["code"], told["constraint"]) == (True, "23505", "Owner_name_key")
    assert "duplicate key value" in told["message"]


def test_more_rows_than_a_statement_has_parameters_are_written(ask, stage):
    """20,000 rows of 5 columns are 100,000 parameters, and PostgreSQL takes 65,535."""
    scenario = Scenario("bulk_insert", "Owner", COLUMNS)
    rows = [ROW | {"id": 10_000 + n, "name": f"b{n}"} for n in range(20_000)]
    assert ask("check", scenario, params=[{"rows": rows}])["results"] == [20_000]
    with stage.engine.connect() as connection:
        assert len(connection.execute(select(OWNER.c.id).where(OWNER.c.id >= 10_000)).all()) == 20_001
