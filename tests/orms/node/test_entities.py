"""Prisma and TypeORM by exported models: values at the edges, keys of several columns, deletes of three levels."""

from dataclasses import asdict

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dbplan import Plan, sandbox
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.installing import command
from dbplan.orms.preparing import prepare
from dbplan.orms.process import Fault, Process
from dbplan.orms.relations import schema_of
from dbplan.orms.scenarios import Link, Scenario, Study

METADATA = sa.MetaData()
OWNER = sa.Table(
    "Owner", METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False), sa.Column("no", sa.Text, primary_key=True),
    sa.Column("paid", sa.Numeric(40, 15)), sa.Column("at", sa.DateTime), sa.Column("day", sa.Date),
    sa.Column("words", ARRAY(sa.Text), nullable=False), sa.Column("tags", ARRAY(sa.Text)),
    sa.Column("mood", sa.Enum("so so", "it's", name="Mood Of")), sa.Column("doc", JSONB),
    sa.Column("name", sa.Text, unique=True),
)  # fmt: skip
THING = sa.Table(
    "thing", METADATA, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.BigInteger), sa.Column("no", sa.Text),
    sa.ForeignKeyConstraint(["owner", "no"], ["Owner.id", "Owner.no"]),
)  # fmt: skip
PART = sa.Table(
    "part of", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("thing", sa.ForeignKey("thing.id")),
)  # fmt: skip
QUOTED = sa.Table('say "x"', METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text))
DOTTED = sa.Table("a.b", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text))
LARGE = 2**60 + 1
COLUMNS = ("id", "no", "paid", "at", "day", "words", "mood", "doc", "name")
ROW = {
    "id": str(LARGE), "no": "ß", "paid": "1234567890123456789012345.678901234567891", "at": "2026-03-29T02:30:00.123",
    "day": "2026-03-29", "words": ['a "b"', "", "NULL", "{}", "\\"], "mood": "it's", "doc": {"a": [1, None]},
    "name": "Zoë",
}  # fmt: skip
PLAIN = dict.fromkeys(COLUMNS) | {"id": 1, "no": "1", "words": []}
KEY = {"id": str(LARGE), "no": "ß"}


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("edges", METADATA)) as opened:
        yield opened


@pytest.fixture(scope="module", params=["prisma", "typeorm"])
def process(request, stage, tmp_path_factory):
    contestant, folder = CONTESTANTS[request.param], tmp_path_factory.mktemp("models")
    prepare(contestant, stage.plan, folder)
    opened = Process(command(contestant))
    url = stage.engine.url
    told = {"host": url.query.get("host", url.host), "port": int(url.query.get("port", url.port or 5432))}
    told |= {"user": url.username, "password": url.password, "database": url.database}
    with stage.engine.connect() as connection:
        tables = schema_of(stage.plan, connection).facts()
    opened.ask("open", 60, study=asdict(Study("edges", "postgresql", told, str(folder), 10, tables)))
    opened.name = request.param
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def rows(stage):
    with stage.engine.begin() as connection:
        for table in (PART, THING, OWNER):
            connection.execute(table.delete())
        connection.execute(OWNER.insert().values(id=1, no="1", words=[]))


def check(process, scenario, *params):
    assert process.ask("bind", 20, scenario=asdict(scenario))["ok"]
    return process.ask("check", 60, params=list(params))["results"]


def count(stage, table):
    with stage.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_values_at_the_edges_are_written_and_read_as_they_are(process):
    assert check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW}) == [ROW]
    keys = [{"key": KEY}, {"key": {"id": 1, "no": "1"}}, {"key": {"id": 1, "no": "2"}}]
    assert check(process, Scenario("point_read", "Owner", COLUMNS), *keys) == [ROW, PLAIN, None]


def test_an_upsert_sets_one_column_alone(process, stage):
    check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW})
    other = ROW | {"paid": "1.5", "at": None}
    assert check(process, Scenario("upsert", "Owner", COLUMNS, update="paid"), {"row": other}) == [1]
    [row] = check(process, Scenario("point_read", "Owner", COLUMNS), {"key": KEY})
    assert (row["paid"], row["at"]) == ("1.5", ROW["at"])


