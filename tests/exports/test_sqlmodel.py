"""Plans as SQLModel classes: what create_all makes of them is the plan."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlmodel
from exports.loop import catalog_of, empty_database, taken
from exports.python_modules import complaints, loaded, sqlmodel_anew
from exports.random_plans import over_random_plans
from exports.strangers import stranger
from exports.test_models import ddl, without_long_names

from dbplan.comparison import differences
from dbplan.domains import PLANS
from dbplan.exports import sqlmodel as exporter
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.sqlmodel.py"


def text_of(plan, dialect="postgresql"):
    return exporter.write(plan, dialect).files["models.py"]


@pytest.fixture
def fresh(monkeypatch):
    """Give a function that makes SQLModel anew, with tables of its own."""

    def make():
        base = sqlmodel_anew()
        monkeypatch.setattr(sqlmodel, "SQLModel", base)
        return base

    return make


@pytest.fixture(scope="module")
def live():
    with sandbox(stranger()) as stage:
        return read(stage.url)


def made_of(fresh, plan):
    """Return the catalog of what create_all makes, twice, in an empty database."""
    written = exporter.write(plan, "postgresql")
    assert written.lost == ()
    base = fresh()
    with loaded(written.files["models.py"]), empty_database() as stage:
        base._sa_registry.configure()
        base.metadata.create_all(stage.engine)
        base.metadata.create_all(stage.engine)
        return taken(stage)


@pytest.mark.parametrize("name", PLANS)
def test_what_create_all_makes_is_the_plan(fresh, name):
    plan = read(name)
    assert differences(catalog_of(plan), made_of(fresh, plan)) == ()


def test_a_live_stranger_is_made_whole(fresh, live):
    assert differences(catalog_of(live), made_of(fresh, live)) == ()


def test_sqlite_takes_the_models_too(fresh):
    plan = read("credits")
    base = fresh()
    with loaded(text_of(plan, "sqlite")):
        assert ddl(Plan("again", base.metadata), "sqlite") == ddl(plan, "sqlite")


@over_random_plans(10)
def test_random_plans_come_back(fresh, plan):
    base = fresh()
    with loaded(text_of(plan)):
        base._sa_registry.configure()
        assert ddl(Plan("again", base.metadata)) == ddl(plan)


def test_the_text_is_as_ruff_leaves_it(tmp_path, live):
    texts = {name: text_of(read(name)) for name in PLANS}
    assert complaints(tmp_path, {**texts, "live": text_of(without_long_names(live))}) == ""


def test_a_plain_column_is_a_plain_field(fresh):
    metadata = sa.MetaData()
    sa.Table("teams", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))
    sa.Table(
        "heroes", metadata,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("json", sa.Boolean, nullable=False),
        sa.Column("team_id", sa.ForeignKey("teams.id", ondelete="CASCADE"), nullable=False, index=True),
    )  # fmt: skip
    text = text_of(Plan("p", metadata))
    for line in (
        "id: int | None = Field(default=None, primary_key=True)",
        "name: str | None = Field(default=None, max_length=50)",
        'json_: bool = Field(sa_column=Column("json", Boolean, nullable=False))',
        'team_id: int = Field(index=True, foreign_key="teams.id", ondelete="CASCADE")',
        'team: Team = Relationship(back_populates="heroes")',
    ):
        assert line in text
    base = fresh()
    with loaded(text) as module:
        base._sa_registry.configure()
        assert module.Hero(json_=True, team=module.Team(name="a")).team.name == "a"


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = text_of(read("credits"))
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")
