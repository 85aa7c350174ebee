import gc
import sys
from pathlib import Path

import pytest
import sqlmodel
from exports.python_modules import sqlmodel_anew
from sqlalchemy import Column, Integer, MetaData, Table

from dbplan.errors import SourceError, UnknownName, UsageError
from dbplan.exports import export
from dbplan.plan import Plan
from dbplan.sources import known, read

MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith(("dbplan", "sqlalchemy")):
            del sys.modules[name]


def test_a_bundled_plan_is_read_by_its_name():
    assert "credits" in known()
    assert isinstance(read("credits"), Plan)


@pytest.mark.parametrize(
    "target", ["shop_a.models:Base", "shop_a.models:Base.metadata", "shop_a.models", "shop_a/models.py"]
)
def test_models_are_read_by_module_attribute_or_file(folder: Path, target: str):
    (folder / "shop_a").mkdir()
    (folder / "shop_a" / "models.py").write_text(MODELS)
    assert [table.name for table in read(target).tables] == ["things"]


def test_objects_are_read_too():
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True))
    plan = read(metadata)
    assert [table.name for table in plan.tables] == ["t"]
    assert read(plan) is plan


def test_an_unknown_plan_says_which_there_are(folder: Path):
    with pytest.raises(UnknownName, match=r'no plan "credit"; known plans are: .*credits.*did you mean \'credits\''):
        read("credit")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name'"),
        ("x = 1\nraise ValueError('broken\\nhere')\n", "ValueError: broken at broken_{n}.py:2"),
        ("import os\nos.environ['SHOP_KEY']\n", "SHOP_KEY"),
        ("def f(:\n", "SyntaxError"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("", "name the object that holds the tables"),
        ("from sqlalchemy import MetaData\nmetadata = MetaData()\n", "holds no tables"),
        ("metadata = 3\n", "name the object"),
    ],
)
def test_a_module_that_fails_is_one_line(folder: Path, source: str, said: str):
    n = abs(hash(source))
    (folder / f"broken_{n}.py").write_text(source)
    with pytest.raises(SourceError) as caught:
        read(f"broken_{n}.py")
    assert said.format(n=n) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_module_file_or_attribute_is_named(folder: Path):
    (folder / "shop_b.py").write_text(MODELS)
    with pytest.raises(SourceError, match='no module "no_such.models"'):
        read("no_such.models:Base")
    with pytest.raises(SourceError, match='no file "no_such.py"'):
        read("no_such.py")
    with pytest.raises(UnknownName, match="holders of tables there are: Base, Thing"):
        read("shop_b:Bse")
    with pytest.raises(SourceError, match="is a str"):
        read("shop_b:Thing.__tablename__")


def test_plans_of_the_users_pyproject(folder: Path):
    (folder / "shop_c.py").write_text(MODELS)
    (folder / "pyproject.toml").write_text(
        '[tool.dbplan.plans]\nshort = "shop_c:Base"\n'
        '[tool.dbplan.plans.shop]\nsource = "shop_c:Base"\nrows = { things = 70 }\nrecipe = "seeds/shop.toml"\n'
    )
    plan = read("shop")
    assert (plan.name, plan.rows["things"], plan.recipe) == ("shop", 70, folder / "seeds/shop.toml")
    assert read("short").name == "short"
    assert {"shop", "short"} <= set(known())


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('source = "shop_d:Base"\nrow = 3', "did you mean 'rows'"),
        ("rows = { things = 3 }", 'needs a source = "module:attr"'),
        ('source = "shop_d:Base"\nrows = { thing = 3 }', 'no table "thing"'),
        ('source = "shop_d:Base"\nrows = 3', "a table of numbers is due"),
        ('source = "shop_d:Base"\npriorities = { speed = "much" }', "a table of numbers is due"),
        ('source = "shop_d:Base"\npriorities = { speed = -1 }', "a priority is a number, 0 or more"),
        ('source = "shop_d:Base"\nqueries = "shop_d:Base"', "is not a sequence of dbplan Query objects"),
    ],
)
def test_a_wrong_entry_is_said(folder: Path, entry: str, said: str):
    (folder / "shop_d.py").write_text(MODELS)
    (folder / "pyproject.toml").write_text(f"[tool.dbplan.plans.shop]\n{entry}\n")
    with pytest.raises((SourceError, UnknownName, UsageError), match=said.replace("[", r"\[")):
        read("shop")


def test_a_broken_pyproject_is_said(folder: Path):
    (folder / "pyproject.toml").write_text("[tool.dbplan\n")
    with pytest.raises(SourceError, match=r"pyproject.toml: .*line 1"):
        read("shop")


