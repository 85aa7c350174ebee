"""Dot plots: where things lie, and that any name makes well-formed SVG."""

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dbplan.evidence import Timing
from dbplan.report import dots

SECONDS = st.floats(min_value=1e-7, max_value=1e3)
TIMING = st.builds(
    lambda name, values: Timing(name, 100, values[1], values[0], values[2], values[3]),
    st.text(max_size=80),
    st.lists(SECONDS, min_size=4, max_size=4).map(sorted),
)


@given(st.lists(TIMING, max_size=6))
def test_any_timings_draw_as_well_formed_svg_inside_its_frame(timings):
    root = ET.fromstring(dots.svg(timings))
    circles = root.findall(".//{*}circle")
    assert len(circles) == len(timings) + 1  # one stands in the legend
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(0 <= float(c.get("cx")) <= width and 0 <= float(c.get("cy")) <= height for c in circles)


@given(st.lists(TIMING, min_size=1, max_size=6))
def test_the_axis_holds_every_value_in_order(timings):
    scale = dots.Scale(timings, 100, 500)
    values = sorted(v for t in timings for v in (t.low, t.median, t.high, t.p95))
    assert scale.low <= values[0] * 1.001
    assert scale.high >= values[-1] * 0.999
    places = [scale.x(v) for v in values]
    assert places == sorted(places)
    assert all(100 <= x <= 500 for x in places)
    assert all(len(scale.line(t, 20)) == 20 and "●" in scale.line(t, 20) for t in timings)


@given(st.lists(TIMING, min_size=1, max_size=6))
def test_labels_of_the_axis_never_touch(timings):
    scale = dots.Scale(timings, 0, 400)
    labelled = [scale.x(value) for value, shown in scale.ticks() if shown]
    assert all(b - a > 30 for a, b in pairwise(labelled))


def test_values_without_a_logarithm_do_not_break_the_plot():
    root = ET.fromstring(dots.svg([Timing("q", 1, 0.0, 0.0, 0.0, math.nan)]))
    assert len(root.findall(".//{*}circle")) == 2


def test_the_plot_is_told_in_words(timings):
    assert dots.describe(timings).replace("\u202f", " ") == (
        "Dot plot of 4 timings, medians from 142 µs (user by email) to 318 ms (audit trail of a month)"
    )
    assert dots.describe([]) == "Dot plot without a timing"


def test_figures_are_written_beside_their_dots(timings):
    written = "".join(ET.fromstring(dots.svg(timings)).itertext()).replace("\u202f", " ")
    assert "1.23 ms" in written
    assert "1.19–1.31 ms · n = 200" in written
