"""Text: a report for a terminal, or as plain text; the same in the same order as the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING, Any

from dbplan.evidence import Finding, Severity
from dbplan.report import Report, dots, multiples
from dbplan.report.blocks import Block, Code, Dots, Figure, Findings, Multiples, Section, Table, Text
from dbplan.report.cells import NUMERIC, THIN, Figures, cell, interval, show
from dbplan.report.outline import APART, Group, Outline, actions, elsewhere, groups, outline
from dbplan.report.tables import contents

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text as Line

WIDTH = 80
_LONGEST_WORDS = (28, 22, 16)
_GAP = 2
_MARKS = {"error": "■", "warning": "▲", "note": "○"}
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim", "passes": "blue", "fails": "bold red"}


def text(report: Report, *, width: int = WIDTH, folded: bool = True) -> str:
    """Return the report as plain text in `width` columns; only code, which is to be copied, may be wider."""
    from rich.console import Console

    paper = StringIO()
    console = Console(file=paper, width=width, color_system=None, force_terminal=False, legacy_windows=False)
    _Printer(console, outline(report), folded=folded).report(report)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines()).strip("\n") + "\n"


def print_report(report: Report, console: Console | None = None, *, folded: bool = True) -> None:
    """Print the report; in colours on a terminal alone. `folded=False` leaves out what the page folds."""
    from rich.console import Console

    console = console or Console(highlight=False)
    reconfigure = getattr(console.file, "reconfigure", None)
    if reconfigure is not None and "utf" not in (console.encoding or "").lower():
        reconfigure(errors="replace")
    if console.is_terminal:
        _Printer(console, outline(report), folded=folded).report(report)
    else:
        console.file.write(text(report, width=console.width, folded=folded))


class _Printer:
    """Prints one report on one console."""

    def __init__(self, console: Console, plan: Outline, *, folded: bool) -> None:
        self.console, self.plan, self.folded = console, plan, folded

    def say(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        from rich.padding import Padding

        self.console.print(Padding(_line(*parts), (0, 0, 0, indent)))

    def report(self, report: Report) -> None:
        self.say((report.title, "dim"))
        state = (*_outcome(report.ok), " · ") if report.states else ()
        self.say(*state, (_bare(report.verdict), "bold"))
        self.server(report)
        self.actions(report)
        self.blocks(report.blocks)

    def server(self, part: Report | Section) -> None:
        if part.server:
            self.say((f"Measured on {part.server}", "dim"))

    def actions(self, report: Report) -> None:
        first, rest = actions(report)
        if not first:
            return
        self.heading("What to do", 0)
        for number, group in enumerate(first, 1):
            self.say(f"{number}. ", *_severity(group.severity), "  ", (_bare(group.headline), "bold"))
            self.say((_where(group), "dim"), indent=3)
            self.code("\n".join(group.mends[:APART]), 6)
            if group.mends[APART:]:
                self.say((f"and {len(group.mends) - APART} more like these", "dim"), indent=6)
        if rest:
            places = ", ".join(f"{n} in {part.section.title}" for part, n in elsewhere(rest, self.plan))
            self.say((f"and {len(rest)} more{': ' + places if places else ''}", "dim"), indent=3)
            self.findings(f for f in rest if f.key not in self.plan.homes)

    def heading(self, title: str, depth: int) -> None:
        self.console.print()
        if depth == 0:
            rule = "─" * max(3, self.console.width - len(title) - 5)
            self.say(("── ", "dim"), (title, "bold"), (f" {rule}", "dim"))
        else:
            self.say((title, "bold"))

    def blocks(self, blocks: Sequence[Block], depth: int = 0) -> None:
        draw: dict[type, Any] = {
            Text: lambda b: self.say(_bare(b.text)),
            Code: self.listing,
            Table: self.table,
            Figure: self.figure,
            Findings: lambda b: self.findings(b.findings) if b.findings else self.say("Nothing found."),
            Dots: self.dots,
            Multiples: self.multiples,
        }
        for block in blocks:
            if isinstance(block, Section):
                self.section(block, depth)
            else:
                self.console.print()
                draw[type(block)](block)

    def section(self, section: Section, depth: int) -> None:
        self.heading(section.title, depth)
        state = (*_outcome(section.ok), " · ") if section.states(depth) else ()
        if section.verdict:
            self.say(*state, _bare(section.verdict))
        self.server(section)
        if section.folded and not self.folded:
            self.say((contents(section.blocks), "dim"))
        else:
            self.blocks(section.blocks, depth + 1)

    def caption(self, caption: str) -> None:
        if caption:
            self.say((_bare(caption), "italic dim"))

    def listing(self, block: Code) -> None:
        self.caption(block.caption)
        self.code(block.source, 4)

    def code(self, source: str, indent: int) -> None:
        for line in source.strip().splitlines():
            self.console.print(_line(f"{' ' * indent}{line}"), soft_wrap=True)

    def figure(self, block: Figure) -> None:
        self.say((f"[{block.alt}]", "dim"))
        self.caption(block.caption)

    def table(self, block: Table) -> None:
        self.caption(block.caption)
        if not block.rows:
            self.say(("no rows", "dim"))
            return
        shown = [[_cell(value, f.kind) for f, value in zip(block.fields, row, strict=True)] for row in block.rows]
        grid = _Grid([f.title for f in block.fields], [f.kind in NUMERIC for f in block.fields], shown)
        if grid.fit(self.console.width):
            self.console.print(grid.drawn())
        else:
            self.stacked(block)

    def stacked(self, block: Table) -> None:
        for number, row in enumerate(block.rows):
            if number:
                self.console.print()
            first, *rest = (_inline(value, f.kind) for f, value in zip(block.fields, row, strict=True))
            self.say((first, "bold"))
            for field, value in zip(block.fields[1:], rest, strict=True):
                self.say((f"{field.title}: ", "dim"), value, indent=2)

    def dots(self, block: Dots) -> None:
        self.caption(block.caption)
        if not block.timings:
            self.say("No query was timed.")
            return
        scale = dots.Scale(block.timings)
        room = max(12, self.console.width - 62)
        rows = [
            [
                _line(t.query),
                _line((scale.line(t, room), "blue")),
                _cell(t.median, "seconds"),
                _line(interval(t.median, t.low, t.high)),
                _cell(t.p95, "seconds"),
                _cell(t.n, "count"),
            ]
            for t in block.timings
        ]
        titles = ["query", "", "median", "95 % interval", "p95", "n"]
        grid = _Grid(titles, [False, False, True, True, True, True], rows)
        grid.widths[0] = max(12, min(grid.widths[0], grid.widths[0] + self.console.width - grid.total))
        self.console.print(grid.drawn())
        axis = f"on a log axis from {show(scale.low, 'seconds')} to {show(scale.high, 'seconds')}"
        self.say((f"● median ─ 95 % interval │ 95th percentile, {axis}", "dim"))

    def multiples(self, block: Multiples) -> None:
        self.caption(block.caption)
        rows = [
            [_line(s.name), _line((multiples.line(s), "blue")), _line(multiples.ends(s)), _line(s.said)]
            for s in block.series
        ]
        of, by, counted = block.titles
        grid = _Grid([of, counted, by, ""], [False, True, False, False], rows)
        grid.fit(self.console.width)
        self.console.print(grid.drawn())

    def findings(self, findings: Iterable[Finding]) -> None:
        found = groups(findings)
        for number, group in zip(count(), found, strict=False):
            if number:
                self.console.print()
            self.group(group)

    def group(self, group: Group) -> None:
        places = f"  {len(group.findings)} places" if len(group.findings) > 1 else ""
        self.say(*_severity(group.severity), "  ", (group.rule, "bold"), (places, "dim"))
        if group.why:
            self.say((_bare(group.why), "dim"), indent=2)
        apart = len(group.findings) <= APART
        if group.alike and not apart:
            self.say(_bare(group.findings[0].message), ": ", ", ".join(group.places), indent=2)
        else:
            for finding in group.findings:
                self.found(finding, apart=apart)
        if not apart:
            self.code("\n".join(group.mends), 6)

    def found(self, finding: Finding, *, apart: bool) -> None:
        where = str(finding.place)
        self.say("- ", (where, "bold"), ": " if where else "", _bare(finding.message), indent=2)
        if apart:
            self.code(finding.mend, 6)


def _line(*parts: str | tuple[str, str]) -> Line:
    from rich.text import Text as Line

    line = Line()
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        line.append(words.replace(THIN, " "), style)
    return line


def _bare(words: str) -> str:
    return re.sub(r"(?<!\*)\*\*(?!\*)", "", words).replace("`", "")  # *** masks a password, and stays


def _outcome(ok: bool) -> tuple[tuple[str, str]]:
    word = "passes" if ok else "fails"
    return ((f"{'✓' if ok else '✗'} {word}", _STYLES[word]),)


def _severity(severity: str) -> tuple[tuple[str, str]]:
    return ((f"{_MARKS[severity]} {severity}", _STYLES[severity]),)


def _where(group: Group) -> str:
    more = f" and {len(group.places) - APART} more" if group.places[APART:] else ""
    return " · ".join(part for part in (", ".join(group.places[:APART]) + more, group.rule) if part)


def _inline(value: Any, kind: Any) -> str:
    return str(value) if isinstance(value, Figures) else _cell(value, kind).plain


def _cell(value: Any, kind: Any) -> Line:
    if isinstance(value, Figures):
        return _line("\n".join((str(value.figure), *value.below)))
    shown = str(cell(value, kind))
    if kind == "severity" and shown in list(Severity):
        return _line(*_severity(shown))
    return _line(shown)


class _Grid:
    """Rows under titles: numbers to the right and never broken, words wrapped between words."""

    def __init__(self, titles: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[Line]]) -> None:
        self.titles, self.numeric, self.rows = titles, numeric, rows
        self.widths = [self._full(number) for number in range(len(titles))]

    def fit(self, width: int) -> bool:
        """Return whether it can be drawn so narrow, and prepare for that; long words are broken only if they must."""
        for longest in _LONGEST_WORDS:
            self.widths = self._narrowest(longest)
            room = width - self.total
            if room >= 0:
                self.widths = self._widened(room)
                return True
        return False

    @property
    def total(self) -> int:
        """The columns that it takes on the console."""
        return sum(self.widths) + _GAP * (len(self.widths) - 1)

    def _widened(self, room: int) -> list[int]:
        """Return the widths with what room is left given out, first to the columns that want the least."""
        widths = list(self.widths)
        wanted = sorted((self._full(number) - width, number) for number, width in enumerate(widths))
        for left, (want, number) in zip(range(len(widths), 0, -1), wanted, strict=True):
            given = min(want, room // left)
            widths[number] += given
            room -= given
        return widths

    def drawn(self) -> Any:
        from rich import box
        from rich.table import Table as Drawn

        table = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
        for title, numeric, width in zip(self.titles, self.numeric, self.widths, strict=True):
            side: Any = "right" if numeric else "left"
            # A width of our own: Rich, left to itself, may make the whole wider than the console and cut it off.
            table.add_column(_line(title), justify=side, overflow="fold", width=width)
        for row in self.rows:
            table.add_row(*row)
        return table

    def _full(self, number: int) -> int:
        from rich.cells import cell_len

        cells = [self.titles[number], *(row[number].plain for row in self.rows)]
        return max(cell_len(line) for cell in cells for line in cell.split("\n"))

    def _narrowest(self, word: int) -> list[int]:
        return [self._narrow(number, word) for number in range(len(self.titles))]

    def _narrow(self, number: int, word: int) -> int:
        cells = [row[number].plain for row in self.rows]
        words = [word for cell in cells for word in (cell.splitlines() if self.numeric[number] else cell.split())]
        from rich.cells import cell_len

        longest = max(map(cell_len, words), default=1)
        title = max(map(cell_len, self.titles[number].split()), default=1)
        return max(title, longest if self.numeric[number] else min(longest, word))
