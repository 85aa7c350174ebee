"""Translated schemas on real servers: the bundled plans, and schemas of strangers with everything in them."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlglot
from scripts import database, read_back
from sqlglot import exp

from dbplan.comparison import differences
from dbplan.ddl import translated
from dbplan.ddl.translation.targets import TARGETS
from dbplan.domains import PLANS
from dbplan.evidence import Severity
from dbplan.exports.ddl import write
from dbplan.sandbox import sandbox
from dbplan.sources.catalog import snapshot

STRANGERS = Path(__file__).parent / "strangers"
SPOKEN = {"mysql": "mariadb", "mariadb": "mariadb", "sqlite": "sqlite", "postgresql": "postgresql"}


def script(plan, dialect):
    (text,) = write(plan, dialect).files.values()
    return text


def bundled(name):
    return import_module(PLANS[name]).PLAN


@pytest.fixture(scope="module")
def postgresql():
    """A stranger's PostgreSQL: types, keys, indexes, names and objects of every kind."""
    return read_back((STRANGERS / "postgresql.sql").read_text("utf-8"), "postgresql")


@pytest.fixture(scope="module")
def sqlite():
    return read_back((STRANGERS / "sqlite.sql").read_text("utf-8"), "sqlite")


def shape(metadata):
    """Return what any server tells of a schema: columns and whether they take NULL, keys and where they lead."""
    return {
        table.name.lower(): (
            {(column.name.lower(), bool(column.nullable) or column.primary_key) for column in table.columns},
            [column.name.lower() for column in table.primary_key.columns],
            {
                (tuple(column.name.lower() for column in key.columns), key.referred_table.name.lower())
                for key in table.foreign_key_constraints
            },
        )
        for table in metadata.tables.values()
        if not table.info.get("is_view")
    }


def holds(plan, dialect):
    """Run the plan's script on a real server; what is read back must be what was meant."""
    meant = shape(translated(plan.metadata, dialect).metadata)
    assert shape(read_back(script(plan, dialect), SPOKEN[dialect]).metadata) == meant


@pytest.mark.parametrize("name", PLANS)
def test_the_script_for_postgresql_makes_what_the_models_make(name):
    plan = bundled(name)
    with (
        sandbox(plan) as made,
        database(script(plan, "postgresql"), "postgresql") as written,
        made.engine.connect() as one,
        written.engine.connect() as other,
    ):
        assert differences(snapshot(one), snapshot(other)) == ()


@pytest.mark.parametrize("name", PLANS)
def test_bundled_plans_stand_on_sqlite(name):
    holds(bundled(name), "sqlite")


@pytest.mark.ci
@pytest.mark.parametrize(("name", "dialect"), [*((name, "mysql") for name in PLANS), ("wallet", "mariadb")])
def test_bundled_plans_stand_on_mariadb(name, dialect):
    holds(bundled(name), dialect)


def test_a_strangers_postgresql_stands_on_sqlite(postgresql):
    holds(postgresql, "sqlite")


@pytest.mark.ci
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_a_strangers_postgresql_stands_on_mariadb(postgresql, dialect):
    holds(postgresql, dialect)


def test_a_strangers_sqlite_stands_on_postgresql(sqlite):
    holds(sqlite, "postgresql")


@pytest.mark.ci
def test_a_strangers_sqlite_stands_on_mariadb(sqlite):
    holds(sqlite, "mysql")


@pytest.mark.ci
@pytest.mark.parametrize("dialect", ["mysql", "postgresql", "sqlite"])
def test_a_strangers_mariadb_stands_elsewhere(dialect):
    holds(read_back((STRANGERS / "mariadb.sql").read_text("utf-8"), "mariadb"), dialect)


def test_what_refused_rows_is_said_loudly(postgresql):
    loud = {
        str(finding.place)
        for finding in translated(postgresql.metadata, "mysql").lost
        if finding.severity is Severity.WARNING
    }
    assert {"every (every_live)", "every (every_low)", "every (js)", "every (every_ine_excl)", "parent"} <= loud
    assert "every (every_nn)" not in loud  # a UNIQUE of what is not NULL is any UNIQUE


def test_conditions_refuse_on_the_other_server_what_they_refused(postgresql):
    with database(script(postgresql, "sqlite"), "sqlite") as stage, stage.engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO every (id, a, t) VALUES ('1', 1, 'a')")
        for row in ("'2', 1, 'Ab', 'new'", "'3', NULL, 'a', 'new'", "'4', 1, 'a', 'odd'"):
            with pytest.raises(sa.exc.IntegrityError, match="CHECK"):
                connection.exec_driver_sql(f"INSERT INTO every (id, a, t, status) VALUES ({row})")


