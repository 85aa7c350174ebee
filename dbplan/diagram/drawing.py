"""Drawing: a layout as SVG, in colours that the page around it may set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from dbplan.diagram.boxes import AIR, HEADER, MARK_SIZE, NAME_SIZE, PAD, SMALL_SIZE, TEXT_SIZE, UNIT, Box, Row
from dbplan.diagram.layout import STUB, End, Layout, Route
from dbplan.diagram.lettering import ADVANCE, cut, width
from dbplan.diagram.relations import Relation

INK, PAPER, MUTED = "var(--ink, #1b1f24)", "var(--paper, #ffffff)", "var(--muted, #5a6570)"
LINE, WASH, ACCENT = "var(--line, #dce1e6)", "var(--wash, #f5f7f9)", "var(--accent, #0a5f9e)"
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
MARGIN = 8.0
LEGEND_HEIGHT, LEGEND_WIDTH = 34.0, 640.0
RADIUS = 4
_MARKS = {"PK": "primary key", "FK": "foreign key", "U": "unique"}
_ROUND, _BAR, _TOES = 4.0, 5.5, 6.0
_NEAR, _FAR = 8.0, 14.0


def svg(layout: Layout, boxes: Sequence[Box], label: str) -> str:
    """Return the picture as SVG text: lines first, boxes over them, the key to its signs below."""
    key = legend(boxes, [route.relation for route in layout.routes])
    wide = max(layout.width, min(sum(taken for _, taken in key), LEGEND_WIDTH)) + 2 * MARGIN
    lines = list(_wrapped(key, wide - 2 * MARGIN))
    high = layout.height + 2 * MARGIN + (LEGEND_HEIGHT + (len(lines) - 1) * UNIT if lines else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" role="img" aria-label="{_safe(label)}">',
        f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})" style="font-family:{FONTS};font-size:{TEXT_SIZE}px;'
        f'fill:{INK};white-space:pre">',
        f'<g style="fill:none;stroke:{MUTED};stroke-width:1.2">',
        *(_route(route) for route in layout.routes),
        "</g>",
        *(line for box in boxes for line in _box(box, *layout.corners[box.key])),
        *_legend(lines, layout.height + LEGEND_HEIGHT - 8),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _route(route: Route) -> str:
    (x, y), *rest = route.curve
    start, end = route.parent, route.child
    bends = " ".join(f"{_n(a)} {_n(b)}" for a, b in rest)
    path = f"M{_n(start.x)} {_n(start.y)}L{_n(x)} {_n(y)}C{bends}L{_n(end.x)} {_n(end.y)}"
    hint = _safe(f"{route.relation}: {cardinality(route)}")
    signs = _sign(start, many=False, maybe=route.relation.optional) + _sign(
        end, many=not route.relation.single, maybe=True
    )
    return f'<g><title>{hint}</title><path d="{path}"/>{signs}</g>'


def cardinality(route: Route) -> str:
    """Return both ends in words."""
    parent = "0..1" if route.relation.optional else "1"
    return f"{parent} to {'0..1' if route.relation.single else '0..N'}"


def _sign(end: End, *, many: bool, maybe: bool) -> str:
    """Draw one end in crow's-foot notation, from the box outwards: one bar or three toes, then a bar or a ring."""
    near, far = end.x + end.way * _NEAR, end.x + end.way * _FAR
    if many:
        foot = end.x + end.way * (_NEAR + 3)
        first, last = _foot(end, foot), foot + end.way * _ROUND
    else:
        first, last = _bar(near, end.y), far + end.way * (_ROUND - _BAR / 2)
    if maybe:
        return f'<path d="{first}"/><circle cx="{_n(last)}" cy="{_n(end.y)}" r="{_ROUND}" style="fill:{PAPER}"/>'
    return f'<path d="{first}{_bar(far, end.y)}"/>'


def _foot(end: End, foot: float) -> str:
    return "".join(f"M{_n(foot)} {_n(end.y)}L{_n(end.x)} {_n(end.y + toe)}" for toe in (-_TOES, _TOES))


def _bar(x: float, y: float) -> str:
    return f"M{_n(x)} {_n(y - _BAR)}V{_n(y + _BAR)}"


def _box(box: Box, x: float, y: float) -> Iterator[str]:
    head, corner = HEADER * UNIT, RADIUS if box.kind != "enum" else 9
    shade = head - AIR / 2
    dash = ";stroke-dasharray:4 3" if box.kind != "table" else ""
    size = f'width="{box.width}" height="{box.height}" rx="{corner}"'
    yield f'<g transform="translate({_n(x)} {_n(y)})">'
    yield f'<rect {size} style="fill:{PAPER}"/>'
    yield (
        f'<path d="M0 {_n(shade)}V{corner}Q0 0 {corner} 0H{box.width - corner}'
        f'Q{box.width} 0 {box.width} {corner}V{_n(shade)}Z" style="fill:{WASH}"/>'
    )
    yield f'<rect {size} style="fill:none;stroke:{MUTED}{dash}"/>'
    yield from _head(box)
    for number, row in enumerate(box.rows):
        yield from _row(row, box, head + (number + 0.5) * UNIT)
    if box.footer:
        top = head + len(box.rows) * UNIT + AIR / 2
        yield f'<path d="M0.5 {_n(top - 1)}H{box.width - 0.5}" style="stroke:{LINE}"/>'
        most = int((box.width - 2 * PAD) / (SMALL_SIZE * ADVANCE))
        for number, row in enumerate(box.footer):
            yield _text(
                PAD, top + (number + 0.5) * UNIT, cut(row.name, most), size=SMALL_SIZE, fill=MUTED, hint=row.hint
            )
    yield "</g>"


