"""Node's drivers and ORMs on SQLite: values at the edges, keys of several columns, transactions, clients, errors."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from dbplan import Plan, sandbox
from dbplan.orms import forms
from dbplan.orms.contestants import contestants_on
from dbplan.orms.installing import command
from dbplan.orms.preparing import prepare
from dbplan.orms.process import Fault, Process
from dbplan.orms.relations import schema_of
from dbplan.orms.scenarios import Link, Scenario, Study

METADATA = sa.MetaData()
OWNER = sa.Table(
    "Owner", METADATA,
    sa.Column("id", sa.Uuid, primary_key=True), sa.Column("no", sa.Integer, primary_key=True),
    sa.Column("paid", sa.Numeric(12, 2)), sa.Column("at", sa.DateTime(timezone=True)), sa.Column("day", sa.Date),
    sa.Column("is on", sa.Boolean), sa.Column("doc", sa.JSON), sa.Column("mark", sa.LargeBinary),
    sa.Column("name", sa.Text, unique=True),
)  # fmt: skip
THING = sa.Table(
    "thing", METADATA, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Uuid), sa.Column("no", sa.Integer),
    sa.ForeignKeyConstraint(["owner", "no"], ["Owner.id", "Owner.no"]),
)  # fmt: skip
PART = sa.Table(
    "part of", METADATA, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("thing", sa.ForeignKey("thing.id", ondelete="CASCADE")),
)  # fmt: skip
NOTE = sa.Table(
    "note", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("mark", sa.LargeBinary),
)  # fmt: skip
COLUMNS = ("id", "no", "paid", "at", "is on", "doc", "mark", "name")
ID, OTHER = UUID(int=1), UUID(int=2)
DOCUMENT = {"city": "Łódź", "a.b": "it's", "n": [1, None]}
ROW = {
    "id": str(OTHER), "no": 2, "paid": "12345678.91", "at": "2026-03-29T02:30:00.123Z", "is on": True,
    "doc": DOCUMENT, "mark": "00ff", "name": "Zoë's \"x\"",
}  # fmt: skip
PLAIN = dict.fromkeys(COLUMNS) | {"id": str(ID), "no": 1}
KEY, OTHERS = {"id": str(ID), "no": 1}, {"id": str(OTHER), "no": 2}
NODE = {name: one for name, one in contestants_on("sqlite").items() if one.is_node and "sqlite" in one.dialects}
CODES = {"node-sqlite": "2067", "prisma": "P2002"}


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("edges", METADATA), on="sqlite") as opened:
        opened.engine.dispose()
        with closing(sqlite3.connect(opened.engine.url.database)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        yield opened


@pytest.fixture(scope="module", params=list(NODE))
def process(request, stage, tmp_path_factory):
    contestant, folder = NODE[request.param], tmp_path_factory.mktemp("models")
    prepare(contestant, stage.plan, folder, dialect="sqlite")
    opened = Process(command(contestant))
    with stage.engine.connect() as connection:
        tables = schema_of(stage.plan, connection).facts()
    url = {"database": stage.engine.url.database}
    told = opened.ask("open", 60, study=asdict(Study("edges", "sqlite", url, str(folder), 10, tables)))
    assert told["driver"].split()[0] == ("SQLite" if request.param == "node-sqlite" else "libsql")
    opened.name = request.param
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def rows(stage):
    with stage.engine.begin() as connection:
        for table in (NOTE, PART, THING, OWNER):
            connection.execute(table.delete())
        connection.execute(OWNER.insert().values(id=ID, no=1, doc=sa.null()))


def check(process, scenario, *params):
    assert process.ask("bind", 20, scenario=asdict(scenario))["ok"]
    return process.ask("check", 60, params=list(params))["results"]


def fetched(stage, query):
    with stage.engine.connect() as connection:
        return connection.execute(query).all()


def count(stage, table):
    return len(fetched(stage, sa.select(table.c.id)))


def test_values_at_the_edges_are_written_and_read_as_they_are(process, stage):
    assert check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW}) == [ROW]
    keys = [{"key": key} for key in (OTHERS, KEY, {"id": str(ID), "no": 3})]
    assert check(process, Scenario("point_read", "Owner", COLUMNS), *keys) == [ROW, PLAIN, None]
    [row] = fetched(stage, sa.text('SELECT * FROM "Owner" WHERE no = 2'))
    assert (row.id, row.paid, row[5], bytes(row.mark)) == (OTHER.hex, 12345678.91, 1, b"\x00\xff")
    assert json.loads(row.doc) == DOCUMENT


def test_a_row_of_a_null_or_of_bytes_alone_is_written_and_read(process, stage):
    """One parameter alone: libsql takes null for named parameters, and ends the process where it is bytes."""
    noted = {"mark": "00ff"}
    assert check(process, Scenario("insert_one", "part of", ("thing",)), {"row": {"thing": None}}) == [{"thing": None}]
    assert check(process, Scenario("insert_one", "note", ("mark",)), {"row": noted}) == [noted]
    read = Scenario("filtered_list", "note", ("mark",), filter="mark", order=("id",), limit=9)
    assert check(process, read, {"value": "00ff"}) == [[noted]]


def test_moments_stand_in_the_form_that_is_known_of_it(process, stage):
    check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW})
    [row] = fetched(stage, sa.text('SELECT at FROM "Owner" WHERE no = 2'))
    form = NODE[process.name].forms.get("timestamptz", forms.DEFAULTS["timestamptz"])
    assert row.at == forms.WRITERS[form](datetime(2026, 3, 29, 2, 30, 0, 123000, UTC))


def test_documents_are_found_by_keys_with_dots(process):
    check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW})
    for path, value in (("city", "Łódź"), ("a.b", "it's")):
        scenario = Scenario("json_filter", "Owner", ("no",), filter="doc", path=path, limit=9)
        assert check(process, scenario, {"value": value}, {"value": "x"}) == [[{"no": 2}], []]


def test_upserts_and_updates_change_one_row(process):
    check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW})
    other = ROW | {"paid": "1.5", "at": None}
    assert check(process, Scenario("upsert", "Owner", COLUMNS, update="paid"), {"row": other}) == [1]
    update = Scenario("update_one", "Owner", COLUMNS, update="at")
    assert check(process, update, {"key": KEY, "value": ROW["at"]}) == [1]
    found = check(process, Scenario("point_read", "Owner", ("paid", "at")), {"key": OTHERS}, {"key": KEY})
    assert found == [{"paid": "1.5", "at": ROW["at"]}, {"paid": None, "at": ROW["at"]}]


def test_pages_and_groups(process):
    names = "abcd"
    rows = [ROW | {"no": 10 + n, "name": name, "is on": n > 1} for n, name in enumerate(names)]
    assert check(process, Scenario("bulk_insert", "Owner", COLUMNS), {"rows": rows}) == [4]
    page = Scenario("keyset_page", "Owner", ("name",), order=("at", "id", "no"), limit=2)
    after = {"at": ROW["at"], "id": ROW["id"], "no": 11}
    assert check(process, page, {"after": after}) == [[{"name": "c"}, {"name": "d"}]]
    groups = Scenario("aggregate", "Owner", ("is on",), group="is on", total="paid")
    total = "24691357.82"
    assert check(process, groups, {}) == [[{"group": on, "count": 2, "total": total} for on in (False, True)]]


def test_children_of_three_levels_go_before_their_parents(process, stage):
    with stage.engine.begin() as connection:
        connection.execute(THING.insert(), [{"id": n, "owner": ID, "no": 1} for n in (1, 2)])
        connection.execute(THING.insert().values(id=3))
        connection.execute(PART.insert(), [{"id": n, "thing": n} for n in (1, 2, 3)])
    parts = Link("part of", ("id",), (("id", "thing"),), ("id",), by_database=True)
    things = Link("thing", ("id",), (("id", "owner"), ("no", "no")), ("id",), children=parts)
    read = Scenario("deep_include", "Owner", ("no",), children=things)
    children = [{"id": n, "children": [{"id": n}]} for n in (1, 2)]
    assert check(process, read, {"keys": [KEY, OTHERS]}) == [[{"no": 1, "children": children}]]
    assert check(process, Scenario("delete_cascade", "Owner", COLUMNS, cascade=(things,)), {"key": KEY}) == [1]
    assert [count(stage, table) for table in (OWNER, THING, PART)] == [0, 1, 1]


def test_parents_are_joined(process, stage):
    with stage.engine.begin() as connection:
        connection.execute(THING.insert(), [{"id": 1, "owner": ID, "no": 1}, {"id": 2, "owner": None, "no": None}])
    parent = Link("Owner", ("no", "doc"), (("owner", "id"), ("no", "no")))
    scenario = Scenario("list_to_one", "thing", ("id", "owner"), parent=parent, limit=9)
    [found] = check(process, scenario, {"after": {"id": 0}} if process.name != "prisma" else {"after": {"id": 1}})
    due = [
        {"id": 1, "owner": str(ID), "parent": {"no": 1, "doc": None}},
        {"id": 2, "owner": None, "parent": None},
    ]
    assert found == (due[1:] if process.name == "prisma" else due)  # its pages begin after a row that is there


def test_a_transaction_that_fails_changes_nothing(process, stage):
    link = Link("thing", ("id", "owner", "no"), ())
    scenario = Scenario("transaction", "Owner", COLUMNS, update="paid", insert=link)
    change = {"key": KEY, "value": "7", "row": {"id": 5, "owner": str(ID), "no": 1}}
    assert check(process, scenario, change) == [PLAIN]
    for wrong in (change | {"value": "8"}, change | {"row": {"id": 6, "owner": str(OTHER), "no": 9}}):
        with pytest.raises(Fault):  # the row is there; its parent is not, and foreign keys are checked
            check(process, scenario, wrong)
    [row] = fetched(stage, sa.select(OWNER.c.paid))
    assert (row.paid, count(stage, THING)) == (7, 1)


def test_an_error_tells_its_kind(process):
    check(process, Scenario("insert_one", "Owner", COLUMNS), {"row": ROW})
    told = process.ask("violate", 20, params=[{"row": ROW | {"no": 77}}])
    assert (told["raised"], told["code"]) == (True, CODES.get(process.name, "SQLITE_CONSTRAINT_UNIQUE"))
    assert "name" in told["message"]
    assert told["columns"] == (["name"] if process.name == "prisma" else None)


def test_more_rows_than_a_statement_has_parameters_are_written(process, stage):
    """5,000 rows of 8 columns are 40,000 parameters, and SQLite takes 32,766."""
    rows = [ROW | {"no": 10 + n, "name": f"n{n}"} for n in range(5_000)]
    assert check(process, Scenario("bulk_insert", "Owner", COLUMNS), {"rows": rows}) == [5_000]
    assert count(stage, OWNER) == 5_001


def test_twenty_clients_write_at_once(process, stage):
    scenario = Scenario("insert_one", "Owner", COLUMNS)
    assert process.ask("bind", 20, scenario=asdict(scenario))["ok"]
    params = [{"row": ROW | {"no": 10 + n, "name": f"n{n}"}} for n in range(100)]
    told = process.ask("load", 60, params=params, clients=20)
    assert (told["done"], told["errors"], count(stage, OWNER)) == (100, {}, 101)


@pytest.mark.parametrize("process", ["node-sqlite", "libsql", "prisma"], indirect=True)
def test_transactions_of_twenty_clients_lose_nothing(process, stage):
    link = Link("thing", ("id", "owner", "no"), ())
    scenario = Scenario("transaction", "Owner", COLUMNS, update="paid", insert=link)
    assert process.ask("bind", 20, scenario=asdict(scenario))["ok"]
    params = [{"key": KEY, "value": str(n), "row": {"id": n, "owner": str(ID), "no": 1}} for n in range(1, 61)]
    told = process.ask("load", 60, params=params, clients=20)
    assert (told["done"], told["errors"], count(stage, THING)) == (60, {}, 60)
