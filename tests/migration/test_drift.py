"""Branches, drift, one-way revisions, environments of others: what a rehearsal says of the chain as a whole."""

from dataclasses import replace

import pytest
from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, String, Table, text

from dbplan import Plan, dry_run
from dbplan.errors import MigrationError
from dbplan.evidence import Difference, Finding, Severity, Step

ADD = 'op.add_column("people", sa.Column("extra", sa.Integer))'
DROP = 'op.drop_column("people", "extra")'


def found(report, rule):
    return [f for f in report.evidence if isinstance(f, Finding) and f.rule == rule]


def test_a_plan_without_migrations_says_how_to_begin():
    report = dry_run(Plan("bare", MetaData()))
    assert report.ok
    assert report.verdict == 'Plan "bare" has no migrations: nothing was rehearsed.'
    assert "alembic init migrations" in str(report)


def test_an_empty_folder_is_said(tmp_path):
    report = dry_run(Plan("bare", MetaData(), migrations=tmp_path), on="sqlite")
    assert report.ok
    assert "hold no revision" in report.verdict


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(MigrationError, match='plan "bare" has no folder of migrations at'):
        dry_run(Plan("bare", MetaData(), migrations=tmp_path / "none"))


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_what_agrees_is_not_drift(plan_of, on):
    report = dry_run(plan_of(), on=on)
    assert report.ok
    assert report.verdict == "1 of 1 revision rehearsed up, down and up; schema restored; models and migrations agree"
    assert report.actions == ()
    assert not [fact for fact in report.evidence if isinstance(fact, Difference | Finding)]
    assert ("SQLite cannot show what a revision locks" in str(report)) == (on == "sqlite")


DRIFTS = {
    "column": lambda t: t.append_column(Column("age", Integer)),
    "column type": lambda t: setattr(t.c.name, "type", String(50)),
    "column not null": lambda t: setattr(t.c.nick, "nullable", False),
    "index": lambda t: Index("ix_people_nick", t.c.nick.desc()),
    "constraint": lambda t: t.append_constraint(CheckConstraint("length(name) > 1", name="ck_people_name")),
    "column default": lambda t: setattr(t.c.nick, "server_default", Column(server_default=text("'x'")).server_default),
}


@pytest.mark.parametrize("what", DRIFTS)
def test_drift_is_an_error_in_its_place(plan_of, what):
    plan = plan_of()
    DRIFTS[what](plan.metadata.tables["people"])
    report = dry_run(plan, on="sqlite")
    assert [f.place.table for f in found(report, "model-drift")] == ["people"]
    assert found(report, "model-drift")[0].message.startswith(f"{what}: migrations ")
    assert report.verdict.endswith("; 1 difference between models and migrations")
    assert not report.ok


def test_another_order_of_columns_is_a_note(plan_of):
    metadata = MetaData()
    first = Column("id", Integer, primary_key=True)
    Table("people", metadata, first, Column("nick", String(40)), Column("name", String(40), nullable=False))
    up = 'op.drop_table("visits")'
    report = dry_run(plan_of({"up": up, "extra": 'one_way = "visits moved out"'}, metadata=metadata), on="sqlite")
    assert [f.severity for f in found(report, "column-order")] == [Severity.NOTE]
    assert report.ok


def test_a_one_way_revision_says_why_and_is_not_reported_further(plan_of):
    gone = {"up": 'op.drop_column("people", "nick")', "extra": 'one_way = "nicknames are not ours to keep"'}
    plan = plan_of(gone)
    plan.metadata.tables["people"]._columns.remove(plan.metadata.tables["people"].c.nick)
    report = dry_run(plan, on="sqlite")
    assert [f.message for f in found(report, "one-way")] == ["nicknames are not ours to keep"]
    assert report.ok
    assert report.actions == ()


def test_backfilled_nulls_are_a_note(plan_of):
    report = dry_run(
        plan_of({"up": "op.execute(\"UPDATE people SET nick = 'none' WHERE nick IS NULL\")", "downgrade": "kept = 1"}),
        on="sqlite",
    )
    assert [f.severity for f in found(report, "nulls-filled")] == [Severity.NOTE]
    assert report.ok


def test_branches_are_reported_and_each_revision_is_still_rehearsed(plan_of, write):
    plan = plan_of()
    write("0002a", ADD, DROP, down="0001")
    write("0002b", ADD.replace("extra", "more"), DROP.replace("extra", "more"), down="0001")
    report = dry_run(plan, on="sqlite")
    (heads,) = found(report, "multiple-heads")
    assert heads.message == "2 heads: 0002a, 0002b"
    assert heads.mend == 'alembic -x plan=made_up merge -m "join branches" 0002a 0002b'
    assert report.verdict.startswith("3 of 3 revisions rehearsed up, down and up; 2 heads; schema restored; ")
    assert not report.ok


def test_a_merge_has_nothing_to_undo(plan_of, write):
    plan = plan_of()
    write("0002a", ADD, DROP, down="0001")
    write("0002b", ADD.replace("extra", "more"), DROP.replace("extra", "more"), down="0001")
    write("0003", down=("0002a", "0002b"))
    report = dry_run(plan, on="sqlite")
    assert {f.rule for f in report.actions} == {"model-drift"}
    assert not [s for s in report.evidence if isinstance(s, Step) and s.error]


