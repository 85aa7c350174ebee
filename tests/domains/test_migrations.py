"""The revisions of every plan, and the one environment that runs them: `migrations/env.py`."""

import subprocess
import sys
import tomllib
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, inspect
from sqlalchemy.exc import DBAPIError

from dbplan.comparison import differences
from dbplan.connection import new_engine
from dbplan.domains import PLANS, folder
from dbplan.domains.credits import PLAN
from dbplan.migration.history import load as load_history
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources.catalog import snapshot

ROOT = Path(__file__).parents[2]
DIALECTS = ("postgresql", "sqlite")


def load(name):
    return import_module(PLANS[name]).PLAN


@pytest.fixture(params=PLANS)
def plan(request):
    return load(request.param)


@pytest.fixture(scope="module")
def modelled():
    """Return the catalog that a plan's models make on a server; each is made once."""
    made = {}

    def catalog_of(plan, on):
        if (plan.name, on) not in made:
            with sandbox(plan, on=on) as stage:
                made[plan.name, on] = catalog(stage.engine, plan)
        return made[plan.name, on]

    return catalog_of


def catalog(engine, plan):
    """Return all that the server itself says about the schema, the version table aside."""
    with engine.connect() as connection:
        return snapshot(connection, ignore_tables={f"alembic_version_{plan.name}"})


def ids(plan):
    """Return the revisions, first to last."""
    scripts = ScriptDirectory(folder("migrations"), version_locations=[str(plan.migrations)])
    return [script.revision for script in scripts.walk_revisions()][::-1]


def test_the_revisions_lead_to_the_models_and_back_by_the_same_steps(bare, plan, modelled, move):
    up = {"base": catalog(bare, plan)}
    for revision in ids(plan):
        move(bare, revision, plan)
        up[revision] = catalog(bare, plan)
    assert differences(up[revision], modelled(plan, bare.dialect.name)) == ()
    assert check_names(bare, plan) == {
        (t.name, str(c.name)) for t in plan.tables for c in t.constraints if isinstance(c, CheckConstraint)
    }
    for revision in ("base", *ids(plan)[:-1])[::-1]:
        move(bare, f"down to {revision}", plan)
        assert differences(catalog(bare, plan), up[revision]) == ()
    assert inspect(bare).get_table_names() == [f"alembic_version_{plan.name}"]
    move(bare, "head", plan)
    assert differences(catalog(bare, plan), up[ids(plan)[-1]]) == ()


def check_names(engine, plan):
    catalog = inspect(engine)
    return {(t.name, check["name"]) for t in plan.tables for check in catalog.get_check_constraints(t.name)}


def test_alembic_itself_sees_no_difference(bare, plan, move, alembic_config):
    move(bare, "head", plan)
    with bare.connect() as connection:
        command.check(alembic_config(connection, plan))


def test_a_model_that_went_on_without_a_revision_is_seen(bare, modelled, move, alembic_config):
    metadata = MetaData(naming_convention=PLAN.metadata.naming_convention)
    for table in PLAN.tables:
        table.to_metadata(metadata)
    metadata.tables["users"].append_column(Column("shoe_size", Integer, comment="Size"))
    grown = Plan("credits", metadata, migrations=PLAN.migrations)
    move(bare, "head", grown)
    with bare.connect() as connection, pytest.raises(CommandError, match="shoe_size"):
        command.check(alembic_config(connection, grown))
    with sandbox(grown, on=bare.dialect.name) as stage:
        found = differences(catalog(stage.engine, grown), modelled(PLAN, bare.dialect.name))
    assert {str(difference.place) for difference in found} >= {"users.shoe_size"}


def offline(plan, url, revision, direction=command.upgrade):
    """Return the SQL script that the revisions make without a database."""
    script = StringIO()
    made = Config(output_buffer=script)
    made.set_main_option("script_location", str(folder("migrations")))
    made.attributes["plan"] = plan
    made.cmd_opts = type("Options", (), {"x": [f"url={url}"]})()
    direction(made, revision, sql=True)
    return script.getvalue()


