from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbplan.diagram import graphviz
from dbplan.diagram.boxes import HEADER, UNIT, Box, Row
from dbplan.diagram.layout import Slots, components, lay_out
from dbplan.diagram.packing import pack
from dbplan.diagram.ranks import layers, order
from dbplan.diagram.relations import Relation


def box(key, rows=3, kind="table"):
    names = [f"c{n}" for n in range(rows)]
    return Box(key, kind, key, rows=tuple(Row(n, "integer") for n in names), lines={n: i for i, n in enumerate(names)})


def overlaps(layout, boxes):
    placed = [(layout.corners[b.key], b.width, b.height, b.key) for b in boxes]
    return [
        (one, other)
        for ((x, y), w, h, one), ((a, b), v, g, other) in combinations(placed, 2)
        if x < a + v and a < x + w and y < b + g and b < y + h
    ]


def check(boxes, relations):
    layout = lay_out(boxes, relations)
    assert overlaps(layout, boxes) == []
    by_key = {b.key: b for b in boxes}
    assert sorted(layout.corners) == sorted(by_key)
    assert sorted(route.relation for route in layout.routes) == sorted(relations)
    for key, (x, y) in layout.corners.items():
        assert x >= 0
        assert y >= 0
        assert x + by_key[key].width <= layout.width + 1
        assert y + by_key[key].height <= layout.height + 1
    for route in layout.routes:
        for end, key in ((route.parent, route.relation.parent), (route.child, route.relation.child)):
            x, y = layout.corners[key]
            assert end.x == pytest.approx(x + by_key[key].width if end.way == 1 else x)
            assert y < end.y < y + by_key[key].height
    return layout


RELATION = st.builds(
    Relation,
    child=st.integers(0, 11).map(str),
    columns=st.integers(0, 5).map(lambda n: (f"c{n}",)),
    parent=st.integers(0, 11).map(str),
    referred=st.just(("c0",)),
    optional=st.booleans(),
    single=st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 12), min_size=12, max_size=12), st.sets(RELATION, max_size=25))
def test_no_box_covers_another_and_every_line_ends_at_its_box(rows, relations):
    boxes = [box(str(number), count) for number, count in enumerate(rows)]
    check(boxes, sorted(relations))


@settings(max_examples=40)
@given(st.sets(RELATION, max_size=25))
def test_ends_of_different_meaning_never_share_a_place(relations):
    layout = lay_out([box(str(n), 30) for n in range(12)], sorted(relations))
    ends = {}
    for route in layout.routes:
        r = route.relation
        ends.setdefault((route.parent.x, route.parent.y), set()).add(("parent", r.parent, r.optional))
        ends.setdefault((route.child.x, route.child.y), set()).add(("child", r.child, r.columns, r.single))
    assert [meanings for meanings in ends.values() if len(meanings) > 1] == []


def test_ends_stay_near_the_line_they_belong_to():
    slots, one = Slots(), box("t", 4)
    assert [slots.unit(one, 1, HEADER, meaning) for meaning in ("a", "b", "a", "c")] == [2, 1, 2, 3]
    assert slots.unit(one, -1, HEADER, "b") == HEADER


def test_a_graph_that_graphviz_gives_up_on_is_drawn_all_the_same(monkeypatch):
    def fail(*_, **__):
        raise graphviz.LayoutFailed("lost")

    monkeypatch.setattr(graphviz, "place", fail)
    relations = [Relation(str(n), ("c1",), "0", ("c0",), False, False) for n in range(1, 9)]
    check([box(str(n)) for n in range(9)], relations)


def test_graphviz_recovers_from_a_graph_it_refuses():
    with pytest.raises(graphviz.LayoutFailed):
        graphviz.place([graphviz.Node(100, 54, 3)], [graphviz.Edge(0, 0, 0, 0, "]")], gap=8, rank_gap=44)
    placed = graphviz.place([graphviz.Node(100, 54, 3)] * 2, [graphviz.Edge(0, 1, 1, 2)], gap=8, rank_gap=44)
    (x0, _), (x1, _) = placed.corners
    assert x1 - x0 > 143.9
    assert placed.curves[0][0][1] == pytest.approx(placed.corners[0][1] + 1.5 * UNIT, abs=1)


def test_the_order_of_a_tree_has_no_arc_backwards():
    arcs = [(str(n // 2), str(n)) for n in range(1, 40)]
    places = order(map(str, range(40)), arcs)
    assert all(places[tail] < places[head] for tail, head in arcs)


def test_a_circle_is_cut_once():
    arcs = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")]
    places = order("abcd", arcs)
    assert sum(places[tail] > places[head] for tail, head in arcs) == 1


def test_layers_keep_to_their_height_and_after_their_parents():
    keys = [str(n) for n in range(50)]
    arcs = [("0", key) for key in keys[1:]]
    found = layers(order(keys, arcs), arcs, dict.fromkeys(keys, 10.0), 100.0)
    assert found["0"] == 0
    assert max(list(found.values()).count(layer) for layer in set(found.values())) == 10
    assert min(found[key] for key in keys[1:]) == 1


@given(st.lists(st.tuples(st.floats(1, 300), st.floats(1, 300)), max_size=30))
def test_packed_rectangles_do_not_overlap(sizes):
    corners = pack(dict(enumerate(sizes)))
    for one, other in combinations(corners, 2):
        (x, y), (a, b) = corners[one], corners[other]
        (w, h), (v, g) = sizes[one], sizes[other]
        assert x + w <= a + 1e-6 or a + v <= x + 1e-6 or y + h <= b + 1e-6 or b + g <= y + 1e-6


def test_islands_make_a_page_and_no_endless_row():
    boxes = [box(str(n), n % 9) for n in range(100)]
    layout = check(boxes, [])
    assert 0.4 < layout.width / layout.height < 2.5


def test_a_hub_of_many_tables_is_no_endless_column():
    relations = [Relation(str(n), ("c1",), "0", ("c0",), False, False) for n in range(1, 61)]
    layout = check([box(str(n)) for n in range(61)], relations)
    assert layout.height < 3 * layout.width


def test_groups_hold_what_relations_hold_together():
    relations = [Relation("b", ("x",), "a", ("id",), False, False), Relation("c", ("x",), "c", ("id",), True, False)]
    assert components("abcd", relations) == [["a", "b"], ["c"], ["d"]]
