"""The plot of ratios: 1× always stands on its axis, and the labels of its ticks have room."""

import re
from itertools import pairwise

import pytest

from dbplan.evidence import OrmTiming
from dbplan.orms.facts import Taking
from dbplan.orms.plotting import COLUMNS, GAP, Axis, ratios
from dbplan.report.dots import WIDTH

ROOM = 30
RAW = Taking("raw", "raw", "table", "raw")
RANGES = [(0.4, 3), (0.7, 10), (1, 12), (0.9, 1.1), (0.99, 1.4), (0.75, 80), (0.3, 1.02), (0.001, 2_000)]


def drawn(low, high, title):
    """Return the plot of one contestant whose interval reaches from one ratio to another."""
    told = OrmTiming(
        "a", "point_read", "measured", median=0.01, ratio=(low * high) ** 0.5, ratio_low=low, ratio_high=high
    )
    taker = Taking("a", title, "table", "raw")
    return ratios([taker, RAW], ["point_read"], {("a", "point_read"): told}).svg


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("title", ["Django", "SQLAlchemy ORM, asynchronous"])
def test_the_line_at_1_is_always_there_with_its_label(low, high, title):
    svg = drawn(low, high, title)
    places = re.findall(r'<text x="([\d.]+)" y="30" text-anchor="middle"[^>]*>1×<', svg)
    lines = re.findall(r'<path d="M([\d.]+) 34V\d+" stroke="([^"]+)"', svg)
    others = {stroke for x, stroke in lines if x not in places}
    assert len(places) == 1
    assert others.isdisjoint(dict(lines)[place] for place in places)


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_no_label_is_cut_at_the_right(low, high):
    places = re.findall(r'<text x="([\d.]+)" y="30" text-anchor="middle"', drawn(low, high, "Django"))
    assert max(map(float, places)) + ROOM / 2 <= (WIDTH - GAP * (COLUMNS - 1)) / COLUMNS


@pytest.mark.parametrize("width", [120, 180, 290])
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_labels_have_room(low, high, width):
    axis = Axis(min(0.9, low) / 1.05, max(2.2, high) * 1.05, width)
    places = [axis.x(value) for value in axis.ticks()]
    assert len(places) > 1
    assert all(after - before >= ROOM for before, after in pairwise(places))
