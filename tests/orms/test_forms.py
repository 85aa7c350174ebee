"""Forms: whatever form a value stands in, it is found again, and the form is told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.orms import forms

MOMENTS = sorted(set(forms.WRITERS) - set(forms.UUIDS) - {"seconds since 1970"})
EARLY, LATE = datetime(1974, 1, 1), datetime(5000, 1, 1)


@pytest.mark.parametrize("form", forms.UUIDS)
@given(st.uuids())
def test_a_uuid_is_found_in_every_form(form, value):
    stored = forms.WRITERS[form](value)
    assert forms.found(stored, "uuid") == value
    assert forms.forms_of(stored, "uuid") == (form,)


@pytest.mark.parametrize("form", MOMENTS)
@given(st.datetimes(EARLY, LATE).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)))
def test_a_moment_is_found_in_every_form_to_the_millisecond(form, at):
    aware = at.replace(tzinfo=UTC)
    for kind, value in (("timestamptz", aware), ("timestamp", at)):
        stored = forms.WRITERS[form](value)
        assert forms.found(stored, kind) == value
        assert form in forms.forms_of(stored, kind)


@given(st.datetimes(EARLY, LATE), st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))
def test_a_moment_of_another_zone_is_the_same_moment(at, offset):
    from datetime import timezone

    there = at.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset // timedelta(minutes=1))))
    assert forms.found(forms.WRITERS["text, 6 digits"](there), "timestamptz") == at.replace(tzinfo=UTC)


def test_libraries_forms_sort_as_moments_do():
    moments = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(milliseconds=n) for n in (0, 1, 500, 1000, 61_000)]
    for form in MOMENTS:
        stored = [forms.WRITERS[form](at) for at in moments]
        assert stored == sorted(stored), form


def test_what_is_in_no_form_is_told_by_its_type():
    assert forms.forms_of(20260101.5, "timestamp") == ("as float",)
    assert forms.forms_of("2026-01-01", "timestamp") == ("as str",)
    assert forms.forms_of("{0190A000-0000-7000-8000-000000000001}", "uuid") == ("as str",)


@pytest.mark.parametrize(
    ("value", "kind", "due"),
    [
        (0.1 + 0.2, "decimal", "0.3"),
        (12, "decimal", "12"),
        ("12.50", "decimal", "12.5"),
        (1, "bool", True),
        (None, "uuid", None),
        (None, "decimal", None),
        ("2026-01-01T00:00:00", "date", datetime(2026, 1, 1).date()),
        (UUID(int=1), "uuid", UUID(int=1)),
    ],
)
def test_values_are_compared_by_what_they_mean(value, kind, due):
    assert forms.compared(value, kind) == due
