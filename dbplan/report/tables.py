"""Tables that blocks turn into where they cannot be drawn: timings and findings as rows, and what a section holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dbplan.evidence import Finding, Timing
from dbplan.report.blocks import Block, Code, Dots, Figure, Findings, Multiples, Section, Table, table, walk


def timing_table(timings: Iterable[Timing], caption: str = "") -> Table:
    """Return timings as a Table, in the order they came."""
    rows = [
        (t.query, t.median, t.low, t.high, t.p95, t.n, t.rows, t.per_second or None, ", ".join(t.indexes) or None)
        for t in timings
    ]
    return table(
        {
            "query": "text",
            "median": "seconds",
            "95 % low": "seconds",
            "95 % high": "seconds",
            "p95": "seconds",
            "n": "count",
            "rows": "count",
            "planned": "rate",
            "indexes": "code",
        },
        rows,
        caption,
    )


def series_table(block: Multiples) -> Table:
    """Return small plots as a Table, a row for every label of every series."""
    of, by, counted = block.titles
    rows = [(series.name, name, count) for series in block.series for name, count in series.counts]
    return table({of: "text", by: "text", counted: "count"}, rows, block.caption)


def finding_table(findings: Iterable[Finding], caption: str = "") -> Table:
    """Return findings as a Table, worst first."""
    rows = [
        (f.severity, f.rule, str(f.place), f.message, f.mend or None, f.why or None)
        for f in sorted(findings, key=lambda f: f.severity.rank)
    ]
    titles = ("severity", "rule", "place", "message", "mend", "why")
    return table({t: "severity" if t == "severity" else "text" for t in titles}, rows, caption)


def tabular(blocks: Sequence[Block]) -> list[tuple[str, Table]]:
    """Return every block that has rows as a Table with a name, in reading order."""
    found: list[tuple[str, Table]] = []
    for block in walk(blocks):
        if isinstance(block, Table):
            found.append((block.caption or "table", block))
        elif isinstance(block, Findings):
            found.append(("findings", finding_table(block.findings)))
        elif isinstance(block, Dots):
            found.append((block.caption or "timings", timing_table(block.timings)))
        elif isinstance(block, Multiples):
            found.append((block.caption or "plots", series_table(block)))
    return found


def contents(blocks: Sequence[Block]) -> str:
    """Return in a few words what stands in `blocks`: `12 findings · 2 tables`."""
    inside = list(walk(blocks))
    findings = sum(len(block.findings) for block in inside if isinstance(block, Findings))
    counts = [(findings, "finding")]
    named: tuple[tuple[Any, str], ...] = (
        (Table, "table"),
        ((Dots, Multiples), "plot"),
        (Figure, "figure"),
        (Code, "listing"),
        (Section, "part"),
    )
    counts += [(sum(isinstance(block, kind) for block in inside), word) for kind, word in named]
    return " · ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n)
