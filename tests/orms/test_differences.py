import pytest

from dbplan.orms.differences import first_difference

ROW = {"id": 1, "price": "1.5", "parent": {"id": 2}, "children": [{"n": 1}, {"n": 2}]}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([ROW], ""),
        ([{**ROW, "id": 1.0}], ""),
        ([{**ROW, "price": 1.5}], 'call[0].price is 1.5 instead of "1.5"'),
        ([{**ROW, "id": True}], "call[0].id is true instead of 1"),
        ([{**ROW, "parent": None}], 'call[0].parent is null instead of {"id": 2}'),
        ([{**ROW, "children": [{"n": 1}]}], "call[0].children holds 1 instead of 2"),
        ([{**ROW, "children": [{"n": 2}, {"n": 1}]}], "call[0].children[0].n is 2 instead of 1"),
        ([{k: v for k, v in ROW.items() if k != "price"}], "call[0].price is missing"),
        ([{**ROW, "more": 1}], "call[0].more is there, and is not asked for"),
        ([ROW, ROW], "the result holds 2 instead of 1"),
        ([None], "call[0] is null instead of"),
    ],
)
def test_the_first_difference_is_told(found, told):
    said = first_difference([ROW], found)
    assert said == told if told == "" else said.startswith(told)
