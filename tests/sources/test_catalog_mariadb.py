"""The catalog of a MariaDB tells everything a schema has, and two that differ in one thing show it."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from mariadb_schemas import catalog, database

from dbplan.comparison import differences
from dbplan.ddl.mariadb_text import (
    clauses,
    decoded,
    foreign_key_parts,
    index_parts,
    quoted,
    shown,
    text_of,
    unqualified,
    without_definer,
)
from dbplan.sources.catalog import snapshot

needs_server = pytest.mark.ci

BASE = (
    "CREATE TABLE parents (id INT PRIMARY KEY, code CHAR(2) NOT NULL, UNIQUE KEY codes (code))",
    """CREATE TABLE t (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a VARCHAR(20) NOT NULL DEFAULT 'x' COMMENT 'first', b INT,
        c INT AS (b + 1) STORED, s TIMESTAMP NULL ON UPDATE current_timestamp(), d DATETIME DEFAULT now(),
        PRIMARY KEY (id), KEY ix_a (a(5), b), KEY ix_b (b), CONSTRAINT positive CHECK (b > 0),
        CONSTRAINT fk FOREIGN KEY (b) REFERENCES parents (id) ON DELETE CASCADE) COMMENT 'a table'""",
    "CREATE VIEW v AS SELECT id FROM t",
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET new.a = 'y'",
    "CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a",
    "CREATE SEQUENCE seq",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM t",
)

CHANGES = {
    "ALTER TABLE t MODIFY a VARCHAR(21) NOT NULL DEFAULT 'x' COMMENT 'first'": {"column type"},
    "ALTER TABLE t MODIFY a VARCHAR(20) DEFAULT 'x' COMMENT 'first'": {"column not null"},
    "ALTER TABLE t MODIFY a VARCHAR(20) NOT NULL DEFAULT 'z' COMMENT 'first'": {"column default"},
    "ALTER TABLE t MODIFY a VARCHAR(20) NOT NULL DEFAULT 'x' COMMENT 'other'": {"column comment"},
    "ALTER TABLE t MODIFY a VARCHAR(20) COLLATE utf8mb4_bin NOT NULL DEFAULT 'x' COMMENT 'first'": {"column collation"},
    "ALTER TABLE t MODIFY id BIGINT UNSIGNED NOT NULL": {"column auto increment"},
    "ALTER TABLE t MODIFY c INT AS (b + 2) STORED": {"column generated"},
    "ALTER TABLE t MODIFY s TIMESTAMP NULL": {"column on update"},
    "ALTER TABLE t MODIFY d DATETIME INVISIBLE DEFAULT now()": {"column invisible"},
    "ALTER TABLE t MODIFY d DATETIME DEFAULT now() CHECK (d > '2000-01-01')": {"column check"},
    "ALTER TABLE t MODIFY b INT AFTER id": {"column order"},
    "ALTER TABLE t DROP KEY ix_a, ADD KEY ix_a (a(6), b)": {"index definition"},
    "ALTER TABLE t DROP KEY ix_a, ADD KEY ix_a (a(5) DESC, b)": {"index definition"},
    "ALTER TABLE t ALTER INDEX ix_a IGNORED": {"index definition"},
    "ALTER TABLE t ADD FULLTEXT KEY ft (a)": {"index"},
    "ALTER TABLE t DROP CONSTRAINT positive": {"constraint"},
    "ALTER TABLE t DROP FOREIGN KEY fk": {"constraint"},
    "ALTER TABLE t COMMENT 'another'": {"table comment"},
    "ALTER TABLE t ROW_FORMAT = COMPRESSED": {"table row_format"},
    "ALTER TABLE parents DEFAULT CHARSET latin1": {"table collate", "column collation"},
    "ALTER TABLE parents DROP PRIMARY KEY, ADD PRIMARY KEY (code)": {"constraint definition"},
    "ALTER VIEW v AS SELECT id, a FROM t": {"view definition"},
    "ALTER SQL SECURITY INVOKER VIEW v AS SELECT id FROM t": {"view security"},
    "CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET new.a = 'z'": {"trigger definition"},
    "CREATE OR REPLACE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW SET new.a = 'y'": {"trigger fires"},
    "ALTER FUNCTION f COMMENT 'same'": {"function definition"},
    "ALTER SEQUENCE seq INCREMENT BY 5": {"sequence definition"},
    "ALTER EVENT e DISABLE": {"event definition"},
    "CREATE TABLE more (id INT)": {"table"},
    "DROP VIEW v": {"view"},
}
SAME = (
    "INSERT INTO parents VALUES (1, 'a')",
    "ALTER TABLE t AUTO_INCREMENT = 500",
    "ALTER TABLE t DROP FOREIGN KEY fk",
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE RESTRICT",
)


@pytest.fixture(scope="module")
def before():
    with database(*BASE) as url:
        yield catalog(url)


@needs_server
def test_every_change_is_seen_and_nothing_else(before):
    with database(*BASE) as url:
        engine = sa.create_engine(url)
        seen = {}
        for change in CHANGES:
            was = catalog(url)
            with engine.begin() as connection:
                connection.exec_driver_sql(change)
            seen[change] = {difference.what for difference in differences(was, catalog(url))}
        engine.dispose()
    missed = {change: seen[change] for change, wanted in CHANGES.items() if not wanted <= seen[change]}
    assert missed == {}


@needs_server
def test_what_is_no_schema_makes_no_difference(before):
    with database(*BASE, *SAME) as url:
        assert differences(before, catalog(url)) == ()


@needs_server
def test_a_session_is_left_as_it_was():
    with database(*BASE) as url:
        engine = sa.create_engine(url)
        asked = sa.text("SELECT @@sql_mode, @@sql_quote_show_create, @@character_set_results")
        with engine.connect() as connection:
            connection.exec_driver_sql(
                "SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES', sql_quote_show_create = 0"
            )
            mode = connection.execute(asked).one()
            ansi = snapshot(connection)
            assert connection.execute(asked).one() == mode
        engine.dispose()
        assert differences(ansi, catalog(url)) == ()


# The text, without a server.


def test_names_lose_their_own_database_and_strings_keep_it():
    sql = "select `d`.`t`.`a` AS `d`,'`d`.`t`' AS `x` from `d`.`t` join `e`.`d`"
    assert unqualified(sql, "d") == "select `t`.`a` AS `d`,'`d`.`t`' AS `x` from `t` join `e`.`d`"


def test_a_definer_goes_and_nothing_else():
    assert without_definer("CREATE DEFINER=`a``b`@`%` TRIGGER t") == "CREATE TRIGGER t"
    assert without_definer("CREATE TRIGGER t") == "CREATE TRIGGER t"


def test_bytes_that_are_no_text_become_hexadecimal():
    assert decoded(b"`a` binary(2) DEFAULT '\\0\xff' COMMENT '\xc3\xbc'") == "`a` binary(2) DEFAULT x'00ff' COMMENT 'ü'"


def test_mysqls_versioned_comments_are_opened():
    words = "int DEFAULT '0' /*!80023 INVISIBLE */ COMMENT 'a'"
    assert clauses(words) == {"type": "int", "default": "'0'", "invisible": "", "comment": "'a'"}
    table = shown("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`a`)\nPARTITIONS 4 */")
    assert table.partitions == "PARTITION BY HASH (`a`)\nPARTITIONS 4"
    assert table.options == {"ENGINE": "InnoDB"}


def test_keys_are_taken_apart():
    assert index_parts("UNIQUE KEY (`a`(3),(lower(`b`)) DESC) USING BTREE") == (
        "UNIQUE",
        ["`a`(3)", "(lower(`b`)) DESC"],
        "USING BTREE",
    )
    words = "FOREIGN KEY (`a`, `b,`) REFERENCES `d`.`t` (`x`, `y`) ON DELETE SET NULL"
    assert foreign_key_parts(words) == (["a", "b,"], ["d", "t"], ["x", "y"], "ON DELETE SET NULL")


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(st.dictionaries(names, st.tuples(texts, texts), min_size=1), names, texts)
def test_what_is_written_is_read_back(columns, key, comment):
    lines = [
        f"  {quoted(n)} varchar(9) NOT NULL DEFAULT {literal(d)} COMMENT {literal(c)}" for n, (d, c) in columns.items()
    ]
    first = quoted(next(iter(columns)))
    lines += [
        f"  UNIQUE KEY {quoted(key)} ({first}(3))",
        f"  CONSTRAINT {quoted(key)} CHECK ({first} <> {literal(comment)})",
    ]
    table = shown(
        "CREATE TABLE `t` (\n" + ",\n".join(lines) + f"\n) ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT={literal(comment)}"
    )
    told = {name: clauses(words) for name, words in table.columns.items()}
    assert {n: (text_of(t["default"]), text_of(t["comment"])) for n, t in told.items()} == columns
    assert table.keys == {key: f"UNIQUE KEY ({first}(3))"}
    assert table.constraints == {key: f"CHECK ({first} <> {literal(comment)})"}
    assert text_of(table.options["COMMENT"]) == comment
    assert "AUTO_INCREMENT" not in table.tail.replace(literal(comment), "")
