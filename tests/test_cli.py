import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dbplan import cli

ODD_MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text

metadata = MetaData()
Table("Select", metadata, Column("id", Integer, primary_key=True), Column("group", Text))
Table("from", metadata, Column("Parent Id", ForeignKey("Select.id")), Column("x", Integer))
"""


class Run:
    """One command in this process: its exit code and what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["dbplan", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = self._capsys.readouterr()
        return int(left.value.code or 0), out, err

    def fails(self, *words: str | Path) -> str:
        code, _, err = self(*words)
        assert code == 2
        assert len(err.strip().splitlines()) == 1, err
        assert err.startswith("dbplan: ")
        return err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(monkeypatch, capsys)


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "odd_models.py").write_text(ODD_MODELS)
    monkeypatch.chdir(tmp_path)
    return "odd_models.py"


def test_help_lists_the_commands(run: Run):
    code, out, _ = run()
    assert code == 0
    for command in (
        "plans",
        "review",
        "erd",
        "lint",
        "export",
        "diff",
        "seed",
        "anonymise",
        "benchmark",
        "migrate",
        "db",
        "notebook",
    ):
        assert f"\n  {command} " in out


def test_plans_are_listed(run: Run):
    assert "\ncredits " in f"\n{run('plans')[1]}"


@pytest.mark.parametrize("command", ["review", "lint", "dictionary", "erd", "benchmark", "seed"])
def test_an_unknown_plan_says_which_there_are(run: Run, command: str):
    said = run.fails(command, "credit")
    assert re.search(r'no plan "credit"; known plans are: .*\bcredits\b.*; did you mean .credits.', said)


def test_an_unknown_table_says_which_there_are(run: Run, tmp_path: Path):
    said = run.fails("erd", "credits", "--focus", "user", "-o", tmp_path)
    assert "tables are: audit_logs, idempotency_records, transactions, users" in said


@pytest.mark.parametrize("command", ["lint", "review", "dictionary"])
def test_an_unreachable_database_is_masked(run: Run, command: str):
    said = run.fails(command, "postgresql://bob:hunter2@127.0.0.1:1/shop")
    assert "cannot connect to" in said
    assert "hunter2" not in said


def test_an_unreachable_target_is_masked(run: Run):
    for words in (["seed", "credits"], ["migrate", "up", "credits"], ["migrate", "status", "credits"]):
        said = run.fails(*words, "--to", "postgresql://bob:hunter2@127.0.0.1:1/shop")
        assert "cannot connect" in said
        assert "hunter2" not in said


def test_an_unreachable_server_for_a_sandbox_is_masked(run: Run):
    said = run.fails("benchmark", "credits", "--on", "postgresql://bob:hunter2@127.0.0.1:1/shop")
    assert "hunter2" not in said


def test_models_that_do_not_import_are_one_line(run: Run, tmp_path: Path):
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such luck')\n")
    assert "RuntimeError: no such luck at broken.py:1" in run.fails("lint", tmp_path / "broken.py")


@pytest.mark.parametrize("rows", ["0", "-5"])
def test_rows_below_one_are_refused(run: Run, tmp_path: Path, rows: str):
    url = f"sqlite:///{tmp_path}/dev.db"
    assert run("migrate", "up", "credits", "--to", url)[0] == 0
    assert f"{rows}" in run.fails("seed", "credits", "--to", url, "--rows", rows)
    assert "rows" in run.fails("benchmark", "credits", "--on", "sqlite", "--rows", rows)


def test_rows_that_are_no_number_are_refused(run: Run):
    assert "--rows" in run.fails("benchmark", "credits", "--rows", "many")


def test_a_recipe_with_an_unknown_key_says_the_line_and_the_nearest(run: Run, odd: str, tmp_path: Path):
    (tmp_path / "recipe.toml").write_text("[tables.from]\nrows = 3\n\n[tables.from.columns.x]\nmim = 1\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dbplan.plans.odd]\nsource = "odd_models.py"\nrecipe = "recipe.toml"\n'
    )
    said = run.fails("benchmark", "odd", "--on", "sqlite")
    assert "recipe.toml" in said
    assert "line 5" in said or ":5" in said
    assert "did you mean 'min'" in said


def test_a_folder_that_cannot_be_written_is_one_line(run: Run, odd: str, tmp_path: Path):
    (tmp_path / "file").write_text("")
    for words in (
        ["lint", odd, "-o", "file/x.html"],
        ["erd", odd, "-o", "file/erd"],
        ["lint", odd, "--fix", "file/x.sql"],
    ):
        assert "file" in run.fails(*words)
    assert (tmp_path / "file").read_text() == ""


def test_a_suffix_that_no_one_knows_lists_the_right_ones(run: Run, odd: str, tmp_path: Path):
    assert "html" in run.fails("lint", odd, "-o", "x.docx")
    assert not (tmp_path / "x.docx").exists()


