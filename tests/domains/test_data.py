"""The data and the queries of every plan: seeded by its recipe on both servers, asked there with values of the data."""

import ast
import datetime as dt
import inspect
import json
import re
import tomllib
from contextlib import ExitStack
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b, sha256
from importlib import import_module
from pkgutil import iter_modules
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    Enum,
    Executable,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

from dbplan.benchmarking import server
from dbplan.benchmarking.draws import draw
from dbplan.benchmarking.gather import kind
from dbplan.benchmarking.scans import plan_table
from dbplan.columns import Digest, Encrypted
from dbplan.domains import PLANS
from dbplan.evidence import RowCount
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed

DIALECTS = ("postgresql", "sqlite")
ROWS = 2000
"""Rows of the table planned largest."""
SMALL = 1000
"""Planned rows up to which a table may be read whole."""
DRAWN = 5
"""Sets of values that each query is explained with."""
TRIED = 200
"""Sets of values of which one must find a row."""
LOOKUPS_ONLY = ("SET LOCAL enable_seqscan = off", "SET LOCAL enable_hashjoin = off", "SET LOCAL enable_mergejoin = off")
PLANNED_SIZE = text("UPDATE pg_class SET reltuples = :rows WHERE oid = CAST(:name AS regclass)")

PROOF = "the books are proven once a day, and all of them are read"
WHOLE = {
    ("wallet", "wallets off their ledger", "wallets"): PROOF,
    ("wallet", "wallets off their holds", "wallets"): PROOF,
    ("wallet", "broken chains", "entries"): PROOF,
    ("wallet", "stray entries", "entries"): PROOF,
    ("wallet", "holds off their transactions", "holds"): PROOF,
    ("wallet", "unposted transactions", "transactions"): PROOF,
    ("wallet", "reversed without refund", "transactions"): PROOF,
    ("wallet", "wrong fees", "transactions"): PROOF,
    ("wallet", "wrong routes", "transactions"): PROOF,
}
"""(plan, query, table) → why this query reads this table whole."""

RIGHT = "finds only what is wrong, and seeded rows are not"
TOUCHES_NOTHING = {
    ("credits", "erase user"): "only a user without a ledger goes, and every seeded one has a ledger",
    ("transcription", "create user usage"): "only a user who is not counted begins, and every seeded one is counted",
    ("store", "erase user"): "only a user without stores goes, and sampled ones have one",
    ("store", "sell out"): "what is for sale has stock in seeded data, as the operations leave it",
    ("store", "bring back"): "what is out of stock has none in seeded data, as the operations leave it",
    ("wallet", "wallets off their ledger"): RIGHT,
    ("wallet", "broken chains"): RIGHT,
    ("wallet", "wrong fees"): RIGHT,
}
"""(plan, query) → why it finds no row in data as they were seeded."""

NOT_SEEDED: dict[tuple[str, str], str] = {
    (
        "clone_jobs",
        "subscriptions.next_plan",
    ): "what waits is smaller than what runs, and nothing runs above enterprise",
    ("wallet", "status_changes.old_status"): "what is closed stays closed, by a CHECK",
    ("store", "accounts.type"): "its share of the rows is a dozen accounts, which do not hold all five",
}
"""(plan, table.column) → why seeded rows do not hold every word that it knows."""


def load(name):
    return import_module(PLANS[name]).PLAN


@pytest.fixture(scope="module", params=PLANS)
def seeded(request):
    """The plan's seeded stage on each server, with the report of seeding; tests leave the rows as they are."""
    plan = load(request.param)
    with ExitStack() as stack:
        made = {on: stack.enter_context(sandbox(plan, on=on)) for on in DIALECTS}
        yield {on: (stage, seed(stage, rows=ROWS)) for on, stage in made.items()}


@pytest.fixture(params=DIALECTS)
def stage(seeded, request):
    return seeded[request.param][0]


def rows(stage, table):
    """Return the rows of a table as the application reads them, but what is sealed as it is stored."""
    columns = [
        type_coerce(c, Text).label(c.name) if isinstance(c.type, Encrypted) else c for c in stage.plan.table(table).c
    ]
    with stage.engine.connect() as connection:
        return connection.execute(select(*columns)).mappings().all()


def digests(stage):
    """Return a hash over each table's rows that does not hang on their order, nor on that of a document's keys."""
    return {
        table.name: blake2b("\n".join(sorted(json.dumps(dict(r), sort_keys=True, default=str) for r in found)).encode())
        .digest()
        .hex()
        for table in stage.plan.tables
        for found in [rows(stage, table.name)]
    }


