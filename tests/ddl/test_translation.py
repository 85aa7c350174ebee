"""Words of one server in those of another: types, defaults, conditions; what has no words is said."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite

from dbplan.columns import Key, UtcDateTime
from dbplan.ddl import statements, translated
from dbplan.ddl.translation.expressions import Expressions, Untranslatable
from dbplan.ddl.translation.references import Cascades
from dbplan.ddl.translation.targets import TARGETS
from dbplan.errors import UnknownName
from dbplan.evidence import Severity
from dbplan.plan import Plan
from dbplan.sources.prisma.types import SERIAL

COLUMNS = {name: name for name in ("a", "b", "email", "status", "active", "price", "d", "Select", "at")}
OTHERS = ("mysql", "mssql", "sqlite")


def said(sql, source, target):
    """Return a condition in another server's words, None where there are none."""
    try:
        return Expressions(source, TARGETS[target]).condition(sql, COLUMNS, frozenset({"active"}))
    except Untranslatable:
        return None


LISTED = "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"
SUM = "(CASE WHEN a IS NULL THEN 0 ELSE 1 END + CASE WHEN b IS NULL THEN 0 ELSE 1 END) = 1"
CASES = "CASE WHEN a IS NULL THEN 1 WHEN NOT (a IS NULL) THEN 0 END"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (LISTED, ["status IN ('a', 'b')"] * 3),
        ("status::text = ANY (ARRAY['a'::character varying::text, 'b'::text])", ["status IN ('a', 'b')"] * 3),
        ("length(a) <= 3", ["char_length(a) <= 3", "len(a) <= 3", "length(a) <= 3"]),
        ('"Select" > 0', ["`Select` > 0", "[Select] > 0", '"Select" > 0']),
        ("active AND a > 0", ["active AND a > 0", "active = 1 AND a > 0", "active AND a > 0"]),
        ("(a IS NULL) = active", ["(a IS NULL) = active", f"{CASES} = active", "(a IS NULL) = active"]),
        ("a ~~ 'x%'::text", ["a LIKE 'x%'", "a LIKE 'x%'", "a GLOB 'x*'"]),
        ("a !~~ 'x_[%'", ["a NOT LIKE 'x_[%'", "a NOT LIKE 'x_[%'", "NOT a GLOB 'x?[[]*'"]),
        ("a ~~* 'X%'", ["lower(a) LIKE lower('X%')"] * 3),
        ("email ~ '^[a-z]+$'", ["email REGEXP '(?-i)^[a-z]+$'", None, None]),
        (r"email ~ '\y'", [None] * 3),
        ("num_nonnulls(a, b) = 1", [SUM] * 3),
        ("price >= (0)::numeric", ["price >= 0"] * 3),
        ("price > '-5'::integer", ["price > -5"] * 3),
        ("a || b = 'ü'", ["concat(a, b) = 'ü'", "a + b = N'ü'", "a || b = 'ü'"]),
        (r"a = 'x\y'", [r"a = 'x\\y'", r"a = 'x\y'", r"a = 'x\y'"]),
        ("a IS DISTINCT FROM b", ["NOT a <=> b", "a IS DISTINCT FROM b", "a IS NOT b"]),
        ("a / b > 1", [None] * 3),
        ("at < now()", [None] * 3),
        ("d ->> 'x' = 'y'", [None] * 3),
        ("frobnicate(a)", [None] * 3),
        ("nobody > 1", [None] * 3),
        ("((", [None] * 3),
    ],
)
def test_conditions_of_postgresql(sql, words):
    assert [said(sql, "postgresql", target) for target in OTHERS] == words


@pytest.mark.parametrize(
    ("sql", "source", "target", "words"),
    [
        ("`active` in (0,1)", "mysql", "postgresql", "active IN (FALSE, TRUE)"),
        ("`active` = 1 and `a` = 1", "mysql", "postgresql", "active = TRUE AND a = 1"),
        ("concat(`a`,'x') <> _utf8mb4'y'", "mysql", "postgresql", "(a || 'x') <> 'y'"),
        ("a LIKE 'X%'", "sqlite", "postgresql", "lower(a) LIKE lower('X%')"),
        ("email GLOB '*@*'", "sqlite", "postgresql", None),
        ("num_nulls(a, b) = 1", "postgresql", "cockroachdb", "num_nulls(a, b) = 1"),
    ],
)
def test_conditions_of_others(sql, source, target, words):
    assert said(sql, source, target) == words


