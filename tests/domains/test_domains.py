import importlib
import subprocess
import sys

import pytest

from dbplan import domains
from dbplan.plan import Plan


@pytest.mark.parametrize("name", domains.PLANS)
def test_every_name_leads_to_a_plan_of_that_name_with_its_files(name):
    plan = importlib.import_module(domains.PLANS[name]).PLAN
    assert isinstance(plan, Plan)
    assert plan.name == name
    assert plan.source == domains.PLANS[name]
    assert plan.summary
    assert plan.recipe.is_file()
    assert list(plan.migrations.glob("0001*.py"))


def test_an_installed_wheel_brings_its_own_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(domains, "_PACKAGE", tmp_path / "site-packages" / "dbplan")
    assert domains.folder("seeds") == tmp_path / "site-packages" / "seeds"
    bundled = tmp_path / "site-packages" / "dbplan" / "_bundled" / "seeds"
    bundled.mkdir(parents=True)
    assert domains.folder("seeds") == bundled


def test_the_list_of_plans_imports_none_of_them():
    code = "import sys, dbplan.domains; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
