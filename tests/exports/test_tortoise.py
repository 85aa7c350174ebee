"""Plans as Tortoise models: what generate_schemas makes is the plan, but for what is said, and SQL mends that."""

import asyncio
import os
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.created import NAMES, imported, on_postgresql, on_sqlite, plan_of
from exports.python_modules import complaints
from exports.random_plans import over_random_plans
from exports.test_models import without_long_names
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite
from tortoise import Tortoise

from dbplan.ddl import translated
from dbplan.ddl.documents import JsonText
from dbplan.domains import PLANS
from dbplan.exports.tortoise import write
from dbplan.plan import Plan
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.tortoise.py"
NUMBERS = count()


def create(stage, files):
    """Have generate_schemas make the tables; Tortoise warns where no table of a plan has a key."""
    with imported(files["models.py"], f"tortoise_models_{next(NUMBERS)}", "Module .* has no models") as module:
        asyncio.run(generate(connection(stage.url), module.__name__))


def connection(url):
    """Return how Tortoise reaches a database."""
    url = sa.make_url(url)
    if url.get_backend_name() == "sqlite":
        return {"engine": "tortoise.backends.sqlite", "credentials": {"file_path": url.database}}
    reach = {"host": url.host or url.query.get("host"), "port": int(url.port or url.query.get("port") or 5432)}
    credentials = {**reach, "user": url.username, "password": url.password, "database": url.database}
    return {"engine": "tortoise.backends.asyncpg", "credentials": credentials}


async def generate(reach, module):
    app = {"models": [module], "default_connection": "default"}
    await Tortoise.init(config={"connections": {"default": reach}, "apps": {"models": app}, "use_tz": True})
    try:
        await Tortoise.generate_schemas()
    finally:
        await Tortoise.close_connections()
        await Tortoise._reset_apps()


@pytest.mark.parametrize("name", NAMES)
def test_generate_schemas_makes_the_plan_but_for_what_is_said(name):
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


def test_mysql_has_fields_of_its_own():
    plan = Plan("store", translated(read("store").metadata, "mysql").metadata)
    text = write(plan, "mysql").files["models.py"]
    assert "fields.DatetimeField(" in text
    with imported(text, f"tortoise_models_{next(NUMBERS)}"):
        pass


def test_the_text_is_as_ruff_leaves_it(tmp_path):
    texts = {name: write(read(name), "postgresql").files["models.py"] for name in PLANS}
    texts["live"] = write(without_long_names(plan_of("live stranger")), "postgresql").files["models.py"]
    assert complaints(tmp_path, texts) == ""


def test_what_tortoise_cannot_say_is_said():
    metadata = sa.MetaData()
    mood = pg.ENUM("happy", "it's ok", name="mood")
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("mood", mood))
    sa.Table("log", metadata, sa.Column("at", sa.DateTime), sa.Column("user_id", sa.ForeignKey("users.id")))
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="app")
    sa.Table("v", metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": "SELECT 1 AS id"})
    for one, other in (("hen", "egg"), ("egg", "hen")):
        key = sa.ForeignKey(f"{other}.id", name=f"fk_{one}", use_alter=True)
        sa.Table(one, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column(f"{other}_id", key))
    sa.Table(
        "both", metadata,
        sa.Column("one", sa.ForeignKey("users.id"), primary_key=True), sa.Column("two", sa.Integer, primary_key=True),
    )  # fmt: skip
    written = write(Plan("p", metadata), "postgresql")
    lost = {str(finding.place): finding for finding in written.lost}
    assert lost["users.mood"].message == "its type mood is varchar(7) here"
    assert lost["log"].message.startswith("it has no primary key")
    assert "CREATE TABLE log" in lost["log"].mend
    assert lost["app.users"].message.startswith("generate_schemas counts tables by their bare names")
    assert lost["v"].message.startswith("Tortoise makes no views")
    assert lost["egg (fk_egg)"].message.startswith("it closes a circle")
    assert lost["both (both_pkey)"].message.startswith("Tortoise has no keys of several columns")
    assert "PRIMARY KEY (one, two)" in lost["both (both_pkey)"].mend


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = write(read("credits"), "postgresql").files["models.py"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")


def test_a_document_that_sqlite_holds_as_text_is_a_document():
    metadata = sa.MetaData(info={"dialect": "sqlite"})
    columns = (sa.Column("d", JsonText), sa.Column("b", sqlite.JSONB))
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    written = write(Plan("p", metadata), "sqlite")
    assert "    d = fields.JSONField(null=True)\n" in written.files["models.py"]
    assert '    b = ServerField(words="JSONB", null=True)\n' in written.files["models.py"]
    assert [f.message for f in written.lost if f.place.column == "d"] == ["its type jsonb is json here"]
