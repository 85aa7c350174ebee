"""Layout: where each box stands and how each relation runs, with no two boxes overlapping."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil, dist, sqrt

from dbplan.diagram import graphviz
from dbplan.diagram.boxes import UNIT, Box
from dbplan.diagram.graphviz import Edge, LayoutFailed, Node, Placed, Point
from dbplan.diagram.packing import PAGE, pack
from dbplan.diagram.ranks import layers, order
from dbplan.diagram.relations import Relation

STUB = 24.0
"""Pixels beside every box that belong to it alone: the ends of its relations are drawn there."""
RANK_GAP = 44.0
"""Pixels between ranks, beside the stubs."""
SPACE = 28.0
"""Pixels between components."""
LANE = 8.0
"""Pixels around a line that passes by a box; boxes of a rank have a whole empty line below them besides."""
LOOP = 16.0
_TALLEST = 2.5
"""A component higher than so many times its width (or the page's) is laid out again in lower ranks."""
_HEIGHTS = (2.0, 1.3, 1.0)
"""Heights to try, as multiples of the side of the square that all its boxes would fill."""


@dataclass(frozen=True)
class End:
    """Where a relation meets a box: the point on its side, and the way out (1 to the right, -1 to the left)."""

    x: float
    y: float
    way: int


@dataclass(frozen=True)
class Route:
    """A relation's line: both ends, and the Bézier control points between the stubs."""

    relation: Relation
    parent: End
    child: End
    curve: tuple[Point, ...]


@dataclass(frozen=True)
class Layout:
    """Everything placed, in pixels from the upper left."""

    width: float
    height: float
    corners: Mapping[str, Point]
    routes: tuple[Route, ...]


@dataclass
class Slots:
    """Which line of a box's side each relation ends at: ends that say different things never share one."""

    taken: dict[tuple[str, int, int], object] = field(default_factory=dict)

    def unit(self, box: Box, way: int, wanted: int, meaning: object) -> int:
        """Return the free line nearest to `wanted`, or the one that already means the same."""
        for unit in sorted(range(1, box.units), key=lambda unit: (abs(unit - wanted), unit)):
            if self.taken.setdefault((box.key, way, unit), meaning) == meaning:
                return unit
        return wanted


def lay_out(boxes: Sequence[Box], relations: Sequence[Relation]) -> Layout:
    """Return every box and relation placed: connected tables in ranks, the groups packed on one page."""
    by_key = {box.key: box for box in boxes}
    parts = [_trimmed(_component(group, by_key, relations), by_key) for group in components(by_key, relations)]
    parts.sort(key=lambda part: (_enum(part, by_key), -len(part.routes), -part.height, -part.width, min(part.corners)))
    sizes = {number: (part.width + SPACE, part.height + SPACE) for number, part in enumerate(parts)}
    places = pack(sizes)
    moved = [_shifted(part, places[number]) for number, part in enumerate(parts)]
    return Layout(
        width=max((places[n][0] + part.width for n, part in enumerate(parts)), default=0.0),
        height=max((places[n][1] + part.height for n, part in enumerate(parts)), default=0.0),
        corners={key: corner for part in moved for key, corner in part.corners.items()},
        routes=tuple(route for part in moved for route in part.routes),
    )


def _enum(part: Layout, boxes: Mapping[str, Box]) -> bool:
    return all(boxes[key].kind == "enum" for key in part.corners)


def components(keys: Iterable[str], relations: Iterable[Relation]) -> list[list[str]]:
    """Return the tables in groups that relations hold together, each sorted."""
    parent = {key: key for key in keys}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for relation in relations:
        first, second = sorted((root(relation.child), root(relation.parent)))
        parent[second] = first
    groups: dict[str, list[str]] = defaultdict(list)
    for key in sorted(parent):
        groups[root(key)].append(key)
    return list(groups.values())


def _component(keys: list[str], boxes: Mapping[str, Box], relations: Sequence[Relation]) -> Layout:
    members = set(keys)
    chosen = [boxes[key] for key in keys]
    inside = [relation for relation in relations if relation.child in members]
    assembly = _Assembly(chosen, inside)
    if len(keys) == 1:
        return assembly.layout(Placed(*assembly.sizes[0], ((0.0, 0.0),), ()))
    try:
        return _ranked(assembly)
    except LayoutFailed:
        return assembly.layout(_without_graphviz(assembly))


def _ranked(assembly: _Assembly) -> Layout:
    """Return the component in its natural ranks, or in lower ones where those make it an endless column."""
    natural = assembly.placed({})
    if _tall(natural) <= _TALLEST:
        return natural
    area = sum((width + RANK_GAP) * (height + SPACE) for width, height in assembly.sizes)
    heights = {box.key: size[1] + LANE for box, size in zip(assembly.boxes, assembly.sizes, strict=True)}
    tried = [natural]
    for factor in _HEIGHTS:
        levels = layers(assembly.places, assembly.arcs, heights, factor * sqrt(area))
        tried.append(
            assembly.layout(graphviz.place(assembly.nodes, assembly.edges(levels), gap=LANE, rank_gap=RANK_GAP))
        )
    return min(tried, key=lambda layout: (max(_tall(layout), _TALLEST), _ink(layout)))


def _ink(layout: Layout) -> float:
    """Return the length of all lines together, in pixels."""
    return sum(dist(start, end) for route in layout.routes for start, end in pairwise(route.curve))


def _tall(layout: Layout) -> float:
    return layout.height / max(layout.width, PAGE)


class _Assembly:
    """The boxes and relations of one component, before and after Graphviz places them."""

    def __init__(self, boxes: Sequence[Box], relations: Sequence[Relation]) -> None:
        self.boxes = boxes
        self.relations = [relation for relation in relations if not relation.reflexive]
        self.loops = [relation for relation in relations if relation.reflexive]
        self.number = {box.key: number for number, box in enumerate(boxes)}
        self.sizes = [_outer(box, self.loops) for box in boxes]
        self.nodes = [Node(*size, box.units + 1) for size, box in zip(self.sizes, boxes, strict=True)]
        self.arcs = sorted({(relation.parent, relation.child) for relation in self.relations})
        self.places = order(self.number, self.arcs)

    def forward(self, relation: Relation) -> bool:
        """Whether the parent stands left of the child; in a circle of tables, some do not."""
        return self.places[relation.parent] < self.places[relation.child]

    def units(self) -> dict[Relation, tuple[int, int]]:
        """Return the lines at which each relation meets its parent and its child."""
        slots = Slots()
        found: dict[Relation, tuple[int, int]] = {}
        # The ends that hold always go first: they get the line of the key itself.
        for relation in sorted([*self.loops, *self.relations], key=lambda relation: relation.optional):
            way = 1 if relation.reflexive or self.forward(relation) else -1
            parent, child = self.boxes[self.number[relation.parent]], self.boxes[self.number[relation.child]]
            to = slots.unit(
                parent, way, parent.unit_of(relation.referred[0]), ("to", relation.referred, relation.optional)
            )
            side = way if relation.reflexive else -way
            of = slots.unit(child, side, child.unit_of(_telling(relation)), ("of", relation.columns, relation.single))
            found[relation] = (to, of)
        return found

    def edges(self, levels: Mapping[str, int]) -> list[Edge]:
        """Return the relations between different tables as edges from left to right, as long as `levels` wants."""
        units = self.units()
        edges = []
        for relation in self.relations:
            ends = (
                (self.number[relation.parent], units[relation][0]),
                (self.number[relation.child], units[relation][1]),
            )
            left, right = ends if self.forward(relation) else ends[::-1]
            length = abs(levels.get(relation.child, 1) - levels.get(relation.parent, 0))
            edges.append(Edge(*left, *right, length=length))
        return edges

    def placed(self, levels: Mapping[str, int]) -> Layout:
        """Return the component as Graphviz lays it out; LayoutFailed where it gives up."""
        return self.layout(graphviz.place(self.nodes, self.edges(levels), gap=LANE, rank_gap=RANK_GAP))

    def layout(self, placed: Placed) -> Layout:
        """Return the component with the lines drawn from box to box; the stubs lie outside what Graphviz routed."""
        corners = {box.key: (placed.corners[n][0] + STUB, placed.corners[n][1]) for n, box in enumerate(self.boxes)}
        units = self.units()
        routes = []
        for relation, curve in zip(self.relations, placed.curves, strict=True):
            way = 1 if self.forward(relation) else -1
            parent = self.end(relation.parent, units[relation][0], way, corners)
            child = self.end(relation.child, units[relation][1], -way, corners)
            routes.append(Route(relation, parent, child, _fitted(curve if way == 1 else curve[::-1], parent, child)))
        reach: Counter[str] = Counter()
        for relation in self.loops:
            reach[relation.child] += 1
            parent = self.end(relation.parent, units[relation][0], 1, corners)
            child = self.end(relation.child, units[relation][1], 1, corners)
            routes.append(Route(relation, parent, child, _loop(parent, child, LOOP * reach[relation.child])))
        return Layout(placed.width, placed.height, corners, tuple(routes))

    def end(self, key: str, unit: int, way: int, corners: Mapping[str, Point]) -> End:
        """Return the point where a relation meets the side of a box at one of its lines."""
        x, y = corners[key]
        return End(x + self.boxes[self.number[key]].width if way == 1 else x, y + (unit + 0.5) * UNIT, way)


def _telling(relation: Relation) -> str:
    """Return the column that tells most of a composite key: the last one, as the first is often a tenant or a year."""
    return relation.columns[-1]


def _outer(box: Box, relations: Iterable[Relation]) -> tuple[float, float]:
    """Return the size of a box with its stubs and loops, whole pixels in pairs so that its middle is one too."""
    loops = sum(relation.reflexive and relation.child == box.key for relation in relations)
    return 2 * ceil((box.width + 2 * STUB + LOOP * loops) / 2), float((box.units + 1) * UNIT)


def _fitted(curve: tuple[Point, ...], parent: End, child: End) -> tuple[Point, ...]:
    """Return the curve from stub to stub, leaving and arriving level; Graphviz rounds its numbers."""
    start, end = (parent.x + parent.way * STUB, parent.y), (child.x + child.way * STUB, child.y)
    first = start[0] + parent.way * max(12.0, abs(curve[1][0] - start[0]))
    last = end[0] + child.way * max(12.0, abs(curve[-2][0] - end[0]))
    return (start, (first, start[1]), *curve[2:-2], (last, end[1]), end)


def _loop(parent: End, child: End, reach: float) -> tuple[Point, ...]:
    """Return a bow to the right of a table that refers to itself."""
    right = max(parent.x, child.x) + STUB
    return ((right, parent.y), (right + reach, parent.y), (right + reach, child.y), (right, child.y))


def _without_graphviz(assembly: _Assembly) -> Placed:
    """Return the boxes on a grid with plain bows between them, for a graph on which Graphviz gives up."""
    sizes = {number: (width + SPACE, height + SPACE) for number, (width, height) in enumerate(assembly.sizes)}
    corners = pack(sizes)
    curves = []
    for edge in assembly.edges({}):
        (x0, y0), (x1, y1) = corners[edge.tail], corners[edge.head]
        x0 += assembly.sizes[edge.tail][0]
        curves.append(((x0, y0), (x0 + RANK_GAP, y0), (x1 - RANK_GAP, y1), (x1, y1)))
    return Placed(
        max(corners[n][0] + sizes[n][0] for n in corners),
        max(corners[n][1] + sizes[n][1] for n in corners),
        tuple(corners[n] for n in range(len(sizes))),
        tuple(curves),
    )


def _trimmed(part: Layout, boxes: Mapping[str, Box]) -> Layout:
    """Return the component moved to the upper left and no larger than what is drawn of it."""
    xs = [x for key, (x, _) in part.corners.items() for x in (x, x + boxes[key].width)]
    ys = [y for key, (_, y) in part.corners.items() for y in (y, y + boxes[key].height)]
    xs += [x for route in part.routes for x, _ in route.curve]
    ys += [y for route in part.routes for _, y in route.curve]
    moved = _shifted(part, (-min(xs), -min(ys)))
    return replace(moved, width=max(xs) - min(xs), height=max(ys) - min(ys))


def _shifted(part: Layout, by: Point) -> Layout:
    """Return the component moved to its place on the page."""
    dx, dy = by

    def end(point: End) -> End:
        return replace(point, x=point.x + dx, y=point.y + dy)

    return Layout(
        part.width,
        part.height,
        {key: (x + dx, y + dy) for key, (x, y) in part.corners.items()},
        tuple(
            Route(r.relation, end(r.parent), end(r.child), tuple((x + dx, y + dy) for x, y in r.curve))
            for r in part.routes
        ),
    )
