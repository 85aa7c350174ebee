"""A MariaDB database is read with everything that it holds, and its plan makes the same database again."""

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from mariadb_schemas import WILD, catalog, database
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.mariadb import INET4, INET6

import dbplan
from dbplan import read
from dbplan.comparison import differences
from dbplan.ddl import statements
from dbplan.domains import PLANS
from dbplan.errors import SourceError
from dbplan.evidence import Finding
from dbplan.sandbox import sandbox

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def url():
    with database(*WILD) as url:
        yield url


@pytest.fixture(scope="module")
def plan(url):
    return read(url)


def again(plan):
    """Return the catalog of a database that the plan has made."""
    with sandbox(plan, on="mariadb") as stage:
        assert stage.refused == ()
        return catalog(stage.url)


def test_what_was_read_makes_the_same_database_again(url, plan):
    assert plan.metadata.info["not_covered"] == ()
    assert differences(catalog(url), again(plan)) == ()


@pytest.mark.parametrize("name", PLANS)
def test_a_bundled_plan_is_the_same_after_a_journey(name):
    with sandbox(read(name), on="mariadb") as stage:
        assert differences(catalog(stage.url), again(read(stage.url))) == ()


def test_statements_are_for_the_server_that_was_read(plan):
    kinds = [statement.kind for statement in statements(plan, "mariadb")]
    assert kinds.count("table") == len([t for t in plan.tables if not t.info.get("is_view")])
    assert {"sequence", "routine", "view", "trigger", "event", "key"} < set(kinds)
    elsewhere = "\n".join(statement.sql for statement in statements(read("credits"), "mariadb"))
    assert "KEY `" not in elsewhere


def test_what_was_read_can_be_linted(plan):
    found = {fact.rule for fact in dbplan.lint(plan).evidence if isinstance(fact, Finding)}
    assert found
    assert "enum-unnamed" not in found


def test_it_is_mariadb_whatever_the_url_says(url, plan):
    assert plan.metadata.info["dialect"] == "mariadb"
    other = sa.make_url(url).set(drivername="mysql").render_as_string(hide_password=False)
    assert read(other).metadata.info["dialect"] == "mariadb"
    assert plan.metadata.info["collation"] == "utf8mb4_general_ci"


TYPES = {
    "id": mysql.INTEGER(display_width=10, unsigned=True),
    "tiny": mysql.TINYINT(display_width=1),
    "t3": mysql.TINYINT(display_width=3, unsigned=True, zerofill=True),
    "big": mysql.BIGINT(display_width=20, unsigned=True),
    "amount": mysql.DECIMAL(12, 4),
    "f2": mysql.FLOAT(7, 3),
    "d": mysql.DOUBLE(asdecimal=False, unsigned=True),
    "b8": mysql.BIT(8),
    "y": mysql.YEAR(display_width=4),
    "c": mysql.CHAR(10, charset="latin1", collation="latin1_bin"),
    "v": mysql.VARCHAR(255),
    "bin": mysql.BINARY(16),
    "e": mysql.ENUM("a", "b'c", "d,e", "ü"),
    "s": mysql.SET("x", "y"),
    "j": mysql.JSON(),
    "j2": mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"),
    "u": sa.Uuid(),
    "ip": INET6(),
    "ip4": INET4(),
    "ts3": mysql.TIMESTAMP(fsp=3),
    "dt": mysql.DATETIME(fsp=6),
    "ti": mysql.TIME(fsp=2),
}


@pytest.mark.parametrize("name", TYPES)
def test_types_are_those_of_the_server(plan, name):
    found = plan.table("select").columns[name].type
    assert repr(found) == repr(TYPES[name])


def test_a_type_without_a_class_keeps_its_words(plan):
    assert plan.table("select").c.pt.type.words == "point"


