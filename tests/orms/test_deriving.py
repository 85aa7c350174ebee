"""Scenarios of the bundled plans, of a stranger's schema, and of schemas that have no table for some."""

import pytest
from orms.nasty import METADATA
from sqlalchemy import JSON, Column, Integer, MetaData, Table, Text, TypeDecorator, func, insert, select

from dbplan import read, sandbox, seed
from dbplan.errors import NotCovered
from dbplan.orms.deriving import derive
from dbplan.orms.drawing import BULK, draw
from dbplan.orms.relations import kind_of
from dbplan.orms.scenarios import SCENARIOS
from dbplan.plan import Plan

NASTY = Plan("nasty", METADATA)


@pytest.fixture(scope="module")
def nasty():
    with sandbox(NASTY) as stage:
        seed(stage, rows=200)
        yield stage


def derived(stage):
    with stage.engine.connect() as connection:
        return derive(stage.plan, connection)


def test_a_strangers_schema_has_every_scenario_but_for_what_it_does_not_hold(nasty):
    found = derived(nasty)
    assert found.scenarios.keys() | found.missing.keys() == set(SCENARIOS)
    assert found.missing.keys() <= {"json_filter"}
    assert "log" not in found.tables, "it has no key"
    assert found.left_out == ("Tenant.address INET()",)
    assert found.tables["Tenant"].columns["ID"]["made"]
    assert {"Sales Dept.order", "user"} <= found.tables.keys()


def test_an_update_touches_no_key_no_unique_and_no_check_over_several_columns(nasty):
    scenario = derived(nasty).scenarios["update_one"]
    table = NASTY.metadata.tables[scenario.table]
    assert scenario.update not in {c.name for key in table.foreign_key_constraints for c in key.columns}
    assert scenario.update not in ("select", "e-mail", *table.primary_key.columns.keys())


@pytest.mark.parametrize("name", ["store", "credits"])
def test_bundled_plans_have_the_tables_that_people_would_name(name):
    with sandbox(read(name)) as stage:
        seed(stage, rows=300)
        found = derived(stage)
    wanted = {
        "store": {"deep_include": "users", "delete_cascade": "products", "json_filter": "product_variants"},
        "credits": {"nested_include": "users", "aggregate": "transactions", "json_filter": "audit_logs"},
    }
    assert wanted[name].items() <= {key: scenario.table for key, scenario in found.scenarios.items()}.items()
    missing = {"credits": {"deep_include": "no three tables refer to each other in a row"}}
    assert found.missing == missing.get(name, {})


class Sealed(TypeDecorator):
    """A decorator of an application's own."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value, dialect):
        return value and value[::-1]


def test_what_an_applications_own_type_makes_of_what_is_stored_takes_no_part_but_for_keys():
    metadata = MetaData()
    Table("t", metadata, Column("id", Sealed, primary_key=True), Column("secret", Sealed), Column("n", Integer))
    kinds = {column.name: kind_of(column) for column in metadata.tables["t"].columns}
    assert kinds == {"id": "text", "secret": None, "n": "int"}


def test_documents_that_share_no_key_are_named_with_the_way_to_give_them_one():
    metadata = MetaData()
    Table("scan", metadata, Column("id", Integer, primary_key=True), Column("voxels", JSON))
    with sandbox(Plan("scan", metadata), on="sqlite") as stage:
        seed(stage, rows=20)
        found = derived(stage)
    assert found.missing["json_filter"] == (
        "no JSON column holds objects that share a key with texts (scan.voxels); a recipe can give them such"
    )


def test_one_lonely_table_says_what_it_lacks():
    metadata = MetaData()
    Table("n", metadata, Column("id", Integer, primary_key=True))
    with sandbox(Plan("lonely", metadata)) as stage:
        seed(stage, rows=30)
        found = derived(stage)
    assert found.missing["list_to_one"] == "no table refers to another"
    assert found.missing["json_filter"] == "no table has a JSON column"
    assert {"point_read", "keyset_page", "insert_one"} <= found.scenarios.keys()


def test_a_list_of_prisma_holds_no_null_and_any_other_may(tmp_path):
    file = tmp_path / "schema.prisma"
    file.write_text(
        'datasource db {\n  provider = "postgresql"\n}\n'
        "model Note {\n  id Int @id\n  tags String[]\n  body String?\n}\n"
    )
    with sandbox(read(file)) as stage:
        seed(stage, rows=30)
        columns = derived(stage).tables["Note"].columns
        assert {name: columns[name]["nullable"] for name in ("tags", "body")} == {"tags": False, "body": True}
    with sandbox(Plan("none", read(file).metadata)) as stage:
        stage.plan.metadata.tables["Note"].c.tags.info.clear()
        seed(stage, rows=30)
        assert derived(stage).tables["Note"].columns["tags"]["nullable"]


def test_a_plan_without_keys_is_refused():
    metadata = MetaData()
    Table("n", metadata, Column("a", Integer))
    with sandbox(Plan("keyless", metadata)) as stage, pytest.raises(NotCovered, match="no table with a primary key"):
        derived(stage)


def test_rows_that_are_inserted_were_there_and_fit_again(nasty):
    wanted = dict.fromkeys(SCENARIOS, 6) | {"bulk_insert": 2}
    with nasty.clone() as stage, stage.engine.begin() as connection:
        found = derive(stage.plan, connection)
        drawn = draw(connection, stage.plan, found, wanted)
        assert all(len(drawn.params[name]) <= wanted[name] for name in found.scenarios)
        scenario = found.scenarios["bulk_insert"]
        table = stage.plan.metadata.tables[scenario.table]
        rows = drawn.params["bulk_insert"][0]["rows"]
        assert 0 < len(rows) < BULK
        assert any("bulk_insert" in note for note in drawn.notes)
        count = select(func.count()).select_from(table)
        before = connection.scalar(count)
        connection.execute(insert(table).values({name: value for name, value in rows[0].items() if value is not None}))
        assert connection.scalar(count) == before + 1


def test_the_same_rows_give_the_same_parameters(nasty):
    found = []
    for _ in range(2):
        with nasty.clone() as stage, stage.engine.begin() as connection:
            found.append(
                draw(connection, stage.plan, derive(stage.plan, connection), dict.fromkeys(SCENARIOS, 5)).params
            )
    assert found[0] == found[1]
