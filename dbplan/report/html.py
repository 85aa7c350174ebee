"""HTML: a report as one page that stands alone, or as a fragment for a notebook."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from dbplan.evidence import Finding
from dbplan.report import Report
from dbplan.report.markup import Writer, copyable, inline, link, mark, outcome, place, severity
from dbplan.report.outline import APART, Group, Outline, Part, actions, elsewhere, groups, outline, slug

MANY_PARTS = 9
"""A table of contents folds the parts of a section that has so many."""


def page(report: Report) -> str:
    """Return a report as one HTML page: self-contained, no network, readable without JavaScript."""
    plan = outline(report)
    writer = Writer(plan, level=2)
    body = "".join((_head(report, 1), _actions(report, plan, 2), *writer.blocks(report.blocks, plan.parts)))
    style = _resource("report.css") + _resource("page.css")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(report.title)}</title>\n<link rel="icon" href="data:,">\n<style>\n{style}</style>\n</head>\n'
        '<body class="dbplan">\n<a class="skip" href="#report">Skip to the report</a>\n<div class="sheet">\n'
        f'{_contents(report, plan)}<main id="report">{body}</main>\n</div>\n'
        f"<script>\n{_resource('page.js')}</script>\n</body>\n</html>\n"
    )


def fragment(report: Report) -> str:
    """Return a report for a notebook cell: the page's content with its style, the same bytes in every run."""
    plan = outline(report, f"{slug(report.title.lower())}-")
    writer = Writer(plan, level=4)
    body = "".join((_head(report, 3), _actions(report, plan, 4), *writer.blocks(report.blocks, plan.parts)))
    # Two classes outweigh what a notebook says about tables, lists and code.
    style = _dense(_resource("report.css").replace(".dbplan ", ".dbplan.cell ") + _resource("notebook.css"))
    return f'<div class="dbplan cell"><style>{style}</style>{body}</div>'


def _head(report: Report, level: int) -> str:
    server = f'<p class="server">Measured on {escape(str(report.server))}</p>' if report.server else ""
    state = outcome(report.ok) if report.states else ""
    return (
        f"<header><h{level}>{escape(report.title)}</h{level}>{state}"
        f'<p class="verdict">{inline(report.verdict)}</p>{server}</header>'
    )


def _actions(report: Report, plan: Outline, level: int) -> str:
    first, rest = actions(report)
    if not first:
        return ""
    items = "".join(_action(group, plan) for group in first)
    more = f'<p class="more">{_more(rest, plan)}</p>' if rest else ""
    hidden = groups(f for f in rest if f.key not in plan.homes)
    if hidden:
        listing = "".join(_action(group, plan) for group in hidden)
        more += f"<details><summary>Those told nowhere below</summary><ol>{listing}</ol></details>"
    title = f"<h{level}>What to do</h{level}>"
    return f'<section class="actions" id="{_actions_anchor(plan)}">{title}<ol>{items}</ol>{more}</section>'


def _actions_anchor(plan: Outline) -> str:
    taken = {part.anchor for part in plan.parts} | set(plan.anchors.values())
    return "actions" if "actions" not in taken else "actions-first"


def _action(group: Group, plan: Outline) -> str:
    anchor = plan.anchors.get(group.findings[0].key)
    rule = f"<code>{place(group.rule)}</code>"
    rule = link(anchor, rule) if anchor else rule
    where = ", ".join(f"<code>{place(p)}</code>" for p in group.places[:APART])
    where += f" and {len(group.places) - APART} more" if group.places[APART:] else ""
    mend = copyable("\n".join(group.mends[:APART])) if group.mends else ""
    if group.mends[APART:]:
        rest = f"and {len(group.mends) - APART} more like these"
        mend += f'<p class="rest">{link(anchor, rest) if anchor else rest}</p>'
    return (
        f'<li><p class="do">{inline(group.headline)}</p>'
        f'<p class="where">{severity(group.severity)} {where}{" · " if where else ""}{rule}</p>{mend}</li>'
    )


def _more(rest: tuple[Finding, ...], plan: Outline) -> str:
    places = ", ".join(f"{n} in {link(part.anchor, escape(part.section.title))}" for part, n in elsewhere(rest, plan))
    return f"and {len(rest)} more{': ' + places if places else ''}"


def _contents(report: Report, plan: Outline) -> str:
    if not plan.parts:
        return ""
    first = f"<li>{link(_actions_anchor(plan), 'What to do')}</li>" if actions(report)[0] else ""
    listing = "".join(_entry(part, 0) for part in plan.parts)
    return (
        '<nav aria-label="Contents"><input type="checkbox" id="contents"><label for="contents">Contents</label>'
        f"<ul>{first}{listing}</ul></nav>\n"
    )


def _entry(part: Part, depth: int) -> str:
    state = mark("pass" if part.section.ok else "fail") if part.section.states(depth) else ""
    below = "".join(_entry(inner, depth + 1) for inner in part.parts)
    if len(part.parts) >= MANY_PARTS:
        below = f"<details><summary>{len(part.parts)} parts</summary><ul>{below}</ul></details>"
    elif below:
        below = f"<ul>{below}</ul>"
    return f"<li>{link(part.anchor, state + escape(part.section.title))}{below}</li>"


@cache
def _resource(name: str) -> str:
    return files("dbplan.report").joinpath(name).read_text("utf-8")


def _dense(css: str) -> str:
    import re

    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"\s*([{}:;,>])\s*", r"\1", re.sub(r"\s+", " ", bare)).replace(";}", "}").strip()
