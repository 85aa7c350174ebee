import sqlite3

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from dbplan.benchmarking import postgresql, server, sqlite
from dbplan.benchmarking.facts import Scan
from dbplan.connection import new_engine
from dbplan.evidence import PlanNode


def explained(statement, tables='create table "a (b)" (id integer primary key, "USING" text unique, k int, z text);'):
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(tables + 'create index "ix (odd) a" on "a (b)" (k, z)')
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    connection.close()
    return sqlite.read_plan([(row[0], row[1], row[3]) for row in rows])


@pytest.mark.parametrize(
    ("where", "kind", "index"),
    [
        ("id = 1", "SEARCH", "rowid"),
        ("\"USING\" = ''", "SEARCH", "sqlite_autoindex_a (b)_1"),
        ("k = 1", "SEARCH", "ix (odd) a"),
        ("k > 1 and z = ''", "SEARCH", "ix (odd) a"),
        ("z = ''", "SCAN", ""),
    ],
)
def test_sqlite_names_the_index_however_it_is_spelled(where, kind, index):
    (node,) = explained(f'select * from "a (b)" where {where}').nodes
    assert (node.kind, node.relation, node.index) == (kind, "a (b)", index)


def test_sqlite_scans_are_those_without_an_index():
    assert explained('select * from "a (b)"').scans == (Scan("a (b)", None),)
    covered = explained('select k from "a (b)"')
    assert covered.nodes == (PlanNode("SCAN with a covering index", "a (b)", "ix (odd) a"),)
    assert covered.scans == ()
    assert explained("select 1").scans == ()


def test_sqlite_nests_what_stands_within():
    nodes = explained('select * from "a (b)" where id = 1 or k = 2').nodes
    assert [(node.depth, node.index) for node in nodes if node.index] == [(2, "rowid"), (2, "ix (odd) a")]


def until_limit(statement, /, *, rows=99, index="", **values):
    """Return the scans of a statement on 99 rows, of which every third has the tag x."""
    engine = new_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(BIG), [{"id": n, "tag": "x" if n % 3 else "y", "n": n % 9} for n in range(rows)])
        connection.exec_driver_sql(index or "SELECT 1")
        _, told = server.explain(connection, statement, values)
    engine.dispose()
    return [(scan.table, scan.read, round(scan.kept, 2), scan.share) if scan.share else scan for scan in told.scans]


METADATA = MetaData()
BIG = Table("big", METADATA, Column("id", Integer, primary_key=True), Column("tag", String(9)), Column("n", Integer))
TAGGED = select(BIG).where(BIG.c.tag == bindparam("t"))


@pytest.mark.parametrize(
    ("statement", "values", "kept", "share"),
    [
        (TAGGED.limit(bindparam("limit")), {"t": "y", "limit": 17}, 16.5, 0.5),
        (TAGGED.limit(10).offset(7), {"t": "y"}, 16.5, 0.5),
        (TAGGED.limit(34), {"t": "y"}, 33, 1.0),
        (TAGGED.limit(1), {"t": "z"}, 0, 1.0),
        (TAGGED.order_by(BIG.c.n).limit(1), {"t": "y"}, 33, 1.0),
        (TAGGED.order_by(BIG.c.id).limit(17), {"t": "y"}, 16.5, 0.5),
        (select(BIG.c.n, func.count()).group_by(BIG.c.n).limit(1), {}, 9, 1.0),
        (select(BIG).limit(9), {}, 8.91, 0.09),
    ],
)
def test_sqlite_is_expected_to_read_until_the_limit_is_reached(statement, values, kept, share):
    assert until_limit(statement, **values) == [("big", None, kept, share)]


def test_of_a_query_without_a_limit_or_with_one_that_is_computed_nothing_is_expected():
    computed = TAGGED.limit(select(func.count()).select_from(BIG).scalar_subquery())
    assert until_limit(TAGGED, t="y") == [Scan("big", None)]
    assert Scan("big", None) in until_limit(computed, t="y")
    assert until_limit(TAGGED.limit(1), t="y", index="CREATE INDEX ix ON big (tag)") == []


def test_of_a_scan_inside_another_nothing_is_expected():
    inner = BIG.alias("inner")
    near = select(BIG.c.id).join(inner, inner.c.n + 0 > BIG.c.n + 0).limit(5)
    outer, within = until_limit(near)
    assert outer[-1] < 0.01
    assert within == Scan("inner", None)


def test_sqlite_does_not_count_an_index_made_for_one_query():
    plan = explained('select * from "a (b)" x join e on e.y = x.z', 'create table "a (b)"(k, z);create table e(y);')
    assert [node.index for node in plan.nodes] == ["", ""]