@pytest.mark.parametrize("on", DIALECTS)
def test_the_recipe_fills_every_table_and_breaks_nothing(seeded, on):
    stage, report = seeded[on]
    counts = {fact.table: fact for fact in report.evidence if isinstance(fact, RowCount)}
    assert counts.keys() == {table.name for table in stage.plan.tables}
    assert all(fact.rows > 0 and fact.violations == 0 for fact in counts.values())
    assert max(fact.rows for fact in counts.values()) >= ROWS


def test_both_servers_hold_the_same_values(seeded):
    assert digests(seeded["postgresql"][0]) == digests(seeded["sqlite"][0])


def test_every_known_word_stands_in_some_row(seeded):
    stage, _ = seeded["sqlite"]
    missing = {
        f"{t.name}.{c.name}": left
        for t in stage.plan.tables
        for c in t.columns
        if isinstance(c.type, Enum) and (stage.plan.name, f"{t.name}.{c.name}") not in NOT_SEEDED
        for left in [set(c.type.enums) - {r[c.name] and str(r[c.name]) for r in rows(stage, t.name)}]
        if left
    }
    assert missing == {}


def fixed_rows(plan):
    recipe = tomllib.loads(plan.recipe.read_text("utf-8"))
    return {name: table["fixed"] for name, table in recipe.get("tables", {}).items() if "fixed" in table}


def plain(value):
    """Return a value of a recipe or of a row in one form."""
    if isinstance(value, StrEnum | UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC) if isinstance(value, dt.date) else value


def test_rows_that_a_recipe_writes_as_they_stand_are_there(stage):
    for name, wanted in fixed_rows(stage.plan).items():
        with stage.engine.connect() as connection:
            there = connection.execute(select(table := stage.plan.table(name))).mappings().all()
        for row in wanted:
            row |= {key: sha256(row[key].encode()).hexdigest() for key in row if isinstance(table.c[key].type, Digest)}
            assert any(all(plain(r[key]) == plain(value) for key, value in row.items()) for r in there), row


def test_the_store_plan_begins_with_the_test_user_and_the_cyberpunk_store():
    fixed = fixed_rows(load("store"))
    (user,) = fixed["users"]
    assert user["email"] == "test@zyenta.com"
    assert {store["settings"]["theme"] for store in fixed["stores"] if "settings" in store} == {"cyberpunk"}
    assert {store["user_id"] for store in fixed["stores"]} == {user["id"]}


def test_every_query_is_called_sometimes_and_some_read_and_some_write(seeded):
    queries = seeded["sqlite"][0].plan.queries
    assert [query.name for query in queries if not query.per_second > 0] == []
    assert [query.name for query in queries if query.writes != isinstance(query.statement, UpdateBase)] == []
    assert {query.writes for query in queries} == {True, False}


def test_a_read_needs_no_right_to_write_and_everything_else_does(seeded, subtests):
    stage, _ = seeded["postgresql"]
    for query in stage.plan.queries:
        with subtests.test(query.name), stage.engine.connect() as connection:
            values = draw(connection, query, 7).take(0)
            connection.rollback()
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            if kind(query) == "read":
                connection.execute(query.statement, values)
            else:
                with pytest.raises(DBAPIError, match="read-only transaction"):
                    connection.execute(query.statement, values)


def test_every_query_finds_rows_with_values_of_the_data(stage, subtests):
    known = {}
    for query in stage.plan.queries:
        with subtests.test(query.name), stage.engine.connect() as connection:
            draws = draw(connection, query, 7, known)
            assert draws.take(0).keys() == set(query.parameters) | query.draws.keys()
            found = any(touch(connection, query, draws.take(number)) for number in range(TRIED))
            assert found == ((stage.plan.name, query.name) not in TOUCHES_NOTHING)


def touch(connection, query, values):
    """Return how many rows a query reads or changes, and leave them as they were."""
    with connection.begin_nested() as point:
        result = connection.execute(query.statement, values, execution_options={"preserve_rowcount": True})
        touched = len(result.all()) if result.returns_rows else result.rowcount
        point.rollback()
    return touched


def read_whole(stage, query, connection):
    """Return the tables planned larger than SMALL that the query reads from end to end, whatever it is asked with."""
    if stage.dialect == "postgresql":
        look_up_as_planned(stage.plan, connection)
    indexes = {index.name: index for index in server.indexes(connection, stage.plan.tables)}
    draws = draw(connection, query, 7)
    limited = getattr(query.statement, "_limit_clause", None) is not None
    found = set()
    for number in range(DRAWN):
        _, plan = server.explain(connection, query.statement, draws.take(number))
        found |= {node.relation for node in plan.nodes if is_whole(node, indexes.get(node.index), limited=limited)}
    tables = {plan_table(stage.plan, query.name, relation) for relation in found}
    return {name for name in tables if stage.plan.rows.get(name, 0) > SMALL}


