"""Markdown: a report that can be committed beside the code and reads well on a forge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dbplan.evidence import Finding
from dbplan.report import Report
from dbplan.report.blocks import Block, Code, Dots, Figure, Findings, Multiples, Section, Table, Text
from dbplan.report.cells import NUMERIC, show
from dbplan.report.outline import APART, Group, Outline, actions, elsewhere, groups, outline
from dbplan.report.tables import series_table, timing_table

Place = Callable[[Figure], str]
"""Puts a figure somewhere and returns the path by which the Markdown can name it, or "" if it stays away."""


_MARKUP = re.compile(r"[\\*<\[\]]|(?<!\w)_|_(?!\w)")


def markdown(report: Report, put: Place = lambda _: "") -> str:
    """Return the report as Markdown; `put` stores a figure and returns its relative path."""
    plan = outline(report)
    state = f"{_outcome(report.ok)}: " if report.states else ""
    parts = [f"# {_words(report.title)}", f"**{state}{_words(report.verdict)}**"]
    parts += [f"Measured on {_words(str(report.server))}"] if report.server else []
    parts += [*_actions(report, plan), *_blocks(report.blocks, 2, put)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(blocks: Sequence[Block], level: int, put: Place) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text():
                yield _words(block.text.strip())
            case Code():
                yield from ([_words(block.caption)] if block.caption else [])
                yield _fence(block.source, block.language)
            case Table():
                yield _table(block)
            case Dots():
                yield _table(timing_table(block.timings, block.caption)) if block.timings else "No query was timed."
            case Multiples():
                yield _table(series_table(block)) if block.series else ""
            case Figure():
                yield from _figure(block, put)
            case Findings():
                yield from _findings(block.findings)
            case Section():
                yield from _section(block, level, put)


def _section(section: Section, level: int, put: Place) -> Iterator[str]:
    yield f"{'#' * min(level, 6)} {_words(section.title)}"
    if section.verdict:
        state = f"**{_outcome(section.ok)}**: " if section.states(level - 2) else ""
        yield state + _words(section.verdict)
    if section.server:
        yield f"Measured on {_words(str(section.server))}"
    yield from _blocks(section.blocks, level + 1, put)


def _actions(report: Report, plan: Outline) -> Iterator[str]:
    first, rest = actions(report)
    if not first:
        return
    yield "## What to do"
    yield "\n".join(_action(number, group) for number, group in enumerate(first, 1))
    if rest:
        places = ", ".join(f"{n} in {_words(part.section.title)}" for part, n in elsewhere(rest, plan))
        yield f"and {len(rest)} more{': ' + places if places else ''}"
        yield "\n".join(_found(f, "") for f in rest if f.key not in plan.homes)


def _action(number: int, group: Group) -> str:
    where = ", ".join(map(_code, group.places[:APART]))
    where += f" and {len(group.places) - APART} more" if group.places[APART:] else ""
    where += " · " if where else ""
    head = f"{number}. **{_words(group.headline)}** ({group.severity})  \n   {where}{_code(group.rule)}"
    mend = f"\n\n{_indent(_fence(chr(10).join(group.mends[:APART])), 3)}\n" if group.mends else ""
    rest = f"\n   and {len(group.mends) - APART} more like these\n" if group.mends[APART:] else ""
    return head + mend + rest


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "Nothing found."
    for group in groups(findings):
        count = f", {len(group.findings)} places" if len(group.findings) > 1 else ""
        yield f"**{group.severity}** {_code(group.rule)}{count}{': ' + _words(group.why) if group.why else ''}"
        yield _listed(group)
        if group.mends and len(group.findings) > 1:
            yield _fence("\n".join(group.mends))


def _listed(group: Group) -> str:
    if group.alike and len(group.findings) > APART:
        return f"{_words(group.findings[0].message)}: {', '.join(map(_code, group.places))}"
    alone = len(group.findings) == 1
    return "\n".join(_found(finding, finding.mend if alone else "") for finding in group.findings)


def _found(finding: Finding, mend: str) -> str:
    return f"- {_where(finding)}{_words(finding.message)}" + (f"\n\n{_indent(_fence(mend), 2)}" if mend else "")


def _where(finding: Finding) -> str:
    return f"{_code(str(finding.place))}: " if str(finding.place) else ""


def _figure(block: Figure, put: Place) -> Iterator[str]:
    path = put(block)
    if path:
        yield f"![{_words(block.alt)}]({path})"
    elif "mmd" in block.sources:
        yield _fence(block.sources["mmd"], "mermaid")
    else:
        yield f"*{_words(block.alt)}*"
    if block.caption:
        yield _words(block.caption)


def _table(block: Table) -> str:
    if not block.rows:
        return f"{_words(block.caption)}: no rows" if block.caption else "No rows."
    rows = [[_cell(value, f.kind) for f, value in zip(block.fields, row, strict=True)] for row in block.rows]
    head = [_cell(f.title, "text") for f in block.fields]
    right = [f.kind in NUMERIC for f in block.fields]
    widths = [min(60, max(3, *(len(row[n]) for row in [head, *rows]))) for n in range(len(head))]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    lines = [_row(row, widths, right) for row in (head, rule, *rows)]
    return "\n".join(([_words(block.caption), ""] if block.caption else []) + lines)


def _row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
    return f"| {' | '.join(padded)} |"


def _cell(value: Any, kind: Any) -> str:
    shown = show(value, kind)
    words = _code(shown) if kind == "code" and value not in (None, "") else _words(shown)
    return re.sub(r"\s*\n\s*", " ", words).replace("|", "\\|")


def _code(text: str) -> str:
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _words(text: str) -> str:
    """Escape what Markdown or HTML would take for markup; `code` and **strong** stay."""
    parts = re.split(r"(`[^`]+`|\*\*(?=\S)[^*]+(?<=\S)\*\*)", text)
    return "".join(part if n % 2 else _MARKUP.sub(r"\\\g<0>", part) for n, part in enumerate(parts))


def _fence(source: str, language: str = "sql") -> str:
    ticks = "`" * max(3, max((len(run) for run in re.findall(r"`+", source)), default=0) + 1)
    return f"{ticks}{language}\n{source.strip()}\n{ticks}"


def _indent(text: str, by: int) -> str:
    return "\n".join(f"{' ' * by}{line}" if line else line for line in text.splitlines())


def _outcome(ok: bool) -> str:
    return "Passes" if ok else "Fails"
