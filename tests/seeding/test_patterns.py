import re

import numpy as np
import pytest

from dbplan.seeding.values.patterns import Pattern


@pytest.mark.parametrize(
    "regex", ["^(Black|White|Oak) / (S|M|L)$", "^[1-9][0-9]{3}$", "^a{1,3}[xy]?$", "^[0-9a-f]{40}$"]
)
def test_no_text_of_a_pattern_comes_twice(regex):
    pattern = Pattern(regex)
    texts = pattern.nth(np.arange(min(pattern.capacity, 10_000))).tolist()
    assert len(set(texts)) == len(texts)
    assert all(re.search(regex, text) for text in texts)


def test_a_pattern_wider_than_an_index_varies_to_its_end():
    texts = Pattern("^[0-9a-f]{40}$").nth(np.arange(100)).tolist()
    assert len({text[20:] for text in texts}) == len(texts)


def test_neighbours_written_out_are_numbered_as_one_after_the_other():
    count = 10**3 * 26 * 3
    texts = Pattern("^x[0-9]{3}-[a-z](A|B|C)$").nth(np.arange(count)).tolist()
    assert len(set(texts)) == count
    assert texts[:3] == ["x000-aA", "x100-aA", "x200-aA"]
    assert (texts[10], texts[1000], texts[26000]) == ("x010-aA", "x000-bA", "x000-aB")
