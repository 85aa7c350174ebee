"""DOT: the diagram as text for a Graphviz of the reader's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbplan.diagram.boxes import Box, Row
from dbplan.diagram.relations import Relation

_ESCAPED = str.maketrans({c: f"\\{c}" for c in '\\{}|<>" '})


def dot(boxes: Sequence[Box], relations: Sequence[Relation]) -> str:
    """Return the boxes as records and the relations as crow's-foot edges, in DOT."""
    return "\n".join(_lines(boxes, relations)) + "\n"


def _lines(boxes: Sequence[Box], relations: Sequence[Relation]) -> Iterator[str]:
    yield "digraph erd {"
    yield '  graph [rankdir=LR, nodesep=0.4, ranksep=1.2, fontname="DejaVu Sans Mono"]'
    yield '  node [shape=record, fontname="DejaVu Sans Mono", fontsize=10]'
    yield "  edge [dir=both, color=gray40]"
    by_key = {box.key: box for box in boxes}
    for box in boxes:
        title = f"{box.schema}.{box.name}" if box.schema else box.name
        fields = [_escaped(title), *(f"<p{n}> {_field(row)}\\l" for n, row in enumerate(box.rows))]
        yield f'  {_quoted(box.key)} [label="{"|".join(fields)}"]'
    for relation in relations:
        yield f"  {_edge(relation, by_key)}"
    yield "}"


def _edge(relation: Relation, boxes: Mapping[str, Box]) -> str:
    tail = _end(boxes[relation.parent], relation.referred[0])
    head = _end(boxes[relation.child], relation.columns[-1])
    parent = "teeodot" if relation.optional else "teetee"
    child = "teeodot" if relation.single else "crowodot"
    return f"{tail} -> {head} [arrowtail={parent}, arrowhead={child}]"


def _end(box: Box, column: str) -> str:
    return f"{_quoted(box.key)}:p{box.lines[column]}" if column in box.lines else _quoted(box.key)


def _field(row: Row) -> str:
    return " ".join(_escaped(part) for part in (row.mark, row.name, row.type + "?" * row.nullable) if part)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPED)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
