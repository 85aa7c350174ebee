"""A CHECK is proven only where no value of the domain breaks it."""

import numpy as np
import pytest

from dbplan.seeding.constraints.checks import Check
from dbplan.seeding.constraints.predicate import expression
from dbplan.seeding.rows.proof import proven
from dbplan.seeding.values.domains import Choice, Decimals, Integers, Moments, Words
from dbplan.seeding.values.people import Person

DAYS = Moments(np.datetime64("2024-01-01", "us"), np.datetime64("2025-01-01", "us"))


@pytest.mark.parametrize(
    ("domain", "text", "holds"),
    [
        (Choice(("a", "b")), "x IN ('a', 'b', 'c')", True),
        (Choice(("a", "b")), "x IN ('a', 'c')", False),
        (Choice(("a", "b")), "x IS NOT NULL", False),
        (Choice(("a", "B")), "x = lower(x)", False),
        (Integers(1, 10**9), "x BETWEEN 0 AND 2000000000", True),
        (Integers(1, 10**9), "x > 1", False),
        (Integers(1, 10**9), "x <> 500", False),
        (Integers(1, 10**9), "x < 5 OR x > 3", False),
        (Decimals(0, 10**9, 2), "x >= 0 AND x <= 10000000", True),
        (Decimals(0, 10**9, 2), "x <= 9999999.99", False),
        (DAYS, "x >= '2023-12-31'", True),
        (Words("city"), "length(x) > 0", True),
        (Words("city"), "length(x) < 8", False),
        (Person("", "email", "en_US"), "length(x) BETWEEN 3 AND 254", True),
        (Person("", "email", "en_US"), "length(x) < 20", False),
        (Person("", "email", "en_US"), "x = lower(x) AND x LIKE '%_@_%'", True),
        (Person("", "email", "en_US"), "x <> 'ann.lee@example.com'", False),
        (Person("", "name", "en_US"), "x = lower(x)", False),
    ],
)
def test_what_is_proven(domain, text, holds):
    assert proven(Check("c", text, expression(text, ["x"])), domain) is holds


def test_two_columns_are_never_proven():
    assert not proven(Check("c", "x < y", expression("x < y", ["x", "y"])), Integers(1, 2))