def test_a_table_that_is_its_own_key_lists_no_second_index(tmp_path):
    from dbplan.connection import new_engine

    engine = new_engine(f"sqlite:///{tmp_path / 'w.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("create table w (a int, b int, primary key (a, b)) without rowid")
        connection.exec_driver_sql("create unique index u on w (b, abs(a))")
        (index,) = sqlite.indexes(connection, ["w"])
    engine.dispose()
    assert (index.name, index.columns, index.unique, index.size) == ("u", ("b",), True, 4096)


RECORDED = [
    {
        "Plan": {
            "Node Type": "Aggregate", "Actual Rows": 1.0, "Actual Loops": 1, "Plan Rows": 1,
            "Plans": [
                {
                    "Node Type": "Bitmap Heap Scan", "Relation Name": "Odd", "Schema": "other", "Plan Rows": 40,
                    "Actual Rows": 12.5, "Actual Loops": 4, "Recheck Cond": "(n > 1)",
                    "Plans": [
                        {
                            "Node Type": "BitmapOr", "Actual Rows": 0.0, "Actual Loops": 4, "Plan Rows": 40,
                            "Plans": [
                                {"Node Type": "Bitmap Index Scan", "Index Name": "ix", "Actual Rows": 3.0,
                                 "Actual Loops": 4, "Plan Rows": 40, "Index Cond": "(n > 1)"}
                            ],
                        }
                    ],
                },
                {
                    "Node Type": "Seq Scan", "Parallel Aware": True, "Relation Name": "big", "Schema": "public",
                    "Actual Rows": 2.5, "Actual Loops": 4, "Rows Removed by Filter": 1000, "Filter": "(z = 'a'::text)",
                    "Plan Rows": 9,
                },
            ],
        }
    }
]  # fmt: skip


def test_postgresql_rows_are_multiplied_by_loops_and_bitmaps_know_their_table():
    plan = postgresql.read_plan(RECORDED)
    assert [(n.depth, n.kind, n.relation, n.index, n.rows) for n in plan.nodes] == [
        (0, "Aggregate", "", "", 1),
        (1, "Bitmap Heap Scan", "other.Odd", "", 50),
        (2, "BitmapOr", "other.Odd", "", 0),
        (3, "Bitmap Index Scan", "other.Odd", "ix", 12),
        (1, "Parallel Seq Scan", "big", "", 10),
    ]
    assert plan.scans == (Scan("big", 4010, 10, "(z = 'a'::text)"),)


def test_postgresql_statements_are_matched_whatever_the_placeholders():
    sent = "SELECT %(id_1)s::UUID, a %% 2 FROM t WHERE n = %(id_1)s"
    assert postgresql.numbered(sent) == postgresql.numbered("SELECT $1::UUID, a % 2 FROM t WHERE n = $1")


@pytest.fixture
def connection(seeded):
    with seeded.engine.connect() as connection:
        yield connection
        connection.rollback()


def test_explaining_shows_the_sql_and_the_plan_and_changes_nothing(connection, schema):
    statement = insert(schema.empty).values(id=bindparam("i"))
    sql, plan = server.explain(connection, statement, {"i": 1})
    assert sql.startswith("INSERT INTO empty (id")
    assert plan is not None
    assert connection.execute(select(schema.empty)).all() == []


@pytest.mark.parametrize("seeded", ["postgresql"], indirect=True)
def test_an_upsert_uses_the_index_that_finds_the_conflict(connection, schema):
    statement = upsert(schema.user).values(id=1, order="n1").on_conflict_do_nothing(index_elements=["order"])
    _, plan = server.explain(connection, statement, {})
    assert "User_order_key" in {node.index for node in plan.nodes}


def test_a_statement_without_a_plan_is_run_all_the_same(connection):
    statement = text("PRAGMA user_version" if connection.dialect.name == "sqlite" else "SHOW work_mem")
    sql, plan = server.explain(connection, statement, {})
    assert sql == str(statement)
    assert plan is None or plan.nodes == ()


def test_the_catalog_lists_every_index_with_its_size_and_constraint(connection, schema):
    found = {index.name: index for index in server.indexes(connection, [schema.user, schema.events])}
    odd = found["ix odd (at)"]
    assert (odd.table, odd.columns, odd.constraint) == ("events log", ("At",), "")
    assert odd.size > 100_000
    assert odd.definition.startswith('CREATE INDEX "ix odd (at)" ON ')
    assert any(index.table == "User" and index.columns == ("order",) and index.constraint for index in found.values())


@pytest.mark.parametrize("seeded", ["postgresql"], indirect=True)
def test_generic_plans_are_told_where_the_server_ran_them(seeded, schema):
    statement = select(schema.user).where(schema.user.c.order == bindparam("o"))
    with seeded.engine.connect() as connection:
        for number in range(12):
            connection.execute(statement, {"o": f"n{number}"})
        (prepared,) = (p for sql, p in server.preparations(connection).items() if '"User"' in sql)
    assert prepared.custom == 5
    assert prepared.generic >= 2
    assert prepared.plan.generic
    assert "User_order_key" in {node.index for node in prepared.plan.nodes}