def one(kind, source, target, default=None, **table):
    """Return a column of another server's, as that one writes it, and what is lost."""
    metadata = sa.MetaData(info={"dialect": source} if source else {})
    given = sa.Column("c", kind, server_default=None if default is None else sa.text(default))
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), given, **table)
    found = translated(metadata, target)
    column = found.metadata.tables["t"].c.c
    made = getattr(column.server_default, "arg", None)
    return TARGETS[target].compiled(column.type), None if made is None else str(made), found.lost


PG = postgresql
BLIND = "NVARCHAR(max) COLLATE Latin1_General_100_CI_AS"
UTC = ["(UTC_TIMESTAMP(6))", "SYSUTCDATETIME()", "CURRENT_TIMESTAMP"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (PG.JSONB(), ["JSON", "NVARCHAR(max)", "JSON", "JSONB"]),
        (PG.UUID(), ["CHAR(36)", "UNIQUEIDENTIFIER", "CHAR(36)", "UUID"]),
        (PG.TIMESTAMP(timezone=True), ["DATETIME(6)", "DATETIMEOFFSET(6)", "DATETIME", "TIMESTAMP WITH TIME ZONE"]),
        (PG.TIMESTAMP(precision=3), ["DATETIME(3)", "DATETIME2(3)", "DATETIME", "TIMESTAMP(3) WITHOUT TIME ZONE"]),
        (PG.ARRAY(sa.Text()), ["JSON", "NVARCHAR(max)", "JSON", "TEXT[]"]),
        (PG.INET(), ["VARCHAR(43)", "NVARCHAR(43)", "VARCHAR(43)", "INET"]),
        (PG.BYTEA(), ["LONGBLOB", "VARBINARY(max)", "BLOB", "BYTEA"]),
        (PG.CITEXT(), ["LONGTEXT COLLATE utf8mb4_general_ci", BLIND, 'TEXT COLLATE "NOCASE"', "TEXT"]),
        (PG.MONEY(), ["NUMERIC(19, 2)", "NUMERIC(19, 2)", "NUMERIC(19, 2)", "NUMERIC(19, 2)"]),
        (PG.INT4RANGE(), ["VARCHAR(255)", "NVARCHAR(255)", "VARCHAR(255)", "VARCHAR(255)"]),
        (PG.ENUM("a", "bc", name="e"), ["ENUM('a','bc')", "NVARCHAR(2)", "VARCHAR(2)", "e"]),
        (PG.BIT(4), ["BIT(4)", "NVARCHAR(4)", "VARCHAR(4)", "BIT(4)"]),
        (PG.DOUBLE_PRECISION(), ["DOUBLE", "FLOAT(53)", "REAL", "DOUBLE PRECISION"]),
        (sa.VARCHAR(20000), ["LONGTEXT", "NVARCHAR(max)", "VARCHAR(20000)", "VARCHAR(20000)"]),
        (sa.INTEGER(), ["INTEGER", "INTEGER", "INTEGER", "INT4"]),
    ],
)  # fmt: skip
def test_types_of_postgresql(kind, words):
    assert [one(kind, "postgresql", target)[0] for target in (*OTHERS, "cockroachdb")] == words


@pytest.mark.parametrize(
    ("kind", "source", "target", "words"),
    [
        (mysql.TINYINT(1), "mysql", "postgresql", "BOOLEAN"),
        (mysql.BIT(1), "mysql", "postgresql", "BOOLEAN"),
        (mysql.INTEGER(unsigned=True), "mysql", "postgresql", "BIGINT"),
        (mysql.BIGINT(unsigned=True), "mysql", "postgresql", "NUMERIC(20, 0)"),
        (mysql.DATETIME(), "mysql", "postgresql", "TIMESTAMP(0) WITHOUT TIME ZONE"),
        (mysql.TIMESTAMP(fsp=6), "mysql", "mssql", "DATETIMEOFFSET(6)"),
        (mysql.YEAR(), "mysql", "sqlite", "SMALLINT"),
        (mysql.SET("a", "b"), "mysql", "postgresql", "VARCHAR(4)"),
        (mysql.ENUM("a"), "mysql", "postgresql", "t_c"),
        (mssql.TINYINT(), "mssql", "postgresql", "SMALLINT"),
        (mssql.BIT(), "mssql", "mysql", "BOOL"),
        (mssql.MONEY(), "mssql", "postgresql", "NUMERIC(19, 4)"),
        (mssql.DATETIMEOFFSET(3), "mssql", "postgresql", "TIMESTAMP(3) WITH TIME ZONE"),
        (sqlite.INTEGER(), "sqlite", "postgresql", "BIGINT"),
        (sqlite.REAL(), "sqlite", "postgresql", "DOUBLE PRECISION"),
        (Key(), "", "mysql", "CHAR(32)"),
        (Key(), "", "mariadb", "UUID"),
        (UtcDateTime(), "", "mssql", "DATETIMEOFFSET(6)"),
        (sa.Float(), "", "mysql", "DOUBLE"),
        (sa.LargeBinary(), "", "mysql", "LONGBLOB"),
        (sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), "", "mysql", "MEDIUMTEXT"),
        (sa.JSON().with_variant(PG.JSONB(), "postgresql"), "", "cockroachdb", "JSONB"),
        (sa.Enum("a", "b", name="e", native_enum=False), "", "mssql", "NVARCHAR(1)"),
    ],
)
def test_types_of_others(kind, source, target, words):
    assert one(kind, source, target)[0] == words


