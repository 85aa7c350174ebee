"""What people read, kept as files: DBPLAN_GOLDEN=write renews them, and the diff is the review."""

import os
from pathlib import Path

import pytest

from dbplan.report import dots, multiples
from dbplan.report.html import fragment, page
from dbplan.report.markdown import markdown
from dbplan.report.text import text

FOLDER = Path(__file__).parents[1] / "golden" / "report"
FORMS = {
    "page.html": page,
    "fragment.html": fragment,
    "terminal.txt": text,
    "review.md": lambda report: markdown(report, lambda _: "review.svg"),
    "dots.svg": lambda report: dots.svg(report.blocks[2].blocks[0].timings),
}
PLOTS = {
    "histograms.svg": lambda report: multiples.svg(report.blocks[0]),
    "courses.svg": lambda report: multiples.svg(report.blocks[1]),
    "multiples.txt": text,
    "multiples.md": markdown,
}


@pytest.mark.parametrize("name", FORMS)
def test_what_people_read_is_as_it_was_agreed(sample, name):
    agreed(name, FORMS[name](sample))


@pytest.mark.parametrize("name", PLOTS)
def test_small_plots_are_as_they_were_agreed(profile, name):
    agreed(name, PLOTS[name](profile))


def agreed(name, written):
    """Hold what is written now against the file."""
    path = FOLDER / name
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, "utf-8")
    assert written == path.read_text("utf-8"), f"{name} changed; look at it, then DBPLAN_GOLDEN=write pytest {__file__}"


def test_no_golden_file_is_left_over():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*FORMS, *PLOTS])