def test_a_row_whose_key_counts_by_itself_is_upserted_by_it(process, stage):
    columns = ("id", "owner", "no")
    rows = [{"row": {"id": 7, "owner": owner, "no": "1"}} for owner in (None, 1)]
    assert check(process, Scenario("upsert", "thing", columns, update="owner"), *rows) == [1, 1]
    found = check(process, Scenario("point_read", "thing", columns), {"key": {"id": 7}})
    assert (found, count(stage, THING)) == ([{"id": 7, "owner": 1, "no": "1"}], 1)


def test_children_go_before_their_parents(process, stage):
    with stage.engine.begin() as connection:
        connection.execute(THING.insert(), [{"id": n, "owner": 1, "no": "1"} for n in (1, 2)])
        connection.execute(THING.insert().values(id=3))
        connection.execute(PART.insert(), [{"id": n, "thing": n} for n in (1, 2, 3)])
    parts = Link("part of", ("id",), (("id", "thing"),), ("id",))
    things = Link("thing", ("id",), (("id", "owner"), ("no", "no")), ("id",), children=parts)
    scenario = Scenario("delete_cascade", "Owner", COLUMNS, cascade=(things,))
    assert check(process, scenario, {"key": {"id": 1, "no": "1"}}) == [1]
    assert [count(stage, table) for table in (OWNER, THING, PART)] == [0, 1, 1]


def test_three_levels_by_a_key_of_two_columns(process, stage):
    with stage.engine.begin() as connection:
        connection.execute(THING.insert(), [{"id": n, "owner": 1, "no": "1"} for n in (2, 1)])
        connection.execute(PART.insert().values(id=5, thing=2))
    parts = Link("part of", ("id",), (("id", "thing"),), ("id",))
    things = Link("thing", ("id",), (("id", "owner"), ("no", "no")), ("id",), children=parts)
    scenario = Scenario("deep_include", "Owner", ("id",), children=things)
    children = [{"id": 1, "children": []}, {"id": 2, "children": [{"id": 5}]}]
    [found] = check(process, scenario, {"keys": [{"id": 1, "no": "1"}, {"id": 2, "no": "2"}]})
    assert found == [{"id": 1, "children": children}]


def test_a_transaction_that_fails_changes_nothing(process, stage):
    scenario = Scenario("transaction", "Owner", COLUMNS, update="paid", insert=Link("thing", ("id", "owner"), ()))
    change = {"key": {"id": 1, "no": "1"}, "value": "7", "row": {"id": 5, "owner": 1}}
    assert check(process, scenario, change) == [PLAIN]
    with pytest.raises(Fault):
        check(process, scenario, change | {"value": "8"})
    assert check(process, Scenario("point_read", "Owner", COLUMNS), {"key": change["key"]})[0]["paid"] == "7"


def test_an_error_names_the_constraint(process):
    check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW})
    told = process.ask("violate", 20, params=[{"row": ROW | {"id": 77}}])
    assert (told["raised"], told["constraint"]) == (True, "Owner_name_key")
    assert told["code"] == {"prisma": "P2002", "typeorm": "23505"}[process.name]


def test_more_rows_than_a_statement_has_parameters_are_written(process, stage):
    """8,000 rows of 9 columns are 72,000 parameters, and PostgreSQL takes 65,535."""
    rows = [PLAIN | {"id": 10 + n} for n in range(8_000)]
    assert check(process, Scenario("bulk_insert", "Owner", COLUMNS), {"rows": rows}) == [8_000]
    assert count(stage, OWNER) == 8_001


@pytest.mark.parametrize(
    ("name", "scenario", "why"),
    [
        ("prisma", Scenario("point_read", "Owner", ("tags",)), "takes NULL in Owner.tags for an empty list"),
        ("prisma", Scenario("point_read", 'say "x"', ("a",)), "do not escape the quote"),
        ("typeorm", Scenario("point_read", "a.b", ("a",)), "takes the dot"),
    ],
)
def test_what_cannot_be_said_is_told(process, name, scenario, why):
    told = process.ask("bind", 20, scenario=asdict(scenario))
    assert why in told["not_covered"] if process.name == name else told["ok"]
