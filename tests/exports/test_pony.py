"""Plans as Pony entities: what create_tables makes of them is the plan, but for what is said, and SQL mends that."""

import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.python_modules import complaints, loaded
from exports.random_plans import over_random_plans
from exports.strangers import stranger
from exports.test_django import is_told
from exports.test_models import without_long_names
from pony.orm import ObjectNotFound, db_session, flush
from pony.orm.core import TransactionIntegrityError
from sqlalchemy.dialects import postgresql as pg

from dbplan import export
from dbplan.comparison import COLUMN_ORDER, differences
from dbplan.ddl import statements
from dbplan.domains import PLANS
from dbplan.exports.beyond import needed_first, script
from dbplan.exports.pony import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.pony.py"
NAMES = (*PLANS, "stranger")
AT_RUN_TIME = ("Pony reads it, and writes", "the application has to")


@pytest.fixture(scope="module")
def live():
    with sandbox(stranger()) as stage:
        return read(stage.url)


def made(stage, text):
    """Have Pony make the tables of a module."""
    url = sa.make_url(stage.url)
    reach = {"host": url.host or url.query.get("host"), "port": url.port, "user": url.username}
    with loaded(text) as module:
        module.db.bind("postgres", database=url.database, password=url.password or "", **reach)
        try:
            module.db.generate_mapping(create_tables=True)
        finally:
            module.db.disconnect()


def compared(plan):
    """Return what is lost, what differs in what Pony makes, and what still does after the SQL of the findings."""
    written = write(plan, "postgresql")
    lost = export(plan, "pony", dialect="postgresql").evidence if plan.name in PLANS else written.lost
    first = [finding.mend for finding in lost if needed_first(finding)]
    with empty_database(*first) as stage:
        made(stage, written.files["models.py"])
        wanted, found = catalog_of(plan), taken(stage)
        run(stage, script(finding for finding in lost if not needed_first(finding)))
        return lost, differences(wanted, found), differences(wanted, taken(stage))


def is_seen(finding, found):
    """Say whether something differs where a finding is, or it is about what is there before, or about run time."""
    if any(words in finding.message for words in ("is to be there before", *AT_RUN_TIME)) or needed_first(finding):
        return True
    if any(difference.place == finding.place for difference in found):
        return True
    return any(difference.place.table.rpartition(".")[2] in finding.message for difference in found)


@pytest.mark.parametrize("name", NAMES)
def test_what_pony_makes_is_the_plan_but_for_what_is_said(live, name):
    lost, found, left = compared(live if name == "stranger" else read(name))
    assert [difference for difference in found if not is_told(difference, lost)] == []
    assert [str(finding) for finding in lost if not is_seen(finding, found)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


@over_random_plans(3)
def test_random_plans_are_made_and_mended(plan):
    lost, found, left = compared(plan)
    assert [difference for difference in found if not is_told(difference, lost)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


@pytest.mark.parametrize("name", PLANS)
def test_sqlite_takes_the_entities_too(tmp_path, name):
    plan = read(name)
    report = export(plan, "pony", dialect="sqlite")
    text = next(block.source for block in report.blocks if getattr(block, "file", "") == "models.py")
    with loaded(text) as module:
        module.db.bind("sqlite", str(tmp_path / "made.db"), create_db=True)
        module.db.generate_mapping(create_tables=True)
        module.db.disconnect()
    with sqlite3.connect(tmp_path / "made.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert {table.name for table in plan.tables if not table.info.get("is_view")} <= names
    assert all(finding.mend == "" for finding in report.evidence)


def test_the_text_is_as_ruff_leaves_it(tmp_path, live):
    texts = {name: write(read(name), "postgresql").files["models.py"] for name in PLANS}
    texts["live"] = write(without_long_names(live), "postgresql").files["models.py"]
    assert complaints(tmp_path, texts) == ""


def shop():
    metadata = sa.MetaData()
    sa.Table(
        "users", metadata, sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), sa.Column("date", sa.Date)
    )
    sa.Table(
        "orders", metadata,
        sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("total", sa.Numeric(19, 4), nullable=False), sa.Column("tags", pg.ARRAY(sa.Text)),
        sa.Column("kind", pg.ENUM("new", "it's old", name="kind"), nullable=False, server_default="new"),
    )  # fmt: skip
    sa.Table(
        "lines", metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.BigInteger, nullable=False), sa.Column("order_no", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["user_id", "order_no"], ["orders.user_id", "orders.no"]),
        schema="app",
    )  # fmt: skip
    sa.Table("log", metadata, sa.Column("at", sa.DateTime), sa.Column("user_id", sa.ForeignKey("users.id")))
    sa.Table("v", metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": "SELECT 1 AS id"})
    return Plan("shop", metadata)


def test_what_pony_cannot_say_is_said():
    written = write(shop(), "postgresql")
    lost = {str(finding.place): finding for finding in written.lost}
    assert lost["orders.kind"].message.startswith("its type enum kind is text here")
    assert "CREATE TABLE log" in lost["log"].mend or "no primary key" in lost["log"].message
    assert lost["v"].message.startswith("Pony makes no views")
    text = written.files["models.py"]
    for line in (
        '_table_ = ("app", "lines")',
        'user = Required("User", column="user_id", sql_type="BIGINT", reverse="orders")',
        '    order = Required(\n        "Order",\n        columns=["user_id", "order_no"],',
        "PrimaryKey(user, no)",
        "total = Required(Decimal, 19, 4)",
        'date_ = Optional(date, column="date")',
        "tags = Optional(StrArray, nullable=True)",
    ):
        assert line in text


def test_a_key_of_several_columns_may_lead_to_an_identity():
    lost, found, left = compared(shop())
    assert [difference for difference in found if not is_told(difference, lost)] == []
    assert [difference for difference in left if difference.what != COLUMN_ORDER] == []


def test_children_of_odd_names_are_attributes_that_python_and_pony_take():
    metadata = sa.MetaData()
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
    for name in ("class", "_odd_", "__", "import", "get"):
        key = sa.Column("user_id", sa.ForeignKey("users.id"), unique=True)
        sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), key)
    lost, found, left = compared(Plan("odd", metadata))
    assert ([difference for difference in found if not is_told(difference, lost)], left) == ([], ())


def test_entities_write_and_read_what_the_plan_has():
    plan = shop()
    written = write(plan, "postgresql")
    url_of = sa.make_url
    with empty_database() as stage:
        run(stage, "\n".join(f"{statement.sql};" for statement in statements(plan, "postgresql")))
        url = url_of(stage.url)
        reach = {"host": url.host or url.query.get("host"), "port": url.port, "user": url.username}
        with loaded(written.files["models.py"]) as module:
            module.db.bind("postgres", database=url.database, password=url.password or "", **reach)
            module.db.generate_mapping()
            with db_session:
                user = module.User()
                order = module.Order(user=user, no=1, total="12.3400", tags=["a", "b"], kind="it's old")
                module.Line(order=order)
                flush()
                key = user.id
            with db_session:
                order = module.Order[module.User[key], 1]
                lines = [line.order.no for line in order.lines]
                assert (str(order.total), list(order.tags), order.kind) == ("12.3400", ["a", "b"], "it's old")
                assert lines == [1]
                with pytest.raises(ObjectNotFound):
                    module.Order[module.User[key], 2]
            with pytest.raises(TransactionIntegrityError), db_session:
                module.Order(user=module.User[key], no=1, total=1)
                module.db.flush()
            module.db.disconnect()


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = write(read("credits"), "postgresql").files["models.py"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")
