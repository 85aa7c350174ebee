"""A dot plot of timings: medians with their intervals on a log axis, as SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from dbplan.evidence import Timing
from dbplan.report.cells import THIN, interval, show

ROW = 26
TOP = 46
BOTTOM = 8
WIDTH = 880
CHARACTER = 6.9
LONGEST = 40
_FIGURES = 226
INK, MUTED, LINE, ACCENT = (
    "var(--ink, #1b1f24)",
    "var(--muted, #5c6670)",
    "var(--line, #d9dee3)",
    "var(--accent, #0a5f9e)",
)
FONTS = "-apple-system, Segoe UI, Roboto, Noto Sans, Helvetica Neue, Arial, DejaVu Sans, sans-serif"
_STEPS = (1, 2, 5)
_LABEL = 46


def svg(timings: Sequence[Timing]) -> str:
    """Return one row a timing: name, median dot in its interval, tick at the 95th percentile, the figures in words."""
    left = 12 + CHARACTER * max((len(label(t.query)) for t in timings), default=0)
    scale = Scale(timings, left + 10, WIDTH - _FIGURES - 14)
    height = TOP + ROW * len(timings) + BOTTOM
    parts = [*_axis(scale, height), *_legend(WIDTH - _FIGURES)]
    for number, timing in enumerate(timings):
        parts.extend(_row(timing, TOP + ROW * (number + 0.5), scale))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="{FONTS}" font-size="12.5" fill="{INK}">{"".join(parts)}</svg>'
    )


def describe(timings: Sequence[Timing]) -> str:
    """Return the plot in words, for those who cannot see it."""
    if not timings:
        return "Dot plot without a timing"
    fastest, slowest = min(timings, key=lambda t: t.median), max(timings, key=lambda t: t.median)
    words = f"Dot plot of {len(timings)} timings"
    if len(timings) == 1:
        return f"{words[:-1]}: {fastest.query} {show(fastest.median, 'seconds')}"
    return (
        f"{words}, medians from {show(fastest.median, 'seconds')} ({fastest.query}) "
        f"to {show(slowest.median, 'seconds')} ({slowest.query})"
    )


class Scale:
    """Seconds on a log axis that begins and ends at a round number."""

    def __init__(self, timings: Sequence[Timing], left: float = 0, right: float = 1) -> None:
        values = [v for t in timings for v in (t.low, t.median, t.high, t.p95) if v > 0 and math.isfinite(v)] or [1e-3]
        self.left, self.right = left, right
        self.low, self.high = _round_down(min(values)), _round_up(max(values))

    def share(self, seconds: float) -> float:
        """Return where a value lies between the ends of the axis, from 0 to 1."""
        inside = min(max(seconds, self.low), self.high) if math.isfinite(seconds) else self.low
        return math.log(inside / self.low) / math.log(self.high / self.low)

    def x(self, seconds: float) -> float:
        """Return where a value lies in pixels."""
        return round(self.left + self.share(seconds) * (self.right - self.left), 1)

    def line(self, timing: Timing, width: int) -> str:
        """Return one timing as `width` characters: its interval, the median, the 95th percentile."""
        low, middle, high, p95 = (
            round(self.share(v) * (width - 1)) for v in (timing.low, timing.median, timing.high, timing.p95)
        )
        marks = dict.fromkeys(range(low, high + 1), "─") | {p95: "│"} | {middle: "●"}
        return "".join(marks.get(n, "·") for n in range(width))

    def ticks(self) -> Iterator[tuple[float, bool]]:
        """Yield the round values on the axis, and whether there is room to label each."""
        first, last = math.floor(math.log10(self.low) + 1e-9), math.ceil(math.log10(self.high) - 1e-9)
        room = (self.right - self.left) / math.log10(self.high / self.low)
        labelled = _STEPS if room * math.log10(2) > _LABEL else (1,)
        for decade in range(first, last + 1):
            for step in _STEPS:
                value = step * 10.0**decade
                if self.low * 0.999 <= value <= self.high * 1.001:
                    yield value, step in labelled


def _round_down(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return max(step * decade for step in _STEPS if step * decade <= value * 1.0001)


def _round_up(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return min(step * decade for step in (*_STEPS, 10, 20) if step * decade > value * 1.0001)


def _axis(scale: Scale, height: float) -> Iterator[str]:
    for value, labelled in scale.ticks():
        x = scale.x(value)
        yield f'<path d="M{x} {TOP - 4}V{height - BOTTOM}" stroke="{LINE}" opacity="{1 if labelled else 0.5}"/>'
        if labelled:
            text = show(value, "seconds").replace(".00", "").replace("0.0", "0")
            yield f'<text x="{x}" y="{TOP - 11}" text-anchor="middle" font-size="11" fill="{MUTED}">{text}</text>'


def _legend(right: float) -> Iterator[str]:
    x, y = right - 300, 9
    yield f'<g font-size="11" fill="{MUTED}">{_whisker(x, x + 26, y)}{_dot(x + 13, y)}'
    yield f'<text x="{x + 33}" y="{y + 4}">median and its 95 % interval</text>'
    yield f'{_tick(x + 214, y)}<text x="{x + 221}" y="{y + 4}">95th percentile</text></g>'


def _row(timing: Timing, y: float, scale: Scale) -> Iterator[str]:
    name = label(timing.query)
    title = f"<title>{escape(printable(timing.query))}</title>" if name != timing.query else ""
    yield f'<text x="0" y="{y + 4}">{title}{escape(name)}</text>'
    middle = scale.x(timing.median)
    yield f'<path d="M{scale.left} {y}H{scale.right}" stroke="{LINE}" stroke-dasharray="1 3"/>'
    yield _whisker(scale.x(timing.low), scale.x(timing.high), y) + _tick(scale.x(timing.p95), y) + _dot(middle, y)
    x = WIDTH - _FIGURES
    yield (
        f'<text x="{x + 62}" y="{y + 4}" text-anchor="end" font-weight="600">{show(timing.median, "seconds")}</text>'
        f'<text x="{x + 70}" y="{y + 4}" font-size="11" fill="{MUTED}">'
        f"{interval(timing.median, timing.low, timing.high)} · n = {show(timing.n, 'count')}</text>"
    )


def label(name: str) -> str:
    """Return a name as a plot has room for it."""
    shown = printable(name)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def printable(name: str) -> str:
    """Return words as XML takes them."""
    # XML knows no control characters, whatever a query is called.
    return "".join(character if character.isprintable() or character == THIN else "\ufffd" for character in name)


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x}" cy="{y}" r="4" fill="{ACCENT}"/>'


def _whisker(low: float, high: float, y: float) -> str:
    path = f"M{low} {y}H{high}M{low} {y - 4}v8M{high} {y - 4}v8"
    return f'<path d="{path}" stroke="{ACCENT}" stroke-width="1.5" fill="none"/>'


def _tick(x: float, y: float) -> str:
    return f'<path d="M{x} {y - 5}v10" stroke="{MUTED}" stroke-width="2"/>'
