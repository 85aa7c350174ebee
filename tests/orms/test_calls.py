from dbplan.orms.calls import Calls, of_one_row, of_parents

ROWS = [{"row": {"id": n}} for n in range(5)]


def test_parameters_of_reads_come_again():
    calls = Calls("point_read", ROWS)
    assert calls.take(7) == [*ROWS, *ROWS[:2]]
    assert calls.take(1) == [ROWS[2]]


def test_rows_that_are_inserted_differ_within_a_batch():
    calls = Calls("insert_one", ROWS)
    assert calls.take(2) == ROWS[:2]
    assert calls.take(7) == [*ROWS[2:], *ROWS[:2]]


def test_rows_that_are_deleted_never_come_again():
    calls = Calls("delete_cascade", ROWS)
    assert calls.take(3) == ROWS[:3]
    assert calls.left == 2
    assert calls.take(3) == ROWS[3:]
    assert calls.take(1) == []


def test_without_parameters_there_is_no_call():
    assert Calls("point_read", []).take(3) == []


def test_parents_are_asked_for_as_many_at_once_as_there_are():
    params = [{"keys": [{"id": n}, {"id": n + 1}]} for n in range(20)]
    found = of_parents(params, (1, 10, 100))
    assert {size: len(one["keys"]) for size, one in found.items()} == {1: 1, 10: 10, 21: 21}
    assert of_parents([], (1, 10)) == {}


def test_one_row_is_written_by_all_with_values_of_their_own():
    params = [{"key": {"id": n}, "value": n} for n in range(3)]
    assert of_one_row(params) == [{"key": {"id": 0}, "value": n} for n in range(3)]
