"""diff(): two sources compared, each difference a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dbplan.comparison.catalogs import COLUMN_ORDER, differences
from dbplan.comparison.mends import mend
from dbplan.comparison.pairs import paired
from dbplan.comparison.sides import Side, gather, refuse_same
from dbplan.evidence import Difference, Finding, Severity
from dbplan.report import Report
from dbplan.report.blocks import Block, Findings, Section, Text, table

_NOTED = frozenset({COLUMN_ORDER, "extension", "statistics", "unique form", "constraint name", "index name"})
_WHY = {
    "table": "Code that expects the table fails, or a table that nobody knows keeps rows.",
    "column": "Statements that name the column fail on one side, or rows differ in what they can hold.",
    "constraint": "Rows that one side refuses are accepted by the other.",
    "index": "A question that is quick on one side scans on the other; a unique one also guards rows.",
    "comment": "What it means is told on one side alone.",
    "unique form": "A unique constraint and a unique index refuse the same rows.",
    "name": "It does the same under both names; what goes by the name, as a revision or a handler of errors, does not.",
    COLUMN_ORDER: "Seen by SELECT * and by INSERT without column names, by nothing else.",
}


def diff(a: Any, b: Any, *, on: str | None = None) -> Report:
    """Compare two sources of any kind and return each difference as a finding, with what makes `b` like `a`.

    Both are judged by servers of one kind (`on`: postgresql, sqlite or mariadb; by default the kind that the sources
    were written for), in its own words: a database is asked itself, everything else is created in a sandbox first.
    Tables of migration tools are left out. Raises UnknownName, SourceError, ConnectionFailed, SandboxError, NotCovered.
    """
    refuse_same(a, b)
    return judge(*gather(a, b, on))


def judge(left: Side, right: Side) -> Report:
    """Return the report of two sides; it is ok when nothing differs but column order and notes."""
    told = paired(differences(left.catalog, right.catalog))
    found = tuple(sorted((_finding(d, left, right) for d in told), key=_weight))
    weighty = tuple(finding for finding in found if finding.severity is not Severity.NOTE)
    return Report(
        f"{left.name} and {right.name}",
        _verdict(found, left, right),
        ok=not weighty,
        blocks=tuple(_blocks(found, left, right)),
        evidence=found,
        actions=weighty,
    )


def _weight(finding: Finding) -> tuple[int, str]:
    return finding.severity.rank, str(finding.place)


def _finding(difference: Difference, left: Side, right: Side) -> Finding:
    what = difference.what
    severity = Severity.NOTE if what in _NOTED or what.endswith("comment") else Severity.ERROR
    kind, _, part = what.partition(" ")
    why = _WHY.get(what) or _WHY.get(part) or _WHY.get(kind, "")
    rule = f"diff-{what.replace(' ', '-')}"
    return Finding(rule, severity, difference.place, _message(difference, left, right), mend(difference, right), why)


def _message(difference: Difference, left: Side, right: Side) -> str:
    """Say what each side has; a thing that one side lacks is told once."""
    what, was, is_ = difference.what, difference.left, difference.right
    if not is_:
        return f"{what} only in {left.name}: {_short(was)}"
    if not was:
        return f"{what} only in {right.name}: {_short(is_)}"
    return f"{what} differs: {_short(was)} in {left.name}, {_short(is_)} in {right.name}"


def _short(text: str, most: int = 300) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _verdict(found: Sequence[Finding], left: Side, right: Side) -> str:
    scope = f"{left.tables} and {right.tables} tables, judged by {_product(left, right)}"
    if not found:
        return f"equal: {scope}"
    counts = Counter(finding.severity for finding in found)
    count, notes = counts[Severity.ERROR], counts[Severity.NOTE]
    told = f"{count} difference{'s' * (count != 1)}" if count else "equal"
    aside = f"{', ' if count else ' but for '}{notes} note{'s' * (notes != 1)}" if notes else ""
    return f"{told}{aside}: {scope}"


def _product(left: Side, right: Side) -> str:
    server = left.server or right.server
    names = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mariadb": "MariaDB", "mysql": "MySQL"}
    name = names.get(left.catalog.dialect, left.catalog.dialect)
    return f"{server.product} {server.version}" if server else f"their own {name}"


def _blocks(found: Sequence[Finding], left: Side, right: Side) -> list[Block]:
    weighty = tuple(finding for finding in found if finding.severity is not Severity.NOTE)
    notes = tuple(finding for finding in found if finding.severity is Severity.NOTE)
    blocks: list[Block] = [_kinds(found)] if found else []
    if weighty:
        blocks.append(Findings(weighty))
    if notes:
        said = f"{len(notes)} note{'s' * (len(notes) != 1)} on names, order and comments; none fails the comparison"
        blocks.append(Section("Notes", said, blocks=(Findings(notes),), folded=True))
    return blocks + [Text(line) for side in (left, right) for line in _unseen(side)]


def _kinds(found: Sequence[Finding]) -> Block:
    counts = Counter((finding.rule, finding.severity) for finding in found)
    rows = [(rule.removeprefix("diff-"), str(severity), count) for (rule, severity), count in sorted(counts.items())]
    return table({"what": "text", "severity": "severity", "differences": "count"}, rows, "Differences by kind")


def _unseen(side: Side) -> list[str]:
    if not side.unseen:
        return []
    shown = "; ".join(side.unseen[:20]) + (f"; … ({len(side.unseen)} in all)" if len(side.unseen) > 20 else "")
    return [f"Not compared, since it is not in the plan of {side.name}: {shown}."]
