"""What only the plan's own server has words for is written or named, by every tool."""

import sqlite3

import pytest
import sqlalchemy as sa
from node_tools import prisma
from sqlalchemy.dialects import mysql

from dbplan import export, read
from dbplan.exports.server_words import kept_by_server
from dbplan.plan import Plan
from dbplan.report.files import listings

SQLITE = """
CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER COLLATE NOCASE, free, t DATETIME DEFAULT (datetime('now')));
CREATE TABLE c (id INTEGER PRIMARY KEY, u INTEGER REFERENCES p(id) ON DELETE CASCADE);
CREATE TABLE s (k INT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE INDEX ix ON c (lower(u)); CREATE VIRTUAL TABLE ft USING fts5(x);
"""
LOST = [
    ("", "the virtual table is not there: CREATE VIRTUAL TABLE ft USING fts5(x)"),
    ("p", "only its own server's text says it: collation of column p.n: nocase"),
    ("s", "it is STRICT; there its columns take values of any type"),
    ("s", "it is WITHOUT ROWID; there its rows are numbered, too"),
]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "own.db"
    connection = sqlite3.connect(path)
    connection.executescript(SQLITE)
    connection.close()
    return read(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def mariadb():
    metadata = sa.MetaData(info={"dialect": "mariadb"})
    again = {"on_update": "current_timestamp()"}
    par = sa.Table(
        "par",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", mysql.VARCHAR(50, charset="utf8mb4", collation="utf8mb4_bin")),
        sa.Column("f", mysql.FLOAT(7, 3)),
        sa.Column("ts", mysql.TIMESTAMP(), server_default=sa.text("current_timestamp()"), info=again),
        sa.Column("h", sa.Integer, info={"mariadb": "int(11) INVISIBLE DEFAULT NULL COMMENT 'no'"}),
        sa.Column("shown", sa.Integer, info={"mariadb": "int(11) DEFAULT NULL COMMENT 'INVISIBLE'"}),
        info={"mariadb": "ENGINE=InnoDB WITH SYSTEM VERSIONING"},
    )
    sa.Index("ft", par.c.name, mariadb_prefix="FULLTEXT")
    sa.Index("pre", par.c.name, mariadb_length={"name": 10})
    return Plan("mine", metadata)


def text_of(plan, tool):
    return listings(export(plan, tool))[0].source


def said(plan, tool):
    return [(str(f.place), f.message) for f in export(plan, tool).evidence]


@pytest.mark.parametrize("tool", ["prisma", "drizzle", "typeorm", "django", "dbml"])
def test_what_sqlites_text_alone_says_is_named_by_every_tool(sqlite, tool):
    assert [found for found in said(sqlite, tool) if found in LOST] == LOST


def test_nothing_is_lost_where_the_text_is_kept(sqlite):
    assert kept_by_server(sqlite, "ddl", "sqlite") == kept_by_server(sqlite, "models", "sqlite") == ()
    assert [f.message for f in kept_by_server(sqlite, "ddl", "postgresql")] == [LOST[1][1]]


def test_keys_types_and_expressions_of_sqlite_are_written(sqlite, tmp_path):
    path = tmp_path / "schema.prisma"
    path.write_text(schema := text_of(sqlite, "prisma"))
    assert prisma("validate", path) == ""
    for words in ("  id   Int       @id", "free Bytes?", "onDelete: Cascade", "\"(datetime('now'))\"", "  k Int @id\n"):
        assert words in schema
    drizzle = text_of(sqlite, "drizzle")
    for words in ("sql`lower(u)`", "sql`(datetime('now'))`", '.onDelete("cascade")'):
        assert words in drizzle


def test_what_mariadb_alone_has_is_written_or_named(mariadb):
    versions = "it keeps its history (WITH SYSTEM VERSIONING); there it does not"
    again = "whenever the row changes, the server puts in current_timestamp() (ON UPDATE); there it does not"
    for tool in ("prisma", "drizzle", "typeorm", "django"):
        found = said(mariadb, tool)
        assert ("par", versions) in found
        assert ("par.h", "it is INVISIBLE; there SELECT * shows it") in found
        assert not any(place == "par.shown" for place, _ in found)
        assert (("par.ts", again) in found) == (tool in ("prisma", "django"))
        assert any(place == "par (pre)" for place, _ in found) == (tool != "prisma")
        plain = ("par (ft)", "it is a FULLTEXT index; there it is a plain one")
        assert (plain in found) == (tool in ("drizzle", "django"))
    assert ".onUpdateNow()" in text_of(mariadb, "drizzle")
    assert 'onUpdate: "CURRENT_TIMESTAMP"' in text_of(mariadb, "typeorm")
    assert "fulltext: true" in text_of(mariadb, "typeorm")


def test_types_of_mariadb_are_ones_that_prisma_takes(mariadb, tmp_path):
    path = tmp_path / "schema.prisma"
    path.write_text(schema := text_of(mariadb, "prisma"))
    assert prisma("validate", path) == ""
    for words in ("@db.VarChar(50)", "@db.Float\n", "@@fulltext([name]", "name(length: 10)"):
        assert words in schema
    assert ("par.name", "the collation utf8mb4_bin is the database's own there") in said(mariadb, "prisma")


def test_models_hand_on_by_name_what_a_type_hands_on(mariadb):
    assert 'VARCHAR(50, charset="utf8mb4", collation="utf8mb4_bin")' in text_of(mariadb, "models")
