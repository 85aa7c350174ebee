"""A run that is killed at any moment goes on where it stopped, and ends with the same rows as one that is not."""

import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest
from sqlalchemy import inspect, select

from dbplan.connection import new_engine
from dbplan.domains.credits import PLAN
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.sources.catalog import LEDGER, snapshot

SCRIPT = Path(__file__).with_name("killing.py")
ROWS = 2_000
KILLS = 10


def digest(engine):
    with engine.connect() as connection:
        rows = {t.key: connection.execute(select(t).order_by(*t.primary_key.columns)).all() for t in PLAN.tables}
    return blake2b(repr(rows).encode()).hexdigest()


def killed(url, how):
    """Seed with kills; return how many runs were killed, and the last one's verdict."""
    words = [sys.executable, str(SCRIPT), "credits", url, str(ROWS), how, str(KILLS), "4"]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    count, verdict = ran.stdout.splitlines()
    return int(count), verdict


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return what a run in one transaction writes."""
    engine = new_engine(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'dev.db'}")
    PLAN.metadata.create_all(engine)
    seed(engine, PLAN, rows=ROWS)
    found = digest(engine)
    engine.dispose()
    return found


@pytest.mark.parametrize("how", ["plain", "fast"])
def test_killed_ten_times_on_postgresql(how, whole):
    with sandbox(PLAN) as stage:
        with stage.engine.connect() as connection:
            before = snapshot(connection)
        count, verdict = killed(stage.url, how)
        assert count > KILLS // 3, verdict
        assert verdict.endswith(" 0 violations") or verdict.startswith("nothing to do"), verdict
        assert digest(stage.engine) == whole
        with stage.engine.connect() as connection:
            assert snapshot(connection) == before
            assert not inspect(connection).has_table(LEDGER)
        assert "the same" in seed(stage, rows=ROWS).verdict


def test_killed_ten_times_on_sqlite(whole, tmp_path):
    engine = new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    PLAN.metadata.create_all(engine)
    count, verdict = killed(engine.url.render_as_string(), "plain")
    assert count > KILLS // 3, verdict
    assert digest(engine) == whole
    assert not inspect(engine).has_table(LEDGER)
    engine.dispose()
