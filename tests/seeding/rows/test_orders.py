"""Rows sorted by time on disk stand as those sorted in memory do."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbplan.seeding.rows import orders


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(orders, "IN_MEMORY", 50)
    monkeypatch.setattr(orders, "BLOCK", 16)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 40), min_size=1, max_size=400))
def test_an_order_on_disk_is_that_in_memory(moments):
    times = np.array(moments).astype("datetime64[us]")
    order, in_order = orders.sorted_rows(lambda rows: times[rows], len(times))
    assert order.tolist() == np.argsort(times, kind="stable").tolist()
    assert in_order.tolist() == np.sort(times).tolist()
    assert orders.inverse(order)[order].tolist() == list(range(len(times)))


def test_many_rows_are_kept_in_a_file_and_their_pages_leave():
    kept = orders.shelf(1_000, np.dtype(np.int64))
    kept[:] = np.arange(1_000)
    orders.put_away(kept, np.zeros(3))
    assert isinstance(kept, np.memmap)
    assert kept.tolist() == list(range(1_000))
    assert not isinstance(orders.shelf(10, np.dtype(np.int64)), np.memmap)
