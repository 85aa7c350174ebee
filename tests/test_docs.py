"""What the documentation says is what runs."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.generated
def test_the_command_line_reference_is_what_help_says():
    words = [sys.executable, "-m", "typer", "dbplan.cli", "utils", "docs", "--name", "dbplan"]
    environment = os.environ | {"TERMINAL_WIDTH": "120", "COLUMNS": "120"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    text = done.stdout.strip() + "\n"
    page = ROOT / "docs" / "cli.md"
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        page.write_text(text)
    assert page.read_text() == text, "docs/cli.md is stale; make docs"


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_to_files_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_no_file_is_over_500_lines():
    long = [p for p in (ROOT / "dbplan").rglob("*.py") if len(p.read_text().splitlines()) > 500]
    assert long == []


README = (ROOT / "README.md").read_text()
CONSOLE = re.compile(r"^    \$ dbplan (.+)\n((?:    (?!\$).*\n|\n(?=    (?!\$)))*)", re.M)


def test_every_command_of_the_readme_is_one():
    known = (ROOT / "docs" / "cli.md").read_text()
    commands = [re.match(r"(?:(?:migrate|db|notebook) )?[a-z-]+", words)[0] for words, _ in CONSOLE.findall(README)]
    assert len(commands) > 5
    assert [command for command in commands if f"`dbplan {command}`" not in known] == []


def test_what_the_readme_prints_is_printed():
    shown = [(words, textwrap.dedent(output)) for words, output in CONSOLE.findall(README) if output.strip()]
    assert shown
    for words, output in shown:
        done = subprocess.run(
            [sys.executable, "-c", "from dbplan.cli import main; main()", *words.split()],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"COLUMNS": "80"},
        )
        for part in output.split("\n…"):
            assert part.strip("\n") in done.stdout
