"""What Django's migrations make otherwise, told as it is on each server; Django's own SQL is the judge for SQLite."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from dbplan import export
from dbplan.exports.django import write
from dbplan.plan import Plan

MAKE = """
import sys
from django.conf import settings
settings.configure(INSTALLED_APPS=["app"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                   "NAME": ":memory:"}}, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
import django
django.setup()
from django.apps import apps
from django.db import connection
with connection.schema_editor(collect_sql=True) as editor:
    for model in apps.get_app_config("app").get_models():
        editor.create_model(model)
print("\\n".join(editor.collected_sql))
"""


def plan(server):
    metadata = sa.MetaData(info={"dialect": server})
    kind = sa.Integer() if server == "sqlite" else mysql.INTEGER(unsigned=True)
    sa.Table("p", metadata, sa.Column("id", kind, primary_key=True))
    sa.Table("t", metadata, sa.Column("code", sa.String(9), primary_key=True))
    sa.Table(
        "c",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer),
        sa.Column("p", kind, sa.ForeignKey("p.id", name="fk", ondelete="CASCADE", onupdate="SET NULL")),
        sa.UniqueConstraint("n", name="Room_slotId_key"),
        sa.CheckConstraint("n > 0", name="Group"),
        sa.Index("Order", "n"),
    )
    return Plan("mine", metadata)


def files(report):
    return {block.file: block.source for block in report.blocks if getattr(block, "file", "")}


def said(server):
    return {(str(found.place), found.message) for found in export(plan(server), "django").evidence}


def test_sqlite_is_told_what_django_makes_there(tmp_path):
    told = said("sqlite")
    actions = "without ON DELETE CASCADE and ON UPDATE SET NULL"
    assert ("c (fk)", f"Django gives it no name and makes it DEFERRABLE INITIALLY DEFERRED, {actions}") in told
    assert ("p.id", "Django makes it AUTOINCREMENT: the number of a deleted row is never given again") in told
    assert not any("LIKE" in message or "IDENTITY" in message for _, message in told)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    written = files(export(plan("sqlite"), "django"))
    assert list(written) == ["models.py"]
    (tmp_path / "app" / "models.py").write_text(written["models.py"])
    made = subprocess.run([sys.executable, "-c", MAKE], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert '"p" integer NULL REFERENCES "p" ("id") DEFERRABLE INITIALLY DEFERRED' in made
    assert '"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT' in made
    assert "ON DELETE" not in made
    assert "_like" not in made


@pytest.mark.parametrize("server", ["mysql", "mariadb"])
def test_mysql_is_told_what_django_makes_there(server):
    told = said(server)
    key = next(message for place, message in told if place == "c (fk)")
    assert key.startswith("Django calls it c_p_")
    assert key.endswith("_fk_p_id, without ON DELETE CASCADE and ON UPDATE SET NULL")
    assert ("p.id", "its type INTEGER UNSIGNED is that of a BigAutoField here, bigint") in told
    assert not any(word in message for _, message in told for word in ("LIKE", "IDENTITY", "DEFERR"))
    written = files(export(plan(server), "django"))
    assert list(written) == ["models.py"]
    assert "`" not in written["models.py"]
    for name in ("Room_slotId_key", "Group", "Order"):
        assert f'name="{name}"' in written["models.py"]


def test_what_prismas_client_fills_in_is_told():
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    key = sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)
    made = sa.Column("c", sa.Text, info={"default": "cuid()"})
    sa.Table("t", metadata, key, made, sa.Column("at", sa.DateTime, info={"updated_at": True}))
    lost = [f for f in write(Plan("p", metadata), "postgresql").lost if f.place.column in ("c", "at")]
    assert [(f.place.column, "cuid()" in f.message) for f in lost if "application has to" in f.message] == [
        ("c", True),
        ("at", False),
    ]
