"""Every fault that a rehearsal is for is reported, and faithful revisions are not."""

import pytest

from dbplan import dry_run
from dbplan.evidence import Finding, Severity, Step

ADD = 'op.add_column("people", sa.Column("extra", sa.Integer))'
DROP = 'op.drop_column("people", "extra")'


def rules(report, revision=None):
    """Return the rules that found something more than a note, at one revision or anywhere but in the models."""
    return {
        f.rule
        for f in report.evidence
        if isinstance(f, Finding) and f.severity is not Severity.NOTE and f.rule != "model-drift"
        if revision is None or f.place.revision == revision
    }


def found(report, rule):
    return [f for f in report.evidence if isinstance(f, Finding) and f.rule == rule]


FAITHFUL = {
    "add a column": (ADD, DROP),
    "rename a column": (
        'op.alter_column("people", "nick", new_column_name="alias")',
        'op.alter_column("people", "alias", new_column_name="nick")',
    ),
    "rename a table": ('op.rename_table("visits", "calls")', 'op.rename_table("calls", "visits")'),
    "new table and index": (
        'op.create_table("tags", sa.Column("id", sa.Integer, primary_key=True))\n'
        'op.create_index("ix_people_name", "people", ["name", sa.text("id DESC")])',
        'op.drop_index("ix_people_name", "people")\nop.drop_table("tags")',
    ),
    "values shifted and back": (
        'op.execute("UPDATE visits SET score = score + 100")',
        'op.execute("UPDATE visits SET score = score - 100")',
    ),
    "values moved to a table and back": (
        'op.execute("CREATE TABLE nicks AS SELECT id AS person_id, nick FROM people")\n'
        'op.drop_column("people", "nick")',
        'op.add_column("people", sa.Column("nick", sa.String(40)))\n'
        'op.execute("UPDATE people SET nick = (SELECT n.nick FROM nicks n WHERE n.person_id = people.id)")\n'
        'op.drop_table("nicks")',
    ),
    "backfill": (
        f'{ADD}\nop.execute("UPDATE people SET extra = length(name)")',
        DROP,
    ),
}

WARNINGS = dict.fromkeys(("downgrade-fails-on-new-rows", "downgrade-loses-new-data"), Severity.WARNING)
FAULTS = {
    "values that a unique index forbids": (
        "migration-fails-on-data",
        'op.execute("CREATE UNIQUE INDEX u ON visits (score)")\nop.execute("UPDATE visits SET score = 1")',
        'op.drop_index("u", "visits")',
    ),
    "column dropped": (
        "upgrade-loses-data",
        'op.drop_column("people", "nick")',
        'op.add_column("people", sa.Column("nick", sa.String(40)))',
    ),
    "rows deleted": ("upgrade-loses-data", 'op.execute("DELETE FROM visits WHERE id % 2 = 0")', "score = 1"),
    "values overwritten": ("upgrade-loses-data", "op.execute(\"UPDATE people SET name = 'x'\")", "score = 1"),
    "renamed, but not back": (
        "downgrade-loses-data",
        'op.alter_column("people", "nick", new_column_name="alias")',
        'op.drop_column("people", "alias")\nop.add_column("people", sa.Column("nick", sa.String(40)))',
    ),
    "downgrade truncates": (
        "downgrade-loses-data",
        ADD,
        f'{DROP}\nop.execute("UPDATE people SET name = substr(name, 1, 2)")',
    ),
    "downgrade deletes": ("downgrade-loses-data", ADD, f'{DROP}\nop.execute("DELETE FROM visits")'),
    "index left behind": (
        "downgrade-schema-differs",
        'op.create_index("ix_people_nick", "people", ["nick"], if_not_exists=True)',
        "score = 1",
    ),
    "table left behind": (
        "downgrade-schema-differs",
        f'{ADD}\nop.create_table("tags", sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)',
        DROP,
    ),
    "no downgrade": ("downgrade-missing", ADD, "pass"),
    "downgrade refused": ("downgrade-missing", ADD, 'raise NotImplementedError("never")'),
    "downgrade refused at run time": (
        "downgrade-missing",
        ADD,
        'if op.get_bind() is not None:\n    raise NotImplementedError("no")',
    ),
    "downgrade fails": ("migration-fails-on-data", ADD, 'op.drop_column("people", "no_such_column")'),
    "downgrade rounds": (
        "downgrade-loses-new-data",
        'op.execute("UPDATE visits SET score = score * 100")',
        'op.execute("UPDATE visits SET score = score / 100")',
    ),
    "downgrade fails on new rows": (
        "downgrade-fails-on-new-rows",
        'op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))',
        'op.execute("INSERT INTO notes SELECT 1")\nop.drop_table("notes")',
    ),
}