def test_models_spread_over_a_package_are_found_whatever_their_base_is_called(folder: Path):
    package = folder / "shop_e"
    (package / "parts").mkdir(parents=True)
    (package / "tests").mkdir()
    (package / "__init__.py").write_text("")
    (package / "parts" / "__init__.py").write_text("")
    (package / "tests" / "__init__.py").write_text("raise SystemExit")
    (package / "broken.py").write_text("import nothing_of_that_name\nclass C:\n    __tablename__ = 'c'\n")
    (package / "server.py").write_text("raise SystemExit('this module has no tables, and is not imported')")
    (package / "base.py").write_text("from sqlalchemy.orm import declarative_base\nRoot = declarative_base()\n")
    for name in ("a", "b"):
        (package / "parts" / f"{name}.py").write_text(
            "from sqlalchemy import Column, Integer\nfrom ..base import Root\n"
            f"class {name.upper()}(Root):\n    __tablename__ = '{name}'\n    id = Column(Integer, primary_key=True)\n"
        )
    plan = read("shop_e")
    assert [table.name for table in plan.tables] == ["a", "b"]
    assert plan.metadata.info["not_covered"] == (
        "module \"shop_e.broken\" does not import: ModuleNotFoundError: No module named 'nothing_of_that_name'"
        " at broken.py:1",
    )
    assert [table.name for table in read("shop_e/parts").tables] == ["a", "b"]
    assert "a" in read("shop_e/parts/a.py").metadata.tables
    with pytest.raises(SourceError, match='"shop_e.base:Root" holds no tables'):
        modules_apart = [name for name in sys.modules if name.startswith("shop_e")]
        for name in modules_apart:
            del sys.modules[name]
        read("shop_e.base")


def test_a_module_may_print_warn_and_be_called_as_one_of_pythons(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "std").mkdir()
    (folder / "std" / "queue.py").write_text(f"import warnings\nprint('noise')\nwarnings.warn('old')\n{MODELS}")
    assert [table.name for table in read("std/queue.py").tables] == ["things"]
    assert capsys.readouterr().out == ""
    import queue

    assert queue.Queue
    with pytest.raises(SourceError, match="a module of Python itself"):
        read("queue")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os\n\nos.environ['SHOP_KEY']\n", r"wants the environment variable SHOP_KEY at wants_\d+.py:3"),
        (
            "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    shop_secret: str\nS()\n",
            r"wants settings at wants_\d+.py:4: SHOP_SECRET; set it",
        ),
        (
            "from os import environ\nfrom pydantic_settings import BaseSettings\nclass S(BaseSettings):\n"
            "    model_config = {'env_prefix': 'app_'}\n    key: str\n    url: str\n    port: int = 1\nS()\n",
            r"wants settings at wants_\d+.py:8: APP_KEY, APP_URL; set them",
        ),
        (
            "from os import environ\nHOST = environ.get('HOST')\nURL = environ['APP_URL']\nKEY = environ['APP_KEY']\n",
            r"wants the environment variables APP_URL, APP_KEY at wants_\d+.py:3; set them",
        ),
        (
            "from sqlalchemy import Column, Integer, MetaData, Table\n"
            "a, b = MetaData(), MetaData()\n[Table('t', m, Column('id', Integer)) for m in (a, b)]\n",
            r"tables in 2 places; name one: wants_\d+:a, wants_\d+:b",
        ),
    ],
)
def test_what_a_module_wants_is_named(folder: Path, source: str, said: str):
    name = f"wants_{abs(hash(source))}"
    (folder / f"{name}.py").write_text(source)
    with pytest.raises(SourceError, match=said):
        read(name)


def test_tables_of_other_binds_are_said():
    class Db:
        metadata = MetaData()
        metadatas = {None: metadata, "logs": MetaData()}

    for tables in Db.metadatas.values():
        Table("t", tables, Column("id", Integer, primary_key=True))
    assert read(Db()).metadata.info["not_covered"] == ("table t of the bind logs",)


BASE = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n"
PERSON = """
from {base} import Base
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    known_as: Mapped[str] = mapped_column("name")
    boss_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    boss: Mapped["Person | None"] = relationship(remote_side=[id], back_populates="team")
    team: Mapped[list["Person"]] = relationship(back_populates="boss")
"""


