"""Documents that are not there: NULL in the database, which SQLAlchemy would write as the document null."""

import pytest
from orms.adapters.contest import answers, runner
from sqlalchemy import JSON, Column, Integer, MetaData, Table

from dbplan import export, sandbox
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.scenarios import Scenario, TableFacts
from dbplan.plan import Plan

PLAN = Plan("notes", MetaData())
NOTES = Table("notes", PLAN.metadata, Column("id", Integer, primary_key=True), Column("doc", JSON))
NAMES = ("id", "doc")
KINDS = {"id": "int", "doc": "json"}
FACTS = {
    "notes": TableFacts(
        "notes", None, ("id",), {n: {"kind": k, "nullable": n == "doc", "made": False} for n, k in KINDS.items()}
    )
}
ASKED = {
    "insert_one": {"row": {"id": 1, "doc": None}},
    "bulk_insert": {"rows": [{"id": 1, "doc": None}, {"id": 2, "doc": {"k": None}}]},
    "upsert": {"row": {"id": 1, "doc": None}},
}


@pytest.fixture(scope="module")
def stage():
    with sandbox(PLAN) as opened:
        yield opened


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notes")
    for target in ("models", "sqlmodel"):
        (folder / target).mkdir()
        export(PLAN, target).save(folder / target / "models.py")
    return folder


@pytest.mark.parametrize("name", ["sqlalchemy-core", "sqlalchemy", "sqlalchemy-async", "sqlmodel", "sqlmodel-async"])
@pytest.mark.parametrize("scenario", ASKED)
def test_what_is_not_there_is_null(stage, models, name, scenario):
    update = "doc" if scenario == "upsert" else ""
    with stage.clone() as copy:
        with runner(name, copy, models / CONTESTANTS[name].export, FACTS) as one:
            answers(one, Scenario(scenario, "notes", NAMES, update=update), [ASKED[scenario]])
        with copy.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT doc IS NULL FROM notes WHERE id = 1").scalar() is True
        copy.engine.dispose()