def test_what_lies_behind_a_broken_revision_is_named(plan_of):
    report = dry_run(plan_of({"up": 'op.drop_table("absent")'}, {"up": ADD, "downgrade": DROP}), on="sqlite")
    assert "Not rehearsed, behind a revision that fails: 0003." in str(report)
    assert report.verdict == "1 of 3 revisions rehearsed up, down and up; 0002 fails; models not compared"
    (failing,) = found(report, "migration-fails-on-data")
    assert "no such table: absent" in failing.message
    assert not report.ok


def test_tables_that_cannot_be_seeded_are_said_and_left_empty(plan_of):
    up = 'op.execute("CREATE TABLE odd (a integer NOT NULL CHECK (a > 5 AND a < 3))")'
    report = dry_run(
        plan_of({"up": up, "downgrade": 'op.drop_table("odd")'}, {"up": ADD, "downgrade": DROP}), on="sqlite"
    )
    assert "0003 was rehearsed on empty tables: " in str(report)
    assert report.verdict.startswith("3 of 3 revisions rehearsed")


def test_sqlite_batches_that_drop_what_they_do_not_know_are_reported(plan_of):
    make = (
        'op.execute("CREATE TABLE odd (a integer, b text COLLATE NOCASE, CHECK (a > 1))")\n'
        'op.execute("CREATE INDEX ix_odd ON odd (lower(b))")\n'
        'op.execute("CREATE TRIGGER tr AFTER INSERT ON odd BEGIN SELECT 1; END")'
    )
    batch = 'with op.batch_alter_table("odd") as batch:\n    batch.{}'
    change = {
        "up": batch.format('alter_column("a", type_=sa.BigInteger)'),
        "downgrade": batch.format('alter_column("a", type_=sa.Integer)'),
    }
    report = dry_run(plan_of({"up": make, "downgrade": 'op.drop_table("odd")'}, change), on="sqlite")
    told = " ".join(str(f.place) + f.message for f in found(report, "downgrade-schema-differs"))
    for lost in ("check (a > 1)", "nocase", "ix_odd", "tr"):
        assert lost in told


BROKEN = {
    "a syntax error": ("def upgrade(:", "0002.py:"),
    "an import that fails": ('revision = "0002"\ndown_revision = "0001"\nimport no_such_module', "0002.py:3: "),
    "a parent that is not there": ('revision = "0002"\ndown_revision = "0000"', "0000"),
    "an id taken twice": ('revision = "0001"\ndown_revision = None', "0001"),
    "a circle": ('revision = "0002"\ndown_revision = "0002"', "0002"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_revisions_that_do_not_load_are_one_line(plan_of, case):
    source, told = BROKEN[case]
    plan = plan_of()
    (plan.migrations / "0002.py").write_text(source)
    with pytest.raises(MigrationError) as caught:
        dry_run(plan, on="sqlite")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


OWN_ENV = """
import os
from logging.config import fileConfig
from alembic import context
from sqlalchemy import NullPool, create_engine

fileConfig(context.config.config_file_name)
print("loud")
with create_engine(os.environ["MADE_UP_URL"], poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, version_table="own_versions", render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_an_own_environment_is_run_but_never_reaches_its_database(plan_of, tmp_path, monkeypatch, capfd):
    real = tmp_path / "real.db"
    monkeypatch.setenv("MADE_UP_URL", f"sqlite:///{real}")
    plan, own = plan_of(), tmp_path / "own"
    own.mkdir()
    plan.migrations.rename(own / "versions")
    (own / "env.py").write_text(OWN_ENV)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = own\n[loggers]\nkeys = root\n")
    report = dry_run(replace(plan, migrations=own), on="sqlite")
    assert report.verdict.startswith("1 of 1 revision rehearsed up, down and up; schema restored; models and")
    assert not real.exists() or real.stat().st_size == 0
    assert "loud" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import os; os.environ['MADE_UP_URL']", "env.py wants 'MADE_UP_URL', perhaps an environment variable"),
        ("import no_such_app", "env.py does not find its application: No module named 'no_such_app'"),
        (
            "from sqlalchemy import create_engine; create_engine('sqlite:////no/such/folder/x.db').connect()",
            "env.py connects to a database of its own",
        ),
        ("1 / 0", "env.py fails before it runs a revision: ZeroDivisionError"),
    ],
)
def test_an_environment_that_stumbles_says_what_it_wants(plan_of, tmp_path, line, said):
    plan, own = plan_of(), tmp_path / "own"
    own.mkdir()
    plan.migrations.rename(own / "versions")
    (own / "env.py").write_text(line)
    with pytest.raises(MigrationError) as caught:
        dry_run(replace(plan, migrations=own), on="sqlite")
    assert str(caught.value).startswith(said)


def test_revisions_in_folders_below_are_not_passed_over_in_silence(plan_of):
    plan = plan_of()
    inner = plan.migrations / "sqlite"
    inner.mkdir()
    for file in plan.migrations.glob("*.py"):
        file.rename(inner / file.name)
    assert dry_run(plan).verdict.endswith("folders below it, which are not read: sqlite.")
