"""Cells as Python values and as single texts: the same from parts, from numbers and from objects."""

import datetime as dt
import uuid
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.dialects import postgresql as pg

from dbplan.columns import Digest, Key, Money, UtcDateTime
from dbplan.seeding.loading.encode import NULL, as_cells, binaries, bound, copy_texts, objects, python_values
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.texts import Coded, Number, Pool, Texts, UuidTexts

DIALECTS = [pg.dialect(), sqlite.dialect(), mysql.dialect()]
NAMES = Texts(Coded(Pool(["ann", "bo\t", ""]), np.array([0, 1, 2, 0])), ".", Number(np.array([0, 7, 0, 12]), 0, 0))
UUIDS = UuidTexts(np.arange(4, dtype=np.uint64) << np.uint64(40), np.arange(4, dtype=np.uint64))
TIMES = np.array(["2026-01-02T03:04:05.000006", "1999-12-31", "2026-01-02", "2026-01-03"], dtype="M8[us]")
PLAIN = {
    "text": (sa.Text(), NAMES),
    "digest": (Digest(), NAMES),
    "uuid": (sa.Uuid(), UUIDS),
    "key": (Key(), UUIDS),
    "uuid as text": (sa.String(32), UUIDS),
    "integer": (sa.Integer(), np.array([1, -2, 3, 0])),
    "numeric": (sa.Numeric(10, 2), np.array([1.5, -2.25, 0.3, 0.0])),
    "money": (Money(), np.array([1.5, -2.25, 0.3, 0.0])),
    "boolean": (sa.Boolean(), np.array([True, False, True, False])),
    "datetime": (sa.DateTime(), TIMES),
    "instant": (UtcDateTime(), TIMES),
    "date": (sa.Date(), TIMES),
}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("name", PLAIN)
def test_a_driver_gets_what_the_type_makes_of_each_object(dialect, name):
    kind, values = PLAIN[name]
    cells = Cells(values, np.array([False, True, False, False]))
    bind = kind.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
    given = python_values(cells, kind, dialect)
    assert given == [None if value is None else bind(value) for value in objects(cells, kind)]
    assert given[1] is None


@pytest.mark.parametrize("name", PLAIN)
def test_texts_are_the_same_from_arrays_and_from_objects(name):
    kind, values = PLAIN[name]
    null = np.array([False, True, False, False])
    spelled = np.fromiter(objects(Cells(values, null), kind), dtype=object, count=4)
    for dialect in DIALECTS[:1]:
        texts = copy_texts(Cells(values, null), kind, dialect)
        again = copy_texts(Cells(spelled, null), kind, dialect)
        assert texts[1] == again[1] == NULL
        assert [_read(text, kind) for text in texts] == [_read(text, kind) for text in again]


def _read(text, kind):
    if text == NULL:
        return None
    if isinstance(kind, sa.Uuid | Key):
        return uuid.UUID(text)
    if isinstance(kind, sa.DateTime | UtcDateTime):
        return dt.datetime.fromisoformat(text).replace(tzinfo=None)
    return text


def test_special_characters_are_escaped_and_null_is_told_from_its_letters():
    cells = as_cells(["a\tb", "c\nd\r", "\\N", None, "nul\0", ""])
    assert copy_texts(cells, sa.Text(), pg.dialect()) == ["a\\tb", "c\\nd\\r", "\\\\N", NULL, "nul", ""]


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        (sa.Integer(), [1, None, -5], "i"),
        (sa.Integer(), [1, True], "O"),
        (sa.Integer(), [2**70], "O"),
        (sa.Boolean(), [True, None], "b"),
        (sa.Numeric(8, 2), [1.5, None], "f"),
        (sa.Numeric(8, 2), [Decimal("1.5")], "O"),
        (sa.DateTime(), [dt.datetime(2026, 1, 1), None], "M"),
        (sa.DateTime(), [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)], "O"),
        (sa.Date(), [dt.date(2026, 1, 1)], "M"),
        (sa.Date(), [dt.datetime(2026, 1, 1)], "O"),
        (sa.Text(), [1, 2], "O"),
        (sa.Integer(), [None, None], "O"),
    ],
)
def test_objects_of_the_one_plain_type_become_an_array_of_it(kind, values, code):
    cells, _ = bound(as_cells(values), kind, pg.dialect())
    assert cells.values.dtype.kind == code
    kept = [None if gone else value for value, gone in zip(cells.values.tolist(), cells.null.tolist(), strict=True)]
    assert kept == values


def test_a_decimal_of_money_is_bound_without_a_look_at_each_and_kept_from_sqlite():
    cells = present(np.array([1.5, 2.25]))
    assert bound(cells, Money(), pg.dialect())[0].values.dtype.kind == "f"
    assert bound(cells, Money(), sqlite.dialect())[0].values.tolist() == [1.5, 2.25]
    assert copy_texts(cells, Money(), pg.dialect()) == ["1.50", "2.25"]


def test_sqlite_keeps_the_double_that_it_would_compute_itself():
    noisy = 0.1 + 0.2
    assert python_values(present(np.array([noisy])), sa.Numeric(10, 2), sqlite.dialect()) == [noisy]
    assert python_values(present(np.array([noisy])), sa.Numeric(10, 2), mysql.dialect()) == [Decimal("0.30")]


class Doubled(sa.TypeDecorator):
    impl = pg.ARRAY(sa.Integer())
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return [value, value]


def test_lists_of_one_length_stay_lists():
    cells, _ = bound(as_cells([1, 2]), Doubled(), pg.dialect())
    assert cells.values.tolist() == [[1, 1], [2, 2]]


def test_uuids_of_every_form_are_read_as_numbers():
    one = uuid.UUID("0190f5fe-7c00-7a00-8000-00000000000f")
    for values in ([one, None], [one.hex, None], [str(one), None], [one.hex.upper(), None]):
        cells, _ = bound(as_cells(values), sa.Uuid(), pg.dialect())
        assert isinstance(cells.values, UuidTexts)
        assert cells.values.tolist()[0] == one.hex
    for odd in ("not one", "01 90" + one.hex[5:], 7):
        assert bound(as_cells([odd]), sa.Uuid(), pg.dialect())[0].values.tolist() == [odd]


def test_bytes_are_taken_out_of_the_drivers_wrapper():
    wrapped = type("Binary", (), {"obj": b"a"})()
    assert binaries([wrapped, memoryview(b"b"), bytearray(b"c")]) == [b"a", b"b", b"c"]
    assert binaries([b"a", b"b"]) == [b"a", b"b"]
    assert binaries(["a"]) is None
    assert binaries([b"a", "b"]) is None
