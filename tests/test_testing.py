"""The pytest plugin, in the pytest of somebody else: a database of one's own in every test, seeded once."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[1]
MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

metadata = MetaData()
users = Table("users", metadata, Column("id", Integer, primary_key=True), Column("email", String(80), unique=True))
Table("posts", metadata, Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("users.id")))
"""
TESTS = """
import pytest
from sqlalchemy import text


def count(stage, table="users"):
    with stage.engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


@pytest.mark.parametrize("turn", range(3))
def test_every_test_has_its_own(dbplan_database, turn):
    assert count(dbplan_database) == count(dbplan_database, "posts") == 10
    with dbplan_database.engine.begin() as connection:
        connection.execute(text("DELETE FROM posts"))
    assert count(dbplan_database, "posts") == 0


@pytest.mark.dbplan(rows=25)
class TestMarked:
    def test_the_class_says_how_many(self, dbplan_database):
        assert (count(dbplan_database), dbplan_database.dialect) == (25, "sqlite")

    @pytest.mark.dbplan(rows=3)
    def test_the_nearest_marker_counts(self, dbplan_database):
        assert count(dbplan_database) == 3


def test_one_template_serves_many(dbplan_templates, dbplan_database):
    assert all(wish.plan == "models.py" for wish in dbplan_templates.made)
    assert count(dbplan_database) == 10
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Give a function that runs the tests of a project as its people would, without the plugins that are here."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(models=MODELS)

    def run(*words, ini="dbplan_plan = models.py\ndbplan_on = sqlite", tests=TESTS):
        pytester.makeini(f"[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n{ini}\n")
        pytester.makepyfile(test_them=tests)
        return pytester.runpytest_subprocess("-p", "dbplan.testing", "-p", "xdist", "-p", "no:cacheprovider", *words)

    return run


def test_the_plugin_is_one_that_pytest_finds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"dbplan": "dbplan.testing"}


def test_every_test_gets_a_database_of_its_own_on_every_worker(run):
    run("-n", "2").assert_outcomes(passed=6)


def test_postgresql_and_a_bundled_plan_with_its_profile(run):
    tests = """
import pytest
from sqlalchemy import text

@pytest.mark.dbplan("credits", profile="test")
@pytest.mark.parametrize("turn", range(2))
def test_it(dbplan_database, turn):
    assert dbplan_database.dialect == "postgresql"
    with dbplan_database.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() > 0
        connection.execute(text("TRUNCATE users CASCADE"))
"""
    run(ini="", tests=tests).assert_outcomes(passed=2)


def test_what_is_missing_or_misspelt_is_said(run):
    tests = """
import pytest

def test_none(dbplan_database): pass

@pytest.mark.dbplan("models.py", row=3)
def test_word(dbplan_database): pass

@pytest.mark.dbplan("nothing", on="sqlite")
def test_name(dbplan_database): pass
"""
    done = run(ini="", tests=tests)
    done.assert_outcomes(errors=3)
    done.stdout.fnmatch_lines(
        [
            "*dbplan_database wants a plan: @pytest.mark.dbplan*",
            "*@pytest.mark.dbplan takes a plan and on, profile, rows, random_state; not row*",
            '*no plan "nothing"*',
        ]
    )


def test_nothing_is_imported_for_tests_that_do_not_ask():
    heavy = "{'sqlalchemy', 'numpy', 'pandas', 'faker', 'alembic', 'typer', 'pydantic'}"
    code = f"import sys, dbplan.testing; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_error_of_dbplan_is_one_line(run):
    result = run(
        tests="""
import pytest


@pytest.mark.dbplan(profile="nightly")
def test_asks(dbplan_database):
    pass
"""
    )
    said = result.stdout.str()
    assert 'dbplan: no profile "nightly"' in said
    assert "profiles.py" not in said
