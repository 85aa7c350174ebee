"""Plans as Peewee models: what create_tables makes of them is the plan, but for what is said, and SQL mends that."""

import os
from contextlib import contextmanager
from dataclasses import replace
from itertools import filterfalse
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.python_modules import complaints, loaded
from exports.random_plans import over_random_plans
from exports.strangers import stranger
from exports.test_models import without_long_names
from peewee import PostgresqlDatabase, SqliteDatabase
from playhouse.postgres_ext import Psycopg3Database
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql as pg

from dbplan.comparison import COLUMN_ORDER, differences
from dbplan.ddl import translated
from dbplan.domains import PLANS
from dbplan.exports.beyond import mended, needed_first, script
from dbplan.exports.peewee import write
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

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


@over_random_plans(4)
def test_random_plans_are_made_but_for_what_is_said(plan):
    written = write(plan, "postgresql")
    lost = mended(plan, written.lost, "postgresql")
    found, left = made_of(plan, written.files["models.py"], lost)
    assert [str(difference) for difference in found if not is_told(difference, lost)] == []
    assert {difference.what for difference in left} <= {COLUMN_ORDER}


def test_psycopg2_makes_the_same():
    plan = read("wallet")
    written = write(plan, "postgresql")
    lost = mended(plan, written.lost, "postgresql")
    found, _ = made_of(plan, written.files["models.py"], lost, PostgresqlDatabase)
    assert [difference for difference in found if not is_told(difference, lost)] == []


@pytest.mark.parametrize("name", PLANS)
def test_sqlite_takes_the_models_too(tmp_path, name):
    """What create_tables makes in SQLite is what the plan makes there, but for the names of primary keys."""
    plan = replace(read(name), metadata=translated(read(name).metadata, "sqlite").metadata)
    text, database = write(plan, "sqlite").files["models.py"], SqliteDatabase(tmp_path / "made.db")
    with loaded(text) as module, connected(module, database) as models:
        models.database.create_tables(models.MODELS)
        models.database.create_tables(models.MODELS)
    with sandbox(plan, "sqlite") as stage, stage.engine.connect() as connection:
        wanted = snapshot(connection)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    with engine.connect() as connection:
        found = differences(wanted, snapshot(connection))
    engine.dispose()
    told = write(plan, "sqlite").lost
    named = [difference for difference in found if not difference.place.constraint.startswith("primary key (")]
    assert [difference for difference in named if not is_told(difference, told)] == []
    assert {finding.place.table for finding in told if "no name" in finding.message} == {d.place.table for d in found}


def test_the_text_is_as_ruff_leaves_it(tmp_path, live):
    texts = {name: write(read(name), "postgresql").files["models.py"] for name in PLANS}
    texts["live"] = write(without_long_names(live), "postgresql").files["models.py"]
    assert complaints(tmp_path, texts) == ""


