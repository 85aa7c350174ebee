"""Cells: three significant digits, the right unit, and no zero for what was not measured."""

import math
import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.report import cells
from dbplan.report.cells import NUMERIC, THIN, cell, heading, interval, show, three

SCALES = {
    "ns": 1e-9,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "B": 1.0,
    "kB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "PB": 1e15,
}
SCALES |= {"/s": 1.0, "k/s": 1e3, "M/s": 1e6, "G/s": 1e9, "×": 1.0, "%": 0.01, "": 1.0}
SIZES = st.floats(min_value=1e-8, max_value=1e14, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (0.000142, "seconds", "142 µs"),
        (0.0009996, "seconds", "1.00 ms"),
        (0.00123456, "seconds", "1.23 ms"),
        (2.117, "seconds", "2.12 s"),
        (5400, "seconds", "5,400 s"),
        (3e-8, "seconds", "30.0 ns"),
        (0, "seconds", "0 s"),
        (-0.0123, "seconds", "−12.3 ms"),
        (timedelta(milliseconds=20), "seconds", "20.0 ms"),
        (512, "bytes", "512 B"),
        (8192, "bytes", "8.19 kB"),
        (999_999, "bytes", "1.00 MB"),
        (1_000_000, "count", "1,000,000"),
        (999, "count", "999"),
        (12.5, "count", "12.5"),
        (-3, "count", "−3"),
        (118.4, "ratio", "118×"),
        (1.0, "ratio", "1.00×"),
        (0.4412, "percent", "44.1 %"),
        (1, "percent", "100 %"),
        (50.0, "rate", "50 /s"),
        (123_152.7, "rate", "123 k/s"),
        (7, "number", "7"),
        (3.14159, "number", "3.14"),
        (123_456, "number", "123,000"),
        (1.5e15, "number", "1.50e15"),
        (Decimal("0.25"), "number", "0.250"),
        (Fraction(1, 3), "number", "0.333"),
        (True, "flag", "yes"),
        (False, "flag", "no"),
        ("partly", "flag", "partly"),
        ("another machine", "count", "another machine"),
        (["b", "a"], "text", "b, a"),
        ({"b", "a"}, "text", "a, b"),
        (True, "text", "yes"),
        ("error", "severity", "error"),
        (math.inf, "seconds", "∞ s"),
        (-math.inf, "number", "−∞"),
        (math.inf, "rate", "∞ /s"),
    ],
)
def test_a_value_reads_as_people_write_it(value, kind, shown):
    assert show(value, kind).replace(THIN, " ") == shown


@pytest.mark.parametrize("kind", [*sorted(NUMERIC), "text", "code", "flag", "severity"])
@pytest.mark.parametrize("value", [None, math.nan])
def test_not_measured_is_a_dash_in_every_kind(value, kind):
    assert show(value, kind) == "—"


def test_numbers_of_numpy_read_like_those_of_python():
    import numpy

    assert show(numpy.float64(0.00123), "seconds") == show(0.00123, "seconds")
    assert show(numpy.int64(1234), "count") == show(1234, "count")
    assert show(numpy.float32("nan"), "number") == "—"


def back(shown):
    number = float(shown.number.replace(",", "").replace("−", "-"))
    return number * SCALES[shown.unit]


@given(SIZES, st.sampled_from(sorted(NUMERIC)))
def test_what_is_read_is_within_half_a_percent_of_what_was_measured(size, kind):
    if kind == "count":
        size = float(math.ceil(size))
    assert back(cell(size, kind)) == pytest.approx(size, rel=0.0051)


@given(SIZES, st.sampled_from(["seconds", "bytes"]))
def test_a_scaled_number_has_three_digits_and_lies_below_a_thousand(size, kind):
    shown = cell(size, kind)
    if shown.unit in {"s", "PB", "B"} or size < 1e-9:
        return
    assert len(re.sub(r"\D", "", shown.number)) == 3
    assert 1 <= float(shown.number) < 1000


@given(SIZES, st.sampled_from(sorted(NUMERIC)))
def test_a_negative_value_is_its_opposite_with_a_minus(size, kind):
    assert show(-size, kind) == f"−{show(size, kind)}"


@given(st.floats(min_value=0, max_value=1e300), st.floats(min_value=1, max_value=1.5))
def test_a_larger_number_never_reads_smaller(size, factor):
    assert float(three(size).replace(",", "")) <= float(three(size * factor).replace(",", ""))


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_count_is_exact(number):
    assert int(show(number, "count").replace(",", "").replace("−", "-")) == number


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())))
def test_any_value_shows_in_any_kind_of_words(value):
    for kind in ("text", "code", "flag", "severity"):
        assert isinstance(show(value, kind), str)


def test_an_interval_names_its_unit_once_where_both_ends_share_it():
    assert interval(0.00123, 0.00119, 0.00131).replace(THIN, " ") == "1.19–1.31 ms"
    assert interval(0.001, 0.00099, 0.0011).replace(THIN, " ") == "990 µs – 1.10 ms"
    assert interval(None, None, None) == interval(1.0, math.nan, 2.0) == "—"


def test_raw_values_have_their_base_unit_in_the_heading():
    assert heading("size", "bytes") == "size (B)"
    assert heading("share", "percent") == "share (fraction)"
    assert heading("rows", "count") == "rows"


def test_every_kind_is_known_to_cells():
    from typing import get_args

    from dbplan.report.blocks import Kind

    assert set(get_args(Kind)) >= NUMERIC
    assert set(cells.BASE_UNITS) < NUMERIC
