"""Plans as Django models: what a migration makes of them is the plan, but for what is said, and SQL mends that."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.python_modules import complaints
from exports.strangers import stranger
from exports.test_models import without_long_names
from sqlalchemy.dialects import postgresql as pg

from dbplan.comparison import COLUMN_ORDER, differences
from dbplan.ddl import statements
from dbplan.domains import PLANS
from dbplan.exports.beyond import mended, script
from dbplan.exports.django import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.django.py"
NAMES = (*PLANS, "stranger")
PROJECT = """
import io, json, sys
import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["django.contrib.postgres", "app"], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **json.loads(sys.argv[1])}},
)
django.setup()
said, sql = io.StringIO(), io.StringIO()
call_command("check", "--database", "default", "--fail-level", "WARNING", stdout=said, stderr=said)
call_command("makemigrations", "app", verbosity=0)
call_command("sqlmigrate", "app", "0001", stdout=sql)
print(json.dumps({"said": said.getvalue(), "sql": sql.getvalue()}))
"""


def migration(folder, stage, text):
    """Return what Django's check says, and the SQL of the first migration."""
    (folder / "app" / "migrations").mkdir(parents=True)
    for name in ("app/__init__.py", "app/migrations/__init__.py"):
        (folder / name).touch()
    (folder / "app" / "models.py").write_text(text, "utf-8")
    url = sa.make_url(stage.url)
    reach = {"NAME": url.database, "HOST": url.host or url.query.get("host"), "USER": url.username}
    reach |= {"PORT": str(url.port or url.query.get("port", "")), "PASSWORD": url.password or ""}
    command = [sys.executable, "-W", "error", "-c", PROJECT, json.dumps(reach)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    answer = json.loads(ran.stdout.splitlines()[-1])
    return answer["said"], answer["sql"]


@pytest.fixture(scope="module")
def live():
    with sandbox(stranger()) as stage:
        return read(stage.url)


def before(plan):
    """Return what a migration wants to be there: schemas and extensions."""
    return [f"{s.sql};" for s in statements(plan, "postgresql") if s.kind in ("schema", "extension")]


@pytest.mark.parametrize("name", NAMES)
def test_a_migration_makes_the_plan_but_for_what_is_said(tmp_path, live, name):
    plan = live if name == "stranger" else read(name)
    written = write(plan, "postgresql")
    with empty_database(*before(plan)) as stage:
        said, sql = migration(tmp_path, stage, written.files["models.py"])
        assert "no issues" in said
        run(stage, sql)
        found = differences(catalog_of(plan), taken(stage))
        run(stage, script(mended(plan, written.lost, "postgresql")))
        left = differences(catalog_of(plan), taken(stage))
    assert [difference for difference in found if not is_told(difference, written.lost)] == []
    assert [str(finding) for finding in written.lost if not is_seen(finding, found)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


def is_told(difference, lost):
    """Say whether a finding is about the place of a difference, or names what differs and has no column."""
    place = difference.place
    if any(finding.place == place for finding in lost):
        return True
    if place.column or difference.what == COLUMN_ORDER:
        return False
    if name := place.constraint or place.index:
        near = (place.table, "") if difference.what in ("trigger", "policy") else (place.table,)
        return any(name in finding.message for finding in lost if finding.place.table in near)
    return any(place.table.rpartition(".")[2] in finding.message for finding in lost)


def is_seen(finding, found):
    """Say whether something differs where a finding is; what has to be there before is there."""
    if "is to be there before" in finding.message or any(d.place == finding.place for d in found):
        return True
    named = (d.place.constraint or d.place.index or d.place.table.rpartition(".")[2] for d in found)
    return not str(finding.place) and any(name in finding.message for name in named)


def test_the_text_is_as_ruff_leaves_it(tmp_path, live):
    texts = {name: write(read(name), "postgresql").files["models.py"] for name in PLANS}
    texts["live"] = write(without_long_names(live), "postgresql").files["models.py"]
    assert complaints(tmp_path, texts) == ""


def test_conditions_that_q_can_say_are_q_and_others_are_sql():
    metadata = sa.MetaData()
    table = sa.Table(
        "t", metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer), sa.Column("m", sa.Integer),
        sa.Column("word", sa.Text),
    )  # fmt: skip
    conditions = {
        "n >= 0": "models.Q(n__gte=0)",
        "n BETWEEN 1 AND 5": "models.Q(n__range=(1, 5))",
        "n < m": 'models.Q(n__lt=models.F("m"))',
        "word IN ('a', 'b')": 'models.Q(word__in=["a", "b"])',
        "n IS NULL OR (m > -1 AND word IS NOT NULL)": (
            "models.Q(n__isnull=True) | (models.Q(m__gt=-1) & models.Q(word__isnull=False))"
        ),
        "n <> 0": 'in_sql("n <> 0")',
        "NOT n = 0": 'in_sql("NOT n = 0")',
        "word LIKE 'a%'": "in_sql(\"word LIKE 'a%%%%'\")",
        "n = 'x' AND": "in_sql(\"n = 'x' AND\")",
    }
    for number, condition in enumerate(conditions):
        table.append_constraint(sa.CheckConstraint(condition, name=f"ck_{number}"))
    text = " ".join(write(Plan("p", metadata), "postgresql").files["models.py"].split())
    assert [words for words in conditions.values() if words not in text] == []


def test_what_django_cannot_say_is_said():
    metadata = sa.MetaData()
    mood = pg.ENUM("happy", "it's ok", name="mood")
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("mood", mood))
    sa.Table("log", metadata, sa.Column("at", sa.DateTime), sa.Column("user_id", sa.ForeignKey("users.id")))
    sa.Table("v", metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": "SELECT 1 AS id"})
    written = write(Plan("p", metadata), "postgresql")
    lost = {str(finding.place): finding for finding in written.lost}
    assert lost["users.mood"].message.startswith("its enum mood is text with choices here")
    assert lost["log"].message.startswith("it has no primary key")
    assert "CREATE TABLE log" in lost["log"].mend
    assert lost["v"].message.startswith("Django makes no views")
    assert 'IT_S_OK = "it\'s ok"' in written.files["models.py"]


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = write(read("credits"), "postgresql").files["models.py"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")