def test_seed_writes_only_where_it_is_told(run: Run):
    assert "--to URL" in run.fails("seed", "credits")


def test_seed_writes_files_to_the_folder_that_is_named(run: Run, tmp_path: Path):
    words = ["seed", "credits", "--rows", "20", "--format", "csv"]
    assert "-o DIR" in run.fails(*words)
    assert "one of them at a time" in run.fails(*words, "-o", str(tmp_path), "--to", "sqlite:///dev.db")
    code, out, _ = run(*words, "-o", str(tmp_path / "files"))
    assert (code, "users.csv" in out) == (0, True)
    assert (tmp_path / "files" / "users.csv").read_text().startswith("id,created_at,")
    said = run.fails("seed", "credits", "--rows", "21", "--format", "csv", "-o", str(tmp_path / "files"))
    assert "or replace them with --truncate" in said


@pytest.mark.parametrize(
    "words",
    ["seed credits --to", "anonymise credits --to sqlite:///x --from", "anonymise credits --from sqlite:///x --to",
     "migrate up credits --to", "migrate down credits --to", "migrate status credits --to", "profile credits --to",
     "review credits --on", "diff credits credits --on"],
)  # fmt: skip
def test_an_empty_url_is_refused_and_no_other_database_taken(run: Run, tmp_path: Path, monkeypatch, words: str):
    monkeypatch.chdir(tmp_path)
    option = words.split()[-1]
    assert f"{option} is empty; is its variable set?" in run.fails(*words.split(), "")
    assert list(tmp_path.iterdir()) == []


def test_tables_are_created_where_there_are_none_and_the_recipe_beside_is_taken(run: Run, odd: str, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert f"--to {url} --create" in run.fails("seed", odd, "--to", url)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "odd_models.toml").write_text("rows = 12\n")
    code, out, _ = run("seed", odd, "--to", url, "--create")
    assert code == 0
    assert "tables were created." in out
    assert "seeds/odd_models.toml" in run("seed", odd, "--explain")[1]
    assert "goes without" in run.fails("seed", odd, "--to", url, "--create", "--dry-run")
    _, out, _ = run("seed", odd, "--to", url, "--rows", "40", "--dry-run")
    assert "refused: " in " ".join(out.splitlines()[:3])


def test_findings_that_fail_give_exit_code_1(run: Run, tmp_path: Path):
    (tmp_path / "bad.py").write_text(
        "from sqlalchemy import *\nmetadata = MetaData()\n"
        "Table('a', metadata, Column('id', Integer, primary_key=True), Column('u', Integer))\n"
        "Table('b', metadata, Column('id', Integer, primary_key=True), Column('a_u', ForeignKey('a.u')))\n"
    )
    code, out, _ = run("lint", tmp_path / "bad.py")
    assert code == 1
    assert "fk-target-not-unique" in out


def test_what_is_found_now_can_be_accepted(run: Run, odd: str, tmp_path: Path):
    baseline = tmp_path / "known.toml"
    assert run("lint", odd, "--write-baseline", baseline)[0] == 0
    code, out, _ = run("lint", odd, "--baseline", baseline)
    assert code == 0
    assert "nothing found" in out
    assert "known.tml" in run.fails("lint", odd, "--baseline", "known.tml")


