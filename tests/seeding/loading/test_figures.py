"""Figures: digits made many at once are those that Python writes one by one."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbplan.seeding.loading import figures
from dbplan.seeding.loading.assembly import assembled
from dbplan.seeding.rows.texts import Number, UuidTexts


def lines(*pieces, rows):
    """Return the rows of pieces as texts."""
    return assembled([*pieces, b"\n"], rows).data.tobytes().decode().split("\n")[:-1]


whole_numbers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30)


@given(whole_numbers)
def test_whole_numbers_of_any_sign(values):
    assert lines(figures.whole(np.array(values)), rows=len(values)) == list(map(str, values))


@given(whole_numbers, st.integers(0, 9), st.sampled_from([b"", b"\t", b" and"]))
def test_decimals_have_their_point_and_tail(values, scale, tail):
    made = lines(figures.decimal(np.array(values), scale, tail), rows=len(values))
    for value, text in zip(values, made, strict=True):
        digits = str(abs(value)).rjust(scale + 1, "0")
        point = "." if scale else ""
        assert (
            text
            == ("-" if value < 0 else "")
            + digits[: len(digits) - scale]
            + point
            + digits[len(digits) - scale :]
            + tail.decode()
        )


@pytest.mark.parametrize("rows", [7, figures.FEW])
@pytest.mark.parametrize("top", [1, 9_999, 10_000, 10**12])
@pytest.mark.parametrize("width", [0, 3, 4, 6])
@pytest.mark.parametrize("blank", [None, 0, -1])
def test_numbers_are_spelled_as_they_spell_themselves(rows, top, width, blank):
    values = np.arange(rows) * 7_919 % (top + 1)
    if blank == -1:
        values[::3] = -1
    spelled = Number(values, width, blank).spelled()
    assert lines(figures.digits(values, width, blank), rows=rows) == spelled
    assert lines(figures.digits(values, width, blank, b"@"), rows=rows) == [f"{text}@" for text in spelled]


@settings(max_examples=300)
@given(st.lists(st.floats(), min_size=1, max_size=5), st.integers(0, 9))
def test_rounded_doubles_are_those_that_python_formats(values, scale):
    units = figures.rounded(np.array(values), scale)
    if units is not None:
        made = lines(figures.decimal(units, scale), rows=len(values))
        assert made == [f"{value:z.{scale}f}" for value in values]


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_double_in_the_middle_is_rounded_as_python_formats_it(scale):
    halves = (np.arange(1, 50) * 10 + 5) / 10.0 ** (scale + 1)
    made = lines(figures.decimal(figures.rounded(halves, scale), scale), rows=len(halves))
    assert made == [f"{value:.{scale}f}" for value in halves]
    assert figures.units(halves, scale) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_has_no_digits_of_64_bits_is_left_to_others(value):
    assert figures.rounded(np.array([value, 1.0]), 2) is None
    assert figures.units(np.array([value, 1.0]), 2) is None


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), st.sampled_from([1, 2, 4]))
def test_the_shortest_decimals_are_pythons(units, scale):
    made = lines(figures.shortest(np.array(units), scale), rows=len(units))
    assert made == [repr(unit / 10**scale) for unit in units]


@given(st.lists(st.datetimes(), min_size=1, max_size=10))
def test_moments_of_four_digit_years(values):
    made = figures.moments(np.array(values, dtype="datetime64[us]"))
    assert lines(*made, rows=len(values)) == [value.isoformat(" ", "microseconds") for value in values]


def test_years_of_other_digits_are_left_to_others():
    for year in ("10000-01-01", "0000-12-31", "-0001-01-01"):
        assert figures.moments(np.array([year, "2026-01-01"], dtype="datetime64[us]")) is None


@given(st.lists(st.times(), min_size=1, max_size=10))
def test_times_of_day(values):
    micros = [((v.hour * 60 + v.minute) * 60 + v.second) * 10**6 + v.microsecond for v in values]
    made = lines(figures.clocks(np.array(micros)), rows=len(values))
    assert made == [dt.time.isoformat(value, "microseconds") for value in values]


def test_uuids_with_and_without_dashes():
    values = UuidTexts(np.array([1, 2**64 - 1], dtype=np.uint64), np.array([2**63, 3], dtype=np.uint64))
    assert lines(figures.hexadecimal(values), rows=2) == values.tolist()
    assert lines(figures.dashed(values), rows=2) == [
        "00000000-0000-0001-8000-000000000000",
        "ffffffff-ffff-ffff-0000-000000000003",
    ]
