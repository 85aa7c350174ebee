"""Outline: which part of a report holds what, and the anchor by which each can be linked to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from dbplan.evidence import Finding, Severity
from dbplan.report import MOST_ACTIONS, Report
from dbplan.report.blocks import Block, Findings, Section, walk

APART = 3
"""So many findings of one rule are told apart, each with its mend; more share one script."""


@dataclass(frozen=True)
class Part:
    """A section with its anchor, and the sections inside it in reading order."""

    section: Section
    anchor: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Group:
    """The findings of one rule: what is the same for all is told once."""

    rule: str
    severity: Severity
    why: str
    findings: tuple[Finding, ...]

    @property
    def headline(self) -> str:
        """What is wrong, in one line: the first message, and in how many places there is the like."""
        first, number = self.findings[0].message, len(self.findings)
        if number == 1:
            return first
        if self.alike:
            return f"{first}, in {number} places"
        places = f"{number - 1} more place{'s' if number > 2 else ''}"
        return f"{first.rstrip('.')}; {'the same' if self.why else 'the like'} in {places}."

    @property
    def alike(self) -> bool:
        """Whether the findings say the same, each of another place."""
        told = len(self.places) == len(self.findings)
        return told and all(finding.message == self.findings[0].message for finding in self.findings)

    @property
    def mends(self) -> tuple[str, ...]:
        """The mends, each once, in the order of the findings."""
        return tuple(dict.fromkeys(f.mend.strip() for f in self.findings if f.mend.strip()))

    @property
    def places(self) -> tuple[str, ...]:
        """The places, each once, in the order of the findings."""
        return tuple(dict.fromkeys(str(f.place) for f in self.findings if str(f.place)))


@dataclass(frozen=True)
class Outline:
    """The parts of a report; the anchor of every finding by its key; and the top part that tells it."""

    parts: tuple[Part, ...]
    anchors: Mapping[str, str]
    homes: Mapping[str, Part] = field(default_factory=dict)


def outline(report: Report, prefix: str = "") -> Outline:
    """Return the outline of a report; every anchor begins with `prefix` and depends on titles and keys alone."""
    taken: Counter[str] = Counter()
    parts = tuple(_parts(report.blocks, prefix, taken))
    anchors: dict[str, str] = {}
    for finding in findings_in(report.blocks):
        if finding.key not in anchors:
            anchors[finding.key] = _take(f"{prefix}{slug(finding.key)}", taken)
    homes = {f.key: part for part in reversed(parts) for f in findings_in(part.section.blocks)}
    return Outline(parts, anchors, homes)


def findings_in(blocks: Iterable[Block]) -> Iterator[Finding]:
    """Yield every finding that some block tells."""
    for block in walk(blocks):
        if isinstance(block, Findings):
            yield from block.findings


def groups(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Return findings grouped by rule, the worst severity first, otherwise in the order they came."""
    first: dict[tuple[int, str], int] = {}
    numbered = list(findings)
    for number, finding in enumerate(numbered):
        first.setdefault((finding.severity.rank, finding.rule), number)

    def order(finding: Finding) -> tuple[int, int]:
        return finding.severity.rank, first[finding.severity.rank, finding.rule]

    ordered = sorted(numbered, key=order)
    return tuple(_group(tuple(same)) for _, same in groupby(ordered, order))


def actions(report: Report) -> tuple[tuple[Group, ...], tuple[Finding, ...]]:
    """Return what a page opens with, worst first, one action a rule, and the findings of the other rules.

    Where the report itself, outside any section, tells these few findings anyway, they are not told twice.
    """
    grouped = groups(report.actions)
    told = {f.key for block in report.blocks if isinstance(block, Findings) for f in block.findings}
    if len(grouped) <= MOST_ACTIONS and all(f.key in told for f in report.actions):
        return (), ()
    return grouped[:MOST_ACTIONS], tuple(f for group in grouped[MOST_ACTIONS:] for f in group.findings)


def elsewhere(rest: Iterable[Finding], plan: Outline) -> tuple[tuple[Part, int], ...]:
    """Return the top parts that tell the findings in `rest`, with how many each tells, in reading order."""
    counts = Counter(plan.homes[f.key].anchor for f in rest if f.key in plan.homes)
    return tuple((part, counts[part.anchor]) for part in plan.parts if counts[part.anchor])


def slug(text: str) -> str:
    """Return `text` as an anchor: letters, digits and `_.:-` stay, anything else becomes one hyphen."""
    return re.sub(r"-{2,}", "-", re.sub(r"[^\w.:-]+", "-", text)).strip("-.:") or "part"


def _parts(blocks: Iterable[Block], prefix: str, taken: Counter[str]) -> Iterator[Part]:
    for block in blocks:
        if isinstance(block, Section):
            anchor = _take(prefix + slug(block.title.lower()), taken)
            yield Part(block, anchor, tuple(_parts(block.blocks, f"{anchor}-", taken)))


def _take(wanted: str, taken: Counter[str]) -> str:
    taken[wanted] += 1
    return wanted if taken[wanted] == 1 else _take(f"{wanted}-{taken[wanted]}", taken)


def _group(findings: tuple[Finding, ...]) -> Group:
    first = findings[0]
    return Group(first.rule, first.severity, next((f.why for f in findings if f.why), ""), findings)