def test_what_only_reads_creates_no_database(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    url = f"sqlite:///{tmp_path}/none.db"
    assert "no file" in run.fails("lint", url)
    assert "no file" in run.fails("seed", "credits", "--to", url)
    assert run("migrate", "status", "credits", "--to", url)[0] == 0
    assert "stands at base" in run.fails("migrate", "down", "credits", "--to", url)
    assert "name the database" in run.fails("migrate", "up", "credits")
    assert list(tmp_path.iterdir()) == []


def test_a_project_draws_its_own_plans(run: Run, odd: str, tmp_path: Path):
    (tmp_path / "pyproject.toml").write_text('[tool.dbplan.plans]\nodd = "odd_models.py"\n')
    code, out, _ = run("erd", "--check")
    assert code == 1
    assert {line.split(": ")[0] for line in out.splitlines()[:-1]} == {"missing"}
    assert "credits" not in out


def test_evidence_is_written_as_json(run: Run, odd: str, tmp_path: Path):
    code, out, _ = run("lint", odd, "-o", tmp_path / "x" / "lint.json")
    stored = json.loads((tmp_path / "x" / "lint.json").read_text())
    assert stored["ok"] is (code == 0)
    assert {fact["fact"] for fact in stored["evidence"]} == {"Finding"}
    assert "lint.json" in out


def test_a_development_database_from_nothing_and_back(run: Run, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/dev.db"
    assert run("migrate", "up", "credits", "--to", url)[0] == 0
    code, out, _ = run("seed", "credits", "--to", url, "--rows", "200")
    assert code == 0
    assert "violations" in out
    assert "0002" in run("migrate", "status", "credits", "--to", url)[1]
    assert run("migrate", "down", "credits", "base", "--to", url)[0] == 0


def test_images_are_written_and_checked(run: Run, odd: str, tmp_path: Path):
    code, out, _ = run("erd", odd, "-o", tmp_path / "erd")
    written = [Path(line) for line in out.splitlines()]
    assert {path.suffix for path in written} >= {".svg", ".png", ".mmd"}
    assert run("erd", odd, "-o", tmp_path / "erd", "--check")[0] == 0
    (tmp_path / odd).write_text(ODD_MODELS.replace('Column("x"', 'Column("yard"'))
    code, out, _ = run("erd", odd, "-o", tmp_path / "erd", "--check")
    assert code == 1
    assert "stale: " in out


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_strangers_schema_is_reviewed_on_one_page(run: Run, odd: str, on: str, tmp_path: Path):
    page = tmp_path / "page.html"
    code, out, err = run("review", odd, "--on", on, "-o", page, "--rows", "50")
    assert code in (0, 1), err
    assert out.strip().endswith(str(page))
    html = page.read_text()
    for word in ("Select", "Parent Id", "Seed", "Migrations", "fk-no-index"):
        assert word in html


def test_ctrl_c_leaves_one_line_and_nothing_behind(tmp_path: Path):
    words = ["from dbplan.cli import main; main()", "review", "credits", "--on", "sqlite", "--rows", "300000"]
    process = subprocess.Popen(
        [sys.executable, "-c", *words],
        cwd=tmp_path,
        env=os.environ | {"DBPLAN_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a shell's background ignores it
    )
    deadline = time.monotonic() + 60
    while not _is_filling(tmp_path) and time.monotonic() < deadline:  # an import may swallow the signal, rows do not
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (1, "dbplan: interrupted; nothing was left behind")
    assert _databases(tmp_path) == []
    assert not (tmp_path / "build").exists()


def _is_filling(folder: Path) -> bool:
    return sum(path.stat().st_size for path in _databases(folder)) > 1_000_000


def _databases(folder: Path) -> list[Path]:
    return [path for path in folder.glob("home/sqlite/*/*") if path.name != "lock"]


def test_an_unforeseen_error_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch):
    def broken() -> None:
        raise ZeroDivisionError("by postgresql://u:hunter2@h/db\nmore")

    monkeypatch.setattr("dbplan.sources.known", broken)
    said = run.fails("plans")
    assert "ZeroDivisionError: by postgresql://u:***@h/db" in said


PRISMA = """
datasource db {
  provider = "postgresql"
}

model Select {
  id    Int     @id
  group String?
}
"""


def test_a_plan_is_printed_for_another_tool_and_what_it_cannot_say_beside_it(run: Run, tmp_path: Path):
    code, out, err = run("export", "credits", "--as", "prisma")
    assert code == 0
    assert out.startswith("generator client {")
    assert "note: users (ck_users_credits_not_negative): Prisma has no CHECK constraints" in err
    assert "not printed: schema.beyond.sql; -o FOLDER writes all" in err
    code, out, _ = run("export", "credits", "--as", "prisma", "-o", tmp_path / "made")
    assert out.split() == [str(tmp_path / "made" / name) for name in ("schema.prisma", "schema.beyond.sql")]
    code, out, _ = run("export", "credits", "--as", "ddl", "--dialect", "sqlite", "-o", tmp_path / "credits.sql")
    assert (tmp_path / "credits.sql").read_text().startswith("-- credits on SQLite")


def test_an_export_that_no_one_knows_lists_the_right_ones(run: Run):
    assert 'no target "prism"; targets are: dbml, ddl, django' in run.fails("export", "credits", "--as", "prism")
    assert 'no dialect "oracle"' in run.fails("export", "credits", "--as", "ddl", "--dialect", "oracle")
    assert "Drizzle does not speak of mssql" in run.fails("export", "credits", "--as", "drizzle", "--dialect", "mssql")


def test_two_sources_are_compared_and_fail_only_where_asked(run: Run, odd: str, tmp_path: Path):
    (tmp_path / "schema.prisma").write_text(PRISMA)
    code, out, _ = run("diff", "schema.prisma", odd)
    assert code == 0
    assert "from: table only in odd_models.py" in out
    assert run("diff", "schema.prisma", odd, "--exit-code", "-o", "diff.json")[0] == 1
    assert json.loads((tmp_path / "diff.json").read_text())["ok"] is False
    assert run("diff", odd, "odd_models.py:metadata", "--exit-code")[0] == 0


@pytest.mark.parametrize(
    "text", ["model A {\n  id Int @id\n", "model A {}\n", "\x00\xff", "datasource db {\n  provider = 1\n}\n"]
)
def test_a_schema_that_is_none_is_one_line_with_its_place(run: Run, tmp_path: Path, text: str):
    (tmp_path / "schema.prisma").write_text(text)
    assert "schema.prisma" in run.fails("lint", tmp_path / "schema.prisma")
