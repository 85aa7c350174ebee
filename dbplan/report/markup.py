"""Markup: every block as HTML. Whatever comes from outside goes through `escape`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from dbplan.evidence import Finding, Severity
from dbplan.report import dots, multiples
from dbplan.report.blocks import Block, Code, Dots, Figure, Findings, Multiples, Section, Table, Text
from dbplan.report.cells import ATTACHED, NOT_MEASURED, NUMERIC, THIN, Cell, Figures, cell
from dbplan.report.outline import APART, Group, Outline, Part, groups
from dbplan.report.picture import size
from dbplan.report.tables import contents, series_table, timing_table

SHOWN = 12
"""So many places of one rule stand open; more are folded."""

WIDE = 960
"""A figure of more pixels may not fit its column; its reader can choose to see it in full size."""

MANY_COLUMNS = 8
"""A table of more columns stands closer, and its headings may wrap."""

_SCALED = frozenset({"seconds", "bytes", "rate"})
"""Kinds whose unit differs from cell to cell."""

_SHAPES = {
    "error": '<path d="M3 0h6l3 3v6l-3 3H3L0 9V3z"/>',
    "warning": '<path d="M6 .5 12 11.5H0z"/>',
    "note": '<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2"/>',
    "pass": '<path d="M1 6.5 4.5 10 11 2" fill="none" stroke="currentColor" stroke-width="2.2"/>',
    "fail": '<path d="M1.5 1.5l9 9m0-9-9 9" fill="none" stroke="currentColor" stroke-width="2.2"/>',
}


def mark(name: str) -> str:
    """Return the shape of a severity, of "pass" or of "fail"; the word always stands beside it."""
    return f'<svg class="mark {name}" viewBox="0 0 12 12" aria-hidden="true">{_SHAPES[name]}</svg>'


def severity(value: str) -> str:
    """Return a severity as shape and word."""
    return f'<span class="severity">{mark(value)}{value}</span>'


def outcome(ok: bool) -> str:
    """Return whether a study passes, as shape and word."""
    return f'<span class="outcome">{mark("pass" if ok else "fail")}{"passes" if ok else "fails"}</span>'


def inline(text: str) -> str:
    """Return one line of words as HTML: `code` and **strong** are kept, everything else is escaped."""
    kept = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"(?<!\*)\*\*(?=[^\s*])(.+?)(?<=[^\s*])\*\*(?!\*)", r"<strong>\1</strong>", kept)


def place(text: str) -> str:
    """Return an identifier that may wrap after its dots, underscores and brackets."""
    return re.sub(r"([._(/,·])", r"\1<wbr>", escape(text))


def link(anchor: str, words: str) -> str:
    """Return a link to an anchor on the same page; `words` are HTML."""
    return f'<a href="#{quote(anchor, safe=":.-_~")}">{words}</a>'


def copyable(source: str, caption: str = "") -> str:
    """Return statements or commands as a block that a reader may copy."""
    head = f"<figcaption>{inline(caption)}</figcaption>" if caption else ""
    return f'<figure class="code">{head}<pre tabindex="0"><code>{escape(source.strip())}</code></pre></figure>'


class Writer:
    """Draws the blocks of one report, whose outline gives the anchors; headings begin at `level`."""

    def __init__(self, plan: Outline, level: int) -> None:
        self.plan, self.level = plan, level
        self._told: set[str] = set()
        self._figures = 0

    def blocks(self, blocks: Sequence[Block], parts: Sequence[Part], depth: int = 0) -> Iterator[str]:
        """Yield every block as HTML, in reading order; `parts` are the sections among them."""
        sections = iter(parts)
        draw: dict[type, Callable[[Any], str]] = {
            Text: self._text,
            Code: lambda block: copyable(block.source, block.caption),
            Table: self._table,
            Figure: self._figure,
            Findings: self._findings,
            Dots: self._dots,
            Multiples: self._multiples,
        }
        for block in blocks:
            yield self._section(next(sections), depth) if isinstance(block, Section) else draw[type(block)](block)

    def finding_anchor(self, finding: Finding) -> str:
        """Return the id attribute of a finding, once a page."""
        anchor = self.plan.anchors.get(finding.key)
        if anchor is None or anchor in self._told:
            return ""
        self._told.add(anchor)
        return f' id="{escape(anchor)}"'

    def _section(self, part: Part, depth: int) -> str:
        section, h = part.section, min(self.level + depth, 6)
        state = f"{outcome(section.ok)} " if section.states(depth) else ""
        verdict = f'<p class="says">{state}{inline(section.verdict)}</p>' if section.verdict else ""
        server = f'<p class="server">Measured on {escape(str(section.server))}</p>' if section.server else ""
        body = "".join(self.blocks(section.blocks, part.parts, depth + 1))
        if section.folded and body:
            inside = contents(section.blocks)
            body = f"<details><summary>Evidence <span>{escape(inside)}</span></summary>{body}</details>"
        title = f'<h{h}><a class="self" href="#{quote(part.anchor)}">{escape(section.title)}</a></h{h}>'
        return f'<section id="{escape(part.anchor)}" class="depth{depth}">{title}{verdict}{server}{body}</section>'

    def _text(self, block: Text) -> str:
        return "".join(f"<p>{inline(part.strip())}</p>" for part in re.split(r"\n\s*\n", block.text) if part.strip())

    def _table(self, block: Table) -> str:
        head = "".join(f'<th scope="col"{_numeric(f.kind)}>{place(f.title)}</th>' for f in block.fields)
        body = "".join(f"<tr>{''.join(_cells(block, row))}</tr>" for row in block.rows)
        caption = f"<caption>{inline(block.caption)}</caption>" if block.caption else ""
        wide = ' class="wide"' if len(block.fields) > MANY_COLUMNS else ""
        name = f' role="region" aria-label="{escape(block.caption or "Table")}"'
        return (
            f'<div class="scroll" tabindex="0"{name}><table{wide}>{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    def _figure(self, block: Figure, name: str = "picture") -> str:
        self._figures += 1
        picture = embedded(block.svg, f"f{self._figures}-")
        width = size(block.svg)[0] or WIDE
        caption = f"<figcaption>{inline(block.caption)}</figcaption>" if block.caption else ""
        zoom = '<label><input type="checkbox"> actual size</label>' if width > WIDE else ""
        return (
            f'<figure class="{name}" style="--natural:{width:.0f}px">'
            f'<div class="scroll" tabindex="0" role="img" aria-label="{escape(block.alt)}">{picture}</div>'
            f"{zoom}{caption}</figure>"
        )

    def _dots(self, block: Dots) -> str:
        if not block.timings:
            return "<p>No query was timed.</p>"
        figure = self._figure(
            Figure(dots.svg(block.timings), dots.describe(block.timings), block.caption), "picture plot"
        )
        return figure + self._figures_of(timing_table(block.timings))

    def _multiples(self, block: Multiples) -> str:
        if not block.series:
            return ""
        picture = Figure(multiples.svg(block), multiples.describe(block), block.caption)
        return self._figure(picture, "picture plot") + self._figures_of(series_table(block))

    def _figures_of(self, block: Table) -> str:
        head = f"<summary>The figures <span>{len(block.rows)} rows</span></summary>"
        return f"<details>{head}{self._table(block)}</details>"

    def _findings(self, block: Findings) -> str:
        if not block.findings:
            return "<p>Nothing found.</p>"
        return "".join(self._group(group) for group in groups(block.findings))

    def _group(self, group: Group) -> str:
        number = len(group.findings)
        places = f'<span class="count">{number} places</span>' if number > 1 else ""
        head = f'<div class="rule">{severity(group.severity)}<code>{place(group.rule)}</code>{places}</div>'
        why = f'<p class="why">{inline(group.why)}</p>' if group.why else ""
        body = self._apart(group) if number <= APART else self._alike(group) if group.alike else self._listed(group)
        return f'<div class="group">{head}{why}{body}</div>'

    def _apart(self, group: Group) -> str:
        rows = [self._found(f, copyable(f.mend) if f.mend else "") for f in group.findings]
        return f'<ul class="places">{"".join(rows)}</ul>'

    def _listed(self, group: Group) -> str:
        return _places([self._found(f) for f in group.findings], "places", SHOWN) + _script(group.mends)

    def _alike(self, group: Group) -> str:
        message = f'<p class="alike-message">{inline(group.findings[0].message)}</p>'
        rows = [f"<li{self.finding_anchor(f)}><code>{place(str(f.place))}</code></li>" for f in group.findings]
        return message + _places(rows, "places alike", 3 * SHOWN) + _script(group.mends)

    def _found(self, finding: Finding, mend: str = "") -> str:
        where = f"<code>{place(str(finding.place))}</code>" if str(finding.place) else ""
        message = f'<span class="message">{inline(finding.message)}</span>'
        return f"<li{self.finding_anchor(finding)}>{where} {message}{mend}</li>"


def embedded(svg: str, prefix: str) -> str:
    """Return SVG text to stand inside a page: without its prolog, its ids prefixed so that two figures never meet."""
    body = re.sub(r"^\s*(<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|\s)*", "", svg, flags=re.DOTALL)
    body = re.sub(r'(\s)id="([^"]+)"', rf'\1id="{prefix}\2"', body)
    body = re.sub(r"url\((['\"]?)#", rf"url(\g<1>#{prefix}", body)
    return re.sub(r'href="#', f'href="#{prefix}', body)


def _cells(block: Table, row: Sequence[Any]) -> Iterator[str]:
    for number, (field, value) in enumerate(zip(block.fields, row, strict=True)):
        tag, scope = ("th", ' scope="row"') if number == 0 and field.kind in {"text", "code"} else ("td", "")
        yield f"<{tag}{scope}{_numeric(field.kind)}>{_cell(value, field.kind)}</{tag}>"


def _cell(value: Any, kind: Any) -> str:
    if isinstance(value, Figures):
        below = "".join(f"<small>{inline(line)}</small>" for line in value.below)
        return f"{_figure(value.figure, apart=kind in _SCALED or value.figure.unit not in {'', *ATTACHED})}{below}"
    shown = cell(value, kind)
    if kind == "severity" and shown.number in list(Severity):
        return severity(shown.number)
    if kind == "code" and shown.number not in {"", NOT_MEASURED}:
        return f"<code>{place(shown.number)}</code>"
    if kind == "flag" and shown.number in {"yes", "no"}:
        return f'<span class="flag">{mark("pass") if shown.number == "yes" else ""}{shown.number}</span>'
    return _figure(shown, apart=kind in _SCALED) if kind in NUMERIC else _breakable(inline(str(shown)))


def _breakable(html: str) -> str:
    """Let words that are wider than a column wrap as identifiers do."""
    return re.sub(r"[^\s<>]{40,}", lambda word: re.sub(r"([._(/,·])", r"\1<wbr>", word[0]), html)


def _figure(shown: Cell, *, apart: bool) -> str:
    """Return a number; units that stand apart have room of their own, so that numbers stand under each other."""
    if apart:
        return f"{escape(shown.number)}<i>{THIN}{escape(shown.unit)}</i>"
    return escape(str(shown))


def _numeric(kind: str) -> str:
    return ' class="n"' if kind in NUMERIC else ""


def _places(rows: Sequence[str], name: str, shown: int) -> str:
    first = f'<ul class="{name}">{"".join(rows[:shown])}</ul>'
    if not rows[shown:]:
        return first
    rest = f'<ul class="{name}">{"".join(rows[shown:])}</ul>'
    return f"{first}<details><summary>{len(rows) - shown} more places</summary>{rest}</details>"


def _script(mends: Sequence[str]) -> str:
    if not mends:
        return ""
    title = f"{len(mends)} mends" if len(mends) > 1 else "Mend"
    return f"<details><summary>{title} <span>one script</span></summary>{copyable(chr(10).join(mends))}</details>"
