"""Plans as SQLAlchemy models: what the module holds is the plan, to the last word of its DDL."""

import os
import sys
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of
from exports.python_modules import NAME, complaints, loaded
from exports.random_plans import over_random_plans
from exports.strangers import stranger
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite

from dbplan.columns import Money
from dbplan.comparison import differences
from dbplan.ddl import statements
from dbplan.ddl.documents import JsonText
from dbplan.domains import PLANS
from dbplan.exports.models import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import models, read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.models.py"


def text_of(plan, dialect="postgresql"):
    return write(plan, dialect).files["models.py"]


def again(text, name="again"):
    """Return the plan of an exported module."""
    with loaded(text) as module:
        module.Base.registry.configure()
        return models.from_object(module.Base, name=name, source=NAME)


def ddl(plan, dialect="postgresql"):
    """Return the statements of a plan, the lines of each in no order: constraints have none."""
    return sorted("\n".join(sorted(line.strip(" ,") for line in s.sql.splitlines())) for s in statements(plan, dialect))


@pytest.mark.parametrize("name", PLANS)
def test_the_module_of_a_plan_is_the_plan(name):
    plan = read(name)
    written = write(plan, "postgresql")
    assert written.lost == ()
    assert differences(catalog_of(plan), catalog_of(again(written.files["models.py"]))) == ()
    assert ddl(again(text_of(plan, "sqlite")), "sqlite") == ddl(plan, "sqlite")


@pytest.fixture(scope="module")
def live():
    with sandbox(stranger()) as stage:
        return read(stage.url)


@pytest.mark.parametrize("where", ["models", "live"])
def test_a_stranger_comes_back_whole(live, where):
    plan = stranger() if where == "models" else live
    back = again(text_of(plan))
    assert differences(catalog_of(plan), catalog_of(back)) == ()
    assert {key: table.info.get("view") for key, table in back.metadata.tables.items()} == {
        key: table.info.get("view") for key, table in plan.metadata.tables.items()
    }


@over_random_plans(20)
def test_random_plans_come_back(plan):
    assert ddl(again(text_of(plan))) == ddl(plan)
    assert NAME not in sys.modules


def test_the_text_is_as_ruff_leaves_it(tmp_path, live):
    texts = {name: text_of(read(name)) for name in PLANS}
    assert complaints(tmp_path, {**texts, "live": text_of(without_long_names(live))}) == ""


def without_long_names(plan):
    """Return the plan without the table whose names fit in no line."""
    kept = sa.MetaData(info={key: value for key, value in plan.metadata.info.items() if key != "order"})
    for table in plan.tables:
        if len(table.name) < 60:
            table.to_metadata(kept)
    return Plan(plan.name, kept)


def test_types_and_defaults_of_a_module_are_imported_and_others_are_what_the_server_sees():
    class Own(sa.TypeDecorator):
        impl = sa.String(7)
        cache_ok = True

    metadata = sa.MetaData()
    sa.Table(
        "t", metadata,
        sa.Column("id", sa.Uuid, primary_key=True, default=uuid.uuid4),
        sa.Column("price", Money), sa.Column("own", Own), sa.Column("made", sa.Text, default=lambda: "x"),
        info={"object": object()},
    )  # fmt: skip
    written = write(Plan("p", metadata), "postgresql")
    text = written.files["models.py"]
    assert "from dbplan.columns import Money" in text
    assert "from uuid import UUID, uuid4" in text
    assert "own: Mapped[str | None] = mapped_column(String(7))" in text
    assert {str(finding.place): finding.message for finding in written.lost} == {
        "t": "its info 'object' is a object and no plain value: it is not written",
        "t.made": "its default is a function that cannot be imported: left out",
    }


def test_names_of_columns_hide_nothing_that_the_class_needs():
    metadata = sa.MetaData()
    names = ("uuid", "text", "dt", "Mapped", "mapped_column", "int", "metadata", "registry", "class", "list", "values")
    columns = [sa.Column(name, sa.Uuid, server_default=sa.text("gen_random_uuid()")) for name in names]
    sa.Table("Index", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns, sa.Index("ix", "text"))
    sa.Table("any", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("base", sa.DateTime))
    plan = Plan("p", metadata)
    assert ddl(again(text_of(plan))) == ddl(plan)