def look_up_as_planned(plan, connection):
    """Have PostgreSQL choose as for tables of the planned size, and by look-ups wherever an index serves one."""
    for setting in LOOKUPS_ONLY:
        connection.exec_driver_sql(setting)
    connection.execute(PLANNED_SIZE, [{"name": name, "rows": rows} for name, rows in plan.rows.items()])


def is_whole(node, index, *, limited):
    """Return whether a node of a query plan reads all of a table, or of an index that it does not enter by a value."""
    if node.kind.endswith("Seq Scan") or "built for this query" in node.kind:
        return True
    if index is None or index.partial:
        return index is None and node.kind.startswith("SCAN")
    if node.kind.startswith("SCAN"):  # SQLite's word for from end to end; it looks rows up by SEARCH
        return not limited
    if not node.kind.endswith(("Index Scan", "Index Only Scan")):
        return False
    entered = "".join(re.findall(r"Index Cond: (.*?)(?:; [A-Z]|$)", node.detail))
    dropped = "".join(re.findall(r"Filter: (.*)", node.detail))
    if not entered:
        return bool(dropped) or not limited
    skips = not re.search(rf"\b{index.columns[0]}\b", entered)
    return skips or (" = " in dropped and " = " not in entered)


def test_no_query_reads_a_large_table_whole(seeded, subtests):
    (plan,) = {stage.plan for stage, _ in seeded.values()}
    for query in plan.queries:
        allowed = {table for name, asked, table in WHOLE if (name, asked) == (plan.name, query.name)}
        with subtests.test(query.name):
            assert {table for stage, _ in seeded.values() for table in whole_on(stage, query)} == allowed


def whole_on(stage, query):
    with stage.engine.connect() as connection:
        return read_whole(stage, query, connection)


@pytest.mark.parametrize("on", DIALECTS)
def test_a_query_without_an_index_is_found(on):
    metadata = MetaData()
    t = Table("t", metadata, Column("id", Uuid, primary_key=True), Column("n", Integer, nullable=False))
    plan = Plan("p", metadata, rows={"t": SMALL + 1})
    by_n = select(t).where(t.c.n == bindparam("n"))
    plan = plan.ask("by id", select(t).where(t.c.id == bindparam("id"))).ask("by n", by_n)
    plan = plan.ask("by n, a page", by_n.order_by(t.c.id).limit(10)).ask("first", select(t).order_by(t.c.id).limit(10))
    with sandbox(plan, on=on) as stage:
        seed(stage, rows=ROWS)
        with stage.engine.connect() as connection:
            found = [query.name for query in plan.queries if read_whole(stage, query, connection)]
    assert found == (["by n", "by n, a page"] if on == "postgresql" else ["by n"])


def modules(name, part):
    """Return the module `part` of a plan, or the modules within where it is a package."""
    top = import_module(f"{PLANS[name]}.{part}")
    inside = iter_modules(top.__path__) if hasattr(top, "__path__") else ()
    return [top, *(import_module(f"{top.__name__}.{module.name}") for module in inside)]


def public_statements(name):
    return {
        key: value
        for module in modules(name, "statements")
        for key, value in vars(module).items()
        if isinstance(value, Executable) and not isinstance(value, Table) and not key.startswith("_")
    }


def calling_modules(name):
    """Return the syntax of everything in the plan's package beside models and statements."""
    top = import_module(PLANS[name])
    parts = [module.name for module in iter_modules(top.__path__) if module.name not in ("models", "statements")]
    return [ast.parse(inspect.getsource(module)) for part in parts for module in modules(name, part)]


@pytest.mark.parametrize("name", PLANS)
def test_every_statement_is_a_named_query(name):
    asked = {id(query.statement) for query in load(name).queries}
    made = public_statements(name)
    assert {key for key, statement in made.items() if id(statement) not in asked} == set()
    assert asked == {id(statement) for statement in made.values()}


@pytest.mark.parametrize("name", PLANS)
def test_every_statement_is_run_and_no_other_is_made_on_the_way(name):
    nodes = [node for tree in calling_modules(name) for node in ast.walk(tree)]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert public_statements(name).keys() - used == set()
    taken = {a.name for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "sqlalchemy" for a in n.names}
    assert taken & {"select", "insert", "update", "delete", "text"} == set()
