"""Plotting: ratios with their intervals, a small plot for each scenario, all on one log axis; SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from dbplan.evidence import OrmTiming
from dbplan.orms.facts import MEASURED, Taking
from dbplan.orms.scenarios import SCENARIOS
from dbplan.report.cells import show
from dbplan.report.dots import ACCENT, CHARACTER, FONTS, INK, LINE, MUTED, WIDTH, label, printable

COLUMNS = 2
ROW = 17
HEAD = 40
GAP = 26
_STEPS = (1, 1.5, 2, 3, 5, 7)
_ROOM = 30
"""Pixels that the label of a tick needs."""


@dataclass(frozen=True)
class Drawn:
    """A picture, and the same in words."""

    svg: str
    alt: str


@dataclass(frozen=True)
class Axis:
    """Ratios on a log axis from `low` to `high`, `width` pixels long."""

    low: float
    high: float
    width: float

    def x(self, ratio: float) -> float:
        """Return where a ratio lies, in pixels from the left end."""
        inside = min(max(ratio, self.low), self.high)
        return round(self.width * math.log(inside / self.low) / math.log(self.high / self.low), 1)

    def ticks(self) -> Iterator[float]:
        """Yield the round ratios that there is room to label, 1 among them: what is read is on which side of it."""
        last, one = -math.inf, self.x(1)
        for decade in range(-3, 6):
            for step in _STEPS:
                value = step * 10.0**decade
                x = self.x(value)
                if self.low <= value <= self.high and x - last >= _ROOM and (value == 1 or abs(x - one) >= _ROOM):
                    last = x
                    yield value


def ratios(takers: Sequence[Taking], scenarios: Iterable[str], rows: Mapping[tuple[str, str], OrmTiming]) -> Drawn:
    """Return a plot for each scenario: a row a contestant, its ratio to the raw driver as a dot in its interval."""
    orms = [taker for taker in takers if taker.orm != taker.baseline]
    names = [name for name in scenarios if any(_ratio(rows, taker, name) for taker in orms)]
    left = 14 + CHARACTER * max(len(label(taker.title)) for taker in orms)
    column = (WIDTH - GAP * (COLUMNS - 1)) / COLUMNS
    told = [rows[taker.orm, name] for name in names for taker in orms if _ratio(rows, taker, name)]
    axis = _axis(told, column - left - _ROOM / 2)  # half a label reaches beyond the last tick
    panel = HEAD + ROW * len(orms) + GAP
    parts: list[str] = []
    for number, name in enumerate(names):
        x, y = (number % COLUMNS) * (column + GAP), (number // COLUMNS) * panel
        body = "".join(_panel(name, orms, rows, axis, left))
        parts.append(f'<g transform="translate({round(x, 1)} {round(y, 1)})">{body}</g>')
    height = panel * math.ceil(len(names) / COLUMNS)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="{FONTS}" font-size="11.5" fill="{INK}">{"".join(parts)}</svg>'
    )
    return Drawn(svg, _words(orms, names, rows))


def _ratio(rows: Mapping[tuple[str, str], OrmTiming], taker: Taking, name: str) -> float | None:
    return rows[taker.orm, name].ratio if (taker.orm, name) in rows else None


def _axis(told: Sequence[OrmTiming], width: float) -> Axis:
    values = [value for one in told for value in (one.ratio_low, one.ratio_high) if value and math.isfinite(value)]
    low, high = min(0.9, *values), max(2.2, *values)
    return Axis(low / 1.05, high * 1.05, width)


def _panel(
    name: str, orms: Sequence[Taking], rows: Mapping[tuple[str, str], OrmTiming], axis: Axis, left: float
) -> Iterator[str]:
    bottom = HEAD + ROW * len(orms)
    yield f'<text x="0" y="14" font-weight="600">{escape(SCENARIOS[name])}</text>'
    for value in axis.ticks():
        x = round(left + axis.x(value), 1)
        strong = f'stroke="{MUTED}"' if value == 1 else f'stroke="{LINE}"'
        yield f'<path d="M{x} {HEAD - 6}V{bottom}" {strong}/>'
        yield (f'<text x="{x}" y="{HEAD - 10}" text-anchor="middle" font-size="10" fill="{MUTED}">{value:g}×</text>')
    for number, taker in enumerate(orms):
        yield from _row(taker, rows.get((taker.orm, name)), axis, left, HEAD + ROW * (number + 0.5))


def _row(taker: Taking, told: OrmTiming | None, axis: Axis, left: float, y: float) -> Iterator[str]:
    yield f'<text x="0" y="{y + 4}">{escape(label(taker.title))}</text>'
    if told is None or told.ratio is None or told.ratio_low is None or told.ratio_high is None:
        words = "" if told is None or told.outcome == MEASURED else told.outcome
        x = round(left + axis.x(1) + 6, 1)
        yield f'<text x="{x}" y="{y + 4}" font-size="10" fill="{MUTED}">{escape(printable(words))}</text>'
        return
    low, middle, high = (round(left + axis.x(each), 1) for each in (told.ratio_low, told.ratio, told.ratio_high))
    said = escape(f"{taker.title}: {show(told.ratio, 'ratio')}, {show(told.median, 'seconds')}")
    yield f'<path d="M{low} {y}H{high}M{low} {y - 3}v6M{high} {y - 3}v6" stroke="{ACCENT}" stroke-width="1.5"/>'
    yield f'<circle cx="{middle}" cy="{y}" r="3.5" fill="{ACCENT}"><title>{said}</title></circle>'


def _words(orms: Sequence[Taking], names: Sequence[str], rows: Mapping[tuple[str, str], OrmTiming]) -> str:
    each = []
    for taker in orms:
        found = [ratio for name in names if (ratio := _ratio(rows, taker, name)) is not None]
        if found:
            each.append(f"{taker.title} from {show(min(found), 'ratio')} to {show(max(found), 'ratio')}")
    return f"Dot plots of ratios to the raw driver in {len(names)} scenarios: {'; '.join(each)}"
