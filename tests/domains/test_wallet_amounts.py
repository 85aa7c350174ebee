"""Amounts of minor units and what people write: nothing is lost either way."""

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.domains.wallet.models import BOUND
from dbplan.domains.wallet.operations import decimal_of, format_amount, minor_of, parse_amount
from dbplan.errors import UsageError

AMOUNTS = st.integers(-(10**30), 10**30) | st.integers(-BOUND, BOUND) | st.integers(-100, 100)
DECIMALS = st.integers(0, 18)


@given(AMOUNTS, DECIMALS)
def test_what_is_written_is_read_as_the_same_amount(amount, minor_units):
    written = format_amount(amount, minor_units)
    assert parse_amount(written, minor_units) == amount
    assert len(written.partition(".")[2]) == minor_units


@given(AMOUNTS, DECIMALS)
def test_a_decimal_is_exactly_the_amount_whatever_the_precision_around_it(amount, minor_units):
    with decimal.localcontext(prec=3):
        value = decimal_of(amount, minor_units)
        assert minor_of(value, minor_units) == amount
    assert Fraction(value) == Fraction(amount, 10**minor_units)
    assert value.as_tuple().exponent == -minor_units


@given(AMOUNTS, AMOUNTS, DECIMALS)
def test_sums_of_minor_units_are_sums_of_decimals(one, other, minor_units):
    with decimal.localcontext(prec=60):
        assert decimal_of(one, minor_units) + decimal_of(other, minor_units) == decimal_of(one + other, minor_units)


@given(AMOUNTS, DECIMALS, st.integers(1, 9))
def test_what_is_finer_than_the_currency_is_refused_and_never_rounded(amount, minor_units, digit):
    with pytest.raises(UsageError, match=f"finer than {minor_units} decimals"):
        parse_amount(format_amount(amount * 10 + digit, minor_units + 1), minor_units)


@given(AMOUNTS, DECIMALS, st.integers(0, 5))
def test_zeros_at_the_end_are_no_finer(amount, minor_units, zeros):
    assert parse_amount(format_amount(amount * 10**zeros, minor_units + zeros), minor_units) == amount


@given(st.text(max_size=12))
def test_every_text_is_an_amount_or_refused_with_words(written):
    try:
        amount = parse_amount(written, 2)
    except UsageError as error:
        assert str(error)
    else:
        assert Decimal(written.strip()) * 100 == amount


@pytest.mark.parametrize(
    ("written", "minor_units", "amount"),
    [("12.50", 2, 1250), ("12.5", 2, 1250), (" -0.05 ", 2, -5), ("500", 0, 500), ("0.00000001", 8, 1), ("007", 2, 700)],
)
def test_people_write_amounts_so(written, minor_units, amount):
    assert parse_amount(written, minor_units) == amount


@pytest.mark.parametrize(
    "written", ["", "1,50", "1 000", "1e3", "+1", ".5", "5.", "NaN", "Infinity", "٣", "1_000", "--1"]
)
def test_what_could_mean_two_things_means_none(written):
    with pytest.raises(UsageError, match="is no amount"):
        parse_amount(written, 2)


@pytest.mark.parametrize(
    ("amount", "minor_units", "written"),
    [(1250, 2, "12.50"), (-5, 2, "-0.05"), (500, 0, "500"), (1, 8, "0.00000001"), (10**18, 8, "10000000000.00000000")],
)
def test_amounts_are_written_with_all_their_decimals(amount, minor_units, written):
    assert format_amount(amount, minor_units) == written


def test_a_value_that_is_no_number_is_no_amount():
    for value in (Decimal("NaN"), Decimal("Infinity"), 12.5):
        with pytest.raises(UsageError, match="is no amount"):
            minor_of(value, 2)


@pytest.mark.parametrize(("amount", "minor_units"), [(10.5, 2), (True, 2), (1250, 2.0), (1250, -1)])
def test_only_whole_numbers_are_written(amount, minor_units):
    with pytest.raises(UsageError, match="it is a whole number"):
        format_amount(amount, minor_units)
