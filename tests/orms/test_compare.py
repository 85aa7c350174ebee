"""The whole of it on a real server, with a contestant that fails in every way there is."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from orms.library import PLAN

from dbplan import compare_orms
from dbplan.errors import NotCovered, UnknownName, UsageError
from dbplan.evidence import OrmLoad, OrmStart, OrmStatements, OrmTiming, OrmViolation
from dbplan.orms import contestants, entrants, installing, run, trial
from dbplan.orms.contestants import SYNC, Contestant
from dbplan.orms.measuring import Effort
from dbplan.orms.scenarios import SCENARIOS
from dbplan.report.blocks import walk
from dbplan.sandbox import postgresql

HERE = Path(__file__).parent
LITTLE = Effort(
    rounds=5,
    seconds=0.3,
    warm=6,
    checks=2,
    parents=(1, 10, 100),
    load=0.1,
    load_runs=3,
    writes=60,
    starts=2,
    shared=True,
)


@pytest.fixture(scope="module")
def report():
    """A report on psycopg, its second process, one that is moody and one that is not installed."""
    moody = Contestant("moody", "Moody", SYNC, "psycopg", ("psycopg",))
    absent = Contestant("absent", "Absent", SYNC, "absent", ("no-such-package",), "models")
    words = installing.command
    with pytest.MonkeyPatch.context() as patch:
        known = {**contestants.CONTESTANTS, "moody": moody, "absent": absent}
        patch.setattr(contestants, "CONTESTANTS", known)
        patch.setattr(
            installing, "command", lambda c: [sys.executable, str(HERE / "moody.py")] if c.name == "moody" else words(c)
        )
        patch.setattr(run, "QUICK", LITTLE)
        patch.setattr(trial, "ANSWER", 10.0)
        return compare_orms(replace(PLAN, name="moods"), ["moody", "absent"], rows=400, quick=True)


def facts(report, kind):
    return [fact for fact in report.evidence if isinstance(fact, kind)]


def timings(report, orm):
    return {one.scenario: one for one in facts(report, OrmTiming) if one.orm == orm}


def test_the_raw_driver_and_its_second_process_are_measured(report):
    for name in ("psycopg", "psycopg again"):
        found = timings(report, name)
        assert set(found) == set(SCENARIOS) - {"deep_include", "json_filter"}
        assert {one.outcome for one in found.values()} == {"measured"}, [o for o in found.values() if o.reason]
        assert all(0 < one.low <= one.median <= one.high and one.n >= one.rounds >= 5 for one in found.values())
    twins = timings(report, "psycopg again").values()
    assert sum(one.ratio_low <= 1 <= one.ratio_high for one in twins) >= len(twins) - 2


@pytest.mark.parametrize(
    ("scenario", "outcome", "reason"),
    [
        ("point_read", "hung", "no answer to check within 10 s"),
        ("filtered_list", "printed rubbish", 'it printed "a warning of a library" where an answer is due'),
        ("keyset_page", "not covered", "it has no pages"),
        ("aggregate", "failed", "NotCovered: it cannot count"),
        ("nested_include", "wrong rows", '.children[0].title is "another" instead of '),
        ("insert_one", "crashed", "ended with code 3; its last words: it was the driver's fault"),
        ("update_one", "wrong rows", "Authors holds "),
        ("upsert", "failed", "ValueError: no time to lose"),
        ("list_to_one", "measured", ""),
        ("transaction", "measured", ""),
        ("delete_cascade", "measured", ""),
        ("bulk_insert", "measured", ""),
    ],
)
def test_what_fails_is_named_in_its_cell_and_has_no_time(report, scenario, outcome, reason):
    one = timings(report, "moody")[scenario]
    assert (one.outcome, reason in one.reason) == (outcome, True), one
    assert (one.median is None) == (outcome != "measured") == (one.ratio is None)
    told = next(block for block in walk(report.blocks) if getattr(block, "caption", "") == "Python: median and ratio")
    place = [field.title for field in told.fields].index("Moody")
    cell = next(row[place] for row in told.rows if row[0] == SCENARIOS[scenario])
    assert (cell == outcome) if outcome != "measured" else ("×" in str(cell))
    assert told.frame.set_index("scenario")["Moody"].notna()[SCENARIOS[scenario]] == (outcome == "measured")


def test_faults_are_findings_and_the_report_passes_all_the_same(report):
    assert report.ok
    rules = {finding.rule for finding in report.actions}
    rules.discard("orm-restless")  # of the machine, not of a contestant
    assert rules == {"orm-hung", "orm-printed-rubbish", "orm-wrong-rows", "orm-crashed", "orm-failed"}
    assert "7 cells have no time" in report.verdict


def test_what_is_not_installed_is_listed_with_its_command(report):
    rows = report.frames["Not covered"].set_index("what")
    assert rows.loc["Absent", "why"] == "not installed: missing: no-such-package"
    assert rows.loc["Absent", "mend"] == "pip install no-such-package"


def test_statements_are_counted_and_do_not_grow(report):
    counts = {(s.scenario, s.parents): s for s in facts(report, OrmStatements) if s.orm == "psycopg"}
    assert counts["point_read", None].statements == 1
    assert counts["point_read", None].control == 0
    assert (counts["transaction", None].statements, counts["transaction", None].control) == (3, 2)
    assert counts["transaction", None].transactions == 1
    gone = counts["delete_cascade", None]
    assert gone.control == (2 if gone.statements > 1 else 0), "one statement is whole by itself"
    sizes = [parents for name, parents in counts if name == "nested_include" and parents]
    assert sizes[:2] == [1, 10]
    assert {counts["nested_include", size].statements for size in sizes} == {2}


def test_starts_load_and_violations_are_told(report):
    (start,) = (one for one in facts(report, OrmStart) if one.orm == "psycopg")
    assert 0 < start.imported < start.whole
    assert 10 * 2**20 < start.memory < 200 * 2**20
    assert start.size > 2**20
    loads = {(one.orm, one.kind): one for one in facts(report, OrmLoad)}
    closed, opened, row = (loads["psycopg", kind] for kind in ("closed loop", "open loop", "one row"))
    assert closed.done > 20
    assert closed.throughput_low < closed.throughput < closed.throughput_high
    assert start.whole_low < start.whole < start.whole_high
    assert opened.late is not None
    assert opened.done + opened.skipped <= 40
    assert (row.lost, row.errors) == (0, ())
    assert row.done > 20
    (violation,) = (one for one in facts(report, OrmViolation) if one.orm == "psycopg")
    assert (violation.raised, violation.code, violation.constraint) == (True, "23505", "books_isbn_key")


def test_it_is_saved_as_every_other_report(report, tmp_path):
    page = report.save(tmp_path / "orms.html").read_text()
    assert "<svg" in page
    assert "printed rubbish" in page
    whole = json.loads(report.save(tmp_path / "orms.json").read_text())
    assert {fact["fact"] for fact in whole["evidence"]} >= {"OrmTiming", "OrmStatements", "OrmStart", "OrmLoad"}
    assert report.save(tmp_path / "orms.svg").stat().st_size > 1000


def test_nothing_stays_behind(report):
    assert not [name for name in postgresql.status().databases if "moods" in name]
    assert not runners()


def runners():
    """The processes of contestants that use this home, ours and those that nobody owns: other workers have theirs."""
    home = f"DBPLAN_HOME={os.environ['DBPLAN_HOME']}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        is_ours = parent in (os.getpid(), 1) and home in variables.split(b"\0")
        if is_ours and (b"dbplan.orms.runner" in words or b"moody.py" in words):
            found.append(folder.name)
    return found


INTERRUPTED = """
import signal, sys
from dataclasses import replace
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
sys.path.insert(0, {here!r})
from orms.library import PLAN
from dbplan import compare_orms
plan = replace(PLAN, name="interrupted")
compare_orms(plan, ["psycopg"], rows=400, quick=True, progress=lambda share, doing: print(doing, flush=True))
"""


def test_ctrl_c_leaves_no_process_and_no_database():
    words = [sys.executable, "-c", INTERRUPTED.format(here=str(HERE.parent))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert any(line.strip() == SCENARIOS["insert_one"] for line in child.stdout)
        child.send_signal(signal.SIGINT)
        child.stdout.read()
        assert child.wait(60) != 0
    assert not runners()
    assert not [name for name in postgresql.status().databases if "interrupted" in name]


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UnknownName, match="did you mean 'django'"):
        compare_orms(PLAN, ["djnago"])


def test_wrong_use_is_refused_before_anything_starts():
    with pytest.raises(UsageError, match="rows is 0"):
        compare_orms(PLAN, rows=0)
    with pytest.raises(NotCovered, match="PostgreSQL"):
        compare_orms(PLAN, on="mariadb")


def test_raw_drivers_take_part_unasked():
    assert [one.name for one in entrants.wanted(["drizzle"])] == ["psycopg", "pg", "postgres", "drizzle"]
    assert {one.name for one in entrants.wanted(None)} == {
        name for name, one in contestants.CONTESTANTS.items() if "postgresql" in one.dialects
    }


def test_rows_follow_the_plan_and_stay_few():
    assert run.volume(PLAN, quick=False) == 400
    assert run.volume(replace(PLAN, rows={"books": 10**7}), quick=False) == run.LARGEST
    assert run.volume(replace(PLAN, rows={}), quick=True) <= run.LARGEST
