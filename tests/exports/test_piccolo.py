"""Plans as Piccolo tables: what create_db_tables makes is the plan, but for what is said, and SQL mends that."""

import asyncio
import os
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.created import imported, on_postgresql, on_sqlite, plan_of
from exports.python_modules import complaints
from exports.random_plans import over_random_plans
from exports.test_models import without_long_names
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.table import Table, create_db_tables
from sqlalchemy.dialects import postgresql as pg

from dbplan.ddl import translated
from dbplan.domains import PLANS
from dbplan.exports.piccolo import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.piccolo.py"
NUMBERS = count()


def create(stage, files):
    """Have create_db_tables make the tables."""
    with quiet(files["tables.py"]) as module:
        asyncio.run(create_db_tables(*tables_of(module, engine_of(stage.url))))


def quiet(text):
    """Give a module of that text; Piccolo warns of a table called user."""
    return imported(text, f"piccolo_tables_{next(NUMBERS)}", "We recommend giving your table a different name")


def engine_of(url):
    """Return Piccolo's engine for a database."""
    url = sa.make_url(url)
    if url.get_backend_name() == "sqlite":
        return SQLiteEngine(path=url.database)
    reach = {"host": url.host or url.query.get("host"), "port": int(url.port or url.query.get("port") or 5432)}
    config = {**reach, "user": url.username, "password": url.password, "database": url.database}
    return PostgresEngine(config=config, extensions=())


def tables_of(module, engine):
    """Return the classes of a module, which use an engine now."""
    classes = (one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Table))
    found = [one for one in classes if one is not Table]
    for one in found:
        one._meta.db = engine
    return found


@pytest.mark.parametrize("name", [*PLANS, "stranger", "live stranger"])
def test_create_db_tables_makes_the_plan_but_for_what_is_said(name):
    plan = plan_of(name)
    untold, unseen, left = on_postgresql(plan, write(plan, "postgresql"), create)
    assert (untold, unseen, left) == ([], [], [])


@over_random_plans(6)
def test_random_plans_are_made_but_for_what_is_said(plan):
    untold, _, left = on_postgresql(plan, write(plan, "postgresql"), create)
    assert (untold, left) == ([], [])


@pytest.mark.parametrize("name", PLANS)
def test_sqlite_makes_the_plan_but_for_what_is_said(name):
    plan = Plan(name, translated(read(name).metadata, "sqlite").metadata)
    assert on_sqlite(plan, write(plan, "sqlite"), create) == []


def test_the_text_is_as_ruff_leaves_it(tmp_path):
    texts = {name: write(read(name), "postgresql").files["tables.py"] for name in PLANS}
    texts["live"] = write(without_long_names(plan_of("live stranger")), "postgresql").files["tables.py"]
    assert complaints(tmp_path, texts) == ""


def test_what_piccolo_cannot_say_is_said():
    metadata = sa.MetaData()
    mood = pg.ENUM("happy", "it's ok", name="mood")
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("mood", mood))
    sa.Table("log", metadata, sa.Column("at", sa.DateTime), sa.Column("user_id", sa.ForeignKey("users.id")))
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="app")
    sa.Table("a{b}", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "both", metadata,
        sa.Column("one", sa.ForeignKey("users.id"), primary_key=True), sa.Column("two", sa.Integer, primary_key=True),
    )  # fmt: skip
    written = write(Plan("p", metadata), "postgresql")
    lost = {str(finding.place): finding for finding in written.lost}
    assert lost["users.mood"].message == "its type mood is varchar here"
    assert lost["log"].message.startswith("it has no primary key")
    assert "CREATE TABLE log" in lost["log"].mend
    assert lost["app.users"].message.startswith("create_db_tables knows tables by their bare names")
    assert lost["a{b}"].message.startswith("Piccolo takes no quotes and no braces")
    assert lost["both (both_pkey)"].message.startswith("Piccolo has no keys of several columns")
    assert "PRIMARY KEY (one, two)" in lost["both (both_pkey)"].mend


def test_rows_are_written_with_defaults_of_the_server_and_of_the_application():
    metadata = sa.MetaData()
    sa.Table(
        "things", metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("code", sa.Text, nullable=False, server_default=sa.text("lower('A{B}')")),
        sa.Column("size", sa.Integer, default=7), sa.Column("twice", sa.Integer, sa.Computed("size * 2")),
    )  # fmt: skip
    plan = Plan("p", metadata)
    written = write(plan, "postgresql")
    assert asyncio.run(saved(plan, written)) == [{"id": 1, "code": "a{b}", "size": 7, "twice": 14}]


async def saved(plan, written):
    with sandbox(plan, "postgresql") as stage, quiet(written.files["tables.py"]) as module:
        (thing,) = tables_of(module, engine_of(stage.url))
        await thing().save()
        return await thing.select()


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = write(read("credits"), "postgresql").files["tables.py"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")