@pytest.mark.parametrize(
    ("kind", "default", "words"),
    [
        (PG.TIMESTAMP(timezone=True), "now()", ["(UTC_TIMESTAMP(6))", "SYSDATETIMEOFFSET()", "CURRENT_TIMESTAMP"]),
        (PG.TIMESTAMP(), "LOCALTIMESTAMP", ["CURRENT_TIMESTAMP(6)", "SYSDATETIME()", "CURRENT_TIMESTAMP"]),
        (PG.TIMESTAMP(), "timezone('utc'::text, now())", UTC),
        (sa.DATE(), "CURRENT_DATE", ["(CURRENT_DATE())", "CAST(SYSDATETIME() AS DATE)", "CURRENT_DATE"]),
        (sa.BOOLEAN(), "true", ["1"] * 3),
        (sa.VARCHAR(5), "'it''s'::character varying", ["'it''s'"] * 3),
        (sa.VARCHAR(5), "NULL::character varying", [None] * 3),
        (sa.TEXT(), "'x'::text", ["('x')", "'x'", "'x'"]),
        (sa.NUMERIC(5, 2), "'-1.5'::numeric", ["-1.5"] * 3),
        (PG.JSONB(), "'{\"a\": [1]}'::jsonb", ["('{\"a\": [1]}')", "'{\"a\": [1]}'", "('{\"a\": [1]}')"]),
        (PG.ARRAY(sa.Text()), "'{a,b}'::text[]", ["('[\"a\", \"b\"]')", "'[\"a\", \"b\"]'", "('[\"a\", \"b\"]')"]),
        (PG.ARRAY(sa.Text()), "ARRAY[]::text[]", ["('[]')", "'[]'", "('[]')"]),
        (PG.BYTEA(), r"'\x00ff'::bytea", ["(x'00ff')", "0x00ff", "x'00ff'"]),
        (sa.TEXT(), "upper('x')", [None] * 3),
        (PG.TIMESTAMP(timezone=True), "(now() + '1 day'::interval)", [None] * 3),
    ],
)  # fmt: skip
def test_defaults(kind, default, words):
    assert [one(kind, "postgresql", target, default)[1] for target in OTHERS] == words


def test_what_is_lost_says_what_stands_instead():
    (note,) = one(sa.TEXT(), "postgresql", "mysql", "upper('x')")[2]
    assert (note.rule, note.severity, str(note.place)) == ("export-ddl", Severity.NOTE, "t.c")
    assert note.message == (
        "its default upper('x') is left out (it is neither a constant nor a clock): "
        "the application has to give the value"
    )


def test_its_own_dialect_is_returned_as_it_is():
    metadata = sa.MetaData(info={"dialect": "mysql"})
    assert translated(metadata, "mysql").metadata is metadata


def test_another_dialect_is_refused():
    with pytest.raises(UnknownName, match='no dialect "oracle"; dialects are: cockroachdb'):
        translated(sa.MetaData(), "oracle")


def test_the_original_stays_as_it_was():
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("e", sa.Enum("a", name="e")), sa.Column("n", sa.Text, unique=True), schema="s")
    before = repr(metadata.tables["s.t"])
    for target in TARGETS:
        translated(metadata, target)
    assert repr(metadata.tables["s.t"]) == before