@pytest.mark.parametrize("case", FAITHFUL)
def test_a_faithful_revision_is_not_reported(plan_of, case):
    up, down = FAITHFUL[case]
    report = dry_run(plan_of({"up": up, "downgrade": down}), on="sqlite")
    assert rules(report) == set()
    assert report.verdict.startswith("2 of 2 revisions rehearsed up, down and up; schema restored; ")
    assert all(not step.error for step in report.evidence if isinstance(step, Step))
    assert max(step.rows_before for step in report.evidence if isinstance(step, Step)) > 50


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_reported(plan_of, case):
    rule, up, down = FAULTS[case]
    report = dry_run(plan_of({"up": up, "downgrade": down}), on="sqlite")
    assert rule in rules(report, "0002")
    assert rules(report, "0001") == set()
    assert {f.severity for f in found(report, rule)} == {WARNINGS.get(rule, Severity.ERROR)}
    assert report.ok == (all(f.severity is not Severity.ERROR for f in report.actions))
    assert rule in {action.rule for action in report.actions}


# On PostgreSQL one chain holds many cases: each revision leaves the models' tables as it found them, or adds to them.
CHAIN = (
    (
        None,
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("ix_people_nick", "people", ["nick"], postgresql_concurrently=True)',
        "with op.get_context().autocommit_block():\n"
        '    op.drop_index("ix_people_nick", "people", postgresql_concurrently=True)',
    ),
    (
        "downgrade-schema-differs",
        'mood = sa.Enum("glad", "sad", name="mood")\nmood.create(op.get_bind(), checkfirst=False)\n'
        'op.add_column("people", sa.Column("mood", mood))',
        'op.drop_column("people", "mood")',
    ),
    (
        "migration-fails-on-data",
        'op.add_column("people", sa.Column("tier", sa.Integer, nullable=False))',
        'op.drop_column("people", "tier")',
    ),
    (
        "migration-fails-on-data",
        'op.execute("CREATE TABLE nicks AS SELECT id, nick FROM people")\nop.drop_column("people", "nick")',
        'op.add_column("people", sa.Column("nick", sa.String(40), nullable=False))\nop.drop_table("nicks")',
    ),
    (
        "downgrade-fails-on-new-rows",
        'op.alter_column("people", "name", nullable=True)',
        'op.alter_column("people", "name", nullable=False)',
    ),
    (
        "downgrade-loses-data",
        'op.add_column("people", sa.Column("short", sa.Text))',
        'op.execute("ALTER TABLE people ALTER name TYPE varchar(400) USING left(name, 1)")\n'
        'op.drop_column("people", "short")',
    ),
    ("downgrade-missing", 'op.create_table("tags", sa.Column("id", sa.Integer, primary_key=True))', "pass"),
)


def test_faults_on_postgresql(plan_of):
    chain = [{"up": up, "downgrade": down} for _, up, down in CHAIN]
    seen = []
    report = dry_run(plan_of(*chain), rows=30, progress=lambda fraction, doing: seen.append((fraction, doing)))
    for number, (rule, *_) in enumerate(CHAIN, 2):
        told = rules(report, f"{number:04}")
        assert rule in told if rule else told <= {"downgrade-fails-on-new-rows"}, (number, rule, told)
    assert rules(report, "0001") == set()
    assert not report.ok
    assert report.server.product == "PostgreSQL"
    assert seen == sorted(seen)
    name = next(f for f in found(report, "model-drift") if f.place.column == "name")
    assert name.message == "column not null: migrations `no`, models `yes`"
    (again,) = [f for f in found(report, "migration-fails-on-data") if f.place.revision == "0003"]
    assert again.message.startswith('the second upgrade fails on 60 rows: type "mood" already exists')
    tier = next(s for s in report.evidence if isinstance(s, Step) and s.place.revision == "0004")
    assert "contains null values" in tier.error
    assert "Traceback" not in str(report)
