"""Rows as an image: SQLite finds it in order, and reads from it what it would be given one by one."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbplan.seeding.loading.image import LARGEST, MOST, NOTHING, ROWS, Field, blobs, image, integers, reals, texts
from dbplan.seeding.loading.packing import Script, as_runs, listed

VERBATIM = Script("verbatim", "", str)
WHOLE = st.integers(-(2**63), 2**63 - 1)
SIZES = (1, 2, 127, 128, 129, 5_000)


def stored(made):
    """Return the rows of an image as SQLite reads them, once it has looked through it."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(made)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(f"SELECT * FROM {ROWS}").fetchall()
    finally:
        connection.close()


def words(values, null=None):
    pieces = [listed(values, VERBATIM)]
    if null is not None:
        pieces = [as_runs(piece, len(values)).where(~null) for piece in pieces]
    return texts(pieces, len(values), null)


@given(st.lists(st.tuples(WHOLE, st.floats(allow_nan=False), st.text(max_size=300), st.booleans()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_what_goes_in_comes_out(rows):
    whole, real, text, empty = (list(column) for column in zip(*rows, strict=True))
    null = np.array(empty)
    made = image(
        [
            integers(np.array(whole, dtype=np.int64), None),
            reals(np.array(real), null),
            words(text),
            NOTHING,
            words(text, null),
            blobs([as_runs(b"\0\xff", len(rows)).where(~null)], len(rows), null),
        ],
        len(rows),
    )
    assert stored(made) == [
        (w, None if e else r, t, None, None if e else t, None if e else b"\0\xff")
        for w, r, t, e in zip(whole, real, text, empty, strict=True)
    ]


@pytest.mark.parametrize("rows", SIZES)
def test_rows_of_many_pages_keep_their_order(rows):
    long = [f"{n} " + "x" * (n * 37 % 700) for n in range(rows)]
    made = image([integers(np.arange(rows), None), words(long)], rows)
    assert stored(made) == list(enumerate(long))


def test_a_column_for_every_length_of_the_header():
    for columns in (1, 62, 63, 126, 127, 128, 400):
        made = image([words([f"{n}" * 30, "y"]) for n in range(columns)], 2)
        assert stored(made) == [tuple(f"{n}" * 30 for n in range(columns)), ("y",) * columns]


def test_a_record_fits_its_page_or_there_is_no_image():
    room = LARGEST - 4  # one byte says how long the header is, three how long the text
    assert [len(text) for (text,) in stored(image([words(["x" * room, "y"])], 2))] == [room, 1]
    assert image([words(["x" * (room + 1), "y"])], 2) is None
    assert image([words(["x" * 3_000_000])], 1) is None
    assert image([Field(1, (b"\x01",))], MOST + 1) is None
