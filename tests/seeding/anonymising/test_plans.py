"""The five bundled plans, seeded on PostgreSQL and copied: nothing leaks, all holds, secrets open with the dev key."""

import pytest
from sqlalchemy import func, select

from dbplan import read
from dbplan.columns import Digest, Encrypted
from dbplan.encryption import rehearsal
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.anonymising import anonymise
from dbplan.seeding.anonymising.choosing import choices
from dbplan.seeding.constraints.violations import violations

PERSONAL = frozenset({"email", "user_name", "name", "url", "digest", "secret", "scramble", "file", "password"})


@pytest.mark.parametrize("name", ["clone_jobs", "credits", "store", "transcription", "wallet"])
def test_a_bundled_plan_is_copied_whole_without_anybody(name):
    plan = read(name)
    with sandbox(plan) as source, sandbox(plan) as target:
        seed(source, rows=50)
        report = anonymise(source, target)
        assert report.ok
        with source.engine.connect() as before, target.engine.connect() as after:
            for table in plan.tables:
                rows = before.execute(select(func.count()).select_from(table)).scalar_one()
                assert after.execute(select(func.count()).select_from(table)).scalar_one() == rows
                assert violations(after, table, rows) == 0
            for (table, column), what in choices(plan, {}).columns.items():
                if what.kind in PERSONAL:
                    _unlike(before, after, plan.metadata.tables[table].columns[column], what.kind)


def _unlike(before, after, column, kind):
    """Assert that no value of the source stands in the same column, but names, which many people share."""
    with rehearsal():
        old, new = (set(side.execute(select(column)).scalars()) - {None, ""} for side in (before, after))
    assert bool(old) == bool(new)
    if kind == "name":
        assert old != new or not old
    else:
        assert not {value for value in old & new if len(str(value)) > 7}
    if kind not in ("name", "password"):
        assert len(old) == len(new)
    if isinstance(column.type, Encrypted):
        assert all(value.startswith("secret_") for value in new)
    if isinstance(column.type, Digest):
        assert {len(value) for value in new} <= {64}
