"""What the documentation says is what runs."""

import os
import re
import subprocess
import sys
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


def test_every_command_of_the_readme_is_one():
    known = (ROOT / "docs" / "cli.md").read_text()
    commands = re.findall(
        r"^(?:    |\$ )dbplan ((?:migrate |db |notebook )?[a-z-]+)", (ROOT / "README.md").read_text(), re.M
    )
    assert commands
    assert [c for c in commands if f"`dbplan {c}`" not in known] == []