# SQL Server and CockroachDB are not here: their own rules are asked instead.

MSSQL_TYPES = re.compile(
    r"(BIT|TINYINT|SMALLINT|INTEGER|BIGINT|REAL|XML|DATE|UNIQUEIDENTIFIER|SQL_VARIANT|ROWVERSION|FLOAT(\(53\))?"
    r"|(NUMERIC|DECIMAL)\(\d+, \d+\)|N?(VAR)?CHAR\((\d+|max)\)( COLLATE \w+)?|(VAR)?BINARY\((\d+|max)\)"
    r"|(TIME|DATETIME2|DATETIMEOFFSET)\(\d\))$"
)


def mssql_faults(metadata):
    """Yield what SQL Server would refuse."""
    spreads = {}
    for table in metadata.tables.values():
        if table.info.get("is_view"):
            continue
        types = {column.name: TARGETS["mssql"].compiled(column.type) for column in table.columns}
        yield from (f"{table}.{name}: {kind}" for name, kind in types.items() if not MSSQL_TYPES.match(kind))
        numbered = [c.name for c in table.columns if c.identity is not None or c is table._autoincrement_column]
        yield from [f"{table} numbers {numbered}"] if len(numbered) > 1 else []
        uniques = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
        for key, most in ((table.primary_key, 900), *((key, 1700) for key in (*uniques, *table.indexes))):
            sizes = [_bytes(types[column.name]) for column in key.columns]
            yield from [f"{table} {key.name}: {sizes} bytes"] if sum(sizes) > most else []
        for key in table.foreign_key_constraints:
            pairs = [(element.parent, element.column) for element in key.elements]
            yield from (f"{a} and {b}" for a, b in pairs if types[a.name] != TARGETS["mssql"].compiled(b.type))
            if key.ondelete or key.onupdate:
                spreads.setdefault(key.referred_table, []).append(table)
    yield from (f"two paths from {table}" for table in spreads if _reached_twice(table, spreads))


def _bytes(kind):
    size = re.match(r"(N?)(?:VAR)?(?:CHAR|BINARY)\((\d+|max)\)", kind)
    if size is None:
        return {"XML": 99999, "UNIQUEIDENTIFIER": 16, "INTEGER": 4, "BIGINT": 8}.get(kind, 17)
    return 99999 if size[2] == "max" else int(size[2]) * (2 if size[1] else 1)


def _reached_twice(table, spreads):
    found, waiting = {table}, [table]
    while waiting:
        for child in spreads.get(waiting.pop(), ()):
            if child in found:
                return True
            found.add(child)
            waiting.append(child)
    return False


@pytest.mark.parametrize("name", [*PLANS, "postgresql", "sqlite"])
def test_sql_server_would_take_it(name, request):
    plan = bundled(name) if name in PLANS else request.getfixturevalue(name)
    assert list(mssql_faults(translated(plan.metadata, "mssql").metadata)) == []
    text = re.sub(r"(?m)^GO$", "", script(plan, "mssql"))
    assert exp.Command not in kinds_of_statements(text)


COCKROACH_HAS_NOT = re.compile(
    r"\b(XML|MONEY|CITEXT|HSTORE|\w+RANGE|CIDR|MACADDR8?|CREATE DOMAIN|EXCLUDE|DEFERRABLE|INHERITS|UNLOGGED|SERIAL"
    r"|USING (gist|brin|spgist|hash)|NULLS NOT DISTINCT|PARTITION BY)\b"
)


@pytest.mark.parametrize("name", [*PLANS, "postgresql", "sqlite"])
def test_cockroachdb_would_take_it(name, request):
    plan = bundled(name) if name in PLANS else request.getfixturevalue(name)
    text = re.sub(r"(?m)^ *--.*$", "", script(plan, "cockroachdb"))
    assert COCKROACH_HAS_NOT.search(text) is None
    with database(re.sub(r"\bINT4\b", "INTEGER", text), "postgresql"):  # a superset of its language, but for one word
        pass


def kinds_of_statements(text):
    """Return the kinds of statements in a script for SQL Server; an unknown one is a Command."""
    return {type(tree) for tree in sqlglot.parse(text, read="tsql") if tree is not None}