def test_keys_that_share_columns_and_cycles_make_relationships_without_a_warning():
    metadata = sa.MetaData()
    sa.Table("tenants", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "nodes", metadata,
        sa.Column("tenant_id", sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("parent_id", sa.Integer),
        sa.Column("root_id", sa.Integer),
        sa.ForeignKeyConstraint(["tenant_id", "parent_id"], ["nodes.tenant_id", "nodes.id"]),
        sa.ForeignKeyConstraint(["tenant_id", "root_id"], ["nodes.tenant_id", "nodes.id"]),
    )  # fmt: skip
    plan = Plan("p", metadata)
    assert ddl(again(text_of(plan))) == ddl(plan)


def test_words_of_info_constraints_and_options_come_back():
    metadata = sa.MetaData(info={"extensions": ("citext",)})
    table = sa.Table(
        "t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", pg.CITEXT),
        sa.CheckConstraint("a <> ':x'", name="ck").ddl_if(dialect="postgresql"),
        prefixes=["UNLOGGED"], postgresql_with={"fillfactor": "70"}, info={"triggers": ("CREATE TRIGGER …",)},
    )  # fmt: skip
    back = again(text_of(Plan("p", metadata)))
    twin = back.table("t")
    assert back.metadata.info["extensions"] == ("citext",)
    assert twin.info["triggers"] == table.info["triggers"]
    assert (twin._prefixes, dict(twin.dialect_kwargs)) == (["UNLOGGED"], {"postgresql_with": {"fillfactor": "70"}})
    assert [str(c._ddl_if.dialect) for c in twin.constraints if c.name == "ck"] == ["postgresql"]


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = text_of(read("credits"))
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")


SERIAL = """
datasource db {
  provider = "postgresql"
}
model T {
  id String @id
  n  Int    @unique @default(autoincrement())
}
"""


def test_a_serial_beside_the_key_is_one_again_and_left_to_the_server(tmp_path):
    (tmp_path / "schema.prisma").write_text(SERIAL)
    plan = read(str(tmp_path / "schema.prisma"))
    with loaded(text_of(plan)) as module:
        made = models.from_object(module.Base, name="again", source=NAME)
        assert differences(catalog_of(plan), catalog_of(made)) == ()
        with sandbox(made, on="postgresql") as stage, sa.orm.Session(stage.engine) as session:
            session.add_all([module.T(id="a"), module.T(id="b")])
            session.commit()
            assert session.scalars(sa.select(module.T.n).order_by(module.T.id)).all() == [1, 2]


FILLED = """
datasource db {
  provider = "postgresql"
}
model T {
  id String   @id @default(uuid(7)) @db.Uuid
  s  String   @default(uuid())
  v  String   @default(uuid(7))
  at DateTime @updatedAt
  c  String?  @default(cuid())
}
"""


def test_what_prismas_client_fills_in_an_insert_fills_in_or_it_is_told(tmp_path):
    (tmp_path / "schema.prisma").write_text(FILLED)
    plan = read(str(tmp_path / "schema.prisma"))
    written = write(plan, "postgresql")
    assert [(f.place.column, "cuid()" in f.message) for f in written.lost] == [("c", True)]
    with loaded(written.files["models.py"]) as module:
        made = models.from_object(module.Base, name="again", source=NAME)
        assert differences(catalog_of(plan), catalog_of(made)) == ()
        assert write(made, "postgresql").lost == written.lost
        with sandbox(made, on="postgresql") as stage, sa.orm.Session(stage.engine) as session:
            session.add_all([module.T(), module.T()])
            session.commit()
            rows = session.scalars(sa.select(module.T).order_by(module.T.id)).all()
            before = [(row.id, row.at) for row in rows]
            assert {(row.id.version, uuid.UUID(row.s).version, uuid.UUID(row.v).version) for row in rows} == {(7, 4, 7)}
            rows[0].s = "x"
            session.commit()
            assert rows[0].at > before[0][1]


def test_a_document_that_sqlite_holds_as_text_is_text_without_dbplan(tmp_path):
    metadata = sa.MetaData(info={"dialect": "sqlite"})
    columns = (sa.Column("d", JsonText), sa.Column("e", JsonText(none_as_null=True)))
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    text = text_of(Plan("p", metadata), "sqlite")
    assert "from dbplan" not in text
    assert complaints(tmp_path, {"documents": text}) == ""
    with loaded(text) as module:
        kinds = [column.type for column in module.T.__table__.columns][1:]
        assert [kind.none_as_null for kind in kinds] == [False, True]
        assert {(kind.compile(sqlite.dialect()), kind.bind_expression(None)) for kind in kinds} == {("JSONB", None)}