def paths(edges, start, end):
    """Count the ways from one table to another along `edges`, which have no cycle through `start`."""
    return (start == end) + sum(
        paths(edges - {(start, child)}, child, end) for parent, child in edges if parent == start
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=14))
def test_cascades_reach_each_table_by_one_path(wanted):
    cascades, taken = Cascades(), set()
    for parent, child in wanted:
        alone = all(paths(taken | {(parent, child)}, a, b) <= 1 for a in range(6) for b in range(6))
        if (parent, child) in taken:
            assert not cascades.take(parent, child)
        elif cascades.take(parent, child):
            assert alone
            taken.add((parent, child))
        else:
            assert not alone


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "mariadb", "sqlite", "mssql", "cockroachdb"])
def test_a_translation_leaves_the_plan_as_it_was(dialect):
    metadata = sa.MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"})
    length, word = sa.Column("length", sa.Integer), sa.Column("word", sa.Text)
    sa.Table("t", metadata, length, word, sa.CheckConstraint(length >= 0, name="positive"))
    sa.Index("ix", sa.func.lower(word), postgresql_where=length > 0)
    plan = Plan("p", metadata)
    before = statements(plan, "postgresql")
    made = translated(plan.metadata, dialect).metadata.tables["t"]
    checks = [check for check in made.constraints if isinstance(check, sa.CheckConstraint)]
    assert [str(check.name) for check in checks] == ["ck_t_positive"]
    assert {column.table for column in checks[0].columns} <= {made, None}
    assert statements(plan, "postgresql") == before


def counting(dialect, key=True):
    """Return what a schema makes of a column that PostgreSQL numbers beside the primary key."""
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    columns = (sa.Column("id", sa.Text, primary_key=True), sa.Column("n", SERIAL(), nullable=False))
    sa.Table("t", metadata, *columns, *([sa.Index("t_n", "n", unique=True)] if key else []))
    made = translated(metadata, dialect)
    sql = "\n".join(one.sql for one in statements(Plan("p", made.metadata), dialect))
    return sql, [finding.message for finding in made.lost if finding.place.column == "n"]


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("mysql", "n INTEGER NOT NULL AUTO_INCREMENT"),
        ("mariadb", "n INTEGER NOT NULL AUTO_INCREMENT"),
        ("mssql", "n INTEGER NOT NULL IDENTITY"),
        ("cockroachdb", "n INT4 GENERATED BY DEFAULT AS IDENTITY"),
    ],
)
def test_a_serial_beside_the_key_is_numbered_wherever_a_server_can(dialect, words):
    sql, lost = counting(dialect)
    assert words in sql
    assert lost == []
    assert "UNIQUE KEY `t_n` (`n`)" in sql or "UNIQUE INDEX" in sql


@pytest.mark.parametrize(("dialect", "key"), [("sqlite", True), ("mysql", False)])
def test_a_serial_that_a_server_cannot_number_is_told(dialect, key):
    _, lost = counting(dialect, key)
    assert len(lost) == 1
    assert "the application has to give the number" in lost[0]


@pytest.mark.parametrize("source", ["", "postgresql", "mysql"])
def test_what_refers_to_a_key_that_sqlite_numbers_is_of_its_type(source):
    metadata = sa.MetaData(info={"dialect": source} if source else {})
    sa.Table("a", metadata, sa.Column("id", sa.BIGINT, primary_key=True), sa.Column("n", sa.BIGINT))
    sa.Table("b", metadata, sa.Column("id", sa.BIGINT, sa.ForeignKey("a.id"), primary_key=True))
    sa.Table(
        "c", metadata,
        sa.Column("id", sa.BIGINT, primary_key=True, autoincrement=True),
        sa.Column("b_id", sa.BIGINT, sa.ForeignKey("b.id")),
        sa.Column("c_id", sa.BIGINT, sa.ForeignKey("c.id")),
        sa.Column("word", sa.VARCHAR(9), sa.ForeignKey("a.id")),
    )  # fmt: skip
    made = translated(metadata, "sqlite").metadata.tables
    words = {str(c): str(c.type) for table in made.values() for c in table.columns}
    assert words == {
        "a.id": "INTEGER", "a.n": "BIGINT", "b.id": "INTEGER",
        "c.id": "INTEGER", "c.b_id": "INTEGER", "c.c_id": "INTEGER", "c.word": "VARCHAR(9)",
    }  # fmt: skip


def test_an_array_of_an_enum_is_called_so_and_nothing_is_said_of_no_action():
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    roles = sa.Column("roles", postgresql.ARRAY(postgresql.ENUM("a", name="role")))
    parent = sa.Column("p", sa.ForeignKey("t.id", ondelete="NO ACTION", onupdate="NO ACTION"))
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), roles, parent)
    said = [finding.message for finding in translated(metadata, "mssql").lost]
    assert "an array of enum role is kept as a JSON array; its items are not checked" in said
    assert not any("NO ACTION" in message for message in said)
