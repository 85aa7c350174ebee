"""Layout: where each box stands and how each relation runs, with no two boxes overlapping."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from dbplan.diagram import graphviz
from dbplan.diagram.boxes import UNIT, Box
from dbplan.diagram.graphviz import Edge, LayoutFailed, Node, Placed, Point
from dbplan.diagram.packing import pack, page_width
from dbplan.diagram.relations import Relation

STUB = 24.0
"""Pixels beside every box that belong to it alone: the ends of its relations are drawn there."""
GAP = 20.0
RANK_GAP = 44.0
LOOP = 16.0
_TALLEST = 1.6
_STAGGERS = (1, 2, 3, 4, 6, 8)


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
    parts = [_component(group, by_key, relations) for group in components(by_key, relations)]
    parts.sort(key=lambda part: (-len(part.routes), -part.height, -part.width, min(part.corners)))
    sizes = {number: (part.width + GAP, part.height + GAP) for number, part in enumerate(parts)}
    places = pack(sizes, page_width(sizes))
    moved = [_shifted(part, places[number]) for number, part in enumerate(parts)]
    return Layout(
        width=max((places[n][0] + part.width for n, part in enumerate(parts)), default=0.0),
        height=max((places[n][1] + part.height for n, part in enumerate(parts)), default=0.0),
        corners={key: corner for part in moved for key, corner in part.corners.items()},
        routes=tuple(route for part in moved for route in part.routes),
    )


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
    if all(relation.reflexive for relation in inside):
        placed = Placed(*_outer(chosen[0], inside), ((0.0, 0.0),), ())
        return _Assembly(chosen, inside).layout(placed)
    try:
        return min((_ranked(chosen, inside, stagger) for stagger in _staggers(inside)), key=_badness)
    except LayoutFailed:
        return _Assembly(chosen, inside).layout(_without_graphviz(chosen, inside))


def _staggers(relations: Sequence[Relation]) -> tuple[int, ...]:
    leaves = Counter(relation.parent for relation in relations)
    return _STAGGERS if max(leaves.values()) > 4 else (1,)


def _badness(layout: Layout) -> tuple[float, float]:
    """Order layouts: those not too tall for their width first, then the least area."""
    tall = max(layout.height / max(layout.width, 960.0), _TALLEST)
    return (tall, layout.width * layout.height)


def _ranked(boxes: Sequence[Box], relations: Sequence[Relation], stagger: int) -> Layout:
    """Lay out twice: the first pass tells which table stands left of which, the second gives lines their sides."""
    assembly = _Assembly(boxes, relations, _lengths(relations, stagger))
    ranks = graphviz.place(assembly.nodes, assembly.edges(), gap=GAP, rank_gap=RANK_GAP)
    assembly.turn({box.key: ranks.corners[number][0] for number, box in enumerate(boxes)})
    return assembly.layout(graphviz.place(assembly.nodes, assembly.edges(), gap=GAP, rank_gap=RANK_GAP))


def _lengths(relations: Sequence[Relation], stagger: int) -> dict[Relation, int]:
    """Spread the tables that hang on one other table alone over several ranks, so that a hub is no endless column."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for relation in relations:
        neighbours[relation.child].add(relation.parent)
        neighbours[relation.parent].add(relation.child)
    met: Counter[tuple[str, bool]] = Counter()
    lengths: dict[Relation, int] = {}
    for relation in relations:
        leaf = next((key for key in (relation.child, relation.parent) if len(neighbours[key]) == 1), None)
        if leaf is None:
            continue
        hub = relation.parent if leaf == relation.child else relation.child
        lengths[relation] = 1 + met[hub, leaf == relation.child] % stagger
        met[hub, leaf == relation.child] += 1
    return lengths


