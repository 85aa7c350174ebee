"""The tables of a released application, Django's own: all contestants answer alike."""

import json
import subprocess
import sys

import pytest
from orms.arena import arena
from sqlalchemy import MetaData

from dbplan import read, sandbox
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.scenarios import SCENARIOS
from dbplan.plan import Plan

APPLICATIONS = ("auth", "contenttypes", "admin", "sessions", "sites", "flatpages", "redirects")
MIGRATE = """
import json, sys
import django
from django.conf import settings
from django.core.management import call_command
database, *applications = json.loads(sys.argv[1])
settings.configure(
    INSTALLED_APPS=[f"django.contrib.{name}" for name in applications], DATABASES={"default": database},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", SITE_ID=1,
)
django.setup()
call_command("migrate", verbosity=0)
"""


def released():
    """Return the plan of a database that Django's migrations made."""
    with sandbox(Plan("empty", MetaData())) as stage:
        url = stage.engine.url
        told = {
            "ENGINE": "django.db.backends.postgresql", "NAME": url.database, "USER": url.username,
            "PASSWORD": url.password, "HOST": url.query.get("host", url.host), "PORT": url.query.get("port", url.port),
        }  # fmt: skip
        database = {name: value for name, value in told.items() if value is not None}
        subprocess.run([sys.executable, "-c", MIGRATE, json.dumps([database, *APPLICATIONS])], check=True, timeout=120)
        return Plan("released", read(stage.url).metadata)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    with arena(released(), tmp_path_factory.mktemp("models"), rows=90) as opened:
        opened.truth = opened.answers_at_once("psycopg", SCENARIOS)
        yield opened


def test_it_has_a_table_for_all_but_documents(field):
    assert field.derived.missing == {"json_filter": "no table has a JSON column"}
    assert all("results" in answer for answer in field.truth.values()), field.truth
    joined = {name: field.derived.scenarios[name].table for name in ("point_read", "list_to_one", "nested_include")}
    assert joined == {
        "point_read": "auth_user",
        "list_to_one": "auth_group_permissions",
        "nested_include": "auth_permission",
    }


@pytest.mark.parametrize(
    "name", [n for n, one in CONTESTANTS.items() if one.dialect == "postgresql" and n != "psycopg"]
)
def test_answers_are_the_references(field, name):
    answers = field.answers_at_once(name, SCENARIOS)
    said = {scenario: answer["not_covered"] for scenario, answer in answers.items() if "not_covered" in answer}
    wrong = {s: answer for s, answer in answers.items() if s not in said and answer != field.truth[s]}
    assert not wrong, json.dumps({s: [answer, field.truth[s]] for s, answer in wrong.items()})[:3000]
    assert not said, "a key of one column, and relations along one: all of them have words for that"