def run_script(engine, script):
    """Run a script statement by statement, as psql and sqlite3 do."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            driver.executescript(script)
            return
        driver.autocommit = True
        for statement in script.split(";\n\n"):
            if statement.strip():
                driver.execute(statement)
        driver.autocommit = False


def test_the_sql_scripts_lead_to_the_models_and_back(bare, plan, modelled):
    url = bare.url.render_as_string(hide_password=False)
    run_script(bare, offline(plan, url, "head"))
    assert differences(catalog(bare, plan), modelled(plan, bare.dialect.name)) == ()
    run_script(bare, offline(plan, url, f"{ids(plan)[-1]}:base", command.downgrade))
    assert inspect(bare).get_table_names() == [f"alembic_version_{plan.name}"]


def test_a_rehearsal_shows_the_sql_as_a_person_would_run_it(plan):
    history = load_history(plan)
    for revision in history.revisions:
        assert "%%" not in history.sql(revision.id, "postgresql")


def test_alembics_own_command_line_knows_the_folder_of_every_plan():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["alembic"]
    assert sorted(settings["version_locations"]) == sorted(f"%(here)s/migrations/{name}" for name in PLANS)
    assert {path.name for path in (ROOT / "migrations").iterdir() if path.is_dir()} - {"__pycache__"} == set(PLANS)


def test_a_revision_does_not_import_what_may_change_after_it(plan):
    for path in plan.migrations.glob("*.py"):
        assert "dbplan" not in path.read_text("utf-8").replace("from __future__", ""), path.name


def test_nothing_waits_for_a_lock_for_long(move, alembic_config):
    with sandbox(PLAN, create=False) as stage:
        engine = new_engine(stage.url)
        move(engine, "0001", PLAN)
        with engine.begin() as reader, engine.connect() as connection:
            reader.exec_driver_sql("SELECT * FROM users")
            with pytest.raises(DBAPIError, match="lock timeout"):
                command.upgrade(alembic_config(connection, PLAN, lock_timeout="50ms"), "head")
        move(engine, "head", PLAN)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "0"
        assert "SET lock_timeout = '5s'" in offline(PLAN, str(engine.url), "head")
        engine.dispose()


def test_a_plan_of_the_users_own_has_its_own_folder_and_version_table(bare, tmp_path, move, alembic_config):
    metadata = MetaData()
    Table("things", metadata, Column("id", Integer, primary_key=True))
    plan = Plan("mine", metadata, migrations=tmp_path)
    with bare.connect() as connection:
        command.revision(alembic_config(connection, plan), "make things", autogenerate=True, rev_id="0001")
    (revision,) = tmp_path.glob("0001*.py")
    assert 'op.create_table("things"' in revision.read_text().replace("'", '"')
    move(bare, "head", plan)
    move(bare, "head", PLAN)
    names = set(inspect(bare).get_table_names())
    assert {"things", "users", "alembic_version_mine", "alembic_version_credits"} <= names


def test_a_connection_with_a_transaction_open_is_refused(bare, alembic_config):
    with bare.connect() as connection, connection.begin(), pytest.raises(CommandError, match="transaction open"):
        command.upgrade(alembic_config(connection, PLAN), "head")


def test_a_plan_without_a_folder_is_refused(bare, alembic_config):
    with bare.connect() as connection, pytest.raises(CommandError, match='plan "x" names no folder'):
        command.upgrade(alembic_config(connection, Plan("x", MetaData())), "head")


def alembic(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_command_line_at_the_root_of_the_repository(tmp_path):
    url = f"url=sqlite:///{tmp_path}/dev.db"
    done = alembic("-x", "plan=credits", "-x", url, "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert "0002 (head)" in alembic("-x", "plan=credits", "-x", url, "current").stdout


def test_the_command_line_says_which_plans_there_are():
    unknown = alembic("-x", "plan=credis", "upgrade", "head")
    assert unknown.returncode != 0
    assert 'no plan "credis"' in unknown.stdout + unknown.stderr
    assert "credits" in unknown.stdout + unknown.stderr
    assert "Traceback" not in unknown.stderr
    missing = alembic("upgrade", "head")
    assert "which plan? alembic -x plan=NAME" in missing.stdout + missing.stderr
