"""The statements of a plan make what SQLAlchemy itself would make of it."""

import pytest
import sqlalchemy as sa

from dbplan.comparison import differences
from dbplan.ddl import Statement, statements
from dbplan.domains import PLANS
from dbplan.errors import SourceError
from dbplan.evidence import Place
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot


def run(stage, found):
    with stage.engine.connect() as connection:
        raw = connection.execution_options(no_parameters=True)
        for statement in found:
            raw.exec_driver_sql(statement.sql)
        connection.commit()


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
@pytest.mark.parametrize("name", PLANS)
def test_they_make_what_create_all_makes(name, on):
    plan = read(name)
    with sandbox(plan, on, create=False) as one, sandbox(plan, on, create=False) as other:
        plan.metadata.create_all(one.engine)
        run(other, statements(plan, on))
        with one.engine.connect() as left, other.engine.connect() as right:
            assert differences(snapshot(left), snapshot(right)) == ()
            assert snapshot(left).objects


def test_a_table_has_one_line_for_each_column_and_constraint():
    metadata = sa.MetaData()
    sa.Table(
        "100%", metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a:b", sa.Text, nullable=False, server_default=":x 50%"),
        sa.CheckConstraint("\"a:b\" <> '%s'", name="ck"),
    )  # fmt: skip
    text = """CREATE TABLE "100%" (
    id SERIAL NOT NULL,
    "a:b" TEXT DEFAULT ':x 50%' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT ck CHECK ("a:b" <> '%s')
)"""
    assert statements(Plan("p", metadata), "postgresql") == (Statement(Place("100%"), "table", text),)


def test_keys_of_a_cycle_come_once_both_tables_are_there():
    metadata = sa.MetaData()
    for name, other in (("hen", "egg"), ("egg", "hen")):
        sa.Table(
            name, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("o", sa.ForeignKey(f"{other}.id"))
        )
    made = [(s.kind, str(s.place)) for s in statements(Plan("p", metadata), "postgresql")]
    assert [kind for kind, _ in made] == ["table", "table", "key"]
    assert [s.kind for s in statements(Plan("p", metadata), "sqlite")] == ["table", "table"]


def test_what_cannot_be_written_is_one_line():
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("x", sa.ForeignKey("nowhere.id")))
    with pytest.raises(
        SourceError, match=r'^plan "p" cannot be written for postgresql: .*t\.x.*nowhere.*; mend the model$'
    ):
        statements(Plan("p", metadata), "postgresql")