@pytest.mark.parametrize("target", ["shop_k.db:Base", "shop_k.db:Base.metadata", "shop_k:Base"])
def test_a_base_without_tables_has_the_modules_around_it_imported(folder: Path, target: str):
    package = folder / "shop_k"
    (package / "people").mkdir(parents=True)
    (package / "__init__.py").write_text("from shop_k.db import Base\n")
    (package / "db.py").write_text(BASE)
    (package / "people" / "__init__.py").touch()
    (package / "people" / "models.py").write_text(PERSON.format(base="shop_k.db"))
    plan = read(target)
    assert [table.name for table in plan.tables] == ["people"]
    people = plan.table("people")
    assert (people.info["model"], people.c.name.info["field"]) == ("Person", "known_as")
    assert [key.info for key in people.foreign_key_constraints] == [{"field": "boss", "back": "team"}]


def test_what_sqlmodel_defines_is_read_from_its_module(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlmodel, "SQLModel", sqlmodel_anew())
    (folder / "shop_m.py").write_text(
        "from sqlmodel import Field, Relationship, SQLModel\n\n"
        "class Team(SQLModel, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n"
        "    heroes: list['Hero'] = Relationship(back_populates='team')\n\n"
        "class Hero(SQLModel, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n"
        "    team_id: int | None = Field(default=None, foreign_key='team.id')\n"
        "    team: Team | None = Relationship(back_populates='heroes')\n"
    )
    for target in ("shop_m", "shop_m:SQLModel", "shop_m:SQLModel.metadata"):
        plan = read(target)
        assert {table.info["model"] for table in plan.tables} == {"Team", "Hero"}
        assert [key.info for key in plan.table("hero").foreign_key_constraints] == [{"field": "team", "back": "heroes"}]


def test_a_class_that_failed_half_way_leaves_the_others_their_names(folder: Path):
    package = folder / "shop_h"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "db.py").write_text(BASE)
    (package / "people.py").write_text(PERSON.format(base="shop_h.db"))
    (package / "odd.py").write_text(
        "from sqlalchemy.orm import Mapped, mapped_column\nfrom shop_h.db import Base\n\nclass Odd: ...\n\n"
        "class Bad(Base):\n    __tablename__ = 'bad'\n    id: Mapped[Odd] = mapped_column(primary_key=True)\n\n"
    )
    gc.disable()  # until it is collected, the class stays in the registry of the others
    try:
        plan = read("shop_h")
    finally:
        gc.enable()
    assert [table.info["model"] for table in plan.tables] == ["Person"]
    assert "shop_h.odd" in plan.metadata.info["not_covered"][0]


def test_what_flask_sqlalchemy_defines_is_read_from_its_db(folder: Path):
    (folder / "shop_f.py").write_text(
        "from flask_sqlalchemy import SQLAlchemy\n\ndb = SQLAlchemy()\n\n"
        "class User(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
        "    posts = db.relationship('Post', backref='author')\n\n"
        "class Post(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
        "    author_id = db.Column(db.ForeignKey('user.id'))\n"
    )
    for target in ("shop_f", "shop_f:db", "shop_f:db.Model"):
        plan = read(target)
        assert [table.name for table in plan.tables] == ["post", "user"]
        assert [key.info for key in plan.table("post").foreign_key_constraints] == [
            {"back": "posts", "field": "author"}
        ]


def test_a_base_with_some_tables_has_the_others_of_its_package_too(folder: Path):
    package = folder / "shop_p"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "db.py").write_text(MODELS)
    (package / "people.py").write_text(PERSON.format(base="shop_p.db"))
    (package / "broken.py").write_text("from sqlalchemy import Column\nimport shop_nowhere\nColumn()\n")
    plan = read("shop_p.db:Base")
    assert [table.name for table in plan.tables] == ["people", "things"]
    assert plan.metadata.info["not_covered"] == (
        "module \"shop_p.broken\" does not import: ModuleNotFoundError: No module named 'shop_nowhere' at broken.py:2",
    )


def test_an_object_that_refuses_to_be_asked_holds_nothing(folder: Path):
    proxy = "class Proxy:\n    @property\n    def metadata(self):\n        raise RuntimeError('outside of a request')\n"
    (folder / "shop_q.py").write_text(f"{MODELS}\n{proxy}\ncurrent = Proxy()\ncurrent_too = current\n")
    assert [table.name for table in read("shop_q").tables] == ["things"]


def test_inheritance_of_classes_is_said_to_be_left_out(folder: Path):
    (folder / "shop_i.py").write_text(
        MODELS + "\nfrom sqlalchemy import ForeignKey\n\nclass Special(Thing):\n    __tablename__ = 'specials'\n"
        "    id: Mapped[int] = mapped_column(ForeignKey('things.id'), primary_key=True)\n"
    )
    plan = read("shop_i.py")
    assert plan.metadata.info["not_covered"] == ("that the class Special inherits from Thing",)
    told = [finding.message for finding in export(plan, "models").evidence]
    assert told == ["not in the plan, so not in the file: that the class Special inherits from Thing"]
