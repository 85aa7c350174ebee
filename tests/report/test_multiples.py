"""Small multiples: what is drawn lies inside its frame, whatever it is called, and every exit tells the same."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.report import Report, multiples
from dbplan.report.blocks import Multiples, Series
from dbplan.report.files import figures, forms
from dbplan.report.html import page
from dbplan.report.markdown import markdown
from dbplan.report.text import text

SERIES = st.builds(
    Series,
    st.text(max_size=60),
    st.lists(st.tuples(st.text(max_size=12), st.integers(0, 10**9).map(float)), max_size=40).map(tuple),
    st.text(max_size=30),
)
PLOT = st.builds(
    Multiples, st.lists(SERIES, max_size=4).map(tuple), st.sampled_from(["bars", "line"]), st.just(("a", "b", "c"))
)
FANS = Multiples(
    (
        Series("users → visits.user_id", (("0", 3.0), ("1", 12.0), ("2–3", 6.0)), "median 1, most 3, 14.3 % childless"),
        Series("plans → users.plan_id", (("4", 2.0), ("8", 1.0)), "median 4, most 8"),
    ),
    "bars",
    ("foreign key", "children", "parents"),
    "Fan-out",
)
TIMES = Multiples(
    (Series("visits", (("2024-01", 4.0), ("2024-02", 0.0), ("2024-03", 9.0)), ""),), "line", ("table", "from", "rows")
)


@given(PLOT)
def test_anything_is_drawn_well_formed_and_inside_its_frame(block):
    root = ET.fromstring(multiples.svg(block))
    width, height = float(root.get("width")), float(root.get("height"))
    for bar in root.findall(".//{*}rect"):
        x, y = float(bar.get("x")), float(bar.get("y"))
        assert 0 <= x <= x + float(bar.get("width")) <= width
        assert 0 <= y <= y + float(bar.get("height")) <= height
    for dot in root.findall(".//{*}circle"):
        assert 0 <= float(dot.get("cx")) <= width
        assert 0 <= float(dot.get("cy")) <= height


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_heights_keep_the_order_of_the_counts(counts):
    block = Multiples(
        (Series("s", tuple((str(n), float(count)) for n, count in enumerate(counts))),), "bars", ("", "", "")
    )
    heights = [float(bar.get("height")) for bar in ET.fromstring(multiples.svg(block)).findall(".//{*}rect")]
    order = sorted(range(len(counts)), key=lambda n: counts[n])
    assert [heights[n] for n in order] == sorted(heights)
    assert all((height > 0) == (count > 0) for height, count in zip(heights, counts, strict=True))
    assert [step == " " for step in multiples.line(block.series[0])] == [count == 0 for count in counts]


def test_labels_under_bars_do_not_run_into_each_other():
    named = tuple((f"{2**n:,}–{2 ** (n + 1) - 1:,}", 1.0) for n in range(18))
    root = ET.fromstring(multiples.svg(Multiples((Series("s", named),), "bars", ("", "", ""))))
    labels = [(float(t.get("x")), t.text) for t in root.findall(".//{*}text") if t.get("text-anchor") == "middle"]
    assert 3 < len(labels) < 18
    for (x, words), (after, following) in pairwise(labels):
        assert after - x >= (len(words) + len(following)) / 2 * 5


def test_every_exit_tells_the_figures():
    report = Report("T", "v", blocks=(FANS, TIMES))
    drawn = page(report)
    assert drawn.count("<svg") >= 2
    assert "<title>2–3: 6 parents</title>" in drawn
    assert "| users → visits.user_id | 2–3      |       6 |" in markdown(report)
    said = text(report)
    assert "▃█▅" in said
    assert "2024-01 … 2024-03" in said
    assert [figure.alt for figure in figures(report)][1] == "1 course over time: visits: 0 to 9"
    assert {"svg", "png", "csv"} <= set(forms(report))


def test_a_series_without_counts_is_said():
    empty = Multiples((Series("nothing", ()),), "line", ("table", "from", "rows"))
    assert multiples.describe(empty) == "1 course over time: nothing: nothing"
    assert multiples.describe(Multiples((), "bars", ("", "", ""))) == "No histogram"
    assert page(Report("T", "v", blocks=(empty, Multiples((), "bars", ("", "", "")))))


@pytest.mark.parametrize("block", [FANS, TIMES])
def test_the_words_for_those_who_cannot_see_name_every_series(block):
    assert all(series.name in multiples.describe(block) for series in block.series)
