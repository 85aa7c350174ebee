"""Values on Node travel and are compared in the very form that Python gives them."""

import json
import math
import subprocess
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbplan.orms.installing import SOURCES, node_program
from dbplan.orms.kinds import native, travelling
from dbplan.orms.runner import canonical, scenario_of, study_of

WHEN = datetime(2026, 1, 31, 12, 0, 0, 123999)


class State(Enum):
    OPEN = "still open"


VECTORS = [
    *((value, "int") for value in (0, -1, 7, 2**53 - 1, 2**53, -(2**53), 2**63 - 1, -(2**63), True)),
    *((value, "float") for value in (0.1, -2.5, 1e300, -1e300, 1.1, 3.930996722013363e16, 2.0**53, math.inf)),
    *((value, "real") for value in (1.8801, 1.8801000118255615, 66.823, -2.5, 3e38, 1e39, math.inf)),
    *((Decimal(text), "decimal") for text in ("1.50", "0.00", "-0", "100", "1E+3", "-12.340", "1.5E-7", "0.1", "NaN")),
    (Decimal("12345678901234567890123456789.1234500"), "decimal"),
    *((value, "text") for value in ("", "Ünïcode 🐘", "a\u2028b", "'\"\\", "\ud7ff")),
    *((value, "bool") for value in (True, False)),
    (UUID("0190A000-0000-7000-8001-00000000ABCD"), "uuid"),
    *((value, "timestamp") for value in (WHEN, datetime(1969, 12, 31, 23, 59, 59, 999999))),
    *((value, "timestamp") for value in (datetime(1, 1, 1), datetime(9999, 12, 31))),
    (WHEN.replace(tzinfo=UTC), "timestamptz"),
    (WHEN.replace(tzinfo=timezone(timedelta(hours=5, minutes=45))), "timestamptz"),
    *((value, "date") for value in (date(2026, 1, 31), date(1, 1, 1))),
    *((value, "time") for value in (time(12, 0), time(23, 59, 59, 999999))),
    *((value, "json") for value in ({"b": 1, "a": {"z": [1, {"y": None, "x": "é"}]}}, {"10": 1, "9": 2})),
    *((value, "json") for value in ([], "text", 7, False)),
    (State.OPEN, "enum"),
    ("still open", "enum"),
    *((value, "bytes") for value in (b"", b"\x00\xff", bytes(range(256)))),
    *((value, "texts") for value in ([], ["a", None, "NULL", 'with "quotes"'])),
    *((value, "ints") for value in ([], [1, None, 2**60])),
]  # fmt: skip
KINDS = sorted({kind for _, kind in VECTORS})


class Asked:
    def __init__(self, zone):
        words = [node_program().program, Path(__file__).parent / "values.mjs", SOURCES / "values.mjs", zone]
        self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["made"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module", params=["UTC", "America/New_York"])
def ask(request):
    asked = Asked(request.param)
    yield asked
    asked.close()


@pytest.mark.parametrize(("value", "kind"), VECTORS, ids=lambda one: str(one)[:40].encode("ascii", "replace").decode())
def test_a_value_comes_back_as_it_travelled(ask, value, kind):
    travelled = travelling(value, kind)
    assert ask("round", travelled, kind) == travelled
    assert travelling(native(travelled, kind), kind) == travelled


@pytest.mark.parametrize("kind", KINDS)
def test_null_stays_null(ask, kind):
    assert ask("round", None, kind) is None


@pytest.mark.parametrize(
    ("said", "kind", "python"),
    [
        ("9007199254740993", "int", 2**53 + 1),
        ("42", "int", 42),
        (1.8801, "real", 1.8801000118255615),
        ("66.823", "real", 66.822998046875),
        ("0.00000000000001000", "decimal", Decimal("1E-14")),
        ("1e+21", "decimal", Decimal(10**21)),
        ("-0.000", "decimal", Decimal("-0.000")),
        (12.5, "decimal", Decimal("12.5")),
        ("0190A000-0000-7000-8001-00000000ABCD", "uuid", UUID("0190a000-0000-7000-8001-00000000abcd")),
        ("2026-01-31 12:00:00.123999", "timestamp", WHEN),
        ("2026-01-31 12:00:00", "timestamp", datetime(2026, 1, 31, 12)),
        ("2026-01-31 12:00:00.123999+00", "timestamptz", WHEN.replace(tzinfo=UTC)),
        ("2026-01-31T17:45:00.123999+05:45", "timestamptz", WHEN.replace(tzinfo=UTC)),
        ("2026-01-31T00:00:00.000Z", "date", date(2026, 1, 31)),
        ("12:00:00.5", "time", time(12, 0, 0, 500000)),
    ],
)
def test_what_drivers_say_is_the_same_value(ask, said, kind, python):
    assert ask("form", said, kind) == travelling(python, kind)


@pytest.mark.parametrize(("value", "kind"), [(1.5, "int"), ("x", "int"), ("soon", "timestamp"), (1, "no kind")])
def test_what_is_no_value_of_its_kind_is_an_error(ask, value, kind):
    with pytest.raises(ValueError, match=r"no whole number|no moment|unknown kind"):
        ask("form", value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "made"),
    [
        (5, "int", "Number"), (str(2**60), "int", "BigInt"), ("1.5", "decimal", "String"), ("u", "uuid", "String"),
        ("2026-01-31T12:00:00.123", "timestamp", "Date"), ("00ff", "bytes", "Buffer"), ({}, "json", "Object"),
    ],
)  # fmt: skip
def test_natives_are_what_javascript_holds(ask, value, kind, made):
    assert ask("type", value, kind) == made


DIGITS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15)
ROUND = st.one_of(
    st.tuples(st.integers(-(2**63), 2**63 - 1), st.just("int")),
    st.tuples(DIGITS, st.just("decimal")),
    st.tuples(st.datetimes(timezones=st.just(UTC)), st.just("timestamptz")),
    st.tuples(st.datetimes(), st.just("timestamp")),
    st.tuples(st.text(st.characters(exclude_categories=("Cs",))), st.just("text")),
    st.tuples(st.binary(), st.just("bytes")),
    st.tuples(st.floats(allow_nan=False), st.just("float")),
)


@settings(deadline=None, max_examples=300)
@given(ROUND)
def test_any_value_comes_back_as_it_travelled(ask, one):
    value, kind = one
    travelled = travelling(value, kind)
    assert ask("round", travelled, kind) == travelled


PARENT = {"id": {"kind": "int"}, "paid": {"kind": "decimal"}}
STUDY = {
    "name": "made", "dialect": "postgresql", "url": {}, "models": "", "pool": 1,
    "tables": {"parent": {"name": "parent", "schema": None, "key": ["id"], "columns": PARENT}},
}  # fmt: skip
SCENARIO = {"name": "bulk_insert", "table": "parent", "columns": ["id", "paid"], "cascade": [], "insert": None}


def test_rows_are_compared_as_python_makes_them(ask):
    rows = [{"id": 2**60, "paid": Decimal("1.50")}, {"id": 1, "paid": None}]
    travelled = [{"id": travelling(row["id"], "int"), "paid": travelling(row["paid"], "decimal")} for row in rows]
    assert ask("canonical", {"rows": travelled}, SCENARIO, STUDY) == canonical(
        rows, scenario_of(SCENARIO), study_of(STUDY)
    )


def test_a_column_that_is_missing_is_an_error(ask):
    with pytest.raises(ValueError, match="the row of parent has no column paid"):
        ask("canonical", {"rows": [{"id": 1}]}, SCENARIO, STUDY)
