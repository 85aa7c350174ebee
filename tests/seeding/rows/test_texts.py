"""Columns of parts compute as the arrays of objects that they spell."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dbplan.seeding.rows.cells import Cells, chosen, patched
from dbplan.seeding.rows.texts import Chars, Coded, Number, Pool, Texts, UuidTexts, coded, digits36

WORDS = st.lists(st.text(max_size=5), min_size=1, max_size=6)
PICKS = st.lists(st.integers(0, 10**6), min_size=1, max_size=20)


def cells(words, picks):
    index = np.array(picks) % len(words)
    return coded(words, index), [words[place] for place in index.tolist()]


@given(WORDS, PICKS)
def test_words_by_number_are_the_words(words, picks):
    column, plain = cells(words, picks)
    assert column.tolist() == plain == list(column) == np.asarray(column).tolist()
    assert (column == plain[0]).tolist() == [word == plain[0] for word in plain]
    assert column[::-1].tolist() == plain[::-1]
    assert column[0] == plain[0]
    assert np.where(np.arange(len(plain)) % 2 == 0, column, None).tolist() == [
        word if place % 2 == 0 else None for place, word in enumerate(plain)
    ]


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20), st.integers(0, 8))
def test_parts_stand_one_after_the_other(numbers, width):
    values = np.array(numbers)
    lengths = values % 3
    made = Texts(
        "<",
        Number(values, width=width),
        Coded(Pool(["", "x", "yy"]), values % 3),
        Chars(np.frombuffer(b"abc" * len(numbers), dtype=np.uint8).reshape(-1, 3), lengths),
        Number(values % 2, blank=0),
        ">",
    )
    wanted = [
        f"<{n:0{width}}{['', 'x', 'yy'][n % 3]}{'abc'[: n % 3]}{n % 2 or ''}>"
        if width
        else f"<{n}{['', 'x', 'yy'][n % 3]}{'abc'[: n % 3]}{n % 2 or ''}>"
        for n in numbers
    ]
    assert made.tolist() == wanted
    assert made.lengths.tolist() == [len(text) for text in wanted]
    at = np.arange(len(numbers))[::-1]
    assert made[at].tolist() == wanted[::-1]
    assert made.respelled(str.upper).tolist() == [text.upper() for text in wanted]
    assert made.respelled(str.strip) is None


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=9))
def test_uuids_are_their_digits(halves):
    high = np.array(halves, dtype=np.uint64)
    column = UuidTexts(high, high[::-1])
    assert column.tolist() == [f"{a:016x}{b:016x}" for a, b in zip(halves, halves[::-1], strict=True)]
    assert column.raw.tobytes() == bytes.fromhex("".join(column.tolist()))


@given(WORDS, WORDS, PICKS)
def test_choosing_and_patching_give_what_they_give_of_objects(words, others, picks):
    null = np.array(picks) % 5 == 0
    (yes, no), where = (cells(w, picks)[0] for w in (words, others)), np.array(picks) % 2 == 0
    got = chosen(where, Cells(yes, null), Cells(no, ~null))
    plain = chosen(where, Cells(np.asarray(yes), null), Cells(np.asarray(no), ~null))
    shown = [(v, n) for v, n in zip(got.values.tolist(), got.null.tolist(), strict=True) if not n]
    assert shown == [(v, n) for v, n in zip(plain.values.tolist(), plain.null.tolist(), strict=True) if not n]
    at = np.flatnonzero(where)
    mended = patched(Cells(yes, null), at, Cells(no[at], null[at]))
    wanted = np.asarray(yes).copy()
    wanted[at] = np.asarray(no)[at]
    assert mended.values.tolist() == wanted.tolist()


@given(st.lists(st.integers(0, 36**6 - 1), min_size=1))
def test_digits_read_back(numbers):
    rows = digits36(np.array(numbers, dtype=np.uint64), 6)
    assert [int(bytes(row), 36) for row in rows] == numbers
