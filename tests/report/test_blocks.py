"""Blocks: a cell of several figures is one cell to read, and a column for each number where numbers are kept."""

import math

import pandas as pd
import pytest

from dbplan.report import Report
from dbplan.report.blocks import Section, table
from dbplan.report.cells import Cell, Figures, estimate, show

RATIOS = table(
    {"scenario": "text", "rows": "count", "Django": "ratio"},
    [
        ("read", 3, estimate(1.234, 1.2, 1.26, "ratio")),
        ("write", 2, estimate(1.02, 0.97, 1.05, "ratio", "no difference")),
        ("upsert", 1, "wrong rows"),
        ("count", "many", None),
    ],
    "ratios",
)


def test_a_frame_holds_numbers_that_sort():
    frame = RATIOS.frame
    assert list(frame.columns) == ["scenario", "rows", "Django", "Django low", "Django high"]
    assert frame["Django"].dtype == frame["Django low"].dtype == float
    assert frame.sort_values("Django")["scenario"].tolist() == ["write", "read", "upsert", "count"]
    assert frame.loc[0, ["Django", "Django low", "Django high"]].tolist() == [1.234, 1.2, 1.26]
    assert frame["Django"].isna().tolist() == [False, False, True, True]


def test_words_among_other_numbers_stay():
    assert RATIOS.frame["rows"].tolist() == [3, 2, 1, "many"]


def test_a_flat_table_keeps_words_in_the_place_of_the_number():
    assert RATIOS.flat.rows[2:] == (("upsert", 1, "wrong rows", None, None), ("count", "many", None, None, None))
    assert [field.kind for field in RATIOS.flat.fields] == ["text", "count", "ratio", "ratio", "ratio"]
    assert RATIOS.flat.caption == "ratios"


def test_a_table_without_intervals_is_as_it_was():
    plain = table({"a": "text", "b": "seconds"}, [("x", 0.5), ("y", None)])
    assert plain.flat == plain
    assert plain.frame["b"].tolist()[0] == 0.5
    assert table({"a": "text", "b": "seconds"}, []).frame.empty


def test_parts_come_in_the_order_in_which_they_are_met():
    cells = [Figures({"": 1, "control": 2}, Cell("1", "+ 2")), 7, Figures({"": 3, "low": 1}, Cell("3"))]
    frame = table({"Pony": "count"}, [[each] for each in cells]).frame
    assert list(frame.columns) == ["Pony", "Pony control", "Pony low"]
    pd.testing.assert_series_equal(frame["Pony"], pd.Series([1, 7, 3], name="Pony"))
    assert frame["Pony control"].tolist()[0] == 2


def test_an_estimate_reads_as_one_line():
    assert str(estimate(1.234, 1.2, 1.26, "ratio")) == "1.23× (1.20–1.26×)"
    assert show(estimate(1.02, 0.97, 1.05, "ratio", "no difference"), "ratio") == "1.02× (0.970–1.05×, no difference)"
    assert show(estimate(0.0005, 0.0004, 0.0006), "seconds") == show(0.0005, "seconds") + " (400–600\u202fµs)"


@pytest.mark.parametrize("end", [None, math.nan])
def test_an_estimate_without_an_interval_is_its_value(end):
    assert show(estimate(2.0, end, end, "ratio"), "ratio") == "2.00×"
    assert estimate(None, 1, 2) is None


@pytest.mark.parametrize(("ok", "judged", "said"), [(1, 1, True), (1, 0, False), (0, 1, True), (0, 0, True)])
def test_that_a_comparison_passes_is_not_said(ok, judged, said):
    report = Report("ORMs", "Prisma", ok=bool(ok), judged=bool(judged), blocks=(RATIOS,))
    assert report.states is said
    whole = Report.of("both", [("store", report), ("credits", report)])
    assert whole.states is said
    assert all(part.states(0) is said for part in whole.blocks)
    assert Section("a part", "of it", ok=bool(ok), judged=bool(judged)).states(1) is not bool(ok)
    word = ("passes" if ok else "fails") if said else ""
    for exit_ in (str(report), report._repr_html_().partition("</style>")[2]):
        assert ("passes" in exit_, "fails" in exit_) == (word == "passes", word == "fails")


def test_a_second_table_of_a_caption_is_no_less_a_frame():
    both = Report.of(
        "both", [(name, Report("t", "v", blocks=(RATIOS, table({"a": "text"}, [])))) for name in ("x", "y")]
    )
    assert list(both.frames) == ["ratios", "table 2", "ratios (3)", "table 4"]