def test_what_peewee_cannot_say_is_said():
    metadata = sa.MetaData()
    sa.Table(
        "pairs", metadata, sa.Column("a", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("b", sa.Integer, primary_key=True, autoincrement=False), comment="Two",
    )  # fmt: skip
    sa.Table(
        "parts", metadata, sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("a", sa.Integer), sa.Column("b", sa.Integer),
        sa.Column("mood", pg.ENUM("happy", "it's ok", name="mood")),
        sa.ForeignKeyConstraint(["a", "b"], ["pairs.a", "pairs.b"], name="fk"),
    )  # fmt: skip
    for one, other in (("hen", "egg"), ("egg", "hen")):
        key = sa.Column(f"{other}_id", sa.ForeignKey(f"{other}.id", name=f"fk_{one}", use_alter=True))
        sa.Table(one, metadata, sa.Column("id", sa.Integer, primary_key=True), key)
    sa.Table("half%", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("v", metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": "SELECT 1 AS id"})
    written = write(Plan("p", metadata), "postgresql")
    text, lost = written.files["models.py"], {str(finding.place): finding.message for finding in written.lost}
    assert lost["pairs"] == "its comment stands in the file alone"
    assert lost["parts (fk)"].startswith("no field leads along it")
    assert lost["mood"] == "the type is to be there before create_tables"
    assert "create_foreign_key" in lost.get("hen (fk_hen)", "") + lost.get("egg (fk_egg)", "")
    assert lost["half%"].startswith("Peewee takes no percent sign")
    assert lost["v"].startswith("Peewee makes no views")
    for words in (
        'primary_key = CompositeKey("a", "b")', "depends_on = [Pair]", "class V(MadeElsewhere):", "DeferredForeignKey(",
        'MOOD = [("happy", "Happy"), ("it\'s ok", "It\'s ok")]',
        'mood = typed("mood", TextField(choices=MOOD, null=True))',
        'SQL("CONSTRAINT fk FOREIGN KEY(a, b) REFERENCES pairs (a, b)")',
    ):  # fmt: skip
        assert words in text
    assert "V" not in text.rpartition("MODELS")[2]


def test_names_that_mean_something_to_peewee_are_changed_and_kept_in_the_database():
    metadata = sa.MetaData()
    columns = [sa.Column(name, sa.Integer) for name in ("select", "save", "class", "filter", "database", "two words")]
    sa.Table("Model", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    sa.Table(
        "field", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("id_id", sa.ForeignKey("Model.id"))
    )
    with loaded(write(Plan("p", metadata), "postgresql").files["models.py"]) as module:
        models = {model._meta.table_name: model for model in module.MODELS}
        assert set(models) == {"Model", "field"}
        assert set(models["Model"]._meta.columns) == {"id", *(column.name for column in columns)}
        assert callable(models["Model"].select)
        made = models["field"](id=1)
        made.id_id = 7
        assert (made.id, made.id_id) == (1, 7)


def test_mysql_has_its_own_words():
    metadata = sa.MetaData(info={"dialect": "mysql"})
    key = mysql.INTEGER(unsigned=True)
    sa.Table("p", metadata, sa.Column("id", key, primary_key=True), sa.Column("kind", mysql.ENUM("a", "b")))
    sa.Table(
        "c", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("p_id", key, sa.ForeignKey("p.id")),
        sa.Column("at", mysql.DATETIME(fsp=3)), sa.Column("doc", sa.JSON), sa.Column("rate", mysql.DECIMAL(8, 2)),
    )  # fmt: skip
    text = " ".join(write(Plan("mine", metadata), "mysql").files["models.py"].split())
    for words in (
        'id = typed("INTEGER UNSIGNED AUTO_INCREMENT", AutoField())',
        "id = BigAutoField()", "doc = JSONField(null=True)",
        "rate = typed(\"DECIMAL(8, 2)\", DecimalField(null=True))",
        'at = typed("DATETIME(3)", DateTimeField(null=True))',
        "typed(\"ENUM('a','b')\", TextField(choices=KIND, null=True))",
    ):  # fmt: skip
        assert words in text
    assert 'p = typed( "INTEGER UNSIGNED", ForeignKeyField(' in text


def test_a_key_that_is_unique_again_has_the_name_that_the_server_gives_to_it():
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Uuid, primary_key=True), sa.UniqueConstraint("id", name="uq"))
    (found,) = write(Plan("p", metadata), "postgresql").lost
    assert found.mend == "ALTER TABLE t RENAME CONSTRAINT t_pkey TO uq;"


def test_tables_that_peewee_cannot_make_stand_before_their_keys():
    metadata = sa.MetaData()
    for name, other in (("50%", "a%b"), ("a%b", "50%"), ("plain", "50%")):
        key = sa.Column("other", sa.ForeignKey(f"{other}.id", name=f"fk_{name[0]}", use_alter=name != "plain"))
        sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), key)
    plan = Plan("p", metadata)
    written = write(plan, "postgresql")
    lost = mended(plan, written.lost, "postgresql")
    _, left = made_of(plan, written.files["models.py"], lost)
    assert left == ()


@pytest.mark.generated
def test_the_file_is_as_it_was_agreed():
    written = write(read("credits"), "postgresql").files["models.py"]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")
