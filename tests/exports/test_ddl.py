"""SQL as people read it: the files are as they were agreed, and say what is lost."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from scripts import database

from dbplan import export
from dbplan.domains.credits import PLAN
from dbplan.errors import UnknownName
from dbplan.exports.ddl import write
from dbplan.plan import Plan
from dbplan.sources import read

FOLDER = Path(__file__).parents[1] / "golden" / "ddl"
DIALECTS = ("postgresql", "mysql", "sqlite", "mssql", "cockroachdb")


def text(plan, dialect):
    (found,) = write(plan, dialect).files.values()
    return found


@pytest.mark.generated
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_people_read_is_as_it_was_agreed(dialect):
    written, path = text(PLAN, dialect), FOLDER / f"credits.{dialect}.sql"
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, "utf-8")
    assert written == path.read_text("utf-8"), (
        f"{path.name} changed; look at it, then write it with DBPLAN_GOLDEN=write"
    )


def test_no_golden_file_is_left_over():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"credits.{dialect}.sql" for dialect in DIALECTS)


def plan(*columns, name="p", comment=None, info=None):
    metadata = sa.MetaData(info=info or {})
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns, comment=comment)
    return Plan(name, metadata, summary="What it\nis for")


def test_the_file_is_named_after_the_plan():
    assert list(write(plan(name="my plan/1"), "sqlite").files) == ["my_plan_1.sql"]


def test_comments_that_would_end_a_line_do_not(tmp_path):
    odd = plan(sa.Column("a,b", sa.Text, comment="x\n; DROP TABLE t; --\u2028y"), comment="one\r\ntwo")
    with database(text(odd, "sqlite"), "sqlite") as stage:
        assert sa.inspect(stage.engine).get_table_names() == ["t"]
    with database(text(odd, "postgresql"), "postgresql") as stage:
        assert sa.inspect(stage.engine).get_table_comment("t") == {"text": "one\r\ntwo"}


def test_what_is_lost_stands_in_the_head_and_in_the_report():
    odd = plan(sa.Column("a", sa.dialects.postgresql.INET()), info={"dialect": "postgresql"})
    assert "--   t.a: inet is kept as text: that it is an address is not checked" in text(odd, "sqlite")
    report = export(odd, "ddl", dialect="sqlite")
    assert [str(finding.place) for finding in report.evidence if finding.rule == "export-ddl"] == ["", "t.a"]


def test_a_long_list_of_losses_is_cut_in_the_head():
    many = plan(*(sa.Column(f"c{i}", sa.dialects.postgresql.INET()) for i in range(60)), info={"dialect": "postgresql"})
    assert "… and 21 more" in text(many, "sqlite")
    assert len(write(many, "sqlite").lost) == 61


def test_sql_server_begins_a_batch_with_a_view():
    odd = plan()
    sa.Table("v", odd.metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": "SELECT id FROM t"})
    assert "GO\n\nCREATE VIEW v AS\nSELECT id FROM t;\nGO" in text(odd, "mssql")


def test_another_dialect_is_refused():
    with pytest.raises(UnknownName, match="oracle"):
        write(plan(), "oracle")


def test_what_a_prisma_schema_says_of_its_columns_stands_beside_them_and_not_in_the_database(tmp_path):
    path = tmp_path / "schema.prisma"
    path.write_text(
        'datasource db {\n  provider = "postgresql"\n}\n\n/// Who signs in\nmodel User {\n'
        "  id    Int    @id\n  /// by post\n  order String\n}\n"
    )
    (text,) = write(read(path), "postgresql").files.values()
    assert '-- Who signs in\nCREATE TABLE "User" (' in text
    assert '    -- by post\n    "order" TEXT NOT NULL,' in text
    assert "COMMENT" not in text
    assert "COMMENT" in next(iter(write(read("credits"), "postgresql").files.values()))


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_view_without_its_select_is_told_on_every_server(dialect):
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    sa.Table("seen", metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": ""})
    written = write(Plan("p", metadata), dialect)
    assert [(str(f.place), f.message) for f in written.lost] == [
        ("seen", "the view is left out (its SELECT is not known)")
    ]
    assert "its SELECT is not known" in written.files["p.sql"]
