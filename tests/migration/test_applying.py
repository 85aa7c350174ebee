"""Running revisions on a real database: what waits, what ran, and what is left when one fails."""

import logging
from dataclasses import replace

import pytest
from sqlalchemy import MetaData, inspect

from dbplan import Plan, read, sandbox
from dbplan.connection import new_engine
from dbplan.errors import ConnectionFailed, MigrationError, ProductionRefused
from dbplan.migration import down, pending, status, up

ADD = 'op.add_column("people", sa.Column("extra", sa.Integer))'
DROP = 'op.drop_column("people", "extra")'
MORE = {"up": ADD, "downgrade": DROP, "title": "Add extra"}


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request):
    with sandbox(Plan("target", MetaData()), request.param, create=False) as stage:
        yield stage.url


def run(url, *statements):
    engine = new_engine(url)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        rows = results[-1].all() if results[-1].returns_rows else None
    engine.dispose()
    return rows


def test_up_and_down_and_what_status_says_in_between(plan_of, url):
    plan = plan_of(MORE)
    assert status(plan, url).verdict == "The database stands at base; 2 revisions wait"
    assert [revision.id for revision in pending(plan, url)] == ["0001", "0002"]
    assert up(plan, url, "0001").verdict == "1 revision applied; the database stands at 0001"
    assert status(plan, url).verdict == "The database stands at 0001; 1 revision waits"
    assert status(plan, url).frame["state"].tolist() == ["applied", "waits"]
    report = up(plan, url)
    assert report.verdict == "1 revision applied; the database stands at 0002"
    assert report.frame[["revision", "direction"]].values.tolist() == [["0002", "up"]]
    assert up(plan, url).verdict == "Nothing to do: the database stands at 0002"
    run(url, "INSERT INTO people (id, name, extra) VALUES (1, 'Ada', 7)")
    assert [revision.id for revision in pending(plan, url, "base", direction="down")] == ["0002", "0001"]
    report = down(plan, url)
    assert report.verdict == "1 revision rolled back; the database stands at 0001"
    assert "Gone with their data: people.extra." in str(report)
    report = down(plan, url, "base")
    assert "Gone with their data: people." in str(report)  # visits held nothing
    assert down(plan, url, "base").verdict == "Nothing to do: the database stands at base"


def test_status_changes_nothing(plan_of, url):
    plan = plan_of()
    status(plan, url)
    pending(plan, url)
    engine = new_engine(url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_failing_revision_says_what_is_left_of_it(plan_of, url):
    plan = plan_of(
        MORE, {"up": 'op.execute("CREATE TABLE half (a integer)")\nop.drop_table("absent")', "title": "Halve"}
    )
    with pytest.raises(MigrationError) as caught:
        up(plan, url)
    said = str(caught.value)
    assert said.startswith("upgrade of revision 0003 (Halve) failed: ")
    assert "absent" in said
    assert said.endswith("; the database stands at 0002, its schema is as before")
    assert "\n" not in said
    assert status(plan, url).verdict == "The database stands at 0002; 1 revision waits"


def test_what_is_left_half_done_is_named(plan_of):
    half = 'with op.get_context().autocommit_block():\n    op.execute("CREATE TABLE half (a integer)")\n'
    plan = plan_of({"up": half + 'op.drop_table("absent")'})
    with sandbox(Plan("target", MetaData()), create=False) as stage, pytest.raises(MigrationError) as caught:
        up(plan, stage.url)
    assert "the database stands at 0001, and part of the revision is in the schema" in str(caught.value)
    assert "table half" in str(caught.value)


@pytest.mark.parametrize("move", [up, down, pending])
def test_an_unknown_revision_lists_those_there_are(plan_of, move, url):
    with pytest.raises(MigrationError, match=r"9999.*revisions are: 0001, 0002$"):
        move(plan_of(MORE), url, "9999")


def test_head_is_refused_where_there_are_two(plan_of, write, url):
    plan = plan_of(MORE)
    write("0002b", down="0001")
    with pytest.raises(MigrationError, match="Multiple head revisions"):
        up(plan, url)
    assert up(plan, url, "heads").verdict == "3 revisions applied; the database stands at 0002 and 0002b"


def test_too_many_steps_down_are_one_line(plan_of, url):
    with pytest.raises(MigrationError, match="the database stands at base"):
        down(plan_of(), url)
    up(plan_of(), url)
    with pytest.raises(MigrationError, match='no way down to "-9" from 0001'):
        down(plan_of(), url, "-9")


def test_a_database_at_an_unknown_revision_is_said(plan_of, url):
    up(plan_of(MORE), url)
    (plan := plan_of()).migrations.joinpath("0002.py").unlink()
    report = status(plan, url)
    assert not report.ok
    assert report.verdict == "The database stands at 0002, which these revisions do not know"
    with pytest.raises(MigrationError, match="0002"):
        up(plan, url)


def test_an_unreachable_database_keeps_its_password(plan_of):
    for move in (status, up, down, pending):
        with pytest.raises(ConnectionFailed) as caught:
            move(plan_of(), "postgresql://ada:s3cret@127.0.0.1:1/nowhere")
        assert "s3cret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_production_is_refused_and_says_what_waits(plan_of, url, monkeypatch):
    plan = plan_of(MORE)
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/app")
    monkeypatch.setenv("DIRECT_URL", url)
    with pytest.raises(ProductionRefused, match=r"0001 \(Create people and visits\), 0002 \(Add extra\)"):
        up(plan, url)
    assert status(plan, url).verdict == "The database stands at base; 2 revisions wait"
    assert up(plan, url, allow_production=True).ok
    with pytest.raises(ProductionRefused, match="down would run 1: 0002"):
        down(plan, url)
    assert down(plan, url, allow_production=True).ok


def test_another_database_is_not_production(plan_of, url, monkeypatch):
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/app")
    assert up(plan_of(), url).ok


def test_each_plan_has_its_own_version_table(plan_of, url):
    plan = plan_of()
    up(plan, url)
    assert run(url, "SELECT version_num FROM alembic_version_made_up") == [("0001",)]
    other = replace(plan, name="other")
    assert status(other, url).verdict == "The database stands at base; 1 revision waits"


def test_credits_go_all_the_way_up_and_down(url):
    plan = read("credits")
    count = len(pending(plan, url))
    assert up(plan, url).verdict.startswith(f"{count} revisions applied")
    assert down(plan, url, "base").verdict.startswith(f"{count} revisions rolled back")


def test_alembic_says_nothing(plan_of, url, capfd, monkeypatch):
    logger = logging.getLogger("alembic")  # as an application that logs everything has left it
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler()])
    monkeypatch.setattr(logger, "level", logging.INFO)
    up(plan_of({"up": f'print("loud")\n{ADD}', "downgrade": DROP}), url)
    assert capfd.readouterr() == ("", "")


def test_tables_without_a_recorded_revision_are_said_with_the_way_out(plan_of, url):
    run(url, "CREATE TABLE people (id integer PRIMARY KEY)")
    plan = plan_of()
    told = status(plan, url).blocks[0].text
    assert told.startswith("The database has 1 table and no recorded revision")
    with pytest.raises(MigrationError, match="no recorded revision: .* stamp REVISION"):
        up(plan, url)
