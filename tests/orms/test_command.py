"""`dbplan compare-orms`: words in, the verb called with them, the report out."""

import json
import sys
from pathlib import Path

import pytest

from dbplan import cli, orms
from dbplan.orms import installing
from dbplan.report import Report


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*words):
        monkeypatch.setattr(sys, "argv", ["dbplan", "compare-orms", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return (int(left.value.code or 0), *capsys.readouterr())

    return command


def test_options_reach_the_verb_and_the_report_is_written(run, monkeypatch, tmp_path):
    asked = {}

    def compare(plan, names, **options):
        asked.update(options, plan=plan.name, names=names)
        return Report("ORMs", "all is well.", ok=True)

    monkeypatch.setattr(orms, "compare_orms", compare, raising=False)
    target = tmp_path / "orms.json"
    code, out, _ = run("credits", "--orms", "django, prisma", "--quick", "--rows", "500", "--install", "-o", target)
    assert (code, target.exists()) == (0, True)
    assert "ORMs: all is well." in out
    assert asked.pop("progress")
    assert asked == {"plan": "credits", "names": ["django", "prisma"], "quick": True, "rows": 500, "install": True,
                     "on": None, "random_state": 7}  # fmt: skip


def test_install_needs_no_plan(run, monkeypatch):
    monkeypatch.setattr(installing, "install", lambda _tell: {"prisma": "7.1.0", "typeorm": "0.3.30"})
    assert run("--install") == (0, "prisma 7.1.0\ntypeorm 0.3.30\n", "")
    code, _, err = run()
    assert (code, err.strip()) == (
        2,
        "dbplan: compare-orms wants a PLAN, as in: dbplan compare-orms store; or --install alone",
    )


def test_several_plans_are_one_report_with_a_section_each(run, monkeypatch, tmp_path):
    monkeypatch.setattr(orms, "compare_orms", lambda *_words, **_options: Report("ORMs", "all is well."), raising=False)
    target, selection = tmp_path / "orms.json", tmp_path / "selection.md"
    code, out, _ = run("store", "credits", "--selection", selection, "-o", target)
    assert (code, "ORMs: store: all is well. credits: all is well." in out) == (0, True)
    assert [part["title"] for part in json.loads(target.read_text())["sections"]] == ["store", "credits"]
    assert [line for line in selection.read_text().splitlines() if line.startswith("## ")] == ["## store", "## credits"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--orms", "djnago"], 'no ORM "djnago"; ORMs are: '),
        (["--orms", " , "], "--orms names none"),
        (["--rows", "0"], "rows is 0"),
        (["--on", "mariadb"], "ORMs are compared on PostgreSQL"),
        (["-o", "orms.xls"], "cannot write"),
        (["-o", "file/orms.html"], "file is a file; name a folder"),
        (["--selection", "selection.csv"], "a decision is written as md, html, txt or json"),
        (["--selection", "folder.md"], "it is a folder; name a file in it"),
    ],
)
def test_wrong_use_is_one_line(run, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder.md").mkdir()
    code, _, err = run("credits", *words)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert said in err