class _Assembly:
    """The boxes and relations of one component between the passes of its layout."""

    def __init__(
        self, boxes: Sequence[Box], relations: Sequence[Relation], lengths: Mapping[Relation, int] | None = None
    ) -> None:
        self.boxes = boxes
        self.relations = [relation for relation in relations if not relation.reflexive]
        self.loops = [relation for relation in relations if relation.reflexive]
        self.lengths = lengths or {}
        self.number = {box.key: number for number, box in enumerate(boxes)}
        self.sizes = [_outer(box, self.loops) for box in boxes]
        self.nodes = [Node(*size, box.units) for size, box in zip(self.sizes, boxes, strict=True)]
        self.left_of: dict[str, float] = {}

    def turn(self, left_of: Mapping[str, float]) -> None:
        """Note where the tables stand, so that each line leaves its table towards the other."""
        self.left_of = dict(left_of)

    def forward(self, relation: Relation) -> bool:
        """Whether the parent stands left of the child."""
        return self.left_of.get(relation.parent, 0.0) <= self.left_of.get(relation.child, 0.0)

    def units(self) -> dict[Relation, tuple[int, int]]:
        """Return the lines at which each relation meets its parent and its child."""
        slots = Slots()
        found: dict[Relation, tuple[int, int]] = {}
        for relation in [*self.loops, *self.relations]:
            way = 1 if relation.reflexive or self.forward(relation) else -1
            parent, child = self.boxes[self.number[relation.parent]], self.boxes[self.number[relation.child]]
            to = slots.unit(parent, way, parent.unit_of(relation.referred[0]), (relation.referred, relation.optional))
            side = way if relation.reflexive else -way
            of = slots.unit(child, side, child.unit_of(_telling(relation)), (relation.columns, relation.single))
            found[relation] = (to, of)
        return found

    def edges(self) -> list[Edge]:
        """Return the relations between different tables as edges from left to right."""
        units = self.units()
        edges = []
        for relation in self.relations:
            ends = (
                (self.number[relation.parent], units[relation][0]),
                (self.number[relation.child], units[relation][1]),
            )
            left, right = ends if self.forward(relation) else ends[::-1]
            edges.append(Edge(*left, *right, length=self.lengths.get(relation, 1)))
        return edges

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
        for number, relation in enumerate(self.loops):
            parent = self.end(relation.parent, units[relation][0], 1, corners)
            child = self.end(relation.child, units[relation][1], 1, corners)
            routes.append(Route(relation, parent, child, _loop(parent, child, LOOP * (number + 1))))
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
    return 2 * ceil((box.width + 2 * STUB + LOOP * loops) / 2), float(box.height)


def _fitted(curve: tuple[Point, ...], parent: End, child: End) -> tuple[Point, ...]:
    """Return the curve beginning and ending exactly at the stubs; Graphviz rounds its numbers."""
    return ((parent.x + parent.way * STUB, parent.y), *curve[1:-1], (child.x + child.way * STUB, child.y))


def _loop(parent: End, child: End, reach: float) -> tuple[Point, ...]:
    """Return a bow to the right of a table that refers to itself."""
    right = max(parent.x, child.x) + STUB
    return ((right, parent.y), (right + reach, parent.y), (right + reach, child.y), (right, child.y))


def _without_graphviz(boxes: Sequence[Box], relations: Sequence[Relation]) -> Placed:
    """Return the boxes on a grid with plain bows between them, for a graph on which Graphviz gives up."""
    sizes = {number: (w + GAP, h + GAP) for number, (w, h) in enumerate(_outer(box, relations) for box in boxes)}
    corners = pack(sizes, page_width(sizes))
    number = {box.key: n for n, box in enumerate(boxes)}
    curves = []
    for relation in (relation for relation in relations if not relation.reflexive):
        (x0, y0), (x1, y1) = corners[number[relation.parent]], corners[number[relation.child]]
        start = x0 + sizes[number[relation.parent]][0] - GAP
        curves.append(((start, y0), (start + RANK_GAP, y0), (x1 - RANK_GAP, y1), (x1, y1)))
    return Placed(
        max(corners[n][0] + sizes[n][0] for n in corners),
        max(corners[n][1] + sizes[n][1] for n in corners),
        tuple(corners[n] for n in range(len(boxes))),
        tuple(curves),
    )


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
