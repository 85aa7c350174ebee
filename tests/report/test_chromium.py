"""The page as a browser lays it out: nothing overflows, links open folds, and the reader's colour scheme is kept."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dbplan.report import Report
from dbplan.report.blocks import Section, table
from dbplan.report.cells import estimate
from dbplan.report.html import page

pytestmark = pytest.mark.ci

MEASURE = """
<script>addEventListener("load", () => setTimeout(() => {
  const root = document.documentElement, style = getComputedStyle(document.body);
  const nav = document.querySelector("nav").getBoundingClientRect();
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folds = [];
  for (let at = target && target.closest("details"); at; at = at.parentElement.closest("details")) folds.push(at.open);
  root.dataset.measured = JSON.stringify({
    overflow: root.scrollWidth - root.clientWidth, ink: style.color, paper: style.backgroundColor,
    scrolled: [...document.querySelectorAll(".scroll")].map(each => each.scrollWidth - each.clientWidth),
    navigation: nav.width > 0, folds, requests: performance.getEntriesByType("resource").length});
}, 50));</script>
"""


@pytest.fixture
def measured(sample: Report, tmp_path: Path):
    """Lay the sample page out in Chromium and return what it measures."""
    return _layout(sample, tmp_path)


def _layout(report: Report, tmp_path: Path):
    """Return what lays a report's page out at a width and measures it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is not installed; on Debian: apt-get install chromium"
    path = tmp_path / "page.html"
    path.write_text(page(report).replace("</body>", MEASURE + "</body>"))

    def measure(width: int, anchor: str = "", *options: str) -> dict[str, object]:
        quiet = (
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-sync",
        )
        words = [chromium, "--headless", "--no-sandbox", *quiet, f"--user-data-dir={tmp_path}/profile", *options]
        words += [f"--window-size={width},900", "--virtual-time-budget=3000", "--dump-dom", f"{path.as_uri()}{anchor}"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=90)
        found = re.search(r'data-measured="([^"]*)"', done.stdout)
        assert found, done.stdout[-500:] + done.stderr[-500:]
        return json.loads(found[1].replace("&quot;", '"'))

    return measure


@pytest.mark.parametrize("width", [500, 900, 1280, 1920])
def test_nothing_is_wider_than_the_window_or_fetched(measured, width: int):
    facts = measured(width)
    assert facts["overflow"] <= 0
    assert facts["requests"] == 0
    assert facts["navigation"]


def test_twelve_columns_need_no_scrolling(tmp_path: Path):
    """As many and as wide as those of what ORMs cost to start, on a page with its contents beside it."""
    words = {"contestant": "text", "language": "text", "version": "text", "driver": "text"}
    seconds = dict.fromkeys(("import", "models and connection", "first query", "cold start"), "seconds")
    sizes = dict.fromkeys(("memory once open", "most on top", "install"), "bytes")
    row = ("SQLAlchemy ORM async", "Python, asynchronous", "0.45.4", "psycopg2 2.9.13", *[0.123] * 4, *[123e6] * 3, 41)
    wide = table({**words, **seconds, **sizes, "packages": "count"}, [row])
    ratios = table(
        {"scenario": "text", "psycopg": "seconds", **dict.fromkeys(("SQLAlchemy Core", "Django", "SQLModel"), "ratio")},
        [("Transaction: read, check, write two tables", *[estimate(0.00085, 0.000854, 0.00101, "seconds")] * 4)],
    )
    facts = _layout(Report("t", "v", blocks=(Section("Start", blocks=(wide, ratios)),)), tmp_path)(1200)
    assert facts["navigation"]
    assert len(facts["scrolled"]) == 2
    assert max(facts["scrolled"]) <= 0


def test_the_readers_scheme_is_kept(measured):
    light, dark = measured(1280), measured(1280, "", "--blink-settings=preferredColorScheme=0")
    assert _brightness(light["paper"]) > 200 > 100 > _brightness(light["ink"])
    assert _brightness(dark["paper"]) < 60 < 180 < _brightness(dark["ink"])


def test_a_link_to_a_folded_part_opens_the_fold(measured, sample: Report):
    folds = measured(1280, f"#{_first_folded(page(sample))}")["folds"]
    assert folds
    assert all(folds)


def _first_folded(text: str) -> str:
    """Return the first id in the page's main part that stands inside a fold."""
    depth = 0
    for tag, name in re.findall(r'<(/?details|[a-z0-9]+)\b[^>]*?(?: id="([^"]+)")?[^>]*>', text.partition("<main")[2]):
        depth += {"details": 1, "/details": -1}.get(tag, 0)
        if depth and name:
            return name
    raise AssertionError("nothing is folded")


def _brightness(colour: object) -> float:
    return sum(float(part) for part in re.findall(r"[\d.]+", str(colour))[:3]) / 3
