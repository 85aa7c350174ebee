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
from exports.random_plans import drawn, many, plans
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

reach, *apps = json.loads(sys.argv[1])
settings.configure(
    INSTALLED_APPS=["django.contrib.postgres", *apps], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **reach}},
)
django.setup()
for app in apps:
    said, sql = io.StringIO(), io.StringIO()
    call_command("check", app, "--database", "default", "--fail-level", "WARNING", stdout=said, stderr=said)
    call_command("makemigrations", app, verbosity=0)
    call_command("sqlmigrate", app, "0001", stdout=sql)
    print(json.dumps({"said": said.getvalue(), "sql": sql.getvalue()}))
"""


def migrations(folder, texts):
    """Return what Django's check says and the SQL of the first migration, of each text as an app of one project."""
    for name, text in texts.items():
        (folder / name / "migrations").mkdir(parents=True)
        for file in ("__init__.py", "migrations/__init__.py"):
            (folder / name / file).touch()
        (folder / name / "models.py").write_text(text, "utf-8")
    with empty_database() as stage:
        url = sa.make_url(stage.url)
        reach = {"NAME": url.database, "HOST": url.host or url.query.get("host"), "USER": url.username}
        reach |= {"PORT": str(url.port or url.query.get("port", "")), "PASSWORD": url.password or ""}
        command = [sys.executable, "-W", "error", "-c", PROJECT, json.dumps([reach, *texts])]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    answers = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith('{"said"')]
    return dict(zip(texts, answers, strict=True))


@pytest.fixture(scope="module")
def live():
    with sandbox(stranger()) as stage:
        return read(stage.url)


def before(plan):
    """Return what a migration wants to be there: schemas and extensions."""
    return [f"{s.sql};" for s in statements(plan, "postgresql") if s.kind in ("schema", "extension")]


@pytest.fixture(scope="module")
def migrated(live, tmp_path_factory):
    """What Django makes of each plan, in one process."""
    plans = {name: live if name == "stranger" else read(name) for name in NAMES}
    written = {name: write(plan, "postgresql") for name, plan in plans.items()}
    texts = {name: one.files["models.py"] for name, one in written.items()}
    found = migrations(tmp_path_factory.mktemp("django"), texts)
    return {name: (plans[name], written[name], found[name]) for name in NAMES}


def compared(plan, lost, sql):
    """Return what differs in what a migration makes, and what still does after the SQL of the findings."""
    with empty_database(*before(plan)) as stage:
        run(stage, sql)
        wanted, found = catalog_of(plan), taken(stage)
        run(stage, script(mended(plan, lost, "postgresql")))
        return differences(wanted, found), differences(wanted, taken(stage))


@pytest.mark.parametrize("name", NAMES)
def test_a_migration_makes_the_plan_but_for_what_is_said(migrated, name):
    plan, written, answer = migrated[name]
    assert "no issues" in answer["said"]
    found, left = compared(plan, written.lost, answer["sql"])
    assert [difference for difference in found if not is_told(difference, written.lost)] == []
    assert [str(finding) for finding in written.lost if not is_seen(finding, found)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


def test_random_plans_are_made_but_for_what_is_said(tmp_path):
    examples = {f"app{number}": plan for number, plan in enumerate(drawn(plans(), many(6)))}
    written = {name: write(plan, "postgresql") for name, plan in examples.items()}
    answers = migrations(tmp_path, {name: one.files["models.py"] for name, one in written.items()})
    for name, plan in examples.items():
        lost = written[name].lost
        found, left = compared(plan, lost, answers[name]["sql"])
        untold = [difference for difference in found if not is_told(difference, lost)]
        assert (untold, [one for one in left if one.what != COLUMN_ORDER]) == ([], []), answers[name]["sql"]


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


def test_unique_keys_are_those_that_the_server_makes_of_them(tmp_path):
    metadata = sa.MetaData()
    table = sa.Table(
        "x" * 63, metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer, unique=True), sa.Column("b", sa.Text),
        sa.UniqueConstraint("a", name="named"), sa.UniqueConstraint("a", name="again"), sa.UniqueConstraint("id"),
        sa.UniqueConstraint("b", postgresql_nulls_not_distinct=True, deferrable=True, initially="DEFERRED"),
        sa.UniqueConstraint("b", postgresql_include=["a"], deferrable=True, name="with more"),
    )  # fmt: skip
    sa.Table("_", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column(table.name, sa.Text, unique=True))
    plan = Plan("p", metadata)
    written = write(plan, "postgresql")
    found, left = compared(plan, written.lost, migrations(tmp_path, {"app": written.files["models.py"]})["app"]["sql"])
    assert [difference for difference in found if not is_told(difference, written.lost)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


def test_a_key_of_a_table_that_comes_later_is_made_with_it(tmp_path):
    metadata = sa.MetaData()
    sa.Table(
        "owners",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.UniqueConstraint("id", name="uq_owner", deferrable=True, postgresql_nulls_not_distinct=True),
    )
    sa.Table("keyless", metadata, sa.Column("owner", sa.BigInteger, sa.ForeignKey("owners.id", name="fk_owner")))
    plan = Plan("later", metadata)
    written = write(plan, "postgresql")
    _, left = compared(plan, written.lost, migrations(tmp_path, {"app": written.files["models.py"]})["app"]["sql"])
    assert left == ()


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