def _head(box: Box) -> Iterator[str]:
    middle = (HEADER * UNIT - AIR / 2) / 2
    if box.schema:
        yield _text(PAD, 10, box.schema, size=SMALL_SIZE, fill=MUTED)
    below = middle + (6 if box.schema else 0)
    yield _text(PAD, below, box.name, size=NAME_SIZE, bold=True, hint=box.hint)
    if box.count:
        yield _text(box.width - PAD, below, box.count, size=SMALL_SIZE, fill=MUTED, right=True)


def _row(row: Row, box: Box, y: float) -> Iterator[str]:
    if row.mark:
        yield _text(PAD, y, row.mark, size=MARK_SIZE, fill=ACCENT)
    yield _text(PAD + box.mark_width, y, row.name, fill=MUTED if row.faint else "", hint=row.hint)
    if row.type:
        yield _text(box.width - PAD, y, row.type + "?" * row.nullable, fill=MUTED, right=True)


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = TEXT_SIZE,
    fill: str = "",
    bold: bool = False,
    right: bool = False,
    hint: str = "",
) -> str:
    """Draw one line of text around the height `y`; a baseline is set by hand, as not every viewer can centre."""
    style = f"font-size:{size}px" if size != TEXT_SIZE else ""
    style += f";fill:{fill}" if fill else ""
    style += ";font-weight:bold" if bold else ""
    attributes = (f' style="{style.lstrip(";")}"' if style else "") + (' text-anchor="end"' if right else "")
    title = f"<title>{_safe(hint)}</title>" if hint and hint != text else ""
    return f'<text x="{_n(x)}" y="{_n(y + size * 0.36)}"{attributes}>{title}{_safe(text)}</text>'


def legend(boxes: Sequence[Box], relations: Sequence[Relation]) -> list[tuple[str, float]]:
    """Return the signs that this picture uses, each drawn with its meaning, and how wide that is."""
    rows = [row for box in boxes for row in box.rows]
    marks = {mark for row in rows for mark in row.mark.split()}
    words = {mark: word for mark, word in _MARKS.items() if mark in marks}
    items = [(_text(0, 0, mark, size=MARK_SIZE, fill=ACCENT), width(mark, MARK_SIZE), words[mark]) for mark in words]
    if any(row.nullable for row in rows):
        items.append((_text(0, 0, "?", size=SMALL_SIZE, fill=MUTED), width("?", SMALL_SIZE), "may be NULL"))
    items += [(_sample(many, maybe), STUB, word) for many, maybe, word in _ends(relations)]
    return [
        (sign + _text(taken + 6, 0, word, size=SMALL_SIZE, fill=MUTED), taken + 6 + width(word, SMALL_SIZE) + 22)
        for sign, taken, word in items
    ]


def _ends(relations: Sequence[Relation]) -> Iterator[tuple[bool, bool, str]]:
    if any(not relation.optional for relation in relations):
        yield False, False, "exactly 1"
    if any(relation.optional or relation.single for relation in relations):
        yield False, True, "0 or 1"
    if any(not relation.single for relation in relations):
        yield True, True, "0 to N"


def _sample(many: bool, maybe: bool) -> str:
    stroke = f"fill:none;stroke:{MUTED};stroke-width:1.2"
    return (
        f'<g style="{stroke}"><path d="M0 -7V7" style="stroke:{LINE};stroke-width:2"/><path d="M0 0H{_n(STUB)}"/>'
        f"{_sign(End(0, 0, 1), many=many, maybe=maybe)}</g>"
    )


def _wrapped(items: Iterable[tuple[str, float]], wide: float) -> Iterator[list[tuple[str, float]]]:
    line: list[tuple[str, float]] = []
    for item in items:
        if line and sum(taken for _, taken in [*line, item]) > wide + 22:
            yield line
            line = []
        line.append(item)
    if line:
        yield line


def _legend(lines: Sequence[Sequence[tuple[str, float]]], top: float) -> Iterator[str]:
    for number, line in enumerate(lines):
        x = 0.0
        for item, taken in line:
            yield f'<g transform="translate({_n(x)} {_n(top + number * UNIT)})">{item}</g>'
            x += taken


def _n(number: float) -> str:
    """Write a coordinate with one decimal at most, and never as -0."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _safe(text: str) -> str:
    return escape(text, quote=True)
