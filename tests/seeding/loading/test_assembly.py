"""Pieces of rows put together: the same bytes as one row after the other in a loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbplan.seeding.loading.assembly import BLOCK, Fixed, Runs, assembled, blocks, packed, stacked

texts = st.binary(max_size=12) | st.integers(13, 200).map(lambda size: bytes(range(55, 55 + size)))


@st.composite
def tables(draw):
    """Return pieces and, piece by piece, the bytes of every row."""
    rows = draw(st.integers(1, 12))
    many = st.lists(texts, min_size=rows, max_size=rows)
    pieces, expected = [], []
    for kind in draw(st.lists(st.sampled_from(["same", "fixed", "runs", "picked", "hidden"]), min_size=1, max_size=9)):
        if kind == "same":
            made = draw(st.binary(max_size=5))
            values = [made] * rows
        elif kind == "fixed":
            width = draw(st.integers(0, 40))
            values = draw(st.lists(st.binary(min_size=width, max_size=width), min_size=rows, max_size=rows))
            made = Fixed(np.frombuffer(b"".join(values), dtype=np.uint8).reshape(rows, width))
        elif kind == "picked":
            words, absent = draw(st.lists(texts, min_size=1, max_size=4)), draw(texts)
            index = np.array(draw(st.lists(st.integers(0, len(words) - 1), min_size=rows, max_size=rows)))
            null = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
            made = packed(words, absent).pick(index, null)
            values = [absent if gone else words[n] for n, gone in zip(index, null, strict=True)]
        else:
            values = draw(many)
            made = stacked(values)
            if kind == "hidden":
                shown = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
                made = made.where(shown)
                values = [value if seen else b"" for value, seen in zip(values, shown, strict=True)]
        pieces.append(made)
        expected.append(values)
    return rows, pieces, ["".join(part.hex() for part in row) for row in zip(*expected, strict=True)]


@settings(max_examples=60)
@given(tables())
def test_rows_are_their_pieces_one_after_the_other(table):
    rows, pieces, expected = table
    made = assembled(pieces, rows)
    assert made.data.tobytes().hex() == "".join(expected)
    assert made.ends.tolist() == np.cumsum([len(row) // 2 for row in expected]).tolist()


@settings(max_examples=20)
@given(tables(), tables())
def test_assembled_rows_are_a_piece_of_wider_rows(first, second):
    rows = min(first[0], second[0])
    parts = [assembled(pieces, count).runs() for count, pieces, _ in (first, second)]
    cut = [Runs(part.data, part.starts[:rows], part.lengths[:rows]) for part in parts]
    expected = [a + b for a, b in zip(first[2], second[2], strict=False)]
    assert assembled([b"", cut[0], cut[1]], rows).data.tobytes().hex() == "".join(expected)


@pytest.mark.parametrize("pieces", [[], [b""], [b"a"], [stacked([])]])
def test_no_rows_are_no_bytes(pieces):
    assert assembled(pieces, 0).data.tobytes() == b""


def test_blocks_cover_all_rows_once():
    assert list(blocks(0)) == []
    assert list(blocks(2 * BLOCK + 1)) == [slice(0, BLOCK), slice(BLOCK, 2 * BLOCK), slice(2 * BLOCK, 2 * BLOCK + 1)]
