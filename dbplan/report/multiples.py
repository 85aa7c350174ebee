"""Small multiples: histograms and courses over time, a row each, as SVG written by hand and as characters."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from dbplan.report.blocks import Multiples, Series
from dbplan.report.cells import show
from dbplan.report.dots import ACCENT, CHARACTER, FONTS, INK, LINE, MUTED, WIDTH, label, printable

ROW = 62
PLOT = 30
TOP = 10
WIDEST_BAR = 26
GAP = 2
_FIGURES = 236
_SMALL = 5.9
"""Pixels of a character of the small letters."""
_STEPS = "▁▂▃▄▅▆▇█"


def svg(block: Multiples) -> str:
    """Return one row a series: name, the small plot over its labels, its figures in words."""
    left = 20 + CHARACTER * max((len(label(series.name)) for series in block.series), default=0)
    height = TOP + ROW * len(block.series)
    draw = _bars if block.form == "bars" else _line
    parts: list[str] = []
    for number, series in enumerate(block.series):
        y = TOP + ROW * number + PLOT
        parts.extend(_words(series, y))
        parts.extend(draw(series, block.titles[2], left, WIDTH - _FIGURES - 16, y))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="{FONTS}" font-size="12.5" fill="{INK}">{"".join(parts)}</svg>'
    )


def describe(block: Multiples) -> str:
    """Return the plots in words, for those who cannot see them."""
    kind = "histogram" if block.form == "bars" else "course over time"
    each = "; ".join(f"{series.name}: {series.said or _range(series)}" for series in block.series)
    number = len(block.series)
    plural = "courses over time" if block.form == "line" else "histograms"
    return f"{number} {kind if number == 1 else plural}: {each}" if number else f"No {kind}"


def line(series: Series) -> str:
    """Return a series as one character a label."""
    most = max((count for _, count in series.counts), default=0)
    return "".join(_STEPS[min(7, int(count / most * 8))] if count else " " for _, count in series.counts)


def ends(series: Series) -> str:
    """Return between which labels a series runs."""
    if not series.counts:
        return ""
    first, last = series.counts[0][0], series.counts[-1][0]
    return first if first == last else f"{first} … {last}"


def _range(series: Series) -> str:
    counts = [count for _, count in series.counts]
    return f"{show(min(counts), 'count')} to {show(max(counts), 'count')}" if counts else "nothing"


def _words(series: Series, y: float) -> Iterator[str]:
    name = label(series.name)
    title = f"<title>{escape(printable(series.name))}</title>" if name != series.name else ""
    yield f'<text x="0" y="{y}">{title}{escape(name)}</text>'
    x = WIDTH - _FIGURES
    yield f'<text x="{x}" y="{y}" font-size="11.5" fill="{MUTED}">{escape(printable(series.said))}</text>'


def _bars(series: Series, unit: str, left: float, right: float, y: float) -> Iterator[str]:
    most = max((count for _, count in series.counts), default=0) or 1
    step = min(WIDEST_BAR + GAP, (right - left) / max(1, len(series.counts)))
    yield f'<path d="M{left} {y + 0.5}H{round(left + step * len(series.counts), 1)}" stroke="{LINE}"/>'
    free = 0.0
    for place, (name, count) in enumerate(series.counts):
        x, size = round(left + place * step, 1), round(count / most * PLOT, 1)
        said = f"{escape(printable(name))}: {show(count, 'count')} {unit}"
        height = max(size, 1) if count else 0
        yield (
            f'<rect x="{x}" y="{round(y - height, 1)}" width="{round(step - GAP, 1)}" height="{height}" '
            f'fill="{ACCENT}"><title>{said}</title></rect>'
        )
        middle, half = x + (step - GAP) / 2, _SMALL * len(name) / 2
        if middle - half >= free - 1:
            yield _tick(middle, y + 14, "middle", name)
            free = middle + half + 6


def _line(series: Series, unit: str, left: float, right: float, y: float) -> Iterator[str]:
    counts = [count for _, count in series.counts]
    most = max(counts, default=0) or 1
    step = (right - left) / max(1, len(counts) - 1)
    points = [(round(left + n * step, 1), round(y - count / most * PLOT, 1)) for n, count in enumerate(counts)]
    yield f'<path d="M{left} {y + 0.5}H{right}" stroke="{LINE}"/>'
    if not points:
        return
    path = " ".join(f"{x},{up}" for x, up in points)
    yield f'<polyline points="{path}" stroke="{ACCENT}" stroke-width="1.5" fill="none" stroke-linejoin="round"/>'
    for (x, up), (name, count) in zip(points, series.counts, strict=True):
        said = f"{escape(printable(name))}: {show(count, 'count')} {unit}"
        last = (x, up) == points[-1]
        look = f'fill="{ACCENT}"' if last else 'fill="none" pointer-events="all"'
        yield f'<circle cx="{x}" cy="{up}" r="{3 if last else 5}" {look}><title>{said}</title></circle>'
    yield _tick(left, y + 14, "start", series.counts[0][0])
    if len(points) > 1:
        yield _tick(right, y + 14, "end", series.counts[-1][0])


def _tick(x: float, y: float, anchor: str, words: str) -> str:
    said = escape(printable(words))
    return f'<text x="{round(x, 1)}" y="{y}" text-anchor="{anchor}" font-size="10.5" fill="{MUTED}">{said}</text>'