DEFAULTS = {
    "big": "18446744073709551615",
    "v": "'it''s \"q\" \\\\ back%s :colon'",
    "vb": "x'00ff'",
    "u": "uuid()",
    "ts": "current_timestamp()",
    "da": "(curdate() + interval 1 day)",
    "nul": None,
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_in_the_servers_words(plan, name):
    default = plan.table("select").columns[name].server_default
    assert (default and str(default.arg.text if hasattr(default.arg, "text") else default.arg)) == DEFAULTS[name]


def test_columns_keep_what_they_do(plan):
    columns = plan.table("select").c
    assert columns.id.autoincrement is True
    assert columns.ts.info["on_update"] == "current_timestamp()"
    assert (columns.g1.computed.persisted, columns.g2.computed.persisted) == (False, True)
    assert str(columns.g1.computed.sqltext) == "`sm` * 2"
    assert columns.g2.comment == "stored one"
    assert [columns.id.nullable, columns.sm.nullable] == [False, True]
    assert plan.table("countries").comment == "Länder"


def test_keys_and_checks_keep_what_they_hold(plan):
    table = plan.table("select")
    indexes = {index.name: index for index in table.indexes}
    assert indexes["pre"].dialect_options["mariadb"]["length"] == {"lt": 30}
    assert indexes["ft"].dialect_options["mariadb"]["prefix"] == "FULLTEXT"
    assert indexes["sp"].dialect_options["mariadb"]["prefix"] == "SPATIAL"
    assert indexes["ix_hash"].dialect_options["mariadb"]["using"] == "hash"
    assert [str(e) for e in indexes["ix_desc"].expressions] == ['"select".sm DESC', "select.med"]
    assert indexes["uq_v"].unique
    unique = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    assert [(c.name, c.columns.keys()) for c in unique] == [("u", ["u"])]
    checks = {c.info.get("column") or c.name: str(c.sqltext) for c in table.constraints
              if isinstance(c, sa.CheckConstraint)}  # fmt: skip
    assert checks == {  # that of a JSON is its type
        "j2": "json_length(`j2`) < 5",
        "Mixed Case": "`Mixed Case` > 0",
        "positive amount": "`amount` >= 0 and `e` <> 'it\\'s'",
        "CONSTRAINT_1": "`sm` > 1 or `v` like '%:x%'",
    }
    (key,) = table.foreign_key_constraints
    assert (key.name, key.ondelete, key.onupdate) == ("fk_code", "SET NULL", "CASCADE")


def test_views_stand_beside_the_tables_and_after_what_they_read(plan):
    views = [table for table in plan.metadata.tables.values() if table.info.get("is_view")]
    assert [view.name for view in views if view.name != "grouped"] == ["v_sel", "v_two", "a_first"]
    two = plan.table("v_two")
    assert two.info["view"].endswith("WITH CASCADED CHECK OPTION")
    assert two._prefixes == ["ALGORITHM=MERGE", "SQL SECURITY INVOKER"]
    assert two.columns.keys() == ["id", "Col`n", "lit"]


def test_what_hangs_on_tables_is_kept(plan):
    assert [sql.split()[2] for sql in plan.table("self").info["triggers"]] == ["`trg_bi`", "`trg_bi2`"]
    assert plan.table("parts").dialect_kwargs["mariadb_partition_by"].startswith("RANGE (year(`d`))")
    assert plan.table("bin_table").dialect_kwargs["mariadb_collate"] == "utf8mb4_bin"
    assert plan.table("lat").dialect_kwargs["mariadb_engine"] == "MyISAM"
    assert plan.table("periods").info["periods"] == ("PERIOD FOR `app` (`s`, `e`)",)
    assert [sql.split("`")[1] for sql in plan.metadata.info["routines"]] == ["f_add", "p_do"]
    assert len(plan.metadata.info["events"]) == 1


def test_keys_that_leave_the_database_are_said():
    statements = ("CREATE TABLE far (id INT PRIMARY KEY)",)
    with database(*statements) as far:
        other = sa.make_url(far).database
        with database(f"CREATE TABLE near (id INT, FOREIGN KEY (id) REFERENCES {other}.far (id))") as url:
            plan = read(url)
            assert plan.table("near").foreign_key_constraints == set()
            (said,) = plan.metadata.info["not_covered"]
            assert "near_ibfk_1" in said
            assert f"{other}.far, in another database" in said


def test_an_empty_database_is_said():
    with database() as url, pytest.raises(SourceError, match="holds no tables"):
        read(url)


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), max_codepoint=0xFFFF), min_size=1, max_size=20
)
words = st.text(  # the server keeps comments in three bytes a character
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0", max_codepoint=0xFFFF), max_size=40
)


def quote(name):
    return "`" + name.replace("`", "``") + "`"


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
@given(
    table=names.filter(lambda n: not n.endswith(" ")),
    columns=st.dictionaries(
        names.filter(lambda n: not n.endswith(" ")), st.tuples(words, words), min_size=1, max_size=20
    ),
)
def test_any_name_comment_and_default_comes_back(table, columns):
    columns = {
        name: told for name, told in columns.items() if [c.casefold() for c in columns].count(name.casefold()) == 1
    }
    if not columns:
        return
    lines = [f"{quote(n)} VARCHAR(60) DEFAULT {literal(d)} COMMENT {literal(c)}" for n, (d, c) in columns.items()]
    with database(f"CREATE TABLE {quote(table)} ({', '.join(lines)})") as url:
        plan = read(url)
        (found,) = plan.tables
        assert found.name == table
        assert {c.name: c.comment or "" for c in found.columns} == {n: c for n, (_, c) in columns.items()}
        assert differences(catalog(url), again(plan)) == ()
