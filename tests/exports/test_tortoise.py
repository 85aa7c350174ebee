"""Plans as Tortoise models: what generate_schemas makes of them is the plan, but for what is said, and SQL mends that."""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.created import NAMES, imported, on_postgresql, on_sqlite, plan_of
from exports.python_modules import complaints
from exports.random_plans import plans
from exports.test_models import without_long_names
from hypothesis import HealthCheck, given, settings
from sqlalchemy.dialects import postgresql as pg
from tortoise import Tortoise

from dbplan.domains import PLANS
from dbplan.exports.study import export
from dbplan.exports.tortoise import write
from dbplan.plan import Plan
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.tortoise.py"
NUMBERS = count()


def create(stage, files):
    """Have generate_schemas make the tables."""
    with imported(files["models.py"], f"tortoise_models_{next(NUMBERS)}") as module:
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


@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(plans())
def test_random_plans_are_made_but_for_what_is_said(plan):
    untold, _, left = on_postgresql(plan, write(plan, "postgresql"), create)
    assert (untold, left) == ([], [])


@pytest.mark.parametrize("name", PLANS)
def test_sqlite_makes_the_plan_but_for_what_is_said(name):
    from dbplan.ddl import translated

    plan = Plan(name, translated(read(name).metadata, "sqlite").metadata)
    assert on_sqlite(plan, write(plan, "sqlite"), create) == []


def test_mysql_has_fields_of_its_own():
    report = export(read("store"), "tortoise", dialect="mysql")
    assert any("DatetimeField" in block.text for block in report.blocks if hasattr(block, "text"))


def test_the_text_is_as_ruff_leaves_it(tmp_path):
    texts = {name: write(read(name), "postgresql").files["models.py"] for name in PLANS}
    texts["live"] = write(without_long_names(plan_of("live stranger")), "postgresql").files["models.py"]
    assert complaints(tmp_path, texts) == ""
