"""Plans as Peewee models: what create_tables makes of them is the plan, but for what is said, and SQL mends that."""

import os
import sqlite3
from contextlib import contextmanager
from itertools import filterfalse
from pathlib import Path

import peewee
import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.python_modules import complaints, loaded
from exports.random_plans import plans
from exports.strangers import stranger
from exports.test_models import without_long_names
from hypothesis import HealthCheck, given, settings
from playhouse.postgres_ext import Psycopg3Database
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql as pg

from dbplan.comparison import COLUMN_ORDER, differences
from dbplan.domains import PLANS
from dbplan.exports.beyond import mended, needed_first, script
from dbplan.exports.peewee import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.peewee.py"
NAMES = (*PLANS, "stranger")
UNSEEN = ("the application has to", "no field leads along it", "is to be there before create_tables")
"""What is said and is no difference between databases."""


@pytest.fixture(scope="module")
def live():
    with sandbox(stranger()) as stage:
        return read(stage.url)


@contextmanager
def connected(module, database):
    module.database.initialize(database)
    with database:
        yield module
    database.close()


def psycopg(stage, of=Psycopg3Database):
    url = sa.make_url(stage.url)
    return of(url.database, host=url.host or url.query.get("host"), port=url.port, user=url.username)


def made_of(plan, text, lost, of=Psycopg3Database):
    """Return what differs after create_tables, run twice, and what is left after the mends."""
    with empty_database(script(filter(needed_first, lost))) as stage, loaded(text) as module:
        with connected(module, psycopg(stage, of)) as models:
            models.database.create_tables(models.MODELS)
            models.database.create_tables(models.MODELS)
        wanted, found = catalog_of(plan), taken(stage)
        run(stage, script(filterfalse(needed_first, lost)))
        return differences(wanted, found), differences(wanted, taken(stage))


@pytest.mark.parametrize("name", NAMES)
def test_create_tables_makes_the_plan_but_for_what_is_said(live, name):
    plan = live if name == "stranger" else read(name)
    written = write(plan, "postgresql")
    lost = mended(plan, written.lost, "postgresql")
    found, left = made_of(plan, written.files["models.py"], lost)
    assert [difference for difference in found if not is_told(difference, lost)] == []
    assert [str(finding) for finding in lost if not is_seen(finding, found)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


def is_told(difference, lost):
    """Say whether a finding is about the place of a difference, or its text tells of what is in no table."""
    place = difference.place
    if any(finding.place == place for finding in lost):
        return True
    if place.column or difference.what == COLUMN_ORDER:
        return False
    if name := place.constraint or place.index:
        return any(name in finding.message for finding in lost if finding.place.table in (place.table, ""))
    return any(place.table.rpartition(".")[2] in finding.message for finding in lost)


def is_seen(finding, found):
    """Say whether something differs where a finding is."""
    if any(said in finding.message for said in UNSEEN) or needed_first(finding):
        return True
    if any(difference.place == finding.place for difference in found):
        return True
    named = (d.place.constraint or d.place.index or d.place.table.rpartition(".")[2] for d in found)
    return not str(finding.place) and any(name in finding.message for name in named)
