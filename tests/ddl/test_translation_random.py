"""Any schema that is meant for any server has a script that every server takes."""

import re

import pytest
import sqlalchemy as sa
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripts import RUN
from sqlglot import exp

from dbplan.ddl.translation.targets import TARGETS
from dbplan.exports.ddl import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

NAMES = st.sampled_from(
    ["a", "Order", "order", "select", "ä ö", "x" * 70, "x" * 69 + "y", 'q"q', "per%cent", "a:b", "key"]
)
TYPES = st.sampled_from(
    [
        *(sa.Integer(), sa.BigInteger(), sa.SmallInteger(), sa.Text(), sa.String(20), sa.String(2000), sa.Unicode(300)),
        *(sa.Boolean(), sa.Date(), sa.Time(), sa.DateTime(), sa.DateTime(timezone=True), sa.Interval(), sa.Float()),
        *(sa.Numeric(), sa.Numeric(12, 3), sa.LargeBinary(), sa.JSON(), sa.Uuid(), sa.Double(), sa.LargeBinary(16)),
        sa.Enum("a", "b'c", native_enum=False, create_constraint=True),
    ]
)
DEFAULTS = {
    sa.Integer: ["0", "-5"],
    sa.String: ["'x'", "'it''s'"],
    sa.Boolean: ["true", "false"],
    sa.DateTime: ["now()", "CURRENT_TIMESTAMP"],
    sa.Numeric: ["1.5"],
    sa.Uuid: ["gen_random_uuid()"],
}
KEYLESS = (sa.JSON, sa.Interval)
CHECKS = ["{c} IS NOT NULL OR id > 0", "({c} IS NULL) = (id > 5)", "CASE WHEN {c} IS NULL THEN id > 0 ELSE true END"]
ACTIONS = st.sampled_from([None, "CASCADE", "SET NULL", "RESTRICT", "NO ACTION", "SET DEFAULT"])


@st.composite
def columns(draw, names):
    kind = draw(TYPES)
    known = next((found for base, found in DEFAULTS.items() if type(kind) is base), None)
    default = draw(st.sampled_from([None, *known])) if known else None
    default = sa.text(default) if default else None
    return sa.Column(
        names,
        kind,
        nullable=draw(st.booleans()),
        server_default=default,
        comment=draw(st.sampled_from([None, "it's; -- so"])),
    )


@st.composite
def plans(draw):
    metadata = sa.MetaData()
    for number in range(draw(st.integers(1, 4))):
        made = [draw(columns(name)) for name in draw(st.lists(NAMES, max_size=5, unique_by=str))]
        table = sa.Table(
            f"t{number}",
            metadata,
            sa.Column("id", draw(st.sampled_from([sa.Integer, sa.BigInteger])), primary_key=True),
            *made,
        )
        keyed = [column for column in made if not isinstance(column.type, KEYLESS)]
        draw(extras(table, made, keyed, number))
    return Plan("random", metadata)


@st.composite
def extras(draw, table, made, keyed, number):
    """Give a table uniques, indexes, conditions and foreign keys."""
    quote = sa.create_engine("sqlite://").dialect.identifier_preparer.quote
    for place, column in enumerate(keyed):
        if draw(st.booleans()):
            where = sa.text("id > 0") if draw(st.booleans()) else None
            sa.Index(
                f"ix_{number}_{place}",
                column.desc() if draw(st.booleans()) else column,
                unique=draw(st.booleans()),
                postgresql_where=where,
                sqlite_where=where,
            )
    if keyed and draw(st.booleans()):
        table.append_constraint(sa.UniqueConstraint(*keyed[:3], name=f"uq_{number}"))
    if made and draw(st.booleans()):
        table.append_constraint(
            sa.CheckConstraint(draw(st.sampled_from(CHECKS)).format(c=quote(made[0].name)).replace(":", r"\:"))
        )
    for parent in range(number + 1):
        if draw(st.booleans()):
            kind = table.metadata.tables[f"t{parent}"].c.id.type
            table.append_column(
                sa.Column(
                    f"p{parent}",
                    type(kind),
                    sa.ForeignKey(f"t{parent}.id", ondelete=draw(ACTIONS), onupdate=draw(ACTIONS)),
                )
            )


def script(plan, dialect):
    (text,) = write(plan, dialect).files.values()
    return text


def quiet(count):
    return settings(max_examples=count, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def stages():
    """One empty database of each kind; every script runs in a place of its own there."""
    nothing = Plan("random", sa.MetaData())
    with sandbox(nothing, create=False) as one, sandbox(nothing, "sqlite", create=False) as other:
        yield {"postgresql": one, "sqlite": other}


@pytest.fixture(scope="module")
def mariadb():
    with sandbox(Plan("random", sa.MetaData()), "mariadb", create=False) as stage:
        yield stage


@quiet(15)
@given(plan=plans())
def test_postgresql_takes_it(plan, stages):
    RUN["postgresql"](
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + script(plan, "postgresql"), stages["postgresql"]
    )


@quiet(15)
@given(plan=plans())
def test_sqlite_takes_it(plan, stages):
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(script(plan, "sqlite"))
    assert {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} == set(
        plan.metadata.tables
    )
    connection.close()


@pytest.mark.ci
@quiet(15)
@given(plan=plans())
def test_mariadb_takes_it(plan, mariadb):
    name = mariadb.engine.url.database
    again = f"DROP DATABASE `{name}`; CREATE DATABASE `{name}`; USE `{name}`;\n"
    RUN["mariadb"](again + script(plan, "mysql"), mariadb)


@quiet(15)
@given(plan=plans())
def test_the_others_have_words_for_it(plan):
    for dialect in ("mssql", "cockroachdb"):
        text = re.sub(r"(?m)^GO$", "", script(plan, dialect))
        found = {type(tree) for tree in sqlglot.parse(text, read=TARGETS[dialect].sql) if tree is not None}
        assert exp.Command not in found
